"""Kernel matrices, computed in cache-sized tiles on all threads."""

import numpy as np

from sklearn_ndk._threads import n_threads, single_threaded_blas, spread
from sklearn_ndk.kernels._process import WeightMoments
from sklearn_ndk.kernels._recursion import layer_recursion

_TILE_ENTRIES = 2**17  # of all matrices at once: fewer wait for the interpreter


def kernel_matrices(
    gram,
    moments,
    *,
    depth,
    activation,
    bias,
    tangent,
    offset=0.0,
    mixing=None,
    dtypes=None,
):
    """Compute kernel matrices at one or several pairs of times, or mixtures of them.

    Parameters
    ----------
    gram : Gram
        Inner products of the inputs.
    moments : WeightMoments
        Moments of the weights at the pairs of times; scalars for one pair, or
        arrays of shape (n_pairs,).
    depth, activation, bias
        See :func:`~sklearn_ndk.kernels._recursion.layer_recursion`.
    tangent : bool
        Whether the NDK is wanted, or else the NNGP kernel.
    offset : float, default=0.0
        Added to the kernel.
    mixing : ndarray of shape (n_pairs, n_mixtures), default=None
        Coefficients of the mixtures wanted, in place of the kernels themselves.
    dtypes : list of dtype, default=None
        Of each matrix; that of the Gram matrix if None.

    Returns
    -------
    list of ndarray of shape (n_samples_X, n_samples_Y)
        ``NDK^L(t, t')`` if `tangent`, else ``K^L(t, t')``, scaled.
    """
    moments = WeightMoments(
        *(np.asarray(m, gram.xy.dtype).reshape(-1, 1, 1) for m in moments)
    )
    n_pairs = moments.cov.size
    n_matrices = n_pairs if mixing is None else mixing.shape[1]
    dtypes = dtypes or [gram.xy.dtype] * n_matrices
    out = [np.empty(gram.xy.shape, dtype) for dtype in dtypes]
    equal_times = np.all((moments.var == moments.cov) & (moments.var_prime == moments.cov))
    homogeneous = activation.homogeneous and bias == 0
    symmetric = gram.same and (equal_times or homogeneous)

    def fill(tile):
        rows, cols = tile
        values = layer_recursion(
            _part(gram.xx, rows)[:, None],
            _part(gram.yy, cols),
            gram.xy[rows, cols],
            moments,
            depth=depth,
            activation=activation,
            bias=bias,
            tangent=tangent,
        )[tangent]
        if mixing is not None:
            values = np.tensordot(mixing, values, axes=(0, 0))
        if offset:
            values += offset
        values *= gram.row_scale[rows, None] * gram.column_scale[cols]
        for matrix, value in zip(out, values, strict=True):
            matrix[rows, cols] = value
            if symmetric:
                matrix[cols, rows] = value.T

    tiles = _tiles(*gram.xy.shape, symmetric, _TILE_ENTRIES // n_pairs)
    n_workers = n_threads()
    with single_threaded_blas():
        spread(fill, tiles, n_workers)
    return out


def _part(k, index):
    return k if len(k) == 1 else k[index]


def _tiles(n_rows, n_cols, symmetric, n_entries):
    """Return pairs of slices that cover a matrix, or its upper triangle."""
    side = max(8, int(np.sqrt(n_entries)))
    return [
        (slice(row, row + side), slice(col, col + side))
        for row in range(0, n_rows, side)
        for col in range(row if symmetric else 0, n_cols, side)
    ]
