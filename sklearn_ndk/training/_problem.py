"""What the dynamics are given: targets, and kernels of the training samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk._compute._memory import check_matrices_fit
from sklearn_ndk.dynamics import Queries, Representation, warn_of_rounding
from sklearn_ndk.kernels._families import NDK
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._range import check_range
from sklearn_ndk.kernels._rank import rank_bound
from sklearn_ndk.kernels._two_time import TwoTimeKernel
from sklearn_ndk.training._conditioning import cause_of_rounding
from sklearn_ndk.training._samples import TrainingSet
from sklearn_ndk.training._shared import WholeKernel


@dataclass(frozen=True)
class Problem:
    """A network and the samples that it is trained on.

    Parameters
    ----------
    network : InfiniteNetwork
        The network and its hyperparameters.
    samples : TrainingSet
        The samples.
    whole : WholeKernel, default=None
        Kernels of a table that the samples are part of.
    """

    network: InfiniteNetwork
    samples: TrainingSet
    whole: WholeKernel | None = None

    def __getstate__(self) -> dict:
        return self.__dict__ | {"whole": None}  # it is as large as many matrices

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
    def representation(self) -> Representation | None:
        """That of the kernel over time, if the whole has one."""
        return self.whole.representation if self._is_part else None

    @property
    def _is_part(self) -> bool:
        return self.whole is not None and self.whole.open

    def check_size(self, n_matrices: float) -> None:
        """Raise ValueError if so many kernel matrices would not fit in memory."""
        n_copies = 2 if self._is_part else 1
        check_matrices_fit(n_copies * n_matrices, len(self.samples))

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
        return self._between(self.samples.X, self.scale)

    def cross_kernel(self, X: NDArray[np.float64]) -> TwoTimeKernel:
        """Return the kernels between other inputs and the samples."""
        return self._between(X, None)

    def queries(self, X: NDArray[np.float64], *, full: bool) -> Queries:
        """Return inputs whose covariances, or variances alone, are wanted."""
        own = TwoTimeKernel(NDK(self.network), gram_matrix(X)) if full else None
        gram = self.samples.cross_gram(X)
        check_range(self.network, gram)
        return Queries(TwoTimeKernel(NDK(self.network), gram), own)

    def _between(
        self, X: NDArray[np.float64], scale: NDArray[np.float64] | None
    ) -> TwoTimeKernel:
        """Return the kernels between inputs and the samples, which both may be."""
        if self._is_part:
            rows = 1.0 if scale is None else scale
            part = self.whole.part(X, self.samples.X, rows, self.scale)
            if part is not None:
                return part
        gram = self.samples.cross_gram(X) if scale is None else self.samples.gram()
        check_range(self.network, gram)
        return TwoTimeKernel(NDK(self.network), gram)
