"""The residual of training as a function of time, and predictions from it."""

import copy
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_ndk._compute._threads import single_threaded_blas
from sklearn_ndk.dynamics.volterra._galerkin import solve_mesh
from sklearn_ndk.dynamics.volterra._march import integral_weights
from sklearn_ndk.dynamics.volterra._mesh import (
    graded_edges,
    n_nodes_for,
    radau_nodes,
    representative_times,
)
from sklearn_ndk.dynamics.volterra._time_basis import Relevance, TimeBasis

# Shares of the tolerance; the rest is the mesh's.
_BASIS_SHARE, _DEFECT_SHARE, _END_SHARE = 0.1, 0.1, 0.01
_MAX_TIMES = 64  # handled at once in predictions
_MAX_ENTRIES = 2**26  # of kernels, likewise
_ONSET = 1.0  # of predictions that matter, in units of 1 / rate
_LATE = 10  # in units of the memory: the residual has come to rest
_N_RELEVANCE = 100  # times at which the size of the residual is guessed


class Trajectory:
    """Mean training dynamics: the residual at the nodes of a time mesh.

    It holds no matrix of size n_samples x n_samples; the kernel is passed in when
    one is needed.

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    kernel : TwoTimeKernel
        Kernel of the training inputs: ``kernel.mixtures`` computes matrices,
        ``kernel.probe`` represents it, and ``kernel.rate`` bounds its eigenvalues.
    modes : Modes
        Eigenvectors of the kernel of their equilibrium.
    kappa : float
        Diffusion rate, positive.
    tol : float
        Relative accuracy.
    t_end : float
        Time up to which to solve, or infinity.
    progress : callable, default=None
        Called with the time up to which the equation is solved, and with a function
        that returns the trajectory as it is then.
    check_size : callable, default=None
        Called with the number of kernel matrices to be held in memory.

    Attributes
    ----------
    edges : ndarray of shape (n_panels + 1,)
        Ends of the panels.
    residual : ndarray of shape (n_outputs, n_panels * n_nodes, n_samples)
        The residual at their nodes.
    equilibrated : bool
        Whether the dynamics have come to rest, to `tol`, at the last edge.
    """

    def __init__(
        self, targets, kernel, modes, kappa, tol, t_end, progress=None, check_size=None
    ):
        self._scale = np.abs(targets).max(axis=1)[:, None]
        self._scale[self._scale == 0] = 1
        targets = targets / self._scale
        self._kappa = kappa
        self._nodes = radau_nodes(n_nodes_for(tol))
        largest = kernel.largest_variance()
        self._basis_tol = _BASIS_SHARE * tol / largest
        self._relevance = _relevance(targets, modes, kernel.rate, kappa)
        # what is left of the past decays as exp(-tau) at the slowest
        last = self._relevance.residual[-1] * largest / kappa
        longest = np.log(max(1, last) / (_END_SHARE * tol)) / kappa
        self.edges = graded_edges(kernel.rate, kappa, min(t_end, longest))
        self.equilibrated = self.edges[-1] >= longest
        self._times = representative_times(self.edges, kernel.weight_variance)
        self._basis = self._basis_for(kernel, self._times)
        if check_size is not None:
            sizes = [np.dtype(dtype).itemsize for dtype in self._basis.dtypes]
            check_size(sum(sizes) / 8 + 4)
        # NDK(t, t'; x, x') = NDK(t', t; x', x) gives the transposes
        basis = self._basis
        matrices = kernel.mixtures(
            basis.t_prime,
            basis.t,
            basis.mixing,
            basis.dtypes,
            basis.precision,
            overwrite=True,
        )
        n_nodes = len(self._nodes)
        times = self.edges[:-1, None] + np.diff(self.edges)[:, None] * self._nodes
        self.residual, defect = solve_mesh(
            targets,
            matrices,
            1 / basis.precision,
            self._weights(basis, times.ravel()),
            modes,
            min(1 / kappa, self.edges[-1]),
            n_nodes,
            _DEFECT_SHARE * tol,
            progress and self._reporter(progress),
        )
        if defect > tol:
            warnings.warn(
                f"The iteration for the dynamics up to t={self.edges[-1]:.3g} stopped "
                f"at a relative defect of {defect:.1g}; predictions may miss "
                f"tol={tol:g}.",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _reporter(self, progress):
        def report(panel, residual):
            def so_far():
                trajectory = copy.copy(self)
                trajectory.residual = residual()
                return trajectory

            progress(self.edges[panel + 1], so_far)

        return report

    def covers(self, t):
        """Whether the dynamics are known at time `t`."""
        return t <= self.edges[-1] or self.equilibrated

    def predict(self, times, kernel):
        """Return the mean output of the network.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Times that the trajectory covers; positive, at most the last edge.
        kernel : TwoTimeKernel
            Kernel between the inputs wanted and the training inputs.

        Returns
        -------
        ndarray of shape (n_outputs, n_times, n_rows)
            The mean outputs.
        """
        unique, positions = np.unique(times, return_inverse=True)
        out = self._predict(unique, kernel, self._times, self._basis)
        return self._scale[..., None] * out[:, positions]

    def predict_drift(self, t0, kernel):
        """Return the mean output once the readout has frozen.

        Parameters
        ----------
        t0 : float
            Time at which it froze; the trajectory covers it, and it is positive.
        kernel : TwoTimeKernel
            Kernel between the inputs wanted, as they are seen after the drift, and
            the training inputs.

        Returns
        -------
        ndarray of shape (n_outputs, n_rows)
            The mean outputs.
        """
        t0 = np.array([t0])
        return self._scale * self._predict(t0, kernel, t0)[:, 0]

    def _predict(self, times, kernel, represented, basis=None):
        """Predict, with a basis of their own for rows that `basis` does not cover.

        Rows as large as training inputs are kept apart from others, which would be
        at the expense of their accuracy.
        """
        within = kernel.rows_within_columns()
        out = np.empty((len(self.residual), len(times), len(within)))
        for rows in (within, ~within):
            if rows.any():
                part = kernel if rows.all() else kernel.rows(rows)
                covered = basis is not None and part.covered_by(basis.probe)
                own = basis if covered else self._basis_for(part, represented)
                out[:, :, rows] = self._predict_part(times, part, own)
        return out

    def _predict_part(self, times, kernel, basis):
        blocks = np.array_split(times, -(-len(times) // _MAX_TIMES))
        weights = [self._weights(basis, block) for block in blocks]
        weights = np.concatenate(weights, axis=1)
        n_outputs, _, n_samples = self.residual.shape
        n_rows = len(kernel.gram.x_norm)
        out = np.zeros((n_outputs * len(times), n_rows))
        doubles = [np.float64] * len(weights)
        step = max(1, _MAX_ENTRIES // (len(weights) * n_samples))
        for start in range(0, n_rows, step):
            rows = slice(start, start + step)
            matrices = kernel.rows(rows).mixtures(
                basis.t, basis.t_prime, basis.mixing, doubles, basis.precision
            )
            for weight, matrix in zip(weights, matrices, strict=True):
                duals = (weight @ self.residual).reshape(-1, n_samples)
                out[:, rows] += duals @ matrix.T
        return out.reshape(n_outputs, len(times), n_rows)

    def _basis_for(self, kernel, times):
        return TimeBasis(
            kernel.probe, times, self._times, self._relevance, self._basis_tol
        )

    def _weights(self, basis, times):
        with single_threaded_blas():  # the products are small
            return integral_weights(basis, times, self.edges, self._nodes)


def _relevance(targets, modes, rate, kappa):
    """Guess the size of the residual at all times from the equilibrium kernel.

    A mode of eigenvalue lambda is left with ``1 / (1 + lambda phi)`` of its target
    if the kernel has been that of the equilibrium for a time phi. Its memory
    ``1 / kappa`` is the most; where it is larger or smaller, time counts by it.
    """
    memory = 1 / kappa
    times = np.concatenate([[0], np.geomspace(1e-16 * memory, memory, _N_RELEVANCE)])
    rates = rate(times)
    gains = (rates[1:] + rates[:-1]) / 2 * np.diff(times)
    final = max(rate(np.array(np.inf)), np.finfo(float).tiny)
    phi = np.concatenate([[0], np.cumsum(gains) / final, [memory]])
    left = 1 / (1 + phi[:, None] * modes.eigenvalues)
    components = modes.to_modes(targets).astype(float)
    sizes = np.linalg.norm(left * components[:, None], axis=2).max(axis=0)
    onset = _ONSET / max(rates[0], kappa)
    return Relevance(kappa, np.append(times, _LATE * memory), sizes, onset)
