"""The input kernel ``x.y / n_features``, the only thing kernels know of the data."""

from typing import NamedTuple

import numpy as np

from sklearn_ndk._compute._tiles import over_tiles

# Pairs of rows whose squared cosine exceeds this are recomputed from their
# difference: for them 1 - cos^2 has lost half of its digits in the dot product.
_NEARLY_PARALLEL = 1 - 1e-8
_TILE_ENTRIES = 2**17


class Gram(NamedTuple):
    """Inner products of rows, divided by the number of features.

    Attributes
    ----------
    x_norm : ndarray of shape (n_samples_X,)
        Root of the inner product of each row of `X` with itself.
    y_norm : ndarray of shape (n_samples_Y,)
        The same of `Y`.
    cosine : ndarray of shape (n_samples_X, n_samples_Y)
        Of the angle of each pair; zero if a row is.
    same : bool
        Whether `X` and `Y` are one array.
    row_scale, column_scale : ndarray of shape (n_samples_X,) and (n_samples_Y,)
        Factors of the rows and columns of every kernel matrix.
    """

    x_norm: np.ndarray
    y_norm: np.ndarray
    cosine: np.ndarray
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
        return self._replace(
            x_norm=self.x_norm[index],
            cosine=self.cosine[index],
            row_scale=self.row_scale[index],
            same=False,
        )


def gram_matrix(X, Y=None):
    """Compute the Gram matrix of the rows of `X` and `Y`.

    Parameters
    ----------
    X : ndarray of shape (n_samples_X, n_features)
        Left rows.
    Y : ndarray of shape (n_samples_Y, n_features), default=None
        Right rows; `X` if None.

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
    cosine = np.empty((len(X), len(Y)), X.dtype)

    def fill(rows, cols):
        tile = X[rows] @ Y[cols].T
        _refine_nearly_parallel(X[rows], Y[cols], tile)
        cosine[rows, cols] = tile
        if same:
            cosine[cols, rows] = tile.T

    over_tiles(fill, cosine.shape, symmetric=same, n_entries=_TILE_ENTRIES)
    if same:
        np.fill_diagonal(cosine, x_norm > 0)
    return Gram(
        x_norm, y_norm, cosine, same, np.ones_like(x_norm), np.ones_like(y_norm)
    )


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
    if cosine.max(initial=0) <= limit and cosine.min(initial=0) >= -limit:
        return
    rows, cols = np.nonzero(np.abs(cosine) > limit)
    step = max(1, _TILE_ENTRIES // X.shape[1])
    for some in range(0, len(rows), step):
        i, j = rows[some : some + step], cols[some : some + step]
        sign = np.sign(cosine[i, j])
        gap = X[i] - sign[:, None] * Y[j]
        # cos(angle) = 1 - |unit x - unit y|^2 / 2
        cosine[i, j] = sign * (1 - np.einsum("ij,ij->i", gap, gap) / 2)
