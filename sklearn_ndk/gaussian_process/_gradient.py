"""Gradients of kernel matrices in the logarithms of hyperparameters."""

from collections.abc import Sequence

import numpy as np

from sklearn_ndk._compute._tiles import over_tiles
from sklearn_ndk.gaussian_process._dual_rates import ratio
from sklearn_ndk.gaussian_process._kernel_rates import INPUTS, tile_rates
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork

TILE_ENTRIES = 2**14  # of one rate: some fifty arrays of a tile are alive at once


def kernel_gradient(
    X: np.ndarray,
    network: InfiniteNetwork,
    parameters: Sequence[str],
    *,
    per_feature: bool,
    tangent: bool,
) -> np.ndarray:
    """Compute the gradient of the NNGP kernel or the NTK of one set of inputs.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Inputs, divided by their length scales.
    network : InfiniteNetwork
        The network, of equal `sigma` and `sigma0`.
    parameters : list of {"bias", "length_scale", "sigma"}
        What the gradient is in the logarithms of, in this order.
    per_feature : bool
        Whether each feature has a length scale of its own.
    tangent : bool
        Whether the kernel is the NTK.

    Returns
    -------
    ndarray of shape (n_samples, n_samples, n_parameters)
        A length scale per feature counts as `n_features` parameters.
    """
    gram = gram_matrix(X)
    directions = [name for name in parameters if name != "length_scale"]
    if "length_scale" in parameters:
        directions += INPUTS
    n_scales = X.shape[1] if per_feature else 1
    sizes = [n_scales if name == "length_scale" else 1 for name in parameters]
    out = np.empty((len(X), len(X), sum(sizes)))

    def fill(rows: slice, cols: slice) -> None:
        rates, k_xy = tile_rates(gram, rows, cols, network, directions, tangent)
        by_direction = dict(zip(directions, rates, strict=True))
        start = 0
        for name, size in zip(parameters, sizes, strict=True):
            tile = out[rows, cols, start : start + size]
            if name != "length_scale":
                tile[..., 0] = by_direction[name]
            elif per_feature:
                tile[...] = _by_feature(X[rows], X[cols], rates[-3:])
            else:  # all inner products are divided by its square
                tile[..., 0] = -2 * (rates[-3] + rates[-2] + k_xy * rates[-1])
            start += size
        out[cols, rows] = out[rows, cols].swapaxes(0, 1)

    if out.size:
        over_tiles(fill, gram.cosine.shape, symmetric=True, n_entries=TILE_ENTRIES)
    return out


def _by_feature(X: np.ndarray, Y: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return derivatives in the logarithm of the length scale of each feature.

    They follow from those in what the kernel knows of a pair of inputs, `INPUTS`.
    """
    by_xx, by_yy, by_xy = rates[..., None]
    x_share, y_share = (ratio(Z**2, (Z**2).sum(axis=1)[:, None]) for Z in (X, Y))
    gradient = by_xy * X[:, None] * (Y / X.shape[1])
    gradient += by_xx * x_share[:, None] + by_yy * y_share
    return -2 * gradient
