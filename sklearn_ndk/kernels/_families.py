"""Families of kernels of one network, as functions of two times."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._matrices import kernel_matrices
from sklearn_ndk.kernels._network import TILE_ENTRIES, FloatOrArray, InfiniteNetwork
from sklearn_ndk.kernels._series import angular_series
from sklearn_ndk.kernels._weight_process import ENDS_OF_TIME, WeightMoments


@dataclass(frozen=True)
class KernelFamily(ABC):
    """Kernels of one network between all pairs of times.

    Families differ in the moments of the weights, and in what they read off the
    recursion over the layers.

    Parameters
    ----------
    network : InfiniteNetwork
        The network.
    """

    network: InfiniteNetwork

    tangent: ClassVar[bool] = True  # whether the recursion must yield the NDK

    def moments(self, t: FloatOrArray, t_prime: FloatOrArray) -> WeightMoments:
        """Return the moments of the weights at two times."""
        return self.network.moments(t, t_prime)

    @abstractmethod
    def read(self, nngp: np.ndarray, ndk: Any, moments: WeightMoments) -> np.ndarray:
        """Return the kernel, given those of the last layer and the moments."""

    def entries(
        self,
        k_xx: FloatOrArray,
        k_yy: FloatOrArray,
        k_xy: FloatOrArray,
        t: FloatOrArray,
        t_prime: FloatOrArray,
    ) -> np.ndarray:
        """Compute the kernel of single pairs of inputs, elementwise.

        Parameters
        ----------
        k_xx, k_yy, k_xy : float or ndarray
            Inner products of the pairs, divided by the number of features.
        t, t_prime : float or ndarray
            The times at which the first and the second input of a pair is seen.

        Returns
        -------
        ndarray
            Of the shape to which all arguments broadcast.
        """
        moments = self.moments(t, t_prime)
        kernels = self.network.layers(k_xx, k_yy, k_xy, moments, tangent=self.tangent)
        return self.read(*kernels, moments)

    def diagonal(self, k_xx: FloatOrArray, times: FloatOrArray) -> np.ndarray:
        """Compute the kernel of single inputs with themselves at equal times.

        Parameters
        ----------
        k_xx : float or ndarray
            Inner products of the inputs with themselves.
        times : float or ndarray
            The times.

        Returns
        -------
        ndarray
            Of the shape to which both broadcast.
        """
        return self.entries(k_xx, k_xx, k_xx, times, times)

    def matrix(
        self,
        gram: Gram,
        t: float,
        t_prime: float,
        overwrite: bool = False,
        n_entries: int = TILE_ENTRIES,
    ) -> np.ndarray:
        """Compute the kernel of all pairs of inputs at one pair of times.

        Parameters
        ----------
        gram : Gram
            Inner products of the inputs.
        t, t_prime : float
            The times.
        overwrite : bool, default=False
            Whether it may take the place of the Gram matrix.
        n_entries : int
            Number of entries computed at once, roughly.

        Returns
        -------
        ndarray of shape (n_samples_X, n_samples_Y)
            The kernel matrix.
        """
        return self.network.matrices(
            gram,
            self.moments(t, t_prime),
            self.read,
            tangent=self.tangent,
            overwrite=overwrite,
            n_entries=n_entries,
        )[0]

    def mixtures(
        self,
        gram: Gram,
        t: np.ndarray,
        t_prime: np.ndarray,
        mixing: np.ndarray,
        dtypes: Sequence[DTypeLike],
        precision: np.ndarray,
        overwrite: bool = False,
    ) -> list[np.ndarray]:
        """Compute mixtures of the kernel at several pairs of times.

        Parameters
        ----------
        gram : Gram
            Inner products of the inputs.
        t, t_prime : ndarray of shape (n_pairs,)
            The pairs.
        mixing : ndarray of shape (n_pairs, n_mixtures)
            Coefficients of each mixture.
        dtypes : list of dtype
            Of each mixture.
        precision : ndarray of shape (n_mixtures,)
            Error that each may have, where inputs have unit norm, in units of the
            largest kernel of such an input with itself.
        overwrite : bool, default=False
            Whether the first may take the place of the Gram matrix.

        Returns
        -------
        list of ndarray of shape (n_samples_X, n_samples_Y)
            The mixtures.
        """
        if self.network.homogeneous:
            unit = self.diagonal(1.0, ENDS_OF_TIME).max()
            series = angular_series(
                lambda c: self.entries(1.0, 1.0, c[:, None], t, t_prime) @ mixing,
                gram.cosine.min(initial=0) if gram.same else -1.0,
                unit * precision,
            )
            if series is not None:
                return kernel_matrices(
                    gram,
                    lambda k_xx, k_yy, *angle: series(*angle),
                    dtypes,
                    homogeneous=True,
                    symmetric=gram.same,
                    n_entries=TILE_ENTRIES // series.coefficients.shape[1],
                    overwrite=overwrite,
                    refine=gram.nearly_parallel,
                )
        return self.network.matrices(
            gram,
            self.moments(t, t_prime),
            self.read,
            tangent=self.tangent,
            mixing=mixing,
            dtypes=dtypes,
            overwrite=overwrite,
        )


class NDK(KernelFamily):
    """The Neural Dynamical Kernel ``NDK^L(t, t')``, Eqs. (11)-(13)."""

    def read(self, nngp: np.ndarray, ndk: Any, moments: WeightMoments) -> np.ndarray:
        """See :meth:`KernelFamily.read`."""
        return ndk


@dataclass(frozen=True)
class DriftedNDK(NDK):
    """The NDK of a readout that froze while the hidden weights drift.

    The times of the hidden weights are ``(t + delay, t')``, those of the readout
    ``(t, t')``.

    Parameters
    ----------
    network : InfiniteNetwork
        The network.
    delay : float
        Time for which the hidden weights have drifted; may be infinite.
    """

    delay: float

    def moments(self, t: FloatOrArray, t_prime: FloatOrArray) -> WeightMoments:
        """See :meth:`KernelFamily.moments`."""
        return self.network.moments(t, t_prime, self.delay)

    def diagonal(self, k_xx: FloatOrArray, times: FloatOrArray) -> np.ndarray:
        """See :meth:`KernelFamily.diagonal`; it only falls once the readout froze."""
        return NDK(self.network).diagonal(k_xx, times)


class TwoTimeNNGP(KernelFamily):
    """The NNGP kernel ``K^L(t, t')`` of the last layer, without a bias, Eq. (11)."""

    tangent = False

    def read(self, nngp: np.ndarray, ndk: Any, moments: WeightMoments) -> np.ndarray:
        """See :meth:`KernelFamily.read`."""
        return nngp


class PriorCovariance(KernelFamily):
    """Covariance of the outputs of networks that see no data, Eqs. (9) and (11).

    It is ``m(t, t') (K^L(t, t') + bias^2)``, where m is the covariance of a weight.
    """

    tangent = False

    def read(self, nngp: np.ndarray, ndk: Any, moments: WeightMoments) -> np.ndarray:
        """See :meth:`KernelFamily.read`."""
        return moments.readout_cov * (nngp + self.network.bias**2)


class EquilibriumCovariance(PriorCovariance):
    """The same once weights have forgotten how they were initialised."""

    def moments(self, t: FloatOrArray, t_prime: FloatOrArray) -> WeightMoments:
        """See :meth:`KernelFamily.moments`; the same at all times."""
        return self.network.equilibrium_moments()


@dataclass(frozen=True)
class Backward(KernelFamily):
    """A family whose times are counted back from the end of training.

    Parameters
    ----------
    network : InfiniteNetwork
        The network.
    forward : KernelFamily
        The family; readout and hidden weights have the same moments.
    end : float
        The end of training. There is nothing before its beginning.
    """

    forward: KernelFamily
    end: float

    @property
    def tangent(self) -> bool:  # type: ignore[override]
        """Whether the recursion must yield the NDK."""
        return self.forward.tangent

    def moments(self, t: FloatOrArray, t_prime: FloatOrArray) -> WeightMoments:
        """See :meth:`KernelFamily.moments`."""
        t, t_prime = np.minimum(t, self.end), np.minimum(t_prime, self.end)
        # lags may be shorter than the last digit of the times
        return self.network.moments(self.end - t, self.end - t_prime, lag=t_prime - t)

    def read(self, nngp: np.ndarray, ndk: Any, moments: WeightMoments) -> np.ndarray:
        """See :meth:`KernelFamily.read`."""
        return self.forward.read(nngp, ndk, moments)
