"""Predictions at the times of a solved trajectory, Eqs. (14)-(15)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk.dynamics.volterra import Solution
from sklearn_ndk.dynamics.volterra._time_basis import TimeBasis

_MAX_TIMES = 64  # handled at once in predictions
_MAX_ENTRIES = 2**26  # of kernels, likewise


class Trajectory:
    """Mean training dynamics, predicted from the residual at the nodes of a mesh.

    Parameters
    ----------
    solution : Solution
        The residual.
    max_entries : int
        Number of kernel entries that are handled at once, roughly.
    """

    def __init__(self, solution: Solution, max_entries: int = _MAX_ENTRIES):
        self.solution = solution
        self._max_entries = max_entries
        self._bases: dict[float | None, TimeBasis] = {}

    @property
    def end(self) -> float:
        """The last time that is solved for."""
        return self.solution.representation.edges[-1]

    @property
    def equilibrated(self) -> bool:
        """Whether the dynamics have come to rest, to the tolerance, at the end."""
        return self.solution.representation.equilibrated

    def predict(self, times: NDArray[np.float64], kernel: Any) -> NDArray[np.float64]:
        """Return the mean output of the network.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Times that the trajectory covers; positive, at most the end.
        kernel : TwoTimeKernel
            Kernel between the inputs wanted and the training inputs.

        Returns
        -------
        ndarray of shape (n_outputs, n_times, n_rows)
            The mean outputs.
        """
        unique, positions = np.unique(times, return_inverse=True)
        out = self._predict(unique, kernel, self._basis)
        return self.solution.scale[:, None, None] * out[:, positions]

    def predict_drift(self, t0: float, kernel: Any) -> NDArray[np.float64]:
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
        times = np.array([t0])

        def basis(kernel: Any, group: float | None) -> TimeBasis:
            return self.solution.representation.basis_for(
                kernel.group_probe(group), times
            )

        return self.solution.scale[:, None] * self._predict(times, kernel, basis)[:, 0]

    def _basis(self, kernel: Any, group: float | None) -> TimeBasis:
        """Return the time basis of a group of rows, computed once."""
        if group not in self._bases:
            represented = self.solution.representation
            self._bases[group] = represented.basis_of_group(kernel, group)
        return self._bases[group]

    def _predict(
        self,
        times: NDArray[np.float64],
        kernel: Any,
        basis: Callable[[Any, float | None], TimeBasis],
    ) -> NDArray[np.float64]:
        out = np.empty((len(self.solution.residual), len(times), kernel.n_rows))
        for group, rows in kernel.row_groups().items():
            part = kernel if rows.all() else kernel.rows(rows)
            out[:, :, rows] = self._predict_part(times, part, basis(kernel, group))
        return out

    def _predict_part(
        self, times: NDArray[np.float64], kernel: Any, basis: TimeBasis
    ) -> NDArray[np.float64]:
        residual, n_rows = self.solution.residual, kernel.n_rows
        n_outputs, _, n_samples = residual.shape
        rank = len(basis.t)
        out = np.empty((n_outputs, len(times), n_rows))
        step = max(1, self._max_entries // (rank * n_samples))
        for first_row in range(0, n_rows, step):
            rows = slice(first_row, first_row + step)
            matrices = basis.matrices(kernel.rows(rows), double=True)
            for first_time in range(0, len(times), _MAX_TIMES):
                some = slice(first_time, first_time + _MAX_TIMES)
                weights = self.solution.representation.weights(basis, times[some])
                part = np.zeros((n_outputs, *out[0, some, rows].shape))
                for weight, matrix in zip(weights, matrices, strict=True):
                    duals = (weight @ residual).reshape(-1, n_samples)
                    part += (duals @ matrix.T).reshape(part.shape)
                out[:, some, rows] = part
        return out
