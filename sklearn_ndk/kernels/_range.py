"""Kernels that exceed floating point, told before heavy work."""

import numpy as np

from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._weight_process import (
    ENDS_OF_TIME,
    WeightMoments,
    constant_weights,
)


def check_range(
    network: InfiniteNetwork,
    gram: Gram,
    moments: WeightMoments | None = None,
    tangent: bool = True,
) -> None:
    """Raise if kernels of a network overflow, or all vanish, for these inputs.

    No kernel of a pair of inputs exceeds that of the largest input with itself, at
    equal times and the largest variance of the weights.

    Parameters
    ----------
    network : InfiniteNetwork
        The network.
    gram : Gram
        Inner products of the inputs.
    moments : WeightMoments, default=None
        Moments of the weights; those at both ends of time if None.
    tangent : bool, default=True
        Whether NDKs are wanted, or NNGP kernels only; those that there are.

    Raises
    ------
    ValueError
        If they do. Vanishing kernels are told for one set of inputs only: those of
        two may be small rightly.
    """
    if moments is None:
        moments = network.moments(ENDS_OF_TIME, ENDS_OF_TIME)
    dtype = gram.cosine.dtype.type
    x, y = gram.x_norm.max(initial=0), gram.y_norm.max(initial=0)
    variance = max(
        np.max(moments.var), np.max(moments.var_prime), np.max(moments.readout_cov)
    )
    with np.errstate(all="ignore"):
        k = np.full(1, 1 if network.homogeneous else max(x, y) ** 2, dtype)
        weights = constant_weights(dtype(variance))
        tangent = tangent and network.activation.has_ntk
        nngp, ndk = network.layers(k, k, k, weights, tangent=tangent)
        largest = (ndk if tangent else nngp)[0]
        if network.homogeneous:
            largest = largest * dtype(x * y)
        scale = gram.row_scale.max(initial=0) * gram.column_scale.max(initial=0)
        ends = np.array([dtype(variance), largest, largest * scale])
        total = ends.sum() * max(gram.cosine.shape)  # no eigenvalue exceeds it
    if not np.isfinite(total):
        fault, remedy = "overflow", "smaller sigma, sigma0, bias or depth"
    elif gram.same and x > 0 and np.min(ends) < np.finfo(dtype).tiny:
        fault, remedy = "underflow", "larger sigma, sigma0 or bias, a smaller depth"
    else:
        return
    raise ValueError(
        f"The kernels {fault} {np.dtype(dtype)} with depth={network.depth}, weights of "
        f"standard deviation up to {np.sqrt(variance):.3g}, bias={network.bias:.3g} "
        f"and inputs of root mean square up to {max(x, y):.3g}: use {remedy}, or scale "
        "the inputs or the sample weights."
    )
