"""One face for the dynamics, whatever limit they are taken in."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk.dynamics._queries import Queries

_VARIANCE_TOL = 1e-3

#: Called with the time reached and a function that returns the regime, solved so far.
Progress = Callable[[float, Callable[[], Any]], None]


class Regime(ABC):
    """Dynamics of the mean output, solved when a time is first asked for.

    Parameters
    ----------
    problem : Problem
        Targets and kernels of the training samples.
    tol : float
        Relative accuracy of what is not in closed form.
    """

    def __init__(self, problem: Any, tol: float):
        self._problem, self._tol = problem, tol

    @property
    def diffusion_rate(self) -> float:
        """The rate at which weights forget in training; zero if they do not."""
        return 0.0

    @property
    def drift_rate(self) -> float:
        """The rate at which hidden weights forget below a frozen readout."""
        return self._problem.ridge

    @property
    def at_rest(self) -> bool:
        """Whether the dynamics are at equilibrium all the time."""
        return False

    @abstractmethod
    def knows(self, t: float) -> bool:
        """Tell whether predictions at time `t` need no more work."""

    @abstractmethod
    def solve(self, t: float, progress: Progress | None = None) -> None:
        """Solve what predictions at time `t` need, and report on the way."""

    def share(self, t: float) -> None:  # noqa: B027  (nothing, unless overridden)
        """Leave with the problem what folds of it need to be solved up to `t`."""

    @abstractmethod
    def mean(self, kernel: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean output.

        Parameters
        ----------
        kernel : TwoTimeKernel
            Kernel between the inputs wanted and the training inputs.
        times : ndarray of shape (n_times,)
            Times that have been solved for; may be infinite.

        Returns
        -------
        ndarray of shape (n_outputs, n_times, n_rows)
            The mean outputs.
        """

    @abstractmethod
    def drift(self, kernel: Any, delay: float, t0: float) -> NDArray[np.float64]:
        """Return the mean output of a readout that froze at `t0`, after `delay`.

        Parameters
        ----------
        kernel : TwoTimeKernel
            Kernel between the inputs wanted and the training inputs.
        delay : float
            Time for which hidden weights have drifted; positive, may be infinite.
        t0 : float
            Time that has been solved for; may be infinite.

        Returns
        -------
        ndarray of shape (n_outputs, n_rows)
            The mean outputs.
        """

    @abstractmethod
    def covariance(
        self, queries: Queries, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the covariance of outputs over initialisations and noise.

        It is that of each output, is independent of the targets, and accurate to
        :attr:`variance_tol` times the variance of networks that see no data.

        Parameters
        ----------
        queries : Queries
            The inputs, and whether variances alone are wanted.
        times : ndarray of shape (n_times,)
            Times, whether solved for or not; may be infinite.

        Returns
        -------
        ndarray of shape (n_times, n_rows) or (n_times, n_rows, n_rows)
            Variances, or covariance matrices.
        """

    @property
    def variance_tol(self) -> float:
        """Accuracy of variances that are not in closed form."""
        return min(_VARIANCE_TOL, 10 * self._tol)

    def _copy(self, **solved: Any) -> Self:
        """Return a copy in which something else has been solved."""
        other = copy.copy(self)
        vars(other).update(solved)
        return other
