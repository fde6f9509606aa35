"""An infinitely wide network: its hyperparameters and the kernels they give."""

from dataclasses import dataclass
from functools import cached_property

from sklearn_ndk.kernels._activations import Activation
from sklearn_ndk.kernels._matrices import kernel_matrices
from sklearn_ndk.kernels._process import WeightMoments, weight_moments
from sklearn_ndk.kernels._recursion import layer_recursion


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
            t, t_prime, kappa=self.kappa, sigma=self.sigma, sigma0=self.sigma0
        )

    def ndk(self, gram, t, t_prime, overwrite=False):
        """Compute ``NDK^L(t, t')`` of every pair in a Gram matrix, Eqs. (11)-(13)."""
        return self._matrix(gram, self.moments(t, t_prime), overwrite, wanted="ndk")

    def ndk_at_pairs(self, gram, t, t_prime):
        """Compute ``NDK^L(t, t')`` at several pairs of times, as a list."""
        moments = self.moments(t, t_prime)
        return kernel_matrices(gram, moments, wanted="ndk", **self._layers)

    def ndk_mixtures(self, gram, t, t_prime, mixing, dtypes):
        """Compute mixtures of the NDK at several times; the Gram matrix is lost."""
        return kernel_matrices(
            gram,
            self.moments(t, t_prime),
            wanted="ndk",
            mixing=mixing,
            dtypes=dtypes,
            overwrite=True,
            **self._layers,
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
        return kernel_matrices(
            gram, moments, wanted="both", offset=self.bias**2, **self._layers
        )

    def nngp(self, gram, overwrite=False):
        """Compute the NNGP kernel of the equilibrium, ``K^L + bias^2``, Eq. (18)."""
        moments = _constant(self.sigma**2)
        return self._matrix(
            gram, moments, overwrite, wanted="nngp", offset=self.bias**2
        )

    def mean_kernel(self, gram, overwrite=False):
        """Compute ``K^L`` between infinitely distant times at equilibrium, Eq. (20)."""
        moments = _constant(self.sigma**2)._replace(cov=0.0, decay=0.0)
        return self._matrix(gram, moments, overwrite, wanted="nngp")

    def ndk_entries(self, k_xx, k_yy, k_xy, t, t_prime):
        """Compute ``NDK^L(t, t')`` of single pairs of inputs, elementwise."""
        moments = self.moments(t, t_prime)
        return layer_recursion(k_xx, k_yy, k_xy, moments, **self._layers)[1]

    @property
    def _layers(self):
        return {
            "depth": self.depth,
            "activation": self.activation,
            "bias": self.bias,
        }

    def _matrix(self, gram, moments, overwrite, **wanted):
        return kernel_matrices(
            gram, moments, overwrite=overwrite, **wanted, **self._layers
        )[0]


def _constant(variance):
    """Moments of weights that stay as they are, with the given variance."""
    return WeightMoments(variance, variance, variance, 1.0)
