"""The input kernel ``x.y / n_features``, the only thing kernels know of the data."""

from typing import NamedTuple

import numpy as np

from sklearn_ndk._threads import n_threads, spread

# Pairs of rows whose squared cosine exceeds this are recomputed from their
# difference: for them 1 - cos^2 has lost half of its digits in the dot product.
_NEARLY_PARALLEL = 1 - 1e-8
_BLOCK_ENTRIES = 2**19


class Gram(NamedTuple):
    """Inner products of rows, divided by the number of features.

    Attributes
    ----------
    xx : ndarray of shape (n_samples_X,) or (1,)
        Of each row of `X` with itself, or one for all.
    yy : ndarray of shape (n_samples_Y,) or (1,)
        Of each row of `Y` with itself, or one for all.
    xy : ndarray of shape (n_samples_X, n_samples_Y)
        Of each pair.
    same : bool
        Whether `X` and `Y` are one array.
    row_scale, column_scale : ndarray of shape (n_samples_X,) and (n_samples_Y,)
        Factors of the rows and columns of every kernel matrix.
    """

    xx: np.ndarray
    yy: np.ndarray
    xy: np.ndarray
    same: bool
    row_scale: np.ndarray
    column_scale: np.ndarray

    def scaled(self, rows, columns):
        """Return the same with further factors of the rows and columns."""
        return self._replace(
            row_scale=self.row_scale * rows, column_scale=self.column_scale * columns
        )

    def rows(self, index):
        """Return some of the rows, as a Gram matrix of two different arrays."""
        xx = self.xx if len(self.xx) == 1 else self.xx[index]
        scale = self.row_scale[index]
        return self._replace(xx=xx, xy=self.xy[index], row_scale=scale, same=False)


def gram_matrix(X, Y=None, *, unit=False):
    """Compute the Gram matrix of the rows of `X` and `Y`.

    Parameters
    ----------
    X : ndarray of shape (n_samples_X, n_features)
        Left rows.
    Y : ndarray of shape (n_samples_Y, n_features), default=None
        Right rows; `X` if None.
    unit : bool, default=False
        Whether to return that of the rows scaled to unit norm, with their norms
        as scales of the kernel: all that a homogeneous network needs.

    Returns
    -------
    Gram
        With an exact diagonal if `Y` is None, and with the angle between nearly
        parallel rows accurate to rounding.

    Raises
    ------
    ValueError
        If squared norms overflow.
    """
    same = Y is None
    X, x_norm = _unit_rows(X)
    Y, y_norm = (X, x_norm) if same else _unit_rows(Y)
    xy = X @ Y.T
    if same:
        np.fill_diagonal(xy, 0)  # not to be refined
    _refine_nearly_parallel(X, Y, xy)
    if same:
        np.fill_diagonal(xy, x_norm > 0)
    one = np.ones(1, dtype=xy.dtype)
    if unit:
        return Gram(one, one, xy, same, x_norm, y_norm)
    xy *= x_norm[:, None]
    xy *= y_norm
    xx, yy = x_norm**2, y_norm**2
    if same:
        np.fill_diagonal(xy, xx)
    rows, columns = (np.broadcast_to(one, n) for n in xy.shape)
    return Gram(xx, yy, xy, same, rows, columns)


def _unit_rows(X):
    """Return rows of unit norm, or zero, and their root mean squares."""
    X = X / np.sqrt(X.shape[1], dtype=X.dtype)
    with np.errstate(over="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", X, X))
    if not np.all(np.isfinite(norms)):
        raise ValueError(
            "The squared norms of some inputs overflow: the largest entry is "
            f"{np.abs(X).max() * np.sqrt(X.shape[1]):.3g}; scale the inputs."
        )
    X /= np.where(norms > 0, norms, 1)[:, None]
    return X, norms


def _refine_nearly_parallel(X, Y, cosine):
    """Replace in place the cosines of unit rows that are nearly parallel."""
    limit = np.sqrt(_NEARLY_PARALLEL)
    rows_per_block = max(1, _BLOCK_ENTRIES // max(1, cosine.shape[1]))

    def refine(start):
        block = cosine[start : start + rows_per_block]
        if block.max() <= limit and block.min() >= -limit:
            return
        rows, cols = np.nonzero(np.abs(block) > limit)
        step = max(1, _BLOCK_ENTRIES // X.shape[1])
        for some in range(0, len(rows), step):
            i, j = rows[some : some + step], cols[some : some + step]
            sign = np.sign(block[i, j])
            gap = X[start + i] - sign[:, None] * Y[j]
            # cos(angle) = 1 - |unit x - unit y|^2 / 2
            block[i, j] = sign * (1 - np.einsum("ij,ij->i", gap, gap) / 2)

    spread(refine, range(0, len(cosine), rows_per_block), n_threads())
