"""An infinitely wide network: its hyperparameters and the kernels they give."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils._param_validation import StrOptions

from sklearn_ndk._checks import NumberInterval, as_float
from sklearn_ndk.activations import Activation
from sklearn_ndk.activations._registry import (
    ACTIVATIONS,
    ActivationLike,
    get_activation,
)
from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._matrices import kernel_matrices
from sklearn_ndk.kernels._recursion import layer_recursion
from sklearn_ndk.kernels._weight_process import (
    WeightMoments,
    constant_weights,
    weight_moments,
)

#: Constraints on the hyperparameters of a network, for scikit-learn's validation.
NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "depth": [NumberInterval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), Activation, callable],
    "T": [NumberInterval(Real, 0, None, closed="left")],
    "sigma": [NumberInterval(Real, 0, None, closed="neither")],
    "sigma0": [NumberInterval(Real, 0, None, closed="neither")],
    "bias": [NumberInterval(Real, 0, None, closed="left")],
}

FloatOrArray = float | np.ndarray

#: Picks what is wanted of ``K^L``, ``NDK^L`` and the moments of the weights.
Reading = Callable[[np.ndarray, Any, WeightMoments], np.ndarray]

_MAX_DEPTH = 1000  # a kernel entry takes some 10 ns a layer
TILE_ENTRIES = 2**17  # of all matrices at once: fewer wait for the interpreter


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
    """

    depth: int
    activation: Activation
    T: float = 0.0
    sigma: float = 1.0
    sigma0: float = 1.0
    bias: float = 0.0

    @cached_property
    def kappa(self) -> float:
        """Diffusion rate and equilibrium ridge, ``T / sigma^2``."""
        return self.T / self.sigma**2

    @property
    def homogeneous(self) -> bool:
        """Whether scaling an input by ``c > 0`` scales its kernels by `c`."""
        return self.activation.homogeneous and self.bias == 0

    @property
    def stationary(self) -> bool:
        """Whether weights start from their prior, so that only lags matter."""
        return self.sigma == self.sigma0

    def moments(
        self,
        t: FloatOrArray,
        t_prime: FloatOrArray,
        delay: float = 0.0,
        lag: FloatOrArray | None = None,
    ) -> WeightMoments:
        """Return moments of the weights at two times, see :func:`weight_moments`."""
        return weight_moments(
            t,
            t_prime,
            kappa=self.kappa,
            sigma=self.sigma,
            sigma0=self.sigma0,
            delay=delay,
            lag=lag,
        )

    def initial_moments(self) -> WeightMoments:
        """Return the moments of weights that stay as they were drawn."""
        return constant_weights(self.sigma0**2)

    def equilibrium_moments(self, decay: float = 1.0) -> WeightMoments:
        """Return the moments of weights of the prior, between correlated times."""
        return constant_weights(self.sigma**2, decay)

    def layers(
        self,
        k_xx: FloatOrArray,
        k_yy: FloatOrArray,
        k_xy: FloatOrArray,
        moments: WeightMoments,
        *,
        tangent: bool = True,
        sine2: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return ``K^L`` and ``NDK^L`` of pairs of inputs, see `layer_recursion`."""
        if tangent:
            self.check_ntk()
        return layer_recursion(
            k_xx,
            k_yy,
            k_xy,
            moments,
            depth=self.depth,
            activation=self.activation,
            bias=self.bias,
            tangent=tangent,
            sine2=sine2,
        )

    def check_ntk(self) -> None:
        """Raise ValueError if the activation has no NTK, and so no dynamics."""
        if not self.activation.has_ntk:
            raise ValueError(
                f"{self.activation!r} has no NTK, because its derivative is not a "
                "function, or too large, and networks no dynamics at finite times. Its "
                "NNGP kernel, and the equilibrium, are known: use the kernel NNGP, "
                'limit="nngp", or t=inf with T > 0.'
            )

    def ntk(self, gram: Gram, overwrite: bool = False) -> np.ndarray:
        """Compute the NTK, ``NDK^L(0, 0)``, Eq. (10)."""
        moments = self.initial_moments()
        return self.matrices(gram, moments, _ndk, overwrite=overwrite)[0]

    def ntk_and_nngp(self, gram: Gram) -> list[np.ndarray]:
        """Compute the NTK, and the NNGP kernel of the initial weights."""
        return self.matrices(
            gram,
            self.initial_moments(),
            lambda nngp, ndk, moments: np.concatenate([ndk, nngp + self.bias**2]),
            dtypes=[gram.cosine.dtype] * 2,
        )

    def nngp(
        self, gram: Gram, decay: float = 1.0, overwrite: bool = False
    ) -> np.ndarray:
        """Compute the NNGP kernel of the equilibrium, ``K^L + bias^2``, Eqs. (18)-(19).

        It is taken between two times whose distance is given by ``e(t, t')``.
        """

        def biased(nngp: np.ndarray, ndk: Any, moments: WeightMoments) -> np.ndarray:
            nngp += self.bias**2  # an array of the recursion's own
            return nngp

        moments = self.equilibrium_moments(decay)
        return self.matrices(gram, moments, biased, tangent=False, overwrite=overwrite)[
            0
        ]

    def mean_kernel(self, gram: Gram, overwrite: bool = False) -> np.ndarray:
        """Compute ``K^L`` between infinitely distant times at equilibrium, Eq. (20)."""
        return self.matrices(
            gram,
            self.equilibrium_moments(decay=0.0),
            lambda nngp, ndk, moments: nngp,
            tangent=False,
            overwrite=overwrite,
        )[0]

    def matrices(
        self,
        gram: Gram,
        moments: WeightMoments,
        read: Reading,
        *,
        tangent: bool = True,
        mixing: np.ndarray | None = None,
        dtypes: Sequence[DTypeLike] | None = None,
        overwrite: bool = False,
        n_entries: int = TILE_ENTRIES,
    ) -> list[np.ndarray]:
        """Compute kernel matrices by recursion over the layers.

        Parameters
        ----------
        gram : Gram
            Inner products of the inputs.
        moments : WeightMoments
            Those of the weights, at one or several pairs of times.
        read : callable
            Picks what is wanted of the NNGP kernel and the NDK: a stack of entries,
            one matrix after the other.
        tangent : bool, default=True
            Whether the NDK is wanted.
        mixing : ndarray of shape (n_pairs, n_mixtures), default=None
            Coefficients of mixtures of the matrices, if those are wanted.
        dtypes : list of dtype, default=None
            Of each matrix; those of the Gram matrix, one per pair of times, if None.
        overwrite : bool, default=False
            Whether the first may take the place of the Gram matrix.
        n_entries : int
            Number of entries of all matrices computed at once, roughly.

        Returns
        -------
        list of ndarray of shape (n_samples_X, n_samples_Y)
            The matrices.
        """
        dtype, n_pairs = gram.cosine.dtype, np.size(moments.cov)
        # the two inputs of a pair are exchanged, weights at both times alike
        exchange = self.homogeneous or np.all(moments.var == moments.var_prime)
        moments = moments.stacked(dtype)

        def entries(
            k_xx: np.ndarray,
            k_yy: np.ndarray,
            k_xy: np.ndarray,
            sine2: np.ndarray | None = None,
        ) -> np.ndarray:
            kernels = self.layers(
                k_xx, k_yy, k_xy, moments, tangent=tangent, sine2=sine2
            )
            values = read(*kernels, moments)
            if mixing is None:
                return values
            return np.tensordot(mixing, values, axes=(0, 0))

        return kernel_matrices(
            gram,
            entries,
            dtypes or [dtype] * n_pairs,
            homogeneous=self.homogeneous,
            symmetric=bool(gram.same and exchange),
            n_entries=n_entries // n_pairs,
            overwrite=overwrite,
            refine=gram.nearly_parallel,
        )


def _ndk(nngp: np.ndarray, ndk: Any, moments: WeightMoments) -> np.ndarray:
    return ndk


def make_network(
    *, activation: ActivationLike, depth: int, **parameters: float
) -> InfiniteNetwork:
    """Return the network that validated parameters of a user describe.

    Parameters
    ----------
    activation : str, callable or Activation
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
        If floating point does not hold what the parameters come to, or if there are
        too many layers.
    """
    numbers = {name: as_float(value, name) for name, value in parameters.items()}
    network = InfiniteNetwork(int(depth), get_activation(activation), **numbers)
    _check_hyperparameters(network)
    return network


def _check_hyperparameters(network: InfiniteNetwork) -> None:
    """Raise if a network is too deep, or if its parameters over- or underflow."""
    if network.depth > _MAX_DEPTH:
        raise ValueError(
            f"depth={network.depth:.3g} is too deep: kernels of more than "
            f"{_MAX_DEPTH} layers take too long."
        )
    precision = np.finfo(float)
    with np.errstate(over="ignore", under="ignore"):
        for name in ("sigma", "sigma0", "bias"):
            value = getattr(network, name)
            square = np.float64(value) ** 2
            if value and not precision.tiny <= square <= precision.max:
                raise ValueError(
                    f"{name}={value:.3g} is out of range: its square must be between "
                    "2.3e-308 and 1.7e308."
                )
        rate = np.float64(network.T) / np.float64(network.sigma) ** 2
        if network.T and not precision.tiny <= rate <= precision.max:
            raise ValueError(
                f"T={network.T:.3g} and sigma={network.sigma:.3g} are out of range: "
                "T / sigma**2, the rate of diffusion, must be between 2.3e-308 and "
                "1.7e308; give T=0 for none."
            )
