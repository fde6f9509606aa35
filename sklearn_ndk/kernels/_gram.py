"""The input kernel ``x.y / n_features``, the only thing kernels know of the data."""

from typing import NamedTuple

import numpy as np

# Pairs of rows whose squared cosine exceeds this are recomputed from their
# difference: for them 1 - cos^2 has lost half of its digits in the dot product.
_NEARLY_PARALLEL = 1 - 1e-8


class Gram(NamedTuple):
    """Inner products of rows, divided by the number of features.

    Attributes
    ----------
    xx : ndarray of shape (n_samples_X,)
        Of each row of `X` with itself.
    yy : ndarray of shape (n_samples_Y,)
        Of each row of `Y` with itself.
    xy : ndarray of shape (n_samples_X, n_samples_Y)
        Of each pair.
    same : bool
        Whether `X` and `Y` are one array.
    """

    xx: np.ndarray
    yy: np.ndarray
    xy: np.ndarray
    same: bool


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
    X = X / np.sqrt(X.shape[1], dtype=X.dtype)
    Y = X if same else Y / np.sqrt(Y.shape[1], dtype=Y.dtype)
    xx = _squared_norms(X)
    yy = xx if same else _squared_norms(Y)
    xy = X @ Y.T
    _refine_nearly_parallel(X, Y, np.sqrt(xx), np.sqrt(yy), xy)
    if same:
        np.fill_diagonal(xy, xx)
    return Gram(xx, yy, xy, same)


def _squared_norms(X):
    with np.errstate(over="ignore"):
        norms = np.einsum("ij,ij->i", X, X)
    if not np.all(np.isfinite(norms)):
        raise ValueError(
            "The squared norms of some inputs overflow: the largest entry is "
            f"{np.abs(X).max() * np.sqrt(X.shape[1]):.3g}; scale the inputs."
        )
    return norms


def _refine_nearly_parallel(X, Y, x_norm, y_norm, xy, max_block=2**22):
    """Replace in place the entries of `xy` whose rows are nearly parallel."""
    rows_per_block = max(1, max_block // max(1, xy.shape[1]))
    for start in range(0, xy.shape[0], rows_per_block):
        block = slice(start, start + rows_per_block)
        norms = x_norm[block, None] * y_norm
        near = np.abs(xy[block]) > np.sqrt(_NEARLY_PARALLEL) * norms
        rows, cols = np.nonzero(near & (norms > 0))
        step = max(1, max_block // X.shape[1])
        for some in range(0, len(rows), step):
            i, j = rows[some : some + step] + start, cols[some : some + step]
            sign = np.sign(xy[i, j])
            gap = X[i] / x_norm[i, None] - (sign / y_norm[j])[:, None] * Y[j]
            chord2 = np.einsum("ij,ij->i", gap, gap)
            # cos(angle) = 1 - |unit x - unit y|^2 / 2
            xy[i, j] = sign * x_norm[i] * y_norm[j] * (1 - chord2 / 2)
