"""Networks and inputs whose kernels exceed floating point, told before heavy work."""

import numpy as np

from sklearn_ndk.kernels._activations import Activation
from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._recursion import layer_recursion
from sklearn_ndk.kernels._weight_process import WeightMoments, constant_weights


def check_hyperparameters(T: float, sigma: float, sigma0: float, bias: float) -> None:
    """Raise if the squares or the ridge of hyperparameters over- or underflow.

    Parameters
    ----------
    T, sigma, sigma0, bias : float
        Hyperparameters, valid for their signs.

    Raises
    ------
    ValueError
        If ``sigma^2``, ``sigma0^2``, ``bias^2`` or ``T / sigma^2`` are not normal
        numbers in double precision, nor zero where the parameter is.
    """
    with np.errstate(over="ignore", under="ignore"):
        for name, value in {"sigma": sigma, "sigma0": sigma0, "bias": bias}.items():
            if value and not _is_normal(np.float64(value) ** 2):
                raise ValueError(
                    f"{name}={value:.3g} is out of range: its square must be between "
                    "2.3e-308 and 1.7e308."
                )
        if T and not _is_normal(np.float64(T) / np.float64(sigma) ** 2):
            raise ValueError(
                f"T={T:.3g} and sigma={sigma:.3g} are out of range: T / sigma**2, the "
                "rate of diffusion, must be between 2.3e-308 and 1.7e308; give T=0 for "
                "none."
            )


def check_range(
    gram: Gram,
    moments: WeightMoments,
    *,
    depth: int,
    activation: Activation,
    bias: float,
    homogeneous: bool,
    tangent: bool,
) -> None:
    """Raise if kernels of a network overflow, or all vanish, for these inputs.

    No kernel of a pair of inputs exceeds that of the largest input with itself, at
    equal times and the largest variance of the weights.

    Parameters
    ----------
    gram : Gram
        Inner products of the inputs.
    moments : WeightMoments
        Moments of the weights.
    depth, activation, bias, homogeneous
        Those of the network.
    tangent : bool
        Whether NDKs are wanted, or NNGP kernels only.

    Raises
    ------
    ValueError
        If they do. Vanishing kernels are told for one set of inputs only: those of
        two may be small rightly.
    """
    dtype = gram.cosine.dtype.type
    x, y = (norm.max(initial=0) for norm in (gram.x_norm, gram.y_norm))
    variances = moments.var, moments.var_prime, moments.readout_cov
    with np.errstate(all="ignore"):
        variance = dtype(max(np.max(variance) for variance in variances))
        k = np.full(1, 1 if homogeneous else max(x, y) ** 2, dtype)
        weights = constant_weights(variance)
        layers = {"depth": depth, "activation": activation, "bias": dtype(bias)}
        nngp, ndk = layer_recursion(k, k, k, weights, tangent=tangent, **layers)
        largest = (ndk if tangent else nngp)[0] * dtype(x * y if homogeneous else 1)
        scale = gram.row_scale.max(initial=0) * gram.column_scale.max(initial=0)
        ends = variance, largest, largest * scale
    if not np.all(np.isfinite(ends)):
        fault, remedy = "overflow", "smaller sigma, sigma0, bias or depth"
    elif gram.same and x > 0 and not all(_is_normal(end) for end in ends):
        fault, remedy = "underflow", "larger sigma, sigma0 or bias, a smaller depth"
    else:
        return
    deviation = np.sqrt(max(np.max(variance) for variance in variances))
    raise ValueError(
        f"The kernels {fault} {np.dtype(dtype)} with depth={depth}, weights of "
        f"standard deviation up to {deviation:.3g}, bias={bias:.3g} and inputs of root "
        f"mean square up to {max(x, y):.3g}: use {remedy}, or scale the inputs or the "
        "sample weights."
    )


def _is_normal(value: np.floating) -> bool:
    precision = np.finfo(value.dtype)
    return bool(precision.tiny <= value <= precision.max)
