"""The Volterra equation (14)-(15) on a mesh, and the march through its panels.

On each panel the residual ``r(t) = y - E f(X, t)`` is a polynomial through Radau
nodes, at which

    r(t) + int_0^t NDK(t, t') r(t') dt' = y .

Kernels enter as ``sum_j a_j(t, t') R_j`` with the few matrices of a time basis, and
the integral as ``sum_j weights_j R_j r`` with the residual at all nodes.
"""

import numpy as np

from sklearn_ndk.dynamics.volterra._krylov import gcr
from sklearn_ndk.dynamics.volterra._quadrature import panel_rule

_MAX_ITER = 200
_N_NEAR = 2  # panels next to the time, where the kernel has a kink
_POINTS_NEAR, _POINTS_FAR = 14, 2  # Gauss points beyond the number of nodes


def integral_weights(basis, times, edges, nodes):
    """Return the weights of the residual at the nodes in integrals up to `times`.

    Parameters
    ----------
    basis : TimeBasis
        Basis of the kernel.
    times : ndarray of shape (n_times,)
        Upper limits of integration, positive, within the mesh.
    edges : ndarray of shape (n_panels + 1,)
        Panel edges.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.

    Returns
    -------
    ndarray of shape (rank, n_times, n_panels * n_nodes)
        ``int_0^t NDK(t, t') r(t') dt'`` is the sum over the rank and over the
        nodes of these weights times ``R_j r(node)``.
    """
    n_panels, n_nodes = len(edges) - 1, len(nodes)
    out = np.zeros((len(basis.t), len(times), n_panels, n_nodes))
    lags = np.searchsorted(edges, times)[:, None] - 1 - np.arange(n_panels)
    near = (lags >= 0) & (lags < _N_NEAR)
    for pairs, extra in ((near, _POINTS_NEAR), (lags >= _N_NEAR, _POINTS_FAR)):
        which, panel = np.nonzero(pairs)
        points, rule = panel_rule(
            times[which], edges[panel], edges[panel + 1], nodes, n_nodes + extra
        )
        t = np.broadcast_to(times[which, None], points.shape)
        coefficients = basis.coefficients(t, points).transpose(1, 0, 2)
        out[:, which, panel] = (coefficients @ rule).transpose(1, 0, 2)
    return out.reshape(*out.shape[:2], -1)


def march(
    matrices, weights, targets, guess, first, n_nodes, threshold, report=lambda *_: None
):
    """Solve for the residual on one panel after another.

    Parameters
    ----------
    matrices : ndarray of shape (rank, n_samples, n_samples)
        The matrices of the time basis, transposed; nearly diagonal, together.
    weights : ndarray of shape (rank, n_times, n_times)
        Weights of the integrals up to each node of the mesh.
    targets : ndarray of shape (n_outputs, n_times, n_samples)
        Targets at the nodes.
    guess : ndarray of shape (n_outputs, n_times, n_samples) or None
        A guess of the residual, exact before `first`; if None, outputs are guessed to
        stay what they are at the end of the panel before.
    first : int
        The node, the first of a panel, from which on to solve.
    n_nodes : int
        Number of nodes of a panel.
    threshold : ndarray of shape (n_outputs,)
        2-norm over a panel that defects of the equation may have.
    report : callable
        Called with the first node after each panel, and with the residual.

    Returns
    -------
    residual : ndarray of shape (n_outputs, n_times, n_samples)
        The residual at the nodes.
    defect : ndarray of shape (n_outputs,)
        Largest 2-norm of the defect over a panel. It exceeds the threshold where the
        Krylov iteration did not converge.
    """
    residual = (targets if guess is None else guess).copy()
    largest = np.zeros(len(targets))
    n_samples = matrices.shape[2]
    stacked = matrices.reshape(-1, n_samples)
    diagonals = np.einsum("jnn->nj", matrices)

    def integrate(weights, z):
        # weights first: few nodes are wanted of many
        terms = np.moveaxis(weights @ z[:, None], 1, 2)
        return (terms.reshape(-1, len(stacked)) @ stacked).reshape(*terms.shape[:2], -1)

    beside = np.ascontiguousarray(matrices.transpose(1, 0, 2)).reshape(n_samples, -1)

    def integrate_panel(weights, z):
        # matrices first: nothing is copied; weights of shape (n_nodes, n_nodes * rank)
        products = (z.reshape(-1, n_samples) @ beside).reshape(len(z), -1, n_samples)
        return weights @ products

    for start in range(first, weights.shape[1], n_nodes):
        panel, past = slice(start, start + n_nodes), slice(start + n_nodes)
        if guess is None and start:
            learned = targets[:, start - 1] - residual[:, start - 1]
            residual[:, panel] = targets[:, panel] - learned[:, None]
        defect = targets[:, panel] - residual[:, panel]
        defect -= integrate(weights[:, panel, past], residual[:, past])
        own = weights[:, panel, panel]
        blocks = np.eye(n_nodes) + np.tensordot(diagonals, own, axes=1)
        inverses = np.linalg.inv(blocks)
        own = own.transpose(1, 2, 0).reshape(n_nodes, -1)
        change, norms = gcr(
            lambda z, own=own: z + integrate_panel(own, z),
            lambda z, inv=inverses: (inv @ z.transpose(2, 1, 0)).transpose(2, 1, 0),
            defect,
            threshold,
            _MAX_ITER,
        )
        residual[:, panel] += change
        largest = np.maximum(largest, norms)
        report(start + n_nodes, residual)
    return residual, largest
