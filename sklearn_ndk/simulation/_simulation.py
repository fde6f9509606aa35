"""The course of a simulation: batches of networks, and their times."""

import warnings
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from sklearn_ndk._compute._threads import single_threaded_blas
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.simulation._backends import Backend, NumpyBackend
from sklearn_ndk.simulation._finite_network import (
    FiniteNetworks,
    bytes_per_network,
    layer_shapes,
)

MANY_STEPS = 10**7  #: which even small networks take an hour for
MOST_STEPS = 10**9  #: which even small networks take days for


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
    signals: NDArray[np.float64]
    targets: NDArray[np.float64]
    sample_weight: NDArray[np.float64]
    times: NDArray[np.float64]
    t0: float
    step_size: float

    def check_length(
        self, many_steps: int = MANY_STEPS, most_steps: int = MOST_STEPS
    ) -> None:
        """Warn of simulations that take long, and refuse those that do not end.

        Parameters
        ----------
        many_steps : int, default=10**7
            Number of steps beyond which to warn.
        most_steps : int, default=10**9
            Number of steps beyond which to refuse.

        Raises
        ------
        ValueError
            If there are more steps than that.
        """
        if self._n_steps <= many_steps:
            return
        message = (
            f"Each network takes {self._n_steps:.1e} steps of {self.step_size:.1e} "
            "until training ends"
        )
        advice = "Scale X, T / sigma**2 and weights down, or simulate less time."
        if self._n_steps > most_steps:
            raise ValueError(f"{message}, more than {most_steps:.0e}. {advice}")
        warnings.warn(f"{message}. {advice}", stacklevel=4)

    def run(
        self,
        n_networks: int,
        *,
        backend: type[Backend] = NumpyBackend,
        device: str | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        batch_bytes: int | None = None,
    ) -> NDArray[np.float64]:
        """Simulate networks in batches.

        Parameters
        ----------
        n_networks : int
            Their number.
        backend : type
            Arrays and random numbers.
        device : str, default=None
            Device of the backend.
        random_state : int, RandomState instance or None, default=None
            Seed.
        n_jobs, verbose : int or None
            Of joblib, which runs the batches.
        batch_bytes : int, default=None
            Memory of a batch of networks; that of the backend if None.

        Returns
        -------
        ndarray of shape (n_networks, n_rows, n_outputs, n_times)
            Their outputs.
        """
        entropy = check_random_state(random_state).randint(2**32, size=4, dtype="u4")
        seeds = np.random.SeedSequence(entropy).spawn(n_networks)
        one = bytes_per_network(self._shapes, len(self.targets), len(self.signals))
        share = ceil(n_networks / effective_n_jobs(n_jobs))
        size = min(share, max(1, (batch_bytes or backend.batch_bytes) // one))
        if verbose:
            print(
                f"{n_networks} networks in {ceil(n_networks / size)} batches, each of "
                f"{ceil(self._n_steps)} steps or somewhat more"
            )
        batches = Parallel(n_jobs, verbose=verbose)(
            delayed(self.run_batch)(backend(seeds[i : i + size], device))
            for i in range(0, n_networks, size)
        )
        return np.concatenate(batches)

    def run_batch(self, backend: Backend) -> NDArray[np.float64]:
        """Simulate the networks of one batch.

        Parameters
        ----------
        backend : Backend
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

    def _advance(
        self,
        networks: FiniteNetworks,
        training: tuple[Any, Any, Any],
        start: float,
        end: float,
    ) -> None:
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
    def _n_steps(self) -> float:
        """Number of steps, at least, until training ends."""
        return float(min(self.times[-1], self.t0)) / self.step_size

    @property
    def _shapes(self) -> list[tuple[int, int]]:
        fan_in, n_outputs = self.signals.shape[1], self.targets.shape[1]
        with_bias = self.network.bias > 0
        return layer_shapes(
            fan_in, self.network.depth, self.width, n_outputs, with_bias
        )
