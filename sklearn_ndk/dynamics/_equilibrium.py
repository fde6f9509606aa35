"""The equilibrium, in closed form: Eq. (18)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from sklearn_ndk.dynamics._accuracy import (
    Duals,
    importance_of,
    rounding_errors,
)
from sklearn_ndk.dynamics._graded import GradedSpectrum
from sklearn_ndk.dynamics._queries import Queries
from sklearn_ndk.dynamics._regime import Progress, Regime


def ridge_duals(
    kernel: NDArray[np.float64],
    ridge: float,
    targets: NDArray[np.float64],
    *,
    scale: NDArray[np.float64] | float = 1.0,
    tol: float = 1e-6,
    rank: Callable[[], int] | None = None,
) -> Duals:
    """Solve ``(K + ridge) a = y``, the kernel regression of Eq. (18).

    By Cholesky factors, if rounding errors of the kernel leave predictions accurate
    to `tol`; else by its eigenvectors above rounding. Then predictions at the
    training inputs never exceed the targets, in the 2-norm.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        Kernel of the training inputs; overwritten.
    ridge : float
        Non-negative; at zero, the least-squares solution of least norm.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    scale : ndarray of shape (n_samples,) or float
        Square roots of the sample weights, with which kernel and targets are given.
    tol : float
        Relative accuracy wanted.
    rank : callable, default=None
        Returns the largest rank that the exact kernel can have, the number of
        samples if None. Eigenvalues beyond it are zero, not hidden by rounding.

    Returns
    -------
    Duals
        With values of shape (n_outputs, n_samples). Its error exceeds `tol` if the
        kernel is too ill-conditioned.
    """
    diagonal = np.diag(kernel).copy()
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        horizon = 1 / np.float64(ridge)
        learned = np.where(diagonal > 0, diagonal * horizon, 0)
    importance = importance_of(scale * np.ones(len(kernel)), learned)
    kernel[np.diag_indices_from(kernel)] += ridge
    try:
        values = cho_solve(cho_factor(kernel, lower=True), targets.T).T
    except LinAlgError:  # singular to rounding
        pass
    else:
        error = rounding_errors(diagonal, values[:, None], targets, importance)
        error = np.max(error)
        if error <= tol:
            return Duals(values, float(error))
    kernel[np.diag_indices_from(kernel)] = diagonal
    spectrum = GradedSpectrum(kernel, rank)
    solved = spectrum.solve(
        targets,
        lambda s: _ridge_gain(s, ridge)[None],
        np.array([horizon]),
        importance,
    )
    return solved._replace(values=solved.values[:, 0])


def _ridge_gain(roots, ridge):
    """Return ``s / (s^2 + ridge)`` without squares that leave the range of numbers."""
    return 1 / (roots + ridge / roots)


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
        self._duals = self._regress(self._problem.targets)

    def _regress(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the duals of targets of shape (n_outputs, n_samples)."""
        problem = self._problem
        problem.check_size(3)
        nngp = problem.kernel().nngp(overwrite=True)
        accuracy = {"scale": problem.scale, "tol": self._tol, "rank": problem.rank}
        duals = ridge_duals(nngp, problem.ridge, targets, **accuracy)
        problem.warn_of_rounding(duals.error, self._tol)
        return duals.values

    def mean(self, kernel: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Regime.mean`."""
        assert self._duals is not None
        outputs = self._duals @ kernel.nngp().T
        return np.repeat(outputs[:, None], len(times), axis=1)

    def drift(self, kernel: Any, delay: float, t0: float) -> NDArray[np.float64]:
        """See :meth:`Regime.drift`."""
        assert self._duals is not None
        decay = np.exp(-self.drift_rate * delay)  # Eqs. (19)-(21)
        return self._duals @ kernel.nngp(decay).T

    def response(self, queries: Queries) -> NDArray[np.float64]:
        """Return the map from the targets to the mean outputs of other inputs.

        Parameters
        ----------
        queries : Queries
            The inputs.

        Returns
        -------
        ndarray of shape (n_rows, n_samples)
            Its matrix, over the roots of the sample weights.
        """
        return self._regress(queries.cross.nngp())

    def posterior(
        self, queries: Queries, response: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the covariance of Bayesian inference, given the response."""
        seen = queries.cross.equilibrium_prior().matrix(0.0, 0.0)
        return queries.prior("equilibrium_prior") - queries.inner(response, seen)

    def covariance(
        self, queries: Queries, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See :meth:`Regime.covariance`."""
        posterior = self.posterior(queries, self.response(queries))
        return np.repeat(posterior[None], len(times), axis=0)
