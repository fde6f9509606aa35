"""Gradient flow without noise, in closed form: Eq. (16)."""

import copy
from collections.abc import Callable
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from sklearn_ndk.dynamics._accuracy import Duals, importance_of, spectral_errors
from sklearn_ndk.dynamics._equilibrium import ridge_duals
from sklearn_ndk.dynamics._graded import GradedSpectrum
from sklearn_ndk.dynamics._queries import Queries
from sklearn_ndk.dynamics._regime import Progress, Regime


class GradientFlow:
    """Noiseless gradient flow with a fixed kernel, the NTK: Eq. (16).

    Parameters
    ----------
    kernel : callable
        Returns the kernel of the training inputs, of shape (n_samples, n_samples),
        to be overwritten.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    scale : ndarray of shape (n_samples,) or float
        Square roots of the sample weights, with which kernel and targets are given.
    tol : float
        Relative accuracy wanted.
    rank : callable, default=None
        Returns the largest rank that the exact kernel can have, the number of
        samples if None. Eigenvalues beyond it are zero, not hidden by rounding.
    """

    def __init__(
        self,
        kernel: Callable[[], NDArray[np.float64]],
        targets: NDArray[np.float64],
        *,
        scale: NDArray[np.float64] | float = 1.0,
        tol: float = 1e-6,
        rank: Callable[[], int] | None = None,
    ) -> None:
        self._kernel, self._targets = kernel, targets
        self._scale, self._tol, self._rank = scale, tol, rank

    def knows(self, t: float) -> bool:
        """Tell whether the duals at time `t` need no more decomposition."""
        return t == 0 or ("_final" if t == np.inf else "_modes") in vars(self)

    def towards(self, targets: NDArray[np.float64]) -> Self:
        """Return the flow towards other targets, with the same eigenvectors."""
        other = copy.copy(self)
        vars(other).pop("_final", None)
        other._targets = targets
        return other

    def duals(self, times: NDArray[np.float64]) -> Duals:
        """Return ``(1 - exp(-NTK t)) / NTK y``.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Gradient-flow times; may be infinite.

        Returns
        -------
        Duals
            With values of shape (n_outputs, n_times, n_samples).
        """
        values = np.zeros((len(self._targets), len(times), self._targets.shape[1]))
        error = 0.0
        moving = (times > 0) & np.isfinite(times)
        if np.any(moving):
            values[:, moving], error = self._moving(times[moving])
        if np.any(times == np.inf):
            values[:, times == np.inf] = self._final.values[:, None]
            error = max(error, self._final.error)
        return Duals(values, error)

    def _moving(self, times):
        """Return the duals at finite times, with exact small modes where they count."""
        eigenvalues, vectors = self._modes
        modal = self._targets @ vectors
        learned = [_learned(eigenvalues, t) for t in times]
        with np.errstate(over="ignore", invalid="ignore"):
            values = (modal[:, None] * np.array(learned)) @ vectors.T
        errors = spectral_errors(eigenvalues, vectors, values, self._targets)
        errors = errors.max(axis=0)
        coarse = ~(errors <= self._tol)
        error = errors.max(where=~coarse, initial=0)
        if np.any(coarse):
            late = times[coarse]
            solved = self._graded.solve(
                self._targets,
                lambda s: np.array([_flow_gain(s, t) for t in late]),
                late,
                importance_of(self._scale * np.ones(self._targets.shape[1])),
            )
            values[:, coarse] = solved.values
            error = max(error, solved.error)
        return Duals(values, float(error))

    @cached_property
    def _modes(self):
        eigenvalues, vectors = eigh(self._kernel(), driver="evd", overwrite_a=True)
        return np.maximum(eigenvalues, 0), vectors

    @cached_property
    def _graded(self):
        return GradedSpectrum(self._kernel(), self._rank)

    @cached_property
    def _final(self):
        return ridge_duals(
            self._kernel(),
            0.0,
            self._targets,
            scale=self._scale,
            tol=self._tol,
            rank=self._rank,
        )


def _learned(eigenvalues, t):
    """Return ``(1 - exp(-lambda t)) / lambda``, which is t where lambda vanishes."""
    positive = np.where(eigenvalues > 0, eigenvalues, 1)
    with np.errstate(over="ignore"):
        learned = -np.expm1(-positive * t) / positive
    return np.where(eigenvalues > 0, learned, t)


def _flow_gain(roots, t):
    """Return ``(1 - exp(-s^2 t)) / s``."""
    with np.errstate(over="ignore"):
        return -np.expm1(-roots * (roots * t)) / roots


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
        return self._flow is not None and self._flow.knows(t)

    def solve(self, t: float, progress: Progress | None = None) -> None:
        """See :meth:`Regime.solve`."""
        problem = self._problem
        if self._flow is None:
            problem.check_size(3)
            self._flow = GradientFlow(
                lambda: problem.kernel().ntk(overwrite=True),
                problem.targets,
                scale=problem.scale,
                tol=self._tol,
                rank=problem.rank,
            )
        self._flow.duals(np.array([t]))

    def mean(self, kernel: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Regime.mean`."""
        assert self._flow is not None
        duals = self._flow.duals(times)
        self._problem.warn_of_rounding(duals.error, self._tol)
        return duals.values @ kernel.ntk().T

    def drift(self, kernel: Any, delay: float, t0: float) -> NDArray[np.float64]:
        """See :meth:`Regime.drift`."""
        return self.mean(kernel, np.array([t0]))[:, 0]

    def covariance(
        self, queries: Queries, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See :meth:`Regime.covariance`: an ensemble of linearised networks.

        Outputs start from the prior at initialisation and move by the response
        ``S_t = NTK (1 - exp(-NTK t)) / NTK`` (Lee et al., arXiv:1902.06720).
        """
        self.solve(times[0])
        assert self._flow is not None
        flow = self._flow.towards(queries.cross.ntk())
        before = self._problem.kernel().prior().matrix(0.0, 0.0)
        crossed = queries.cross.prior().matrix(0.0, 0.0)
        start = queries.prior("prior")
        out = []
        for t in times:
            duals = flow.duals(np.array([t]))
            self._problem.warn_of_rounding(duals.error, self._tol)
            response = duals.values[:, 0]
            once = queries.inner(response, crossed)
            twice = queries.inner(response @ before, response)
            out.append(start - once - once.T + twice)
        return np.array(out)
