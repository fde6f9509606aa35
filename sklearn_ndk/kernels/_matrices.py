"""Kernel matrices, computed in cache-sized tiles on all threads."""

import numpy as np

from sklearn_ndk.kernels._process import WeightMoments
from sklearn_ndk.kernels._recursion import layer_recursion
from sklearn_ndk.kernels._tiles import over_tiles

_TILE_ENTRIES = 2**17  # of all matrices at once: fewer wait for the interpreter


def kernel_matrices(
    gram,
    moments,
    *,
    depth,
    activation,
    bias,
    wanted,
    offset=0.0,
    mixing=None,
    dtypes=None,
    overwrite=False,
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
    wanted : {"nngp", "ndk", "both"}
        The kernels wanted; of both, the NDK comes first.
    offset : float, default=0.0
        Added to the NNGP kernel.
    mixing : ndarray of shape (n_pairs, n_mixtures), default=None
        Coefficients of the mixtures wanted, in place of the kernels themselves.
    dtypes : list of dtype, default=None
        Of each matrix; that of the Gram matrix if None.
    overwrite : bool, default=False
        Whether the first matrix may take the place of the Gram matrix in memory,
        which is lost.

    Returns
    -------
    list of ndarray of shape (n_samples_X, n_samples_Y)
        ``NDK^L(t, t')``, or ``K^L(t, t')``, or their mixtures, scaled.
    """
    dtype, shape = gram.cosine.dtype, gram.cosine.shape
    moments = WeightMoments(*(np.asarray(m, dtype).reshape(-1, 1, 1) for m in moments))
    n_pairs = moments.cov.size
    if dtypes is None:
        n_matrices = n_pairs if mixing is None else mixing.shape[1]
        dtypes = [dtype] * (n_matrices + (wanted == "both"))
    out = [np.empty(shape, dtype) for dtype in dtypes[1:]]
    in_place = overwrite and dtypes[0] == dtype
    out.insert(0, gram.cosine if in_place else np.empty(shape, dtypes[0]))
    homogeneous = activation.homogeneous and bias == 0
    equal_times = (moments.var == moments.cov) & (moments.var_prime == moments.cov)
    symmetric = gram.same and (homogeneous or np.all(equal_times))

    def fill(rows, cols):
        norms = gram.x_norm[rows, None] * gram.y_norm[cols]
        scale = gram.row_scale[rows, None] * gram.column_scale[cols]
        if homogeneous:  # the norms are factors of the kernel
            k_xx = k_yy = np.ones(1, dtype)
            k_xy, scale = gram.cosine[rows, cols], scale * norms
        else:
            k_xx, k_yy = gram.x_norm[rows, None] ** 2, gram.y_norm[cols] ** 2
            k_xy = gram.cosine[rows, cols] * norms
        nngp, ndk = layer_recursion(
            k_xx,
            k_yy,
            k_xy,
            moments,
            depth=depth,
            activation=activation,
            bias=bias,
            tangent=wanted != "nngp",
        )
        if offset:
            nngp += offset
        if wanted == "both":
            values = np.concatenate([ndk, nngp])
        else:
            values = nngp if wanted == "nngp" else ndk
        if mixing is not None:
            values = np.tensordot(mixing, values, axes=(0, 0))
        values *= scale
        for matrix, value in zip(out, values, strict=True):
            matrix[rows, cols] = value
            if symmetric:
                matrix[cols, rows] = value.T

    n_entries = _TILE_ENTRIES // n_pairs
    over_tiles(fill, shape, symmetric=symmetric, n_entries=n_entries)
    return out
