"""Langevin dynamics: the trajectory up to equilibrium, and the equilibrium."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from sklearn_ndk.dynamics._equilibrium import Equilibrium
from sklearn_ndk.dynamics._gradient_flow import NTKFlow
from sklearn_ndk.dynamics._queries import Queries
from sklearn_ndk.dynamics._regime import Progress, Regime
from sklearn_ndk.dynamics._trajectory import Trajectory
from sklearn_ndk.dynamics.volterra import Representation, represent, solve
from sklearn_ndk.dynamics.volterra._adjoint import Adjoint
from sklearn_ndk.dynamics.volterra._laplace import Relaxation
from sklearn_ndk.dynamics.volterra._modes import Modes

_SLOW = 1e-7  # diffusion beside gradient descent: equilibrium is solved on demand only
_UNCHANGED = 0.05  # change of the kernel, in units of the tolerance, that is none
_KERNEL_SHARE = 0.1  # of the tolerance of variances
_MATRICES_OF_VARIANCES = 40  # of a time basis in single precision, and systems
_FEWEST_MATRICES = 8  # of a trajectory; how many it takes is known after a while


class Langevin(Regime):
    """Noisy gradient descent, Eqs. (14)-(15), which ends in the equilibrium (18).

    Parameters
    ----------
    problem : Problem
        Targets and kernels of the training samples; its ridge is positive.
    tol : float
        Relative accuracy of the trajectory.
    """

    def __init__(self, problem: Any, tol: float):
        super().__init__(problem, tol)
        self._equilibrium = Equilibrium(problem, tol)
        self._trajectory: Trajectory | None = None
        self._relaxing: Representation | None = None  # for variances, once asked for

    @property
    def diffusion_rate(self) -> float:
        """See :attr:`Regime.diffusion_rate`."""
        return self._problem.ridge

    def knows(self, t: float) -> bool:
        """See :meth:`Regime.knows`."""
        if t == 0 or (self._trajectory is not None and t <= self._trajectory.end):
            return True
        at_rest = t == np.inf or (
            self._trajectory is not None and self._trajectory.equilibrated
        )
        return at_rest and self._equilibrium.knows(t)

    def solve(self, t: float, progress: Progress | None = None) -> None:
        """See :meth:`Regime.solve`."""
        if self.knows(t):
            return
        if t < np.inf:
            self._solve_trajectory(t, progress)
        if self._trajectory is None or t > self._trajectory.end:
            self._equilibrium.solve(t)

    def share(self, t: float) -> None:
        """See :meth:`Regime.share`."""
        problem = self._problem
        if not 0 < t < np.inf:
            return
        kernel = problem.kernel()
        modes = self._modes(kernel)
        problem.whole.representation = self._represent(kernel, modes, t)

    def mean(self, kernel: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Regime.mean`."""
        n_outputs, n_rows = len(self._problem.targets), kernel.n_rows
        out = np.zeros((n_outputs, len(times), n_rows))
        at_rest = self._at_rest(times)
        moving = ~at_rest & (times > 0)
        if np.any(moving):
            assert self._trajectory is not None
            out[:, moving] = self._trajectory.predict(times[moving], kernel)
        if np.any(at_rest):
            out[:, at_rest] = self._equilibrium.mean(kernel, times[at_rest])
        return out

    def drift(self, kernel: Any, delay: float, t0: float) -> NDArray[np.float64]:
        """See :meth:`Regime.drift`."""
        if t0 == 0:  # the readout is untrained
            return np.zeros((len(self._problem.targets), kernel.n_rows))
        if self._at_rest(np.array([t0]))[0]:
            return self._equilibrium.drift(kernel, delay, t0)
        assert self._trajectory is not None
        return self._trajectory.predict_drift(t0, kernel.drifted(delay))

    def covariance(
        self, queries: Queries, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See :meth:`Regime.covariance`."""
        start = queries.prior("prior")
        out = np.repeat(start[None], len(times), axis=0)
        at_rest = self._at_rest(times)
        moving = ~at_rest & (times > 0)
        routes = [(at_rest, self._equilibrium.covariance)]
        if queries.cross.network.stationary:
            routes.append((moving, self._relaxed_covariance))
        else:
            limit = _UNCHANGED * self.variance_tol
            still = np.array([queries.cross.change(t) <= limit for t in times])
            routes.append((moving & still, self._unchanged_covariance))
            routes.append((moving & ~still, self._adjoint_covariance))
        for some, route in routes:
            if np.any(some):
                out[some] = route(queries, times[some])
        return out

    def _unchanged_covariance(
        self, queries: Queries, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the covariances at times at which the weights have hardly diffused."""
        return NTKFlow(self._problem, self._tol).covariance(queries, times)

    def _adjoint_covariance(
        self, queries: Queries, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the covariances at times that need a solution each."""
        problem, tol = self._problem, self.variance_tol
        problem.check_size(_MATRICES_OF_VARIANCES)
        kernel = problem.kernel()
        modes = self._modes(kernel)
        out = []
        for t in times:
            adjoint = Adjoint(kernel, modes, problem.ridge, t, tol)
            if adjoint.error > tol:
                warnings.warn(
                    f"Gradient descent is {adjoint.stiffness:.1g} times as fast as "
                    f"training is long, so that variances at t={t:.3g} may be off by "
                    f"{adjoint.error:.1g} times those before training, more than "
                    f"{tol:g}. Ask for an earlier time or for infinity, raise T, or "
                    "bring sigma0 to sigma.",
                    ConvergenceWarning,
                    stacklevel=2,
                )
            out.append(adjoint.covariance(queries))
        return np.array(out)

    def _relaxed_covariance(
        self, queries: Queries, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the covariances of outputs that relax from the prior.

        Weights are at equilibrium from the start, so that the response fluctuates as
        it dissipates: with what is left of it, ``D = S_inf - S_t``, the covariance is
        that of the equilibrium and ``D (C + T) D^T``.
        """
        self._problem.check_size(_MATRICES_OF_VARIANCES)
        kernel = self._problem.kernel()
        if self._relaxing is None:
            self._relaxing = self._represent_all(kernel)
        tol = self.variance_tol
        relaxation = Relaxation(queries.cross, kernel, self._relaxing, tol)
        at_rest = self._equilibrium.response(queries)
        posterior = self._equilibrium.posterior(queries, at_rest)
        prior = kernel.equilibrium_prior().matrix(0.0, 0.0)
        prior[np.diag_indices_from(prior)] += kernel.network.T
        out = np.repeat(posterior[None], len(times), axis=0)
        for i, response in relaxation.responses(times):
            left = at_rest - response
            out[i] += queries.inner(left @ prior, left)
        return out

    def _modes(self, kernel: Any) -> Modes:
        """Return the modes of the NNGP kernel, for dynamics, if there are any."""
        kernel.network.check_ntk()  # before the eigenvectors
        return Modes(kernel.nngp(), self._problem.ridge, self._problem.rank)

    def _represent_all(self, kernel: Any) -> Representation:
        """Return what represents the kernel for targets of any kind, at all times."""
        problem = self._problem
        modes = self._modes(kernel)
        targets, tol = modes.all_at_once(), _KERNEL_SHARE * self.variance_tol
        return represent(targets, kernel, modes, problem.ridge, tol, np.inf).bare()

    def _at_rest(self, times: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell at which times the trajectory has ended."""
        end = np.inf if self._trajectory is None else self._trajectory.end
        return (times > end) | (times == np.inf)

    def _solve_trajectory(self, t: float, progress: Progress | None) -> None:
        trajectory = self._trajectory
        if trajectory is not None and (t <= trajectory.end or trajectory.equilibrated):
            return
        problem = self._problem
        problem.check_size(_FEWEST_MATRICES)
        kernel = problem.kernel()
        modes = self._modes(kernel)
        representation = problem.representation
        if representation is None or t > representation.edges[-1]:
            representation = self._represent(kernel, modes, t)
        solution = solve(
            problem.targets,
            kernel,
            modes,
            representation,
            problem.ridge,
            self._tol,
            self._reporter(progress) if progress else None,
            problem.check_size,
        )
        if solution.status:
            warnings.warn(solution.status, ConvergenceWarning, stacklevel=2)
        self._problem.warn_of_rounding(solution.rounding, self._tol)
        self._trajectory = Trajectory(solution)

    def _represent(self, kernel: Any, modes: Modes, t: float) -> Representation:
        """Return what represents the kernel over time."""
        slow = self._problem.ridge < _SLOW * kernel.rate(np.array(0.0))
        # As a rule up to equilibrium, so that predictions depend on one time only. If
        # diffusion is slow, at first no further than asked for.
        t_end = t if slow and self._trajectory is None else np.inf
        targets, ridge = self._problem.targets, self._problem.ridge
        return represent(targets, kernel, modes, ridge, self._tol, t_end)

    def _reporter(self, progress: Progress) -> Any:
        """Return a function that reports solutions as regimes."""

        def report(t: float, solution: Any) -> None:
            def so_far() -> Langevin:
                return self._copy(_trajectory=Trajectory(solution()))

            progress(t, so_far)

        return report
