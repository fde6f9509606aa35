"""The Volterra equation (14)-(15) on a mesh, and the march through its panels.

On each panel the residual ``r(t) = y - E f(X, t)`` is a polynomial through Radau
nodes, at which

    r(t) + int_0^t NDK(t, t') r(t') dt' = y .

Kernels enter as ``sum_j a_j(t, t') R_j`` with the few matrices of a time basis, and
the integral as ``sum_j weights_j R_j r`` with the residual at all nodes.
"""

import numpy as np

from sklearn_ndk._compute._threads import product
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
    matrices : list of ndarray of shape (n_terms, n_samples, n_samples)
        The matrices of the time basis, transposed, in blocks of one precision;
        nearly diagonal, together.
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
    ends = np.cumsum([0] + [len(block) for block in matrices])
    integrals = [
        _Integrals(block, weights[first_term:last_term])
        for block, first_term, last_term in zip(matrices, ends, ends[1:], strict=False)
    ]
    for start in range(first, weights.shape[1], n_nodes):
        panel = slice(start, start + n_nodes)
        if guess is None and start:
            learned = targets[:, start - 1] - residual[:, start - 1]
            residual[:, panel] = targets[:, panel] - learned[:, None]
        defect = targets[:, panel] - residual[:, panel]
        for part in integrals:
            defect -= part.up_to(panel, residual)
        change, norms = gcr(
            _sum([np.positive] + [part.over(panel) for part in integrals]),
            _inverse(sum(part.diagonal_blocks(panel) for part in integrals)),
            defect,
            threshold,
            _MAX_ITER,
        )
        residual[:, panel] += change
        largest = np.maximum(largest, norms)
        report(start + n_nodes, residual)
    return residual, largest


class _Integrals:
    """Integrals ``sum_j weights_j R_j z`` with matrices of one precision."""

    def __init__(self, matrices, weights):
        self._dtype, self._n_samples = matrices.dtype, matrices.shape[2]
        self._diagonals = np.einsum("jnn->nj", matrices).astype(float)
        self._weights = weights.astype(self._dtype, copy=False)
        self._below = matrices.reshape(-1, self._n_samples)
        beside = np.ascontiguousarray(matrices.transpose(1, 0, 2))
        self._beside = beside.reshape(self._n_samples, -1)

    def up_to(self, panel, z):
        """Integrate up to the nodes of a panel, weights first: few nodes of many."""
        past = slice(panel.stop)
        z_past = z[:, None, past].astype(self._dtype, copy=False)
        terms = self._weights[:, panel, past] @ z_past
        terms = np.moveaxis(terms, 1, 2).reshape(-1, len(self._below))
        out = product(terms, self._below)
        return out.reshape(len(z), -1, self._n_samples)

    def over(self, panel):
        """Return the integral over a panel, as a map; matrices first: no copies."""
        own = self._weights[:, panel, panel].transpose(1, 2, 0)
        own = own.reshape(len(own), -1)

        def integrate(z):
            flat = z.reshape(-1, self._n_samples).astype(self._dtype, copy=False)
            products = product(flat, self._beside)
            products = products.reshape(len(z), -1, self._n_samples)
            return own @ products

        return integrate

    def diagonal_blocks(self, panel):
        """Return the diagonals of :meth:`over`, shape (n_samples, n_nodes, n_nodes)."""
        return np.tensordot(self._diagonals, self._weights[:, panel, panel], axes=1)


def _sum(maps):
    return lambda z: sum(apply(z) for apply in maps)


def _inverse(blocks):
    """Return the inverse of the identity plus blocks, one for each sample."""
    inverses = np.linalg.inv(np.eye(blocks.shape[1]) + blocks)
    return lambda z: (inverses @ z.transpose(2, 1, 0)).transpose(2, 1, 0)
