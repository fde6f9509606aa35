"""The NNGP kernel and the NTK as kernels of scikit-learn's Gaussian processes."""

from abc import abstractmethod
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel
from sklearn.utils import check_array
from sklearn.utils._param_validation import validate_parameter_constraints

from sklearn_ndk._length_scale import LENGTH_SCALE, divided
from sklearn_ndk._validation import refuse_non_numbers
from sklearn_ndk.activations._registry import ActivationLike
from sklearn_ndk.gaussian_process._gradient import kernel_gradient
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel
from sklearn_ndk.kernels._network import (
    NETWORK_CONSTRAINTS,
    InfiniteNetwork,
    make_network,
)

#: Bounds of a hyperparameter, as in scikit-learn.
Bounds = tuple[float, float] | Literal["fixed"] | ArrayLike
_BOUNDS = (1e-5, 1e5)


class _NetworkKernel(Kernel):
    """What both kernels have in common; they differ in the weights they are of."""

    _weights: str  # the name of the standard deviation of weights
    _tangent: bool

    depth: int
    activation: ActivationLike
    bias: float
    length_scale: float | ArrayLike
    bias_bounds: Bounds
    length_scale_bounds: Bounds

    @abstractmethod
    def _matrix(self, X: np.ndarray, Y: np.ndarray | None) -> np.ndarray:
        """Return the kernel matrix of inputs divided by their length scales."""

    @property
    def anisotropic(self) -> bool:
        """Whether each feature has a length scale of its own."""
        return np.size(self.length_scale) > 1

    @property
    def hyperparameter_bias(self) -> Hyperparameter:
        """The scale of the biases; fixed if it is zero, which has no logarithm."""
        bounds = self.bias_bounds if self.bias else "fixed"
        return Hyperparameter("bias", "numeric", bounds)

    @property
    def hyperparameter_length_scale(self) -> Hyperparameter:
        """The length scale, or one of each feature."""
        size = np.size(self.length_scale)
        return Hyperparameter("length_scale", "numeric", self.length_scale_bounds, size)

    def __call__(
        self, X: ArrayLike, Y: ArrayLike | None = None, eval_gradient: bool = False
    ) -> NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]:
        """Return the kernel matrix, and optionally its gradient.

        Parameters
        ----------
        X : array-like of shape (n_samples_X, n_features)
            Left inputs.
        Y : array-like of shape (n_samples_Y, n_features), default=None
            Right inputs; `X` if None.
        eval_gradient : bool, default=False
            Whether to return the gradient as well, without `Y` only.

        Returns
        -------
        K : ndarray of shape (n_samples_X, n_samples_Y)
            The kernel matrix, in double precision.
        K_gradient : ndarray of shape (n_samples_X, n_samples_X, n_dims)
            Its derivatives in the logarithms of the hyperparameters that are not
            fixed, in the order of `theta`. Only returned if `eval_gradient`.
        """
        if eval_gradient and Y is not None:
            raise ValueError("Gradient can only be evaluated when Y is None.")
        network = self._network()
        left = self._scaled(X, "X")
        right = None if Y is None or Y is X else self._scaled(Y, "Y")
        K = self._matrix(left, right)
        if not eval_gradient:
            return K
        free = [h.name for h in self.hyperparameters if not h.fixed]
        parameters = ["sigma" if name == self._weights else name for name in free]
        return K, kernel_gradient(
            left,
            network,
            parameters,
            per_feature=self.anisotropic,
            tangent=self._tangent,
        )

    def diag(self, X: ArrayLike) -> NDArray[Any]:
        """Return the diagonal of the kernel matrix, without the matrix.

        Parameters
        ----------
        X : array-like of shape (n_samples_X, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples_X,)
            The kernel of each input with itself.
        """
        network, X = self._network(), self._scaled(X, "X")
        k = np.einsum("ij,ij->i", X, X) / X.shape[1]
        moments = network.equilibrium_moments()
        nngp, ntk = network.layers(k, k, k, moments, tangent=self._tangent)
        return ntk if self._tangent else nngp + network.bias**2

    def is_stationary(self) -> bool:
        """Return False: norms of the inputs matter.

        Returns
        -------
        bool
            Whether the kernel depends on differences of inputs alone.
        """
        return False

    def __repr__(self) -> str:
        names = ("depth", "activation", self._weights, "bias", "length_scale")
        given = (f"{name}={_text(getattr(self, name))}" for name in names)
        return f"{type(self).__name__}({', '.join(given)})"

    def _network(self) -> InfiniteNetwork:
        """Return the network, its parameters checked."""
        names = ("depth", "activation", self._weights, "bias")
        parameters = {name: getattr(self, name) for name in names}
        validate_parameter_constraints(
            {"length_scale": LENGTH_SCALE, **NETWORK_CONSTRAINTS},
            parameters | {"length_scale": self.length_scale},
            caller_name=type(self).__name__,
        )
        parameters["sigma"] = parameters.pop(self._weights)
        return make_network(sigma0=parameters["sigma"], **parameters)

    def _scaled(self, X: ArrayLike, name: str) -> np.ndarray:
        """Return inputs in units of the length scale."""
        refuse_non_numbers(X, name)
        X = check_array(X, dtype=np.float64, input_name=name)
        scale = self.length_scale
        return divided(X, scale if self.anisotropic else np.ravel(scale)[0], name)


def _text(value: Any) -> str:
    """Return a parameter as scikit-learn's kernels show theirs."""
    if isinstance(value, np.ndarray | list | tuple):
        return f"[{', '.join(map(_text, np.ravel(value)))}]"
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


class NNGP(_NetworkKernel):
    """The kernel of an infinitely wide Bayesian network, Eq. (18).

    It is :func:`~sklearn_ndk.kernels.nngp_kernel` of inputs divided by a length
    scale, for scikit-learn's Gaussian processes, which can choose its
    hyperparameters by their marginal likelihood, and for whatever else takes a
    kernel: ``SVC(kernel=NNGP())``, ``KernelRidge(kernel=NNGP())``.

    Parameters
    ----------
    depth : int, default=1
        Number of hidden layers. Not optimised.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object. Not
        optimised.
    sigma : float, default=1.0
        Standard deviation of the weights' prior.
    bias : float, default=0.0
        Scale of the biases. Zero has no logarithm and stays fixed: start from a
        positive number for it to be optimised.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Inputs are divided by it; by one of each feature, if there are several.
    sigma_bounds, bias_bounds, length_scale_bounds : pair of floats or "fixed", \
default=(1e-5, 1e5)
        Bounds of the hyperparameters. Those that are "fixed" are not optimised.

    See Also
    --------
    NTK : The kernel of networks trained by gradient flow.
    sklearn_ndk.kernels.nngp_kernel : The same kernel as a function.

    Notes
    -----
    The readout has no variance in the kernel: the prior covariance of the network's
    output is ``sigma**2`` times it, and ``ConstantKernel() * NNGP()`` makes that
    factor free. With ``bias=0`` and a homogeneous activation, such as "relu",
    `sigma` and a common `length_scale` are factors of the kernel as well: optimise
    one of the three.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman2
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from sklearn.gaussian_process.kernels import WhiteKernel
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_ndk.gaussian_process import NNGP
    >>> X, y = make_friedman2(100, noise=20.0, random_state=0)
    >>> kernel = NNGP(bias=0.5) + WhiteKernel(0.1)
    >>> model = GaussianProcessRegressor(kernel, normalize_y=True)
    >>> model.fit(scale(X), y).score(scale(X), y) > 0.95
    True
    """

    _weights = "sigma"
    _tangent = False

    def __init__(
        self,
        depth: int = 1,
        activation: ActivationLike = "relu",
        sigma: float = 1.0,
        bias: float = 0.0,
        length_scale: float | ArrayLike = 1.0,
        sigma_bounds: Bounds = _BOUNDS,
        bias_bounds: Bounds = _BOUNDS,
        length_scale_bounds: Bounds = _BOUNDS,
    ):
        self.depth = depth
        self.activation = activation
        self.sigma = sigma
        self.bias = bias
        self.length_scale = length_scale
        self.sigma_bounds = sigma_bounds
        self.bias_bounds = bias_bounds
        self.length_scale_bounds = length_scale_bounds

    @property
    def hyperparameter_sigma(self) -> Hyperparameter:
        """The standard deviation of the weights' prior."""
        return Hyperparameter("sigma", "numeric", self.sigma_bounds)

    def _matrix(self, X: np.ndarray, Y: np.ndarray | None) -> np.ndarray:
        return nngp_kernel(
            X,
            Y,
            depth=self.depth,
            activation=self.activation,
            sigma=self.sigma,
            bias=self.bias,
        )


class NTK(_NetworkKernel):
    """The neural tangent kernel, of networks trained by gradient flow, Eq. (10).

    It is :func:`~sklearn_ndk.kernels.ntk_kernel` of inputs divided by a length
    scale, for scikit-learn's Gaussian processes, which can choose its
    hyperparameters by their marginal likelihood, and for whatever else takes a
    kernel: ``SVC(kernel=NTK())``, ``KernelRidge(kernel=NTK())``.

    Parameters
    ----------
    depth : int, default=1
        Number of hidden layers. Not optimised.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object. Not
        optimised.
    sigma0 : float, default=1.0
        Standard deviation of the initial weights.
    bias : float, default=0.0
        Scale of the biases. Zero has no logarithm and stays fixed: start from a
        positive number for it to be optimised.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Inputs are divided by it; by one of each feature, if there are several.
    sigma0_bounds, bias_bounds, length_scale_bounds : pair of floats or "fixed", \
default=(1e-5, 1e5)
        Bounds of the hyperparameters. Those that are "fixed" are not optimised.

    See Also
    --------
    NNGP : The kernel of Bayesian networks.
    sklearn_ndk.kernels.ntk_kernel : The same kernel as a function.

    Notes
    -----
    A Gaussian process of this kernel has the mean of networks trained to the end
    without noise, not their spread: see :class:`~sklearn_ndk.NDKRegressor` for it.
    With ``bias=0`` and a homogeneous activation, such as "relu", `sigma0` and a
    common `length_scale` are both factors of the kernel: optimise one of them.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_ndk.gaussian_process import NTK
    >>> X, y = load_iris(return_X_y=True)
    >>> SVC(kernel=NTK(depth=2, bias=0.1)).fit(X, y).score(X, y) > 0.95
    True
    """

    _weights = "sigma0"
    _tangent = True

    def __init__(
        self,
        depth: int = 1,
        activation: ActivationLike = "relu",
        sigma0: float = 1.0,
        bias: float = 0.0,
        length_scale: float | ArrayLike = 1.0,
        sigma0_bounds: Bounds = _BOUNDS,
        bias_bounds: Bounds = _BOUNDS,
        length_scale_bounds: Bounds = _BOUNDS,
    ):
        self.depth = depth
        self.activation = activation
        self.sigma0 = sigma0
        self.bias = bias
        self.length_scale = length_scale
        self.sigma0_bounds = sigma0_bounds
        self.bias_bounds = bias_bounds
        self.length_scale_bounds = length_scale_bounds

    @property
    def hyperparameter_sigma0(self) -> Hyperparameter:
        """The standard deviation of the initial weights."""
        return Hyperparameter("sigma0", "numeric", self.sigma0_bounds)

    def _matrix(self, X: np.ndarray, Y: np.ndarray | None) -> np.ndarray:
        return ntk_kernel(
            X,
            Y,
            depth=self.depth,
            activation=self.activation,
            sigma0=self.sigma0,
            bias=self.bias,
        )
