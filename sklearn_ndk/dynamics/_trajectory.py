"""The residual of training as a function of time, and predictions from it."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_ndk._threads import n_threads, single_threaded_blas
from sklearn_ndk.dynamics._mesh import graded_edges, n_nodes_for, radau_nodes
from sklearn_ndk.dynamics._modes import Modes
from sklearn_ndk.dynamics._time_basis import TimeBasis
from sklearn_ndk.dynamics._volterra import PanelSolver, integral_weights

# Shares of the tolerance; the rest is the mesh's. The basis depends on the inputs at
# hand, and predictions should not depend on what else is predicted.
_BASIS_SHARE, _KRYLOV_SHARE = 0.01, 0.02
_MIN_BASIS_TOL = 1e-13
_MAX_TIMES = 64  # handled at once in predictions


class Trajectory:
    """Mean training dynamics: the residual at the nodes of a time mesh.

    It holds no matrix of size n_samples x n_samples; the kernel is passed in when
    one is needed.

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    equilibrium : ndarray of shape (n_outputs, n_samples)
        The residual at infinite time.
    kappa : float
        Diffusion rate, positive.
    tol : float
        Relative accuracy.

    Attributes
    ----------
    edges : ndarray of shape (n_panels + 1,)
        Ends of the panels solved so far.
    residual : ndarray of shape (n_outputs, n_panels * n_nodes, n_samples)
        The residual at their nodes.
    equilibrated : bool
        Whether the dynamics have come to rest, to `tol`, at the last edge.
    """

    def __init__(self, targets, equilibrium, kappa, tol):
        self._scale = np.abs(targets).max(axis=1)[:, None]
        self._scale[self._scale == 0] = 1
        self._targets = targets / self._scale
        self._equilibrium = equilibrium / self._scale
        self._kappa = kappa
        self._tol = tol
        self._nodes = radau_nodes(n_nodes_for(tol))
        self.edges = np.zeros(1)
        self.residual = np.empty((len(targets), 0, targets.shape[1]))
        self.equilibrated = False

    def covers(self, t):
        """Whether the dynamics are known at time `t`."""
        return t <= self.edges[-1] or self.equilibrated

    def extend(self, t, kernel, progress=None, check_size=None):
        """Solve the dynamics up to time `t`, or until equilibrium.

        Parameters
        ----------
        t : float
            Time to be covered.
        kernel : TwoTimeKernel
            Kernel of the training inputs: ``kernel(t, t_prime)`` is a matrix,
            ``kernel.probe`` represents it, ``kernel.rate`` bounds its eigenvalues.
        progress : callable, default=None
            Called with the time reached after each panel.
        check_size : callable, default=None
            Called with the number of kernel matrices to be held in memory.
        """
        self._basis_tol = self._basis_tol_for(kernel)
        # what is left of the past decays as exp(-tau) at the slowest
        longest = np.log(1 / self._basis_tol) / self._kappa
        if len(self.edges) > 1:  # asked again: not in small steps
            t = max(t, 2 * self.edges[-1])
        edges = graded_edges(kernel.rate, self._kappa, min(t, longest))
        middles = (edges[1:] + edges[:-1]) / 2
        basis = self._basis(kernel.probe, np.concatenate([middles, edges[1:]]))
        if check_size is not None:
            check_size(len(basis.t) + 2)
        # NDK(t, t'; x, x') = NDK(t', t; x', x) gives the transposes
        matrices = basis.matrices(lambda t, t_prime: kernel(t_prime, t))
        modes = Modes(kernel(0.0, 0.0), matrices)
        solver = PanelSolver(
            basis,
            matrices,
            modes,
            self._targets,
            self._nodes,
            _KRYLOV_SHARE * self._tol,
            n_threads(),
        )
        with single_threaded_blas():
            while len(self.edges) < len(edges):
                reached = edges[: len(self.edges) + 1]
                self._append(reached, *solver.solve(reached, self.residual))
                if progress is not None:
                    progress(reached[-1])
        self.equilibrated = edges[-1] >= longest

    def _basis_tol_for(self, kernel):
        # an error in the kernel is multiplied by int |r| dt, about |r| / kappa
        variance = kernel.rate(np.array(np.inf)) / self._targets.shape[1]
        duals = np.linalg.norm(self._equilibrium, axis=1).max() / self._kappa
        tol = _BASIS_SHARE * self._tol / max(1, variance * duals)
        return max(tol, _MIN_BASIS_TOL)

    def _basis(self, probe, times):
        return TimeBasis(probe, times, self._basis_tol)

    def _append(self, edges, residual, n_iter, converged):
        if not converged:
            warnings.warn(
                f"The Krylov iteration for times up to t={edges[-1]:.3g} stopped "
                f"after {n_iter} steps short of its tolerance; predictions from "
                f"there on may miss tol={self._tol:g}.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.residual = np.concatenate([self.residual, residual], axis=1)
        self.edges = edges

    def predict(self, times, kernel):
        """Return the mean output of the network.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Times that the trajectory covers; finite.
        kernel : TwoTimeKernel
            Kernel between the inputs wanted and the training inputs.

        Returns
        -------
        ndarray of shape (n_outputs, n_times, n_rows)
            The mean outputs.
        """
        # another thread may be extending: look at the edges first, then at the nodes
        edges = self.edges[: np.searchsorted(self.edges, np.max(times)) + 1]
        residual = self.residual[:, : (len(edges) - 1) * len(self._nodes)]
        unique, positions = np.unique(times, return_inverse=True)
        some = np.linspace(0, len(unique) - 1, min(len(unique), _MAX_TIMES))
        basis = self._basis(kernel.probe, unique[some.astype(int)])
        blocks = np.array_split(unique, -(-len(unique) // _MAX_TIMES))
        weights = np.concatenate(
            [self._weights(basis, block, edges) for block in blocks], axis=1
        )
        # from basis functions back to kernels at the basis pairs
        weights = np.tensordot(basis.mixing, weights, axes=(1, 0))
        n_outputs, _, n_samples = residual.shape
        total = np.zeros((n_outputs * len(unique), len(kernel.row_scale)))
        for weight, t, t_prime in zip(weights, basis.t, basis.t_prime, strict=True):
            duals = np.matmul(weight, residual).reshape(-1, n_samples)
            total += duals @ kernel(t, t_prime).T
        total = total.reshape(n_outputs, len(unique), -1)
        return self._scale[..., None] * total[:, positions]

    def _weights(self, basis, times, edges):
        weights = integral_weights(basis, times, edges, self._nodes)
        return weights.reshape(*weights.shape[:2], -1)
