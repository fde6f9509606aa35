"""The Volterra equation (14)-(15) solved the slow way, as an oracle.

It evaluates the kernel at every pair of times it needs, on a mesh much finer than
the package's, with other nodes, and solves dense systems. It shares with the
package only the kernel of single pairs of inputs, which has oracles of its own.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.interpolate import BarycentricInterpolator

from sklearn_ndk.kernels._families import NDK


class Resolution(NamedTuple):
    """How finely the equation is resolved."""

    n_nodes: int = 10
    n_points: int = 36
    ratio: float = 1.5
    max_change: float = 0.5


FINE = Resolution()


class Kernel(NamedTuple):
    """What brute force knows of a network."""

    entries: Callable  # of k_xx, k_yy, k_xy, t, t_prime
    kappa: float

    @classmethod
    def of(cls, network):
        """Return the package's kernel of single pairs of inputs."""
        return cls(NDK(network).entries, network.kappa)


def brute_force(kernel, X, y, Xs, times, sample_weight=None, resolution=FINE):
    """Mean predictions of shape (n_test, n_times) for a 1-D `y`."""
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    edges = mesh(kernel, X, weight, times[-1], resolution)
    n_nodes, n_points = resolution[:2]
    nodes = (leggauss(n_nodes)[0] + 1) / 2
    residual = np.empty((0, n_nodes, len(X)))
    for panel in range(len(edges) - 1):
        matrix = np.eye(n_nodes * len(X)).reshape(n_nodes, len(X), n_nodes, len(X))
        rhs = np.empty((n_nodes, len(X)))
        for i, node in enumerate(nodes):
            t = edges[panel] + (edges[panel + 1] - edges[panel]) * node
            values, rule = _kernel_and_rule(
                kernel, X, X, t, edges[: panel + 2], nodes, n_points
            )
            past = np.einsum(
                "xypq,pqj,pjy->xy",
                values[:, :, :-1],
                rule[:-1],
                residual,
                optimize=True,
            )
            rhs[i] = y - past @ weight
            matrix[i] += np.einsum("xyq,qj->xjy", values[:, :, -1], rule[-1]) * weight
        solution = np.linalg.solve(matrix.reshape(rhs.size, -1), rhs.ravel())
        residual = np.append(residual, solution.reshape(1, *rhs.shape), axis=0)
    out = np.empty((len(Xs), len(times)))
    for i, t in enumerate(times):
        upto = np.searchsorted(edges, t)
        values, rule = _kernel_and_rule(
            kernel, Xs, X, t, edges[: upto + 1], nodes, n_points
        )
        out[:, i] = np.einsum(
            "xypq,pqj,pjy,y->x", values, rule, residual[:upto], weight, optimize=True
        )
    return out


def mesh(kernel, X, sample_weight, t_end, resolution=FINE):
    """Return the edges of the panels of time."""
    k = (X**2).mean(axis=1)

    def rate(t):
        return sample_weight @ kernel.entries(k, k, k, t, t)

    edges = [0.0]
    while edges[-1] < t_end:
        t = edges[-1]
        diffusion = 0.3 / kernel.kappa
        step = min((resolution.ratio - 1) * t, max(diffusion, 0.3 * t))
        if t == 0:
            step = 0.02 / (rate(0.0) + kernel.kappa)
        while abs(np.log(rate(t + step) / rate(t))) > resolution.max_change:
            step /= 2
        edges.append(t + step)
    return np.array(edges)


def _kernel_and_rule(kernel, X, Y, t, edges, nodes, n_points):
    """Kernel at Gauss points of all panels; weights times Lagrange polynomials."""
    x, w = leggauss(n_points)
    width = np.diff(edges)[:, None]
    start, stop = edges[:-1, None], np.minimum(edges[1:, None], t)
    far, near = np.sqrt(t - start), np.sqrt(t - stop)
    # t' = t - u^2 with u graded as x^3, without differences of nearly equal numbers
    far, near = np.cbrt(far), np.cbrt(near)
    span = (stop - start) / sum(far**k * near ** (5 - k) for k in range(6))
    v = near + span * (x + 1) / 2
    since = span * (1 - x) / 2 * sum(far**k * v ** (5 - k) for k in range(6))
    basis = BarycentricInterpolator(nodes, np.eye(len(nodes)))(since / width)
    n_features = X.shape[1]
    values = kernel.entries(
        (X**2).sum(axis=1)[:, None, None, None] / n_features,
        (Y**2).sum(axis=1)[:, None, None] / n_features,
        (X @ Y.T)[:, :, None, None] / n_features,
        t,
        np.minimum(start + since, t),
    )
    return values, basis * (3 * v**5 * span * w)[..., None]
