"""Kernel matrices, computed entry by entry in tiles on all threads."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from sklearn_ndk._compute._tiles import over_tiles
from sklearn_ndk.kernels._gram import Gram


def kernel_matrices(
    gram: Gram,
    entries: Callable[..., Sequence[np.ndarray] | np.ndarray],
    dtypes: Sequence[DTypeLike],
    *,
    homogeneous: bool,
    symmetric: bool,
    n_entries: int,
    overwrite: bool = False,
    refine: bool = False,
) -> list[np.ndarray]:
    """Compute kernel matrices whose entries are functions of pairs of inputs.

    Parameters
    ----------
    gram : Gram
        Inner products of the inputs.
    entries : callable
        Maps ``k_xx, k_yy, k_xy``, the inner products of a tile, to the entries of
        all matrices, of shape (n_matrices, n_rows, n_columns), in arrays that are
        written into.
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
    refine : bool, default=False
        Whether to ask `entries` again for pairs that are nearly parallel, as one
        row, with the squared sines of their angles as a fourth argument.

    Returns
    -------
    list of ndarray of shape (n_samples_X, n_samples_Y)
        The matrices, scaled.
    """
    shape = gram.cosine.shape
    out = [np.empty(shape, dtype) for dtype in dtypes[1:]]
    in_place = overwrite and dtypes[0] == gram.cosine.dtype
    out.insert(0, gram.cosine if in_place else np.empty(shape, dtypes[0]))

    def fill(rows: slice, cols: slice) -> None:
        norms = gram.x_norm[rows, None] * gram.y_norm[cols]
        scale = gram.row_scale[rows, None] * gram.column_scale[cols]
        if homogeneous:
            k_xx = k_yy = np.ones((1, 1), norms.dtype)
            k_xy, scale = gram.cosine[rows, cols], scale * norms
        else:
            k_xx, k_yy = gram.x_norm[rows, None] ** 2, gram.y_norm[None, cols] ** 2
            k_xy = gram.cosine[rows, cols] * norms
        values = entries(k_xx, k_yy, k_xy)
        if refine:
            i, j, sine2 = gram.near_pairs(rows, cols)
            one = (np.broadcast_to(k, k_xy.shape)[i, j] for k in (k_xx, k_yy, k_xy))
            refined = entries(*one, sine2) if len(i) else None
        for number, (matrix, value) in enumerate(zip(out, values, strict=True)):
            if refine and len(i):
                value[i, j] = refined[number].ravel()
            value *= scale
            matrix[rows, cols] = value
            if symmetric:
                matrix[cols, rows] = value.T

    over_tiles(fill, shape, symmetric=symmetric, n_entries=n_entries)
    return out
