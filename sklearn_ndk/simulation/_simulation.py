"""The course of a simulation: batches of networks, and their times."""

import warnings
from dataclasses import dataclass
from math import ceil

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from sklearn_ndk._compute._threads import single_threaded_blas
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.simulation._backends import NumpyBackend, TorchBackend
from sklearn_ndk.simulation._finite_network import (
    FiniteNetworks,
    bytes_per_network,
    layer_shapes,
)

_MANY_STEPS = 10**7  # which even small networks take an hour for


@dataclass(frozen=True)
class Simulation:
    """What all networks of an ensemble have in common.

    Parameters
    ----------
    network : InfiniteNetwork
        Hyperparameters.
    width : int
        Number of units in each hidden layer.
    signals : ndarray of shape (n_rows, fan_in)
        What enters the first layer, the training inputs first.
    targets : ndarray of shape (n_samples, n_outputs)
        Targets of the training inputs.
    sample_weight : ndarray of shape (n_samples, 1)
        Weights in the loss.
    times : ndarray of shape (n_times,)
        Increasing times at which to record the outputs.
    t0 : float
        Time at which training ends and drift begins.
    step_size : float
        Longest step in time.
    """

    network: InfiniteNetwork
    width: int
    signals: np.ndarray
    targets: np.ndarray
    sample_weight: np.ndarray
    times: np.ndarray
    t0: float
    step_size: float

    def run(self, n_networks, device, random_state, n_jobs, verbose):
        """Simulate networks in batches.

        Parameters
        ----------
        n_networks : int
            Their number.
        device : str or None
            Device of PyTorch, or None for NumPy.
        random_state : int, RandomState instance or None
            Seed.
        n_jobs, verbose : int or None
            Of joblib, which runs the batches.

        Returns
        -------
        ndarray of shape (n_networks, n_rows, n_outputs, n_times)
            Their outputs.
        """
        backend = TorchBackend if device else NumpyBackend
        n_jobs = 1 if device else n_jobs
        entropy = check_random_state(random_state).randint(2**32, size=4, dtype="u4")
        seeds = np.random.SeedSequence(entropy).spawn(n_networks)
        one = bytes_per_network(self._shapes, len(self.targets), len(self.signals))
        share = ceil(n_networks / effective_n_jobs(n_jobs))
        size = min(share, max(1, backend.batch_bytes // one))
        n_steps = ceil(min(self.times[-1], self.t0) / self.step_size)
        if n_steps > _MANY_STEPS:
            warnings.warn(
                f"Each network takes {n_steps:.1e} steps of {self.step_size:.1e} until "
                "training ends. Scale X down, or simulate less time.",
                stacklevel=4,
            )
        if verbose:
            print(
                f"{n_networks} networks in {ceil(n_networks / size)} batches, each of "
                f"{n_steps} steps or somewhat more"
            )
        batches = Parallel(n_jobs, verbose=verbose)(
            delayed(self.run_batch)(backend(seeds[i : i + size], device))
            for i in range(0, n_networks, size)
        )
        return np.concatenate(batches)

    def run_batch(self, backend):
        """Simulate the networks of one batch.

        Parameters
        ----------
        backend : NumpyBackend or TorchBackend
            Arrays and random numbers of the networks.

        Returns
        -------
        ndarray of shape (n_networks, n_rows, n_outputs, n_times)
            Their outputs.
        """
        signals = backend.asarray(self.signals)
        training = (
            signals[: len(self.targets)],
            backend.asarray(self.targets),
            backend.asarray(self.sample_weight),
        )
        outputs, start = [], 0.0
        with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
            networks = FiniteNetworks(self.network, self._shapes, backend)
            for end in self.times:
                self._advance(networks, training, start, end)
                outputs.append(backend.to_numpy(networks.outputs(signals)))
                if not np.all(np.isfinite(outputs[-1])):
                    raise ValueError(
                        f"A network diverged before t={end:.3g} with step_size="
                        f"{self.step_size:.3g}; give a smaller step_size, a larger "
                        "width or smaller targets."
                    )
                start = end
        return np.stack(outputs, axis=-1).astype(np.float64)

    def _advance(self, networks, training, start, end):
        """Move from one time to another: train up to `t0`, drift after it."""
        span = min(end, self.t0) - start
        if span > 0:
            n_steps = ceil(span / self.step_size)
            for _ in range(n_steps):
                networks.train(*training, float(span / n_steps))
        delay = end - max(start, self.t0)
        if delay > 0:
            networks.drift(float(delay))

    @property
    def _shapes(self):
        fan_in, n_outputs = self.signals.shape[1], self.targets.shape[1]
        with_bias = self.network.bias > 0
        return layer_shapes(
            fan_in, self.network.depth, self.width, n_outputs, with_bias
        )
