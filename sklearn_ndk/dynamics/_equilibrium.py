"""The equilibrium, in closed form: Eq. (18)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

from sklearn_ndk.dynamics._regime import Progress, Regime
from sklearn_ndk.dynamics._spectrum import rounding


def ridge_duals(kernel, ridge, targets):
    """Solve ``(K + ridge) a = y``, the kernel regression of Eq. (18).

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        Kernel of the training inputs; overwritten.
    ridge : float
        Non-negative; at zero, the solution of least norm.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.

    Returns
    -------
    ndarray of shape (n_outputs, n_samples)
        The dual coefficients.
    """
    if ridge > 0:
        kernel[np.diag_indices_from(kernel)] += ridge
        try:
            return cho_solve(cho_factor(kernel, lower=True), targets.T).T
        except LinAlgError:  # singular to rounding
            kernel[np.diag_indices_from(kernel)] -= ridge
    eigenvectors = eigh(kernel, driver="evd", overwrite_a=True)
    return ridge_duals_of_modes(*eigenvectors, ridge, targets)


def ridge_duals_of_modes(eigenvalues, vectors, ridge, targets):
    """Solve ``(K + ridge) a = y`` with the eigenvectors of K.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_samples,)
        Those of the kernel of the training inputs, increasing.
    vectors : ndarray of shape (n_samples, n_samples)
        Its eigenvectors, as columns.
    ridge : float
        Non-negative; at zero, the solution of least norm.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.

    Returns
    -------
    ndarray of shape (n_outputs, n_samples)
        The dual coefficients.
    """
    kept = eigenvalues > (rounding(eigenvalues) if ridge == 0 else -np.inf)
    shrunk = targets @ vectors[:, kept]
    shrunk /= np.maximum(eigenvalues[kept], 0) + ridge
    return shrunk @ vectors[:, kept].T


class Equilibrium(Regime):
    """Kernel regression with the NNGP kernel at all times, Eqs. (18)-(21)."""

    _duals: NDArray[np.float64] | None = None

    @property
    def at_rest(self) -> bool:
        """See :attr:`Regime.at_rest`."""
        return True

    def knows(self, t: float) -> bool:
        """See :meth:`Regime.knows`."""
        return self._duals is not None

    def solve(self, t: float, progress: Progress | None = None) -> None:
        """See :meth:`Regime.solve`."""
        if self.knows(t):
            return
        problem = self._problem
        problem.check_size(3)
        if problem.shared:  # eigenvectors serve every ridge
            solved = problem.nngp_eigenvectors()
            self._duals = ridge_duals_of_modes(*solved, problem.ridge, problem.targets)
        else:
            nngp = problem.kernel().nngp(overwrite=True)
            self._duals = ridge_duals(nngp, problem.ridge, problem.targets)

    def mean(self, kernel: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Regime.mean`."""
        outputs = self._duals @ kernel.nngp().T
        return np.repeat(outputs[:, None], len(times), axis=1)

    def drift(self, kernel: Any, delay: float, t0: float) -> NDArray[np.float64]:
        """See :meth:`Regime.drift`."""
        decay = np.exp(-self.drift_rate * delay)  # Eqs. (19)-(21)
        return self._duals @ kernel.nngp(decay).T
