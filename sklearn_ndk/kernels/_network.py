"""An infinitely wide network: its hyperparameters and the kernels they give."""

from dataclasses import dataclass
from functools import cached_property

from sklearn_ndk.kernels._activations import Activation
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._process import WeightMoments, weight_moments
from sklearn_ndk.kernels._recursion import layer_recursion
from sklearn_ndk.kernels._tiles import kernel_matrices


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

    def gram(self, X, Y=None):
        """Compute the Gram matrix from which the kernels follow soonest."""
        return gram_matrix(X, Y, unit=self.homogeneous)

    def moments(self, t, t_prime):
        """Return moments of the weights at two times, see :func:`weight_moments`."""
        return weight_moments(
            t, t_prime, kappa=self.kappa, sigma=self.sigma, sigma0=self.sigma0
        )

    def ndk(self, gram, t, t_prime):
        """Compute ``NDK^L(t, t')`` of every pair in a Gram matrix, Eqs. (11)-(13)."""
        return self._matrix(gram, self.moments(t, t_prime), tangent=True)

    def ndk_mixtures(self, gram, t, t_prime, mixing, dtypes):
        """Compute mixtures of the NDK at several pairs of times, as a list."""
        moments = self.moments(t, t_prime)
        return kernel_matrices(
            gram, moments, tangent=True, mixing=mixing, dtypes=dtypes, **self._layers
        )

    def two_time_nngp(self, gram, t, t_prime):
        """Compute ``K^L(t, t')`` of every pair in a Gram matrix, no bias term added."""
        return self._matrix(gram, self.moments(t, t_prime), tangent=False)

    def ntk(self, gram):
        """Compute the NTK, ``NDK^L(0, 0)``, Eq. (10)."""
        return self._matrix(gram, _constant(self.sigma0**2), tangent=True)

    def nngp(self, gram):
        """Compute the NNGP kernel of the equilibrium, ``K^L + bias^2``, Eq. (18)."""
        moments = _constant(self.sigma**2)
        return self._matrix(gram, moments, tangent=False, offset=self.bias**2)

    def mean_kernel(self, gram):
        """Compute ``K^L`` between infinitely distant times at equilibrium, Eq. (20)."""
        moments = _constant(self.sigma**2)._replace(cov=0.0, decay=0.0)
        return self._matrix(gram, moments, tangent=False)

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

    def _matrix(self, gram, moments, **wanted):
        return kernel_matrices(gram, moments, **wanted, **self._layers)[0]


def _constant(variance):
    """Moments of weights that stay as they are, with the given variance."""
    return WeightMoments(variance, variance, variance, 1.0)
