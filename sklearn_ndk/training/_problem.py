"""What the dynamics are given: targets, and kernels of the training samples."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from joblib import Memory
from numpy.typing import NDArray

from sklearn_ndk._compute._memory import check_matrices_fit
from sklearn_ndk.dynamics import Modes, warn_of_rounding
from sklearn_ndk.kernels._families import NDK
from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._range import check_range
from sklearn_ndk.kernels._rank import rank_bound
from sklearn_ndk.kernels._two_time import TwoTimeKernel
from sklearn_ndk.training import _spectra
from sklearn_ndk.training._conditioning import cause_of_rounding
from sklearn_ndk.training._samples import TrainingSet


@dataclass(frozen=True)
class Problem:
    """A network and the samples that it is trained on.

    Parameters
    ----------
    network : InfiniteNetwork
        The network and its hyperparameters.
    samples : TrainingSet
        The samples.
    memory : joblib.Memory
        Keeps what fits with the same inputs share, if it has a location.
    """

    network: InfiniteNetwork
    samples: TrainingSet
    memory: Memory = field(default_factory=lambda: Memory(None))

    def __getstate__(self) -> dict:
        # another machine need not have the folder of the memory
        return self.__dict__ | {"memory": Memory(None)}

    @property
    def targets(self) -> NDArray[np.float64]:
        """Targets, of shape (n_outputs, n_samples)."""
        return self.samples.targets

    @property
    def scale(self) -> NDArray[np.float64]:
        """Square roots of the sample weights, of shape (n_samples,)."""
        return self.samples.scale

    @property
    def ridge(self) -> float:
        """The ridge of the equilibrium, and the rate of diffusion: ``T / sigma^2``."""
        return self.network.kappa

    @property
    def shared(self) -> bool:
        """Whether what fits have in common is kept."""
        return self.memory.location is not None

    def check_size(self, n_matrices: float) -> None:
        """Raise ValueError if so many kernel matrices would not fit in memory."""
        check_matrices_fit(n_matrices, len(self.samples))

    def rank(self) -> int:
        """Return the largest rank that kernels of the samples can have."""
        return rank_bound(self.network, self.samples.X)

    def warn_of_rounding(self, error: float, tol: float) -> None:
        """Warn if rounding errors of a kernel exceed the tolerance, and say why."""
        if not error <= tol:
            cause = cause_of_rounding(self.samples.X)
            warn_of_rounding(error, tol, cause, stacklevel=3)

    def kernel(self) -> TwoTimeKernel:
        """Return the kernels of the samples, with a Gram matrix to be used up."""
        return TwoTimeKernel(NDK(self.network), self._gram())

    def cross_kernel(self, X: NDArray[np.float64]) -> TwoTimeKernel:
        """Return the kernels between other inputs and the samples."""
        gram = self.samples.cross_gram(X)
        check_range(self.network, gram)
        return TwoTimeKernel(NDK(self.network), gram)

    def ntk_eigenvectors(self) -> tuple[NDArray, NDArray]:
        """Return eigenvalues, increasing, and eigenvectors of the NTK."""
        network = _spectra.of_initial_weights(self.network)
        return self._share(_spectra.ntk_eigenvectors, network)

    def nngp_eigenvectors(self) -> tuple[NDArray, NDArray]:
        """Return eigenvalues, increasing, and eigenvectors of the NNGP kernel."""
        network = _spectra.of_equilibrium(self.network)
        return self._share(_spectra.nngp_eigenvectors, network)

    def nngp_modes(self, gram: Gram) -> Modes:
        """Return modes of the NNGP kernel, for which `gram` is left as it is."""
        network = _spectra.of_equilibrium(self.network)
        ridge = self._resolution(gram)
        return self._share(_spectra.nngp_modes, network, ridge, gram=lambda: gram)

    def _resolution(self, gram: Gram) -> float:
        """Return the ridge; infinite if single precision will do: fits then share."""
        trace = TwoTimeKernel(NDK(self.network), gram).rate(np.array(np.inf))
        single = np.finfo(np.float32).eps * trace
        if self.ridge > single:
            return np.inf
        return self.ridge

    def _gram(self) -> Gram:
        """Return the Gram matrix of the samples, weighted; the caller's own."""
        samples = self.samples
        gram = self.memory.cache(_spectra.weighted_gram)(samples.X, samples.scale)
        check_range(self.network, gram)
        if not self.shared:
            return gram
        # kernels take the place of the Gram matrix, but not in the memory's file
        return gram._replace(cosine=np.array(gram.cosine))

    def _share(
        self,
        function: Callable,
        network: InfiniteNetwork,
        *args: object,
        gram: Callable[[], Gram] | None = None,
    ):
        """Call a function of `_spectra`, or load what it has returned before."""
        shared = self.memory.cache(function, ignore=["gram"])
        X, scale = self.samples.X, self.samples.scale
        return shared(network, X, scale, *args, gram=gram or self._gram)
