"""Kernel matrices, computed in cache-sized tiles on all threads."""

import numpy as np

from sklearn_ndk._threads import n_threads, spread
from sklearn_ndk.kernels._recursion import layer_recursion

_TILE_ENTRIES = 2**16  # smaller ones spend their time waiting for the interpreter


def kernel_matrix(gram, moments, *, depth, activation, bias, tangent):
    """Compute one kernel matrix at one pair of times.

    Parameters
    ----------
    gram : Gram
        Inner products of the inputs.
    moments : WeightMoments
        Moments of the weights at the two times; scalars.
    depth, activation, bias
        See :func:`~sklearn_ndk.kernels._recursion.layer_recursion`.
    tangent : bool
        Whether the NDK is wanted, or else the NNGP kernel.

    Returns
    -------
    ndarray of shape (n_samples_X, n_samples_Y)
        ``NDK^L(t, t')`` if `tangent`, else ``K^L(t, t')``.
    """
    equal_times = moments.var == moments.var_prime == moments.cov
    homogeneous = activation.homogeneous and bias == 0
    symmetric = gram.same and (equal_times or homogeneous)
    out = np.empty(gram.xy.shape, dtype=gram.xy.dtype)

    def fill(tile):
        rows, cols = tile
        out[rows, cols] = layer_recursion(
            gram.xx[rows, None],
            gram.yy[None, cols],
            gram.xy[rows, cols],
            moments,
            depth=depth,
            activation=activation,
            bias=bias,
            tangent=tangent,
        )[tangent]
        if symmetric:
            out[cols, rows] = out[rows, cols].T

    spread(fill, _tiles(*out.shape, symmetric), n_threads())
    return out


def _tiles(n_rows, n_cols, symmetric):
    """Return pairs of slices that cover a matrix, or its upper triangle."""
    side = max(1, int(np.sqrt(_TILE_ENTRIES)))
    return [
        (slice(row, row + side), slice(col, col + side))
        for row in range(0, n_rows, side)
        for col in range(row if symmetric else 0, n_cols, side)
    ]
