"""Kernel matrices, computed entry by entry in tiles on all threads."""

import numpy as np

from sklearn_ndk._compute._tiles import over_tiles


def kernel_matrices(
    gram, entries, dtypes, *, homogeneous, symmetric, n_entries, overwrite=False
):
    """Compute kernel matrices whose entries are functions of pairs of inputs.

    Parameters
    ----------
    gram : Gram
        Inner products of the inputs.
    entries : callable
        Maps ``k_xx, k_yy, k_xy``, the inner products of a tile, to the entries of
        all matrices, of shape (n_matrices, n_rows, n_columns).
    dtypes : list of dtype
        Of each matrix.
    homogeneous : bool
        Whether norms of the inputs are factors of the entries: if they are,
        `entries` is asked for inputs of unit norm only.
    symmetric : bool
        Whether the matrices are, so that half of the entries do.
    n_entries : int
        Number of entries of a tile, roughly.
    overwrite : bool, default=False
        Whether the first matrix may take the place of the Gram matrix in memory,
        which is lost.

    Returns
    -------
    list of ndarray of shape (n_samples_X, n_samples_Y)
        The matrices, scaled.
    """
    shape = gram.cosine.shape
    out = [np.empty(shape, dtype) for dtype in dtypes[1:]]
    in_place = overwrite and dtypes[0] == gram.cosine.dtype
    out.insert(0, gram.cosine if in_place else np.empty(shape, dtypes[0]))

    def fill(rows, cols):
        norms = gram.x_norm[rows, None] * gram.y_norm[cols]
        scale = gram.row_scale[rows, None] * gram.column_scale[cols]
        if homogeneous:
            k_xx = k_yy = np.ones(1, norms.dtype)
            k_xy, scale = gram.cosine[rows, cols], scale * norms
        else:
            k_xx, k_yy = gram.x_norm[rows, None] ** 2, gram.y_norm[cols] ** 2
            k_xy = gram.cosine[rows, cols] * norms
        values = entries(k_xx, k_yy, k_xy)
        for matrix, value in zip(out, values, strict=True):
            tile = np.multiply(value, scale, out=matrix[rows, cols])
            if symmetric:
                matrix[cols, rows] = tile.T

    over_tiles(fill, shape, symmetric=symmetric, n_entries=n_entries)
    return out
