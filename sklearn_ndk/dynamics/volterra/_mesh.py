"""A time mesh graded over both phases, and the Radau nodes of its panels.

Gradient flow relaxes the modes of the kernel at times from ``1 / lambda_max``
up; diffusion acts at times of order ``1 / kappa``. A panel as long as all panels
before it resolves an exponential of any rate equally well, so a few dozen panels
span both.
"""

import numpy as np
from scipy.special import roots_jacobi

# With p Radau nodes a panel and panels that end at three times their start, any
# exp(-rate t) is met to 1.2 * 3.7**-p; here, with a margin of 4 at tol = 1e-2 and
# of 10 at 1e-6, for kernels in motion.
_ORDER_CONSTANT, _ORDER_BASE = 4.2, 4.15
_RATIO = 3.0  # of the ends of successive panels
_FIRST_STEP = 0.3  # in units of 1 / (largest rate + kappa)
_MAX_GROWTH = 2.0  # of log(rate) along one panel
_MAX_SHRINKS = 48  # trial lengths of a panel, each 0.8 times the one before
_MAX_PANELS = 64  # which span 24 decades of time before diffusion sets in
_FIRST_MOMENTS = np.array([1e-8, 1e-4])  # in units of the first panel
_SAMPLED_GROWTH = 0.1  # of log(variance) between times that represent all others


def n_nodes_for(tol):
    """Return the number of Radau nodes per panel that meets `tol`.

    Parameters
    ----------
    tol : float
        Relative accuracy wanted of the trajectory.

    Returns
    -------
    int
        At least 2.
    """
    return max(2, int(np.ceil(np.log(_ORDER_CONSTANT / tol) / np.log(_ORDER_BASE))))


def radau_nodes(n_nodes):
    """Return the right Radau nodes on [0, 1], the last of which is 1.

    Parameters
    ----------
    n_nodes : int
        Number of nodes, at least 2.

    Returns
    -------
    ndarray of shape (n_nodes,)
        In ascending order.
    """
    inner, _ = roots_jacobi(n_nodes - 1, 1, 0)
    return np.append((inner + 1) / 2, 1.0)


def radau_weights(nodes):
    """Return the weights of Radau nodes in integrals over [0, 1].

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes,)
        The nodes.

    Returns
    -------
    ndarray of shape (n_nodes,)
        Positive.
    """
    powers = np.vander(2 * nodes - 1, increasing=True).T
    degrees = np.arange(len(nodes))
    return np.linalg.solve(powers, np.where(degrees % 2, 0, 1 / (degrees + 1)))


def graded_edges(rate, kappa, t_end, ratio=_RATIO, max_panels=_MAX_PANELS):
    """Return panel edges from 0 to at least `t_end`.

    A panel is at most as long as all before it, and gradient flow makes at most
    as much headway in it, ``int rate dt``, as in all before it. Once diffusion
    has set in, at ``tau = kappa t`` of order one, panels may have length one in
    tau or half of the time passed. Edges do not depend on `t_end`, so a longer
    mesh continues a shorter one.

    Parameters
    ----------
    rate : callable
        The largest relaxation rate at an array of times: an estimate from above
        of the largest eigenvalue of the kernel at ``t = t'``.
    kappa : float
        Diffusion rate ``T / sigma^2``, positive.
    t_end : float
        Time to be covered.
    ratio : float, default=3.0
        Ratio of the ends of successive panels.
    max_panels : int
        Largest number of panels.

    Returns
    -------
    ndarray of shape (n_panels + 1,)
        The edges, from 0.

    Raises
    ------
    ValueError
        If they would be too many.
    """
    edges = [0.0]
    headway = np.inf  # the first panel has none before it
    while edges[-1] < t_end:
        start = edges[-1]
        longest = min((ratio - 1) * start, max(1 / kappa, start / 2))
        if start == 0:
            longest = _FIRST_STEP / (rate(np.zeros(1))[0] + kappa)
        steps = longest * 0.8 ** np.arange(_MAX_SHRINKS)
        rates = rate(start + np.array([[0], [0.5], [1]]) * steps)
        rates = np.maximum(rates, np.finfo(float).tiny)  # inputs may all be zero
        gains = steps * (np.array([1, 4, 1]) @ rates) / 6  # Simpson's rule
        growths = np.abs(np.log(rates[2] / rates[0]))
        # the slack: at a constant rate the longest step is just allowed
        allowed = gains <= (ratio - 1) * headway * (1 + 1e-3)
        best = np.argmax(allowed & (growths <= _MAX_GROWTH))
        headway = gains[best] if start == 0 else headway + gains[best]
        edges.append(start + steps[best])
        if len(edges) > max_panels + 1:
            raise ValueError(
                f"The dynamics up to t={t_end:.3g} span too many scales of time: "
                f"gradient descent begins at t={edges[1]:.1g}, diffusion at "
                f"sigma^2 / T={1 / kappa:.1g}. Scale X and the sample weights down, "
                "raise T, or leave the noise out with T=0."
            )
    return np.array(edges)


def representative_times(edges, variance):
    """Return times at which the kernel shows all that it does in between.

    These are the ends of the panels, times within those in which it changes its scale,
    and a few of the first moments, when predictions are as small as the lags that they
    integrate over.

    Parameters
    ----------
    edges : ndarray of shape (n_panels + 1,)
        Panel edges, from 0.
    variance : callable
        The variance of single weights at an array of times.

    Returns
    -------
    ndarray of shape (n_times,)
        Positive, in ascending order.
    """
    growths = np.abs(np.diff(np.log(variance(edges))))
    counts = np.maximum(1, np.ceil(growths / _SAMPLED_GROWTH)).astype(int)
    panels = zip(edges[:-1], edges[1:], counts, strict=True)
    within = [np.linspace(a, b, n + 1)[1:] for a, b, n in panels]
    return np.concatenate([edges[1] * _FIRST_MOMENTS, *within])
