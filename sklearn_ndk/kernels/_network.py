"""An infinitely wide network: its hyperparameters and the kernels they give."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_ndk.kernels._activations import ACTIVATIONS, Activation, get_activation
from sklearn_ndk.kernels._matrices import kernel_matrices
from sklearn_ndk.kernels._recursion import layer_recursion
from sklearn_ndk.kernels._series import angular_series
from sklearn_ndk.kernels._weight_process import WeightMoments, weight_moments

#: Constraints on the hyperparameters of a network, for scikit-learn's validation.
NETWORK_CONSTRAINTS = {
    "depth": [Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), Activation],
    "T": [Interval(Real, 0, None, closed="left")],
    "sigma": [Interval(Real, 0, None, closed="neither")],
    "sigma0": [Interval(Real, 0, None, closed="neither")],
    "bias": [Interval(Real, 0, None, closed="left")],
}

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
    def kappa(self):
        """Diffusion rate and equilibrium ridge, ``T / sigma^2``."""
        return self.T / self.sigma**2

    @property
    def homogeneous(self):
        """Whether scaling an input by ``c > 0`` scales its kernels by `c`."""
        return self.activation.homogeneous and self.bias == 0

    def moments(self, t, t_prime):
        """Return moments of the weights at two times, see :func:`weight_moments`."""
        return weight_moments(
            t,
            t_prime,
            kappa=self.kappa,
            sigma=self.sigma,
            sigma0=self.sigma0,
            delay=self.delay,
        )

    def ndk(self, gram, t, t_prime, overwrite=False):
        """Compute ``NDK^L(t, t')`` of every pair in a Gram matrix, Eqs. (11)-(13)."""
        return self._matrix(gram, self.moments(t, t_prime), overwrite, wanted="ndk")

    def ndk_mixtures(
        self, gram, t, t_prime, mixing, dtypes, precision, overwrite=False
    ):
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

    def two_time_nngp(self, gram, t, t_prime, overwrite=False):
        """Compute ``K^L(t, t')`` of every pair in a Gram matrix, no bias term added."""
        return self._matrix(gram, self.moments(t, t_prime), overwrite, wanted="nngp")

    def ntk(self, gram, overwrite=False):
        """Compute the NTK, ``NDK^L(0, 0)``, Eq. (10)."""
        return self._matrix(gram, _constant(self.sigma0**2), overwrite, wanted="ndk")

    def ntk_and_nngp(self, gram):
        """Compute the NTK, and the NNGP kernel of the initial weights."""
        moments = _constant(self.sigma0**2)
        return self._matrices(gram, moments, wanted="both", offset=self.bias**2)

    def nngp(self, gram, decay=1.0, overwrite=False):
        """Compute the NNGP kernel of the equilibrium, ``K^L + bias^2``, Eqs. (18)-(19).

        It is taken between two times whose distance is given by ``e(t, t')``.
        """
        return self._matrix(
            gram, self._at_rest(decay), overwrite, wanted="nngp", offset=self.bias**2
        )

    def mean_kernel(self, gram, overwrite=False):
        """Compute ``K^L`` between infinitely distant times at equilibrium, Eq. (20)."""
        return self._matrix(gram, self._at_rest(0.0), overwrite, wanted="nngp")

    def ndk_entries(self, k_xx, k_yy, k_xy, t, t_prime):
        """Compute ``NDK^L(t, t')`` of single pairs of inputs, elementwise."""
        moments = self.moments(t, t_prime)
        return layer_recursion(k_xx, k_yy, k_xy, moments, **self._layers)[1]

    def _at_rest(self, decay):
        """Moments at equilibrium, for the NNGP kernel."""
        return _constant(self.sigma**2)._replace(cov=decay * self.sigma**2)

    @property
    def _layers(self):
        return {
            "depth": self.depth,
            "activation": self.activation,
            "bias": self.bias,
        }

    def _matrix(self, gram, moments, overwrite, **wanted):
        return self._matrices(gram, moments, overwrite, **wanted)[0]

    def _matrices(
        self,
        gram,
        moments,
        overwrite=False,
        *,
        wanted,
        offset=0.0,
        mixing=None,
        dtypes=None,
    ):
        """Compute kernel matrices by recursion over the layers.

        The kernels wanted are "nngp", to which `offset` is added, "ndk" or "both",
        the NDK first; at one or several pairs of times, or mixtures of them.
        """
        dtype = gram.cosine.dtype
        equal_times = (moments.var == moments.cov) & (moments.var_prime == moments.cov)
        n_pairs = np.size(moments.cov)
        moments = WeightMoments(
            *(np.asarray(m, dtype).reshape(-1, 1, 1) for m in moments)
        )

        def entries(k_xx, k_yy, k_xy):
            nngp, ndk = layer_recursion(
                k_xx, k_yy, k_xy, moments, tangent=wanted != "nngp", **self._layers
            )
            if offset:
                nngp = nngp + offset
            if wanted == "both":
                return np.concatenate([ndk, nngp])
            values = nngp if wanted == "nngp" else ndk
            if mixing is None:
                return values
            return np.tensordot(mixing, values, axes=(0, 0))

        return kernel_matrices(
            gram,
            entries,
            dtypes or [dtype] * (2 if wanted == "both" else n_pairs),
            homogeneous=self.homogeneous,
            symmetric=gram.same and (self.homogeneous or np.all(equal_times)),
            n_entries=_TILE_ENTRIES // n_pairs,
            overwrite=overwrite,
        )


def make_network(*, activation, depth, **parameters):
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
    """
    numbers = {name: float(value) for name, value in parameters.items()}
    return InfiniteNetwork(int(depth), get_activation(activation), **numbers)


def _constant(variance):
    """Moments of weights that stay as they are, with the given variance."""
    return WeightMoments(variance, variance, variance, 1.0, variance, 1.0)
