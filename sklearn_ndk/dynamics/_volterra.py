"""The march through the panels: collocation of the Volterra equation (14)-(15).

On each panel the residual ``r(t) = y - E f(X, t)`` is a polynomial through Radau
nodes, at which

    r(t) + int_0^t NDK(t, t') r(t') dt' = y .

Kernels enter as ``sum_j a_j(t, t') R_j`` with the few matrices of a time basis:
panels gone by cost one product with each ``R_j``, and the panel at hand a linear
system ``(1 + sum_j A_j (x) R_j) z = rhs`` with small matrices ``A_j``. Products
leave out the terms that cannot matter to the accuracy asked of them.
"""

import numpy as np

from sklearn_ndk._threads import spread
from sklearn_ndk.dynamics._krylov import gcr
from sklearn_ndk.dynamics._quadrature import history_rule

_MAX_ITER = 200
_EXTRA_POINTS = 18  # Gauss points per panel beyond the number of nodes
_TERMS_SHARE = 0.1  # of the Krylov tolerance, for terms left out


def integral_weights(basis, times, edges, nodes):
    """Return the weights of the residual at the nodes in integrals up to `times`.

    Parameters
    ----------
    basis : TimeBasis
        Basis of the kernel.
    times : ndarray of shape (n_times,)
        Upper limits of integration.
    edges : ndarray of shape (n_panels + 1,)
        Panel edges.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.

    Returns
    -------
    ndarray of shape (rank, n_times, n_panels, n_nodes)
        ``int_0^t NDK(t, t') r(t') dt'`` is the sum over the rank and over the
        nodes of these weights times ``R_j r(node)``.
    """
    points, rule = history_rule(times, edges, nodes, len(nodes) + _EXTRA_POINTS)
    t = np.broadcast_to(times[:, None, None], points.shape)
    coefficients = basis.coefficients(t, points)
    return np.einsum("ktqg,tqgj->ktqj", coefficients, rule, optimize=True)


class PanelSolver:
    """Solver for the residual on one panel after another.

    Parameters
    ----------
    basis : TimeBasis
        Basis of the kernel over the whole mesh.
    matrices : list of ndarray of shape (n_samples, n_samples)
        Its matrices, transposed.
    modes : Modes
        Makes preconditioners.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.
    tol : float
        Accuracy, relative to the norm of the targets.
    n_workers : int
        Number of threads.
    """

    def __init__(self, basis, matrices, modes, targets, nodes, tol, n_workers):
        self._basis = basis
        self._matrices = matrices
        self._sizes = np.array([np.linalg.norm(matrix) for matrix in matrices])
        self._modes = modes
        self._targets = targets
        self._nodes = nodes
        self._n_workers = n_workers
        rms = np.sqrt(len(nodes)) * np.linalg.norm(targets, axis=1)
        self._threshold = tol * rms

    def solve(self, edges, past):
        """Solve the last panel.

        Parameters
        ----------
        edges : ndarray of shape (n_panels + 1,)
            Panel edges, up to the end of the panel.
        past : ndarray of shape (n_outputs, (n_panels - 1) * n_nodes, n_samples)
            The residual at the nodes of the panels before.

        Returns
        -------
        residual : ndarray of shape (n_outputs, n_nodes, n_samples)
            The residual at the nodes of the panel.
        n_iter : int
            Number of Krylov iterations.
        converged : bool
            Whether the iteration met its tolerance.
        """
        n_nodes = len(self._nodes)
        times = edges[-2] + (edges[-1] - edges[-2]) * self._nodes
        weights = integral_weights(self._basis, times, edges, self._nodes)
        own = weights[:, :, -1]
        last = past[:, -1:] if past.shape[1] else self._targets[:, None]
        guess = np.repeat(last, n_nodes, axis=1)
        known = np.concatenate([past, guess], axis=1)
        residual = self._targets[:, None] - guess
        residual -= self._combine(weights.reshape(*weights.shape[:2], -1), known)
        change, n_iter, converged = gcr(
            lambda z: z + self._combine(own, z),
            self._modes.preconditioner(own),
            residual,
            self._threshold,
            _MAX_ITER,
        )
        return guess + change, n_iter, converged

    def _combine(self, weights, z):
        """Return ``sum_j (weights_j (x) R_j) z``, to the accuracy needed."""
        terms = self._terms_that_matter(weights, z)

        def partial_sum(terms):
            total = np.zeros((len(z) * weights.shape[1], z.shape[2]))
            for j in terms:
                part = (weights[j] @ z).reshape(total.shape)
                matrix = self._matrices[j]
                total += part.astype(matrix.dtype, copy=False) @ matrix
            return total.reshape(len(z), -1, z.shape[2])

        shares = [terms[first :: self._n_workers] for first in range(self._n_workers)]
        return sum(spread(partial_sum, shares, self._n_workers))

    def _terms_that_matter(self, weights, z):
        """Leave out terms that together stay below a share of the tolerance."""
        norms = np.linalg.norm(z, axis=(1, 2))
        ratio = np.max(norms / np.where(norms > 0, self._threshold, 1))
        effects = np.linalg.norm(weights, axis=(1, 2)) * self._sizes * ratio
        order = np.argsort(effects)
        return order[np.cumsum(effects[order]) > _TERMS_SHARE]
