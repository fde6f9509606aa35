"""The public pairwise kernels, with scikit-learn's validation."""

from collections.abc import Callable
from numbers import Real
from typing import Any, Literal, TypeVar, overload

from numpy.typing import ArrayLike, NDArray
from sklearn.metrics.pairwise import check_pairwise_arrays

from sklearn_ndk._checks import NumberInterval, check_time
from sklearn_ndk._length_scale import LENGTH_SCALE, divided
from sklearn_ndk._validation import refuse_non_numbers, validated
from sklearn_ndk.activations._registry import ActivationLike
from sklearn_ndk.kernels._families import NDK, TwoTimeNNGP
from sklearn_ndk.kernels._gram import Gram, gram_matrix
from sklearn_ndk.kernels._network import (
    NETWORK_CONSTRAINTS,
    InfiniteNetwork,
    make_network,
)
from sklearn_ndk.kernels._range import check_range
from sklearn_ndk.kernels._weight_process import WeightMoments

_Kernel = TypeVar("_Kernel", bound=Callable)

_TIME = [NumberInterval(Real, 0, None, closed="both")]


def _validated(
    *names: str, times: bool = False, **others: Any
) -> Callable[[_Kernel], _Kernel]:
    """Decorate a pairwise kernel to check the named hyperparameters, and others."""
    constraints = {"X": ["array-like"], "Y": ["array-like", None]}
    constraints["length_scale"] = LENGTH_SCALE
    constraints |= {name: NETWORK_CONSTRAINTS[name] for name in names} | others
    if times:
        constraints |= {"t": _TIME, "t_prime": _TIME}
    return validated(constraints)


def _checked_gram(
    X: ArrayLike,
    Y: ArrayLike | None,
    length_scale: float | ArrayLike,
    network: InfiniteNetwork,
    moments: WeightMoments,
    tangent: bool = True,
) -> Gram:
    """Return the Gram matrix of inputs, valid and divided, with kernels in range."""
    refuse_non_numbers(X, "X")
    if Y is not None:
        refuse_non_numbers(Y, "Y")
    X, Y = check_pairwise_arrays(X, Y)
    left = divided(X, length_scale)
    gram = gram_matrix(left, None if Y is X else divided(Y, length_scale, "Y"))
    check_range(network, gram, moments, tangent)
    return gram


@_validated("depth", "activation", "sigma", "bias")
def nngp_kernel(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    depth: int = 1,
    activation: ActivationLike = "relu",
    sigma: float = 1.0,
    bias: float = 0.0,
    length_scale: float | ArrayLike = 1.0,
) -> NDArray[Any]:
    """Compute the NNGP kernel of the equilibrium, Eq. (18).

    It is the kernel with which an infinitely wide Bayesian network predicts:
    ``K^L + bias^2``, with weights of the prior. The variance of the readout
    weights is left out, so the prior covariance of the network's output is
    ``sigma**2`` times this kernel.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        Left inputs.
    Y : array-like of shape (n_samples_Y, n_features), default=None
        Right inputs; `X` if None.
    depth : int, default=1
        Number of hidden layers.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object.
    sigma : float, default=1.0
        Standard deviation of the weights' prior.
    bias : float, default=0.0
        Scale of the biases.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out.

    Returns
    -------
    ndarray of shape (n_samples_X, n_samples_Y)
        The kernel matrix, in the precision of the inputs.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn_ndk.kernels import nngp_kernel
    >>> nngp_kernel([[1.0, 0.0], [0.0, 2.0]])
    array([[0.25      , 0.15915494],
           [0.15915494, 1.        ]])
    """
    network = make_network(depth=depth, activation=activation, sigma=sigma, bias=bias)
    gram = _checked_gram(
        X, Y, length_scale, network, network.equilibrium_moments(), tangent=False
    )
    return network.nngp(gram, overwrite=True)


@overload
def ntk_kernel(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    depth: int = ...,
    activation: ActivationLike = ...,
    sigma0: float = ...,
    bias: float = ...,
    length_scale: float | ArrayLike = ...,
    return_nngp: Literal[False] = False,
) -> NDArray[Any]: ...


@overload
def ntk_kernel(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    depth: int = ...,
    activation: ActivationLike = ...,
    sigma0: float = ...,
    bias: float = ...,
    length_scale: float | ArrayLike = ...,
    return_nngp: Literal[True],
) -> tuple[NDArray[Any], NDArray[Any]]: ...


@_validated("depth", "activation", "sigma0", "bias", return_nngp=["boolean"])
def ntk_kernel(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    depth: int = 1,
    activation: ActivationLike = "relu",
    sigma0: float = 1.0,
    bias: float = 0.0,
    length_scale: float | ArrayLike = 1.0,
    return_nngp: bool = False,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]:
    """Compute the neural tangent kernel at initialisation, Eq. (10).

    It is the NDK at ``t = t' = 0`` and governs the gradient-driven phase.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        Left inputs.
    Y : array-like of shape (n_samples_Y, n_features), default=None
        Right inputs; `X` if None.
    depth : int, default=1
        Number of hidden layers.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object.
    sigma0 : float, default=1.0
        Standard deviation of the initial weights.
    bias : float, default=0.0
        Scale of the biases.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out.
    return_nngp : bool, default=False
        Whether to return the NNGP kernel of the same weights as well, which costs
        little beside the NTK.

    Returns
    -------
    ntk : ndarray of shape (n_samples_X, n_samples_Y)
        The kernel matrix, in the precision of the inputs.
    nngp : ndarray of shape (n_samples_X, n_samples_Y)
        ``nngp_kernel(X, Y, sigma=sigma0)``. Only returned if `return_nngp`.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn_ndk.kernels import ntk_kernel
    >>> ntk_kernel([[1.0, 0.0], [0.0, 2.0]])
    array([[0.5       , 0.15915494],
           [0.15915494, 2.        ]])
    """
    network = make_network(depth=depth, activation=activation, sigma0=sigma0, bias=bias)
    gram = _checked_gram(X, Y, length_scale, network, network.initial_moments())
    if return_nngp:
        ntk, nngp = network.ntk_and_nngp(gram)
        return ntk, nngp
    return network.ntk(gram, overwrite=True)


@_validated("depth", "activation", "T", "sigma", "sigma0", "bias", times=True)
def ndk_kernel(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    t: float,
    t_prime: float,
    depth: int = 1,
    activation: ActivationLike = "relu",
    T: float = 0.01,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    bias: float = 0.0,
    length_scale: float | ArrayLike = 1.0,
) -> NDArray[Any]:
    """Compute the neural dynamical kernel at two times, Eqs. (11)-(13).

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        Inputs seen at time `t`.
    Y : array-like of shape (n_samples_Y, n_features), default=None
        Inputs seen at time `t_prime`; `X` if None.
    t, t_prime : float
        Gradient-flow times, in ``[0, inf]``. Diffusion happens on the scale
        ``tau = T t / sigma**2`` of order one.
    depth : int, default=1
        Number of hidden layers.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object.
    T : float, default=0.01
        Temperature of the noise.
    sigma : float, default=1.0
        Standard deviation of the weights' prior.
    sigma0 : float, default=1.0
        Standard deviation of the initial weights.
    bias : float, default=0.0
        Scale of the biases.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out.

    Returns
    -------
    ndarray of shape (n_samples_X, n_samples_Y)
        The kernel matrix, in the precision of the inputs. It is unchanged when
        both inputs and times are exchanged, not when only the inputs are.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn_ndk.kernels import ndk_kernel
    >>> ndk_kernel([[1.0, 0.0], [0.0, 2.0]], t=100.0, t_prime=50.0).round(4)
    array([[0.1685, 0.0965],
           [0.0965, 0.674 ]])
    """
    times = check_time(t), check_time(t_prime, "t_prime")
    network = make_network(
        depth=depth, activation=activation, T=T, sigma=sigma, sigma0=sigma0, bias=bias
    )
    gram = _checked_gram(X, Y, length_scale, network, network.moments(*times))
    return NDK(network).matrix(gram, *times, overwrite=True)


@_validated("depth", "activation", "T", "sigma", "sigma0", "bias", times=True)
def two_time_nngp_kernel(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    t: float,
    t_prime: float,
    depth: int = 1,
    activation: ActivationLike = "relu",
    T: float = 0.01,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    bias: float = 0.0,
    length_scale: float | ArrayLike = 1.0,
) -> NDArray[Any]:
    """Compute the NNGP kernel between two times, ``K^L(t, t')``, Eq. (11).

    No bias term is added to the last layer.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        Inputs seen at time `t`.
    Y : array-like of shape (n_samples_Y, n_features), default=None
        Inputs seen at time `t_prime`; `X` if None.
    t, t_prime : float
        Gradient-flow times, in ``[0, inf]``. Diffusion happens on the scale
        ``tau = T t / sigma**2`` of order one.
    depth : int, default=1
        Number of hidden layers.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object.
    T : float, default=0.01
        Temperature of the noise.
    sigma : float, default=1.0
        Standard deviation of the weights' prior.
    sigma0 : float, default=1.0
        Standard deviation of the initial weights.
    bias : float, default=0.0
        Scale of the biases.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out.

    Returns
    -------
    ndarray of shape (n_samples_X, n_samples_Y)
        The kernel matrix, in the precision of the inputs.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn_ndk.kernels import two_time_nngp_kernel
    >>> two_time_nngp_kernel([[1.0, 0.0]], t=100.0, t_prime=50.0).round(4)
    array([[0.1705]])
    """
    times = check_time(t), check_time(t_prime, "t_prime")
    network = make_network(
        depth=depth, activation=activation, T=T, sigma=sigma, sigma0=sigma0, bias=bias
    )
    gram = _checked_gram(
        X, Y, length_scale, network, network.moments(*times), tangent=False
    )
    return TwoTimeNNGP(network).matrix(gram, *times, overwrite=True)


@_validated("depth", "activation", "sigma", "bias")
def mean_kernel(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    depth: int = 1,
    activation: ActivationLike = "relu",
    sigma: float = 1.0,
    bias: float = 0.0,
    length_scale: float | ArrayLike = 1.0,
) -> NDArray[Any]:
    """Compute the kernel between equilibria infinitely far apart, Eq. (20).

    It is the limit of ``K^L(t, t')`` for ``t - t' -> inf`` at equilibrium: the
    product of the mean activations, zero for odd activations. No bias term is
    added to the last layer.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        Left inputs.
    Y : array-like of shape (n_samples_Y, n_features), default=None
        Right inputs; `X` if None.
    depth : int, default=1
        Number of hidden layers.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object.
    sigma : float, default=1.0
        Standard deviation of the weights' prior.
    bias : float, default=0.0
        Scale of the biases.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out.

    Returns
    -------
    ndarray of shape (n_samples_X, n_samples_Y)
        The kernel matrix, in the precision of the inputs.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn_ndk.kernels import mean_kernel
    >>> mean_kernel([[1.0, 0.0], [0.0, 2.0]]).round(4)
    array([[0.0796, 0.1592],
           [0.1592, 0.3183]])
    """
    network = make_network(depth=depth, activation=activation, sigma=sigma, bias=bias)
    gram = _checked_gram(
        X, Y, length_scale, network, network.equilibrium_moments(), tangent=False
    )
    return network.mean_kernel(gram, overwrite=True)
