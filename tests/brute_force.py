"""The Volterra equation (14)-(15) solved the slow way, as an oracle.

It evaluates the kernel at every pair of times it needs, on a mesh much finer than
the package's, with other nodes, and solves dense systems. It shares with the
package only the kernel of single pairs of inputs, which has oracles of its own.
"""

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.interpolate import BarycentricInterpolator

N_NODES, N_POINTS, RATIO, MAX_CHANGE = 10, 20, 1.5, 0.5


def brute_force(network, X, y, Xs, times, sample_weight=None):
    """Mean predictions of shape (n_test, n_times) for a 1-D `y`."""
    sample_weight = np.ones(len(X)) if sample_weight is None else sample_weight
    edges = _mesh(network, X, sample_weight, times[-1])
    nodes = (leggauss(N_NODES)[0] + 1) / 2
    residual = np.empty((len(edges) - 1, N_NODES, len(X)))
    for panel in range(len(edges) - 1):
        ts = edges[panel] + (edges[panel + 1] - edges[panel]) * nodes
        matrix = np.eye(N_NODES * len(X)).reshape(N_NODES, len(X), N_NODES, len(X))
        rhs = np.empty((N_NODES, len(X)))
        for i, t in enumerate(ts):
            past = _integral(network, X, X, t, edges, nodes, residual, panel)
            rhs[i] = y - past @ sample_weight
            kernel, basis = _panel_rule(network, X, X, t, edges, nodes, panel)
            matrix[i] += np.einsum("xyq,qj->xjy", kernel, basis) * sample_weight
        solution = np.linalg.solve(matrix.reshape(rhs.size, -1), rhs.ravel())
        residual[panel] = solution.reshape(rhs.shape)
    out = np.empty((len(Xs), len(times)))
    for i, t in enumerate(times):
        panel = np.searchsorted(edges, t) - 1
        integral = _integral(network, Xs, X, t, edges, nodes, residual, panel + 1)
        out[:, i] = integral @ sample_weight
    return out


def _mesh(network, X, sample_weight, t_end):
    k = (X**2).mean(axis=1)

    def rate(t):
        return sample_weight @ network.ndk_entries(k, k, k, t, t)

    edges = [0.0]
    while edges[-1] < t_end:
        t = edges[-1]
        diffusion = 0.3 / network.kappa
        step = min((RATIO - 1) * t, max(diffusion, 0.3 * t))
        if t == 0:
            step = 0.02 / (rate(0.0) + network.kappa)
        while abs(np.log(rate(t + step) / rate(t))) > MAX_CHANGE:
            step /= 2
        edges.append(t + step)
    return np.array(edges)


def _panel_rule(network, X, Y, t, edges, nodes, panel):
    """Kernel at Gauss points of a panel, and weights times Lagrange polynomials."""
    x, w = leggauss(N_POINTS)
    width = edges[panel + 1] - edges[panel]
    far = np.sqrt(max(t - edges[panel], 0))
    near = np.sqrt(max(t - edges[panel + 1], 0))
    # t' = t - u^2, without differences of nearly equal numbers
    span = min(width, t - edges[panel]) / (far + near)
    u = near + span * (x + 1) / 2
    since = span * (1 - x) / 2 * (far + u)
    points, within = edges[panel] + since, since / width
    basis = BarycentricInterpolator(nodes, np.eye(len(nodes)))(within)
    n_features = X.shape[1]
    kernel = network.ndk_entries(
        (X**2).sum(axis=1)[:, None, None] / n_features,
        (Y**2).sum(axis=1)[None, :, None] / n_features,
        (X @ Y.T)[:, :, None] / n_features,
        t,
        points,
    )
    return kernel, basis * (u * span * w)[:, None]


def _integral(network, X, Y, t, edges, nodes, residual, n_panels):
    """``int NDK(t, t') r(t') dt'`` over panels, up to t, per pair of inputs."""
    total = np.zeros((len(X), len(Y)))
    for panel in range(n_panels):
        kernel, basis = _panel_rule(network, X, Y, t, edges, nodes, panel)
        total += np.einsum("xyq,qy->xy", kernel, basis @ residual[panel])
    return total
