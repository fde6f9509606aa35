"""The mean output of an ensemble of infinitely wide networks, at any time.

This is where kernels and dynamics meet. It chooses between the trajectory and
its closed limits, solves what a time asks for when it is first asked for, and
keeps what was solved; the estimators add scikit-learn's manners.
"""

import copy
from threading import Lock

import numpy as np
from joblib import Memory

from sklearn_ndk._compute._memory import check_memory
from sklearn_ndk._phases import EQUILIBRIUM_TAU
from sklearn_ndk.dynamics import (
    GradientFlow,
    Trajectory,
    largest_eigenvalue,
    ridge_duals,
    ridge_duals_of_modes,
    warn_of_rounding,
)
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._rank import rank_bound
from sklearn_ndk.kernels._two_time import TwoTimeKernel
from sklearn_ndk.training import _spectra
from sklearn_ndk.training._conditioning import cause_of_rounding

_FLOW_SPAN = 1e8  # of the times of interest in gradient flow
_SLOW = 1e-7  # diffusion beside gradient descent: equilibrium is solved on demand only
_FEWEST_MATRICES = 8  # of a trajectory; how many it takes is known after a while


class InfiniteEnsemble:
    """Mean output of infinitely wide networks trained on weighted samples.

    Parameters
    ----------
    network : InfiniteNetwork
        The network and its hyperparameters.
    X : ndarray of shape (n_samples, n_features)
        Training inputs.
    targets : ndarray of shape (n_samples, n_outputs)
        Targets.
    sample_weight : ndarray of shape (n_samples,)
        Positive weights of the samples in the loss.
    limit : {None, "ntk", "nngp"}
        The dynamics: Langevin, noiseless gradient flow, or equilibrium only.
    tol : float
        Relative accuracy of the trajectory.
    memory : joblib.Memory
        Keeps what fits with the same inputs share, if it has a location.
    """

    def __init__(self, network, X, targets, sample_weight, limit, tol, memory):
        self._network = network
        # any order will do, as long as it does not depend on that of the samples
        order = sorted(range(len(X)), key=lambda i: X[i].tobytes())
        X, targets, sample_weight = X[order], targets[order], sample_weight[order]
        self._X = X
        # With r -> W^(1/2) r the weights leave the equations: the kernels become
        # W^(1/2) NDK W^(1/2).
        self._scale = np.sqrt(sample_weight)
        self._targets = (self._scale[:, None] * targets).T
        self._gradient_flow = limit == "ntk" or (limit is None and network.T == 0)
        self._equilibrium_only = limit == "nngp"
        self._tol = tol
        self._memory = memory
        self._flow = self._equilibrium_duals = self._trajectory = None
        self._lock = Lock()

    def __getstate__(self):
        # the eigenvectors of the gradient flow are as large as a kernel matrix
        # and another machine need not have the folder of the memory
        own = {"_lock": None, "_flow": None, "_memory": Memory(None)}
        return self.__dict__ | own

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=Lock())

    def time_grid(self, n_times):
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
        if self._equilibrium_only:
            return np.array([np.inf])
        first = 0.1 / self.fastest_rate()
        last = _FLOW_SPAN * first
        if self.diffusion_rate:
            last = max(EQUILIBRIUM_TAU / self.diffusion_rate, 10 * first)
        return np.append(np.geomspace(first, last, n_times - 1), np.inf)

    @property
    def diffusion_rate(self):
        """The rate ``T / sigma^2`` at which weights forget; zero in both limits."""
        return 0.0 if self._equilibrium_only else self.drift_rate

    @property
    def drift_rate(self):
        """The rate at which hidden weights forget below a frozen readout."""
        return 0.0 if self._gradient_flow else self._network.kappa

    def fastest_rate(self):
        """Return the rate of the fastest gradient descent.

        Returns
        -------
        float
            The largest eigenvalue of the NTK of the training inputs, to a tenth; 1 if
            it is zero.
        """
        check_memory(2, len(self._X))
        ntk = self._network.ntk(self._gram(), overwrite=True)
        return largest_eigenvalue(ntk) or 1.0

    def in_limit(self, limit):
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
        targets, weight = (self._targets / self._scale).T, self._scale**2
        return InfiniteEnsemble(
            self._network, self._X, targets, weight, limit, self._tol, self._memory
        )

    def solve(self, t, progress=None):
        """Solve what predictions at time `t` need, unless it has been solved.

        Parameters
        ----------
        t : float
            Gradient-flow time; may be infinite.
        progress : callable, default=None
            Called after each panel of the trajectory with the time reached, and with
            a function that returns the ensemble, solved as far.
        """
        trajectory = self._trajectory
        if trajectory is not None and t <= trajectory.edges[-1]:
            return  # without waiting for a thread that solves later times
        with self._lock:
            if self._gradient_flow:
                self._solve_flow(t)
            elif self._equilibrium_only or t == np.inf:
                self._solve_equilibrium()
            elif t > 0:
                self._solve_trajectory(t, progress)

    def mean(self, X, times):
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
        gram = gram_matrix(X, self._X).scaled(1.0, self._scale)
        if self._gradient_flow:
            self.solve(np.max(times))
            duals = self._flow.duals(times)
            self._warn_of_rounding(duals.error)
            return duals.values @ self._network.ntk(gram).T
        out = np.zeros((len(self._targets), len(times), len(X)))
        at_equilibrium = self._is_equilibrium(times)
        moving = ~at_equilibrium & (times > 0)
        if np.any(moving):
            kernel = TwoTimeKernel(self._network, gram)
            out[:, moving] = self._trajectory.predict(times[moving], kernel)
        if np.any(at_equilibrium):
            outputs = self._equilibrium_duals @ self._network.nngp(gram).T
            out[:, at_equilibrium] = outputs[:, None]
        return out

    def drift(self, X, delay, t0):
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
        untrained = t0 == 0 and not self._equilibrium_only
        if untrained or delay == 0 or self.drift_rate == 0:
            return self.mean(X, times)[:, 0]
        gram = gram_matrix(X, self._X).scaled(1.0, self._scale)
        if self._is_equilibrium(times)[0]:  # Eqs. (19)-(21)
            decay = np.exp(-self.drift_rate * delay)
            return self._equilibrium_duals @ self._network.nngp(gram, decay).T
        kernel = TwoTimeKernel(self._network, gram).drifted(delay)
        return self._trajectory.predict_drift(t0, kernel)

    def _is_equilibrium(self, times):
        """Solve up to all `times`; tell at which of them the ensemble is at rest."""
        if self._equilibrium_only:
            self.solve(np.inf)
            return np.ones(len(times), dtype=bool)
        finite = np.isfinite(times)
        self.solve(np.max(times, where=finite, initial=0))
        if not np.all(finite):
            self.solve(np.inf)
        if self._trajectory is None:
            return ~finite
        return times > self._trajectory.edges[-1]

    def _solve_flow(self, t):
        if self._flow is None:
            check_memory(3, len(self._X))
            network = _spectra.of_initial_weights(self._network)
            self._flow = GradientFlow(
                lambda: network.ntk(self._gram(), overwrite=True),
                self._targets,
                tol=self._tol,
                rank=self._rank,
                eigenvectors=lambda: self._share(_spectra.ntk_eigenvectors, network),
            )
        self._flow.duals(np.array([t]))

    def _solve_equilibrium(self):
        if self._equilibrium_duals is not None:
            return
        check_memory(3, len(self._X))
        ridge, targets = self._network.kappa, self._targets
        accuracy = {"tol": self._tol, "rank": self._rank}

        def nngp():
            return self._network.nngp(self._gram(), overwrite=True)

        if self._memory.location is None:
            duals = ridge_duals(nngp(), ridge, targets, **accuracy)
        else:  # eigenvectors serve every ridge
            network = _spectra.of_equilibrium(self._network)
            modes = self._share(_spectra.nngp_eigenvectors, network)
            duals = ridge_duals_of_modes(*modes, ridge, targets, nngp, **accuracy)
        self._warn_of_rounding(duals.error)
        self._equilibrium_duals = duals.values

    def _rank(self):
        return rank_bound(self._network, self._X)

    def _warn_of_rounding(self, error):
        if error > self._tol:
            warn_of_rounding(error, self._tol, cause_of_rounding(self._X), stacklevel=3)

    def _solve_trajectory(self, t, progress):
        """Solve up to time `t` at least, with the equilibrium if it is beyond."""
        trajectory = self._trajectory
        if trajectory is None:
            self._trajectory = self._new_trajectory(t, progress)
        elif not trajectory.covers(t):  # asked again: now once and for all
            self._trajectory = self._new_trajectory(np.inf, progress)
        if t > self._trajectory.edges[-1]:
            self._solve_equilibrium()

    def _new_trajectory(self, t, progress):
        n_samples = len(self._X)
        check_memory(_FEWEST_MATRICES, n_samples)
        network, gram = self._network, self._gram()
        kernel = TwoTimeKernel(network, gram)
        # up to equilibrium, so that predictions depend on one time only
        slow = network.kappa < _SLOW * kernel.rate(np.array(0.0))
        # eigenvalues that noise hides need not be resolved
        finest = np.finfo(np.float32).eps * kernel.rate(np.array(np.inf))
        modes = self._share(
            _spectra.nngp_modes,
            _spectra.of_equilibrium(network),
            bool(network.kappa > finest),
            gram=lambda: gram,
        )
        return Trajectory(
            self._targets,
            kernel,
            modes,
            network.kappa,
            self._tol,
            t if slow else np.inf,
            progress and self._reporter(progress),
            lambda n_matrices: check_memory(n_matrices, n_samples),
        )

    def _reporter(self, progress):
        def report(t, trajectory):
            def so_far():
                ensemble = copy.copy(self)
                ensemble._trajectory = trajectory()
                return ensemble

            progress(t, so_far)

        return report

    def _gram(self):
        """Return the Gram matrix of the training inputs, weighted."""
        gram = self._memory.cache(_spectra.weighted_gram)(self._X, self._scale)
        if self._memory.location is None:
            return gram
        # kernels take the place of the Gram matrix, but not in the memory's file
        return gram._replace(cosine=np.array(gram.cosine))

    def _share(self, function, network, *args, gram=None):
        """Call a function of `_spectra`, or load what it has returned before."""
        shared = self._memory.cache(function, ignore=["gram"])
        return shared(network, self._X, self._scale, *args, gram=gram or self._gram)
