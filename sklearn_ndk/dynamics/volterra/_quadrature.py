"""Product quadrature for a kernel against the polynomials of a panel."""

import numpy as np
from numpy.polynomial.legendre import leggauss

_POWER = 6


def lagrange_basis(nodes, x):
    """Evaluate the Lagrange polynomials of `nodes`.

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes,)
        Distinct nodes.
    x : ndarray
        Points at which to evaluate.

    Returns
    -------
    ndarray of shape (*x.shape, n_nodes)
        The value at each point of the polynomial that is one at each node.
    """
    values = np.ones((*x.shape, len(nodes)))
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        for other in others:
            values[..., j] *= (x - other) / (node - other)
    return values


def panel_rule(times, start, end, nodes, n_points):
    """Return a rule for ``int k(t, t') r(t') dt'`` over panels, `r` known at nodes.

    On each panel `r` is the polynomial through its nodes. The kernel is
    integrated by Gauss points in ``v``, where the lag ``t - t'`` is ``v^6``: a
    kernel with a square-root kink at ``t' = t`` is smooth in ``v``, and layers
    near the kink, as for inputs nearly parallel or large, are resolved.

    Parameters
    ----------
    times : ndarray of shape (n_integrals,)
        The time `t` of each integral, which is an upper limit as well.
    start, end : ndarray of shape (n_integrals,)
        The panel of each, which starts before `t`.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.
    n_points : int
        Gauss points per panel.

    Returns
    -------
    points : ndarray of shape (n_integrals, n_points)
        The times ``t'`` at which the kernel is needed.
    rule : ndarray of shape (n_integrals, n_points, n_nodes)
        The integral is ``sum(k(t, points) * rule @ r)``.
    """
    x, w = leggauss(n_points)
    x, w = (x + 1) / 2, w / 2
    width = end - start
    longest = times - start  # the lag at the start of the panel
    # Everything is relative to the longest lag, and written without differences of
    # large times: a panel may be short beside t.
    past = np.minimum(width / longest, 1)
    with np.errstate(divide="ignore"):
        span = -np.expm1(np.log1p(-past) / _POWER)[:, None]
    longest = longest[:, None]
    v = 1 - span * (1 - x)
    lag = longest * v**_POWER
    since_start = longest * -np.expm1(_POWER * np.log1p(-span * (1 - x)))
    weights = longest * _POWER * v ** (_POWER - 1) * span * w
    rule = weights[..., None] * lagrange_basis(nodes, since_start / width[:, None])
    near_start = since_start < lag
    points = np.where(near_start, start[:, None] + since_start, times[:, None] - lag)
    return np.clip(points, 0, times[:, None]), rule
