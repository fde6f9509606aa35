"""An infinitely wide network: its hyperparameters and the kernels they give."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_ndk._checks import as_float
from sklearn_ndk.kernels._activations import ACTIVATIONS, Activation, get_activation
from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._matrices import kernel_matrices
from sklearn_ndk.kernels._range import check_hyperparameters, check_range
from sklearn_ndk.kernels._recursion import layer_recursion
from sklearn_ndk.kernels._series import angular_series
from sklearn_ndk.kernels._weight_process import (
    WeightMoments,
    constant_weights,
    weight_moments,
)

#: Constraints on the hyperparameters of a network, for scikit-learn's validation.
NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "depth": [Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), Activation],
    "T": [Interval(Real, 0, None, closed="left")],
    "sigma": [Interval(Real, 0, None, closed="neither")],
    "sigma0": [Interval(Real, 0, None, closed="neither")],
    "bias": [Interval(Real, 0, None, closed="left")],
}

FloatOrArray = float | np.ndarray

_TILE_ENTRIES = 2**17  # of all matrices at once: fewer wait for the interpreter


@dataclass(frozen=True)
class InfiniteNetwork:
    """Hyperparameters of an infinitely wide network trained by Langevin dynamics.

    Parameters
    ----------
    depth : int
        Number of hidden layers.
    activation : Activation
        The nonlinearity.
    T : float
        Temperature of the noise; the ridge of the equilibrium is `kappa`.
    sigma, sigma0 : float
        Standard deviations of the prior and of the initial weights.
    bias : float
        Scale of the biases.
    delay : float
        Time for which the hidden weights have drifted since the readout froze, in
        NDKs: their times are ``(t + delay, t')``, those of the readout ``(t, t')``.
    """

    depth: int
    activation: Activation
    T: float = 0.0
    sigma: float = 1.0
    sigma0: float = 1.0
    bias: float = 0.0
    delay: float = 0.0

    @cached_property
    def kappa(self) -> float:
        """Diffusion rate and equilibrium ridge, ``T / sigma^2``."""
        return self.T / self.sigma**2

    @property
    def homogeneous(self) -> bool:
        """Whether scaling an input by ``c > 0`` scales its kernels by `c`."""
        return self.activation.homogeneous and self.bias == 0

    def moments(self, t: FloatOrArray, t_prime: FloatOrArray) -> WeightMoments:
        """Return moments of the weights at two times, see :func:`weight_moments`."""
        return weight_moments(
            t,
            t_prime,
            kappa=self.kappa,
            sigma=self.sigma,
            sigma0=self.sigma0,
            delay=self.delay,
        )

    def check_range(
        self, gram: Gram, moments: WeightMoments, *, tangent: bool = True
    ) -> None:
        """Raise if kernels overflow or vanish, see :func:`~_range.check_range`."""
        check_range(
            gram,
            moments,
            homogeneous=self.homogeneous,
            tangent=tangent,
            **self._layers,
        )

    def ndk(
        self,
        gram: Gram,
        t: FloatOrArray,
        t_prime: FloatOrArray,
        overwrite: bool = False,
        n_entries: int = _TILE_ENTRIES,
    ) -> np.ndarray:
        """Compute ``NDK^L(t, t')`` of every pair in a Gram matrix, Eqs. (11)-(13).

        About `n_entries` of them are computed at once.
        """
        moments = self.moments(t, t_prime)
        return self._matrices(
            gram, moments, overwrite, wanted="ndk", n_entries=n_entries
        )[0]

    def ndk_mixtures(
        self,
        gram: Gram,
        t: np.ndarray,
        t_prime: np.ndarray,
        mixing: np.ndarray,
        dtypes: Sequence[DTypeLike],
        precision: np.ndarray,
        overwrite: bool = False,
    ) -> list[np.ndarray]:
        """Compute mixtures of ``NDK^L(t, t')`` at several pairs of times."""
        if self.homogeneous:
            series = angular_series(
                lambda c: self.ndk_entries(1.0, 1.0, c[:, None], t, t_prime) @ mixing,
                gram.cosine.min(initial=0),
                precision,
            )
            if series is not None:
                return kernel_matrices(
                    gram,
                    lambda k_xx, k_yy, cosine: series(cosine),
                    dtypes,
                    homogeneous=True,
                    symmetric=gram.same,
                    n_entries=_TILE_ENTRIES // series.coefficients.shape[1],
                    overwrite=overwrite,
                )
        moments = self.moments(t, t_prime)
        return self._matrices(
            gram, moments, overwrite, wanted="ndk", mixing=mixing, dtypes=dtypes
        )

    def two_time_nngp(
        self,
        gram: Gram,
        t: FloatOrArray,
        t_prime: FloatOrArray,
        overwrite: bool = False,
    ) -> np.ndarray:
        """Compute ``K^L(t, t')`` of every pair in a Gram matrix, no bias term added."""
        moments = self.moments(t, t_prime)
        return self._matrices(gram, moments, overwrite, wanted="nngp")[0]

    def ntk(self, gram: Gram, overwrite: bool = False) -> np.ndarray:
        """Compute the NTK, ``NDK^L(0, 0)``, Eq. (10)."""
        moments = constant_weights(self.sigma0**2)
        return self._matrices(gram, moments, overwrite, wanted="ndk")[0]

    def ntk_and_nngp(self, gram: Gram) -> list[np.ndarray]:
        """Compute the NTK, and the NNGP kernel of the initial weights."""
        moments = constant_weights(self.sigma0**2)
        return self._matrices(gram, moments, wanted="both", offset=self.bias**2)

    def nngp(
        self, gram: Gram, decay: float = 1.0, overwrite: bool = False
    ) -> np.ndarray:
        """Compute the NNGP kernel of the equilibrium, ``K^L + bias^2``, Eqs. (18)-(19).

        It is taken between two times whose distance is given by ``e(t, t')``.
        """
        moments = constant_weights(self.sigma**2, decay)
        return self._matrices(
            gram, moments, overwrite, wanted="nngp", offset=self.bias**2
        )[0]

    def mean_kernel(self, gram: Gram, overwrite: bool = False) -> np.ndarray:
        """Compute ``K^L`` between infinitely distant times at equilibrium, Eq. (20)."""
        moments = constant_weights(self.sigma**2, decay=0.0)
        return self._matrices(gram, moments, overwrite, wanted="nngp")[0]

    def ndk_entries(
        self,
        k_xx: FloatOrArray,
        k_yy: FloatOrArray,
        k_xy: FloatOrArray,
        t: FloatOrArray,
        t_prime: FloatOrArray,
    ) -> np.ndarray:
        """Compute ``NDK^L(t, t')`` of single pairs of inputs, elementwise."""
        moments = self.moments(t, t_prime)
        return layer_recursion(k_xx, k_yy, k_xy, moments, **self._layers)[1]

    @property
    def _layers(self) -> dict[str, Any]:
        return {
            "depth": self.depth,
            "activation": self.activation,
            "bias": self.bias,
        }

    def _matrices(
        self,
        gram: Gram,
        moments: WeightMoments,
        overwrite: bool = False,
        *,
        wanted: str,
        offset: float = 0.0,
        mixing: np.ndarray | None = None,
        dtypes: Sequence[DTypeLike] | None = None,
        n_entries: int = _TILE_ENTRIES,
    ) -> list[np.ndarray]:
        """Compute kernel matrices by recursion over the layers.

        The kernels wanted are "nngp", to which `offset` is added, "ndk" or "both",
        the NDK first; at one or several pairs of times, or mixtures of them.
        """
        self.check_range(gram, moments, tangent=wanted != "nngp")
        dtype = gram.cosine.dtype
        equal_times = (moments.var == moments.cov) & (moments.var_prime == moments.cov)
        n_pairs = np.size(moments.cov)
        moments = WeightMoments(
            *(np.asarray(m, dtype).reshape(-1, 1, 1) for m in moments)
        )

        def entries(
            k_xx: np.ndarray,
            k_yy: np.ndarray,
            k_xy: np.ndarray,
            sine2: np.ndarray | None = None,
        ) -> np.ndarray:
            tangent = wanted != "nngp"
            nngp, ndk = layer_recursion(
                k_xx, k_yy, k_xy, moments, tangent=tangent, sine2=sine2, **self._layers
            )
            if offset:
                nngp += offset
            if wanted == "both":
                return np.concatenate([ndk, nngp])
            values = ndk if tangent else nngp
            if mixing is None:
                return values
            return np.tensordot(mixing, values, axes=(0, 0))

        return kernel_matrices(
            gram,
            entries,
            dtypes or [dtype] * (2 if wanted == "both" else n_pairs),
            homogeneous=self.homogeneous,
            symmetric=bool(gram.same and (self.homogeneous or np.all(equal_times))),
            n_entries=n_entries // n_pairs,
            overwrite=overwrite,
            refine=gram.nearly_parallel,
        )


def make_network(
    *, activation: str | Activation, depth: int, **parameters: float
) -> InfiniteNetwork:
    """Return the network that validated parameters of a user describe.

    Parameters
    ----------
    activation : str or Activation
        The nonlinearity, or its name.
    depth : int
        Number of hidden layers.
    **parameters : float
        Others of :class:`InfiniteNetwork`.

    Returns
    -------
    InfiniteNetwork
        The network.

    Raises
    ------
    ValueError
        If floating point does not hold what the parameters come to.
    """
    numbers = {name: as_float(value, name) for name, value in parameters.items()}
    network = InfiniteNetwork(int(depth), get_activation(activation), **numbers)
    check_hyperparameters(network.T, network.sigma, network.sigma0, network.bias)
    return network
