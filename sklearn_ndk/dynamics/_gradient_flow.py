"""Gradient flow without noise, in closed form: Eq. (16)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk.dynamics._regime import Progress, Regime
from sklearn_ndk.dynamics._spectrum import rounding


class GradientFlow:
    """Noiseless gradient flow with a fixed kernel, the NTK: Eq. (16).

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_samples,)
        Those of the kernel of the training inputs, increasing.
    vectors : ndarray of shape (n_samples, n_samples)
        Its eigenvectors, as columns.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    """

    def __init__(self, eigenvalues, vectors, targets):
        self._eigenvalues, self._vectors = eigenvalues, vectors
        self._modal_targets = targets @ self._vectors

    def duals(self, times):
        """Return ``(1 - exp(-NTK t)) / NTK y``.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Gradient-flow times; may be infinite.

        Returns
        -------
        ndarray of shape (n_outputs, n_times, n_samples)
            What multiplies the kernel between other inputs and the training inputs.
        """
        learned = np.array([_learned(self._eigenvalues, t) for t in times])
        modal = self._modal_targets[:, None] * learned
        return modal @ self._vectors.T


def _learned(eigenvalues, t):
    """Return ``(1 - exp(-lambda t)) / lambda``, which is t for vanishing lambda.

    Directions whose eigenvalue is rounding error have no component in any
    prediction; once t has amplified their error they are left out.
    """
    cutoff = rounding(eigenvalues)
    null = eigenvalues <= cutoff
    rest = np.where(null, 1, eigenvalues)
    with np.errstate(over="ignore"):
        learned = -np.expm1(-rest * t) / rest
        return np.where(null, t if t < np.inf and cutoff * t < 1e-8 else 0, learned)


class NTKFlow(Regime):
    """Gradient flow without noise, Eq. (16), in which nothing drifts."""

    _flow: GradientFlow | None = None

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_flow": None}  # it is as large as a kernel matrix

    @property
    def drift_rate(self) -> float:
        """See :attr:`Regime.drift_rate`."""
        return 0.0

    def knows(self, t: float) -> bool:
        """See :meth:`Regime.knows`."""
        return self._flow is not None

    def solve(self, t: float, progress: Progress | None = None) -> None:
        """See :meth:`Regime.solve`."""
        if self.knows(t):
            return
        self._problem.check_size(3)
        eigenvectors = self._problem.ntk_eigenvectors()
        self._flow = GradientFlow(*eigenvectors, self._problem.targets)

    def mean(self, kernel: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Regime.mean`."""
        assert self._flow is not None
        return self._flow.duals(times) @ kernel.ntk().T

    def drift(self, kernel: Any, delay: float, t0: float) -> NDArray[np.float64]:
        """See :meth:`Regime.drift`."""
        return self.mean(kernel, np.array([t0]))[:, 0]
