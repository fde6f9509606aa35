"""The march through the panels: collocation of the Volterra equation (14)-(15).

On each panel the residual ``r(t) = y - E f(X, t)`` is a polynomial through Radau
nodes, at which

    r(t) + int_0^t NDK(t, t') r(t') dt' = y .

Kernels enter as ``sum_i a_i(t, t') G_i`` with the few matrices of a time basis:
panels gone by cost one product with each ``G_i``, and the panel at hand a linear
system ``(1 + sum_i A_i (x) G_i) z = rhs`` with small matrices ``A_i``.
"""

import numpy as np

from sklearn_ndk.dynamics._krylov import gcr
from sklearn_ndk.dynamics._quadrature import history_rule

_MAX_ITER = 200
_EXTRA_POINTS = 8  # Gauss points per panel beyond the number of nodes


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
        nodes of these weights times ``G_i r(node)``.
    """
    points, rule = history_rule(times, edges, nodes, len(nodes) + _EXTRA_POINTS)
    t = np.broadcast_to(times[:, None, None], points.shape)
    coefficients = basis.coefficients(t, points)
    return np.einsum("itqg,tqgj->itqj", coefficients, rule, optimize=True)


class PanelSolver:
    """Solver for the residual on one panel after another.

    Parameters
    ----------
    basis : TimeBasis
        Basis of the kernel over the whole mesh.
    matrices : ndarray of shape (rank, n_samples, n_samples)
        Its kernel matrices, transposed.
    modes : Modes
        Makes preconditioners.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.
    tol : float
        Accuracy, relative to the norm of the targets.
    """

    def __init__(self, basis, matrices, modes, targets, nodes, tol):
        self._basis = basis
        self._stacked = matrices.reshape(-1, targets.shape[1])
        self._modes = modes
        self._targets = targets
        self._nodes = nodes
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
        rhs = np.repeat(self._targets[:, None], n_nodes, axis=1)
        guess = rhs
        if past.shape[1]:
            rhs = rhs - self._combine(weights[:, :, :-1], past)
            guess = np.repeat(past[:, -1:], n_nodes, axis=1)
        return gcr(
            lambda z: z + self._combine(own, z),
            self._modes.preconditioner(own),
            rhs,
            guess,
            self._threshold,
            _MAX_ITER,
        )

    def _combine(self, weights, z):
        """Return ``sum_i (weights_i (x) G_i) z``."""
        rank, n_nodes = weights.shape[:2]
        n_outputs, _, n_samples = z.shape
        weights = weights.reshape(rank, n_nodes, -1).swapaxes(0, 1)
        mixed = np.tensordot(z, weights, axes=(1, 2)).transpose(0, 2, 3, 1)
        total = mixed.reshape(-1, rank * n_samples) @ self._stacked
        return total.reshape(n_outputs, n_nodes, n_samples)
