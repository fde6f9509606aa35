"""The mean output of an ensemble of infinitely wide networks, at any time.

This is where kernels and dynamics meet. It picks the dynamics, has them solve what a
time asks for when it is first asked for, and keeps what was solved; the estimators
add scikit-learn's manners.
"""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk._compute._memory import check_matrices_fit
from sklearn_ndk._compute._threads import threads_for
from sklearn_ndk._phases import EQUILIBRIUM_TAU
from sklearn_ndk.dynamics import (
    LIMITS,
    Langevin,
    Regime,
    largest_eigenvalue,
    nearest_positive,
)
from sklearn_ndk.training._problem import Problem

_N_COVARIANCES = 4  # matrices of all rows that are held at once
_MAX_ENTRIES = 2**22  # of a block of kernels with the samples, unless theirs is larger
_FLOW_SPAN = 1e8  # of the times of interest in gradient flow


class InfiniteEnsemble:
    """Mean output of infinitely wide networks trained on weighted samples.

    Parameters
    ----------
    problem : Problem
        The network and the training samples.
    limit : {None, "ntk", "nngp"}
        The dynamics: Langevin, noiseless gradient flow, or equilibrium only.
    tol : float
        Relative accuracy of the trajectory.
    """

    def __init__(
        self,
        problem: Problem,
        limit: str | None,
        tol: float,
    ):
        self._problem = problem
        self._tol = tol
        if limit is None and problem.ridge == 0:
            limit = "ntk"
        regime = Langevin if limit is None else LIMITS[limit]
        self._regime: Regime = regime(self._problem, tol)
        self._lock = Lock()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_lock": None}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state, _lock=Lock())

    @property
    def diffusion_rate(self) -> float:
        """The rate ``T / sigma^2`` at which weights forget; zero in both limits."""
        return self._regime.diffusion_rate

    @property
    def at_rest(self) -> bool:
        """Whether the dynamics are at equilibrium all the time."""
        return self._regime.at_rest

    @property
    def drift_rate(self) -> float:
        """The rate at which hidden weights forget below a frozen readout."""
        return self._regime.drift_rate

    @property
    def has_ntk(self) -> bool:
        """Whether the networks can be trained by gradient descent."""
        return self._problem.network.activation.has_ntk

    def time_grid(self, n_times: int) -> NDArray[np.float64]:
        """Return times over which training happens, evenly spaced in their logarithm.

        Parameters
        ----------
        n_times : int
            Their number.

        Returns
        -------
        ndarray of shape (n_times,)
            From a tenth of the shortest time scale of gradient descent, one over the
            largest eigenvalue of the NTK, to equilibrium; the last is infinite. Only
            that one, if the dynamics are at equilibrium all the time.
        """
        if self.at_rest:
            return np.array([np.inf])
        first = 0.1 / self.fastest_rate()
        last = _FLOW_SPAN * first
        if self.diffusion_rate:
            last = max(EQUILIBRIUM_TAU / self.diffusion_rate, 10 * first)
        return np.append(np.geomspace(first, last, n_times - 1), np.inf)

    def fastest_rate(self) -> float:
        """Return the rate of the fastest gradient descent.

        Returns
        -------
        float
            The largest eigenvalue of the NTK of the training inputs, to a tenth; 1 if
            it is zero.
        """
        self._problem.check_size(2)
        ntk = self._problem.kernel().ntk(overwrite=True)
        return largest_eigenvalue(ntk) or 1.0

    def in_limit(self, limit: str) -> Self:
        """Return an ensemble with the same training samples in one of the limits.

        Parameters
        ----------
        limit : {"ntk", "nngp"}
            The dynamics.

        Returns
        -------
        InfiniteEnsemble
            Not yet solved.
        """
        return type(self)(self._problem, limit, self._tol)

    def solve(
        self,
        t: float,
        progress: Callable[[float, Callable[[], Self]], None] | None = None,
    ) -> None:
        """Solve what predictions at time `t` need, unless it has been solved.

        Parameters
        ----------
        t : float
            Gradient-flow time; may be infinite.
        progress : callable, default=None
            Called after each panel of the trajectory with the time reached, and with
            a function that returns the ensemble, solved as far.
        """
        if self._regime.knows(t):
            return  # without waiting for a thread that solves later times

        def report(t: float, regime: Callable[[], Regime]) -> None:
            assert progress is not None
            progress(t, lambda: self._with(regime()))

        with self._lock, self._threads():
            self._regime.solve(t, report if progress else None)

    def share(self, t: float) -> None:
        """Leave with the kernel of the whole what folds need, see `Regime.share`."""
        with self._threads():
            self._regime.share(t)

    def _threads(self) -> AbstractContextManager:
        return threads_for(len(self._problem.samples))

    def mean(
        self, X: NDArray[np.float64], times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the mean output.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Inputs.
        times : ndarray of shape (n_times,)
            Gradient-flow times; may be infinite.

        Returns
        -------
        ndarray of shape (n_outputs, n_times, n_rows)
            The mean outputs.
        """
        self._solve_all(times)
        with self._threads():
            return self._regime.mean(self._problem.cross_kernel(X), times)

    def drift(
        self, X: NDArray[np.float64], delay: float, t0: float
    ) -> NDArray[np.float64]:
        """Return the mean output once the readout has frozen.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Inputs.
        delay : float
            Time for which the hidden weights have drifted; may be infinite.
        t0 : float
            Gradient-flow time at which the readout froze; may be infinite.

        Returns
        -------
        ndarray of shape (n_outputs, n_rows)
            The mean outputs.
        """
        times = np.array([t0])
        if delay == 0 or self.drift_rate == 0:
            return self.mean(X, times)[:, 0]
        self._solve_all(times)
        with self._threads():
            return self._regime.drift(self._problem.cross_kernel(X), delay, t0)

    def covariance(
        self, X: NDArray[np.float64], times: NDArray[np.float64], *, full: bool
    ) -> NDArray[np.float64]:
        """Return the covariance of outputs over initialisations and noise.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Inputs.
        times : ndarray of shape (n_times,)
            Gradient-flow times; may be infinite.
        full : bool
            Whether the covariances of all pairs are wanted, or variances alone.

        Returns
        -------
        ndarray of shape (n_times, n_rows, n_rows) or (n_times, n_rows)
            Of each output alike; outputs are independent of each other. Not
            negative: errors that made it so are taken off.
        """
        if full:
            check_matrices_fit(
                _N_COVARIANCES + len(times),
                len(X),
                "Ask for covariances of fewer rows, or for return_std.",
            )
        n_samples = len(self._problem.samples)
        step = max(n_samples, _MAX_ENTRIES // n_samples)
        with self._threads():
            if full:
                queries = self._problem.queries(X, full=True)
                covariances = self._regime.covariance(queries, times)
                return np.array([nearest_positive(matrix) for matrix in covariances])
            parts = [
                self._regime.covariance(
                    self._problem.queries(X[first : first + step], full=False), times
                )
                for first in range(0, len(X), step)
            ]
        return np.maximum(np.concatenate(parts, axis=1), 0)

    def _solve_all(self, times: NDArray[np.float64]) -> None:
        """Solve up to the last finite time, and the equilibrium if it is among them."""
        finite = np.isfinite(times)
        if np.any(finite):
            self.solve(np.max(times[finite]))
        if not np.all(finite):
            self.solve(np.inf)

    def _with(self, regime: Regime) -> Self:
        other = copy.copy(self)
        other._regime = regime
        return other
