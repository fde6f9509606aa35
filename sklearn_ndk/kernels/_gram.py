"""The input kernel ``x.y / n_features``, the only thing kernels know of the data."""

from typing import NamedTuple

import numpy as np

from sklearn_ndk._compute._tiles import over_tiles

# Pairs of rows whose squared cosine exceeds this are recomputed from their
# difference: for them 1 - cos^2 has lost a third of its digits in the dot product.
_NEARLY_PARALLEL = 1 - 1e-5
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
    X, Y : ndarray of shape (n_samples_X, n_features) and (n_samples_Y, n_features)
        The rows.
    nearly_parallel : bool
        Whether there may be pairs of different rows so close to parallel that their
        cosine does not tell their angle.
    """

    x_norm: np.ndarray
    y_norm: np.ndarray
    cosine: np.ndarray
    same: bool
    row_scale: np.ndarray
    column_scale: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    nearly_parallel: bool

    def scaled(self, rows: np.ndarray | float, columns: np.ndarray | float) -> "Gram":
        """Return the same with further factors of the rows and columns."""
        return self._replace(
            row_scale=self.row_scale * rows, column_scale=self.column_scale * columns
        )

    def rows(self, index: np.ndarray | slice) -> "Gram":
        """Return some of the rows, as a Gram matrix of two different arrays."""
        return self._replace(
            x_norm=self.x_norm[index],
            cosine=self.cosine[index],
            row_scale=self.row_scale[index],
            X=self.X[index],
            same=False,
        )

    def near_pairs(
        self, rows: slice, cols: slice
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the nearly parallel pairs of a tile.

        Parameters
        ----------
        rows, cols : slice
            The tile.

        Returns
        -------
        i, j : ndarray of int, of shape (n_pairs,)
            Their places in the tile.
        sine2 : ndarray of shape (n_pairs,)
            The squared sines of their angles, to rounding.
        """
        return _near_pairs(self.X[rows], self.Y[cols], self.cosine[rows, cols])


def gram_matrix(
    X: np.ndarray, Y: np.ndarray | None = None, n_entries: int = _TILE_ENTRIES
) -> Gram:
    """Compute the Gram matrix of the rows of `X` and `Y`.

    Parameters
    ----------
    X : ndarray of shape (n_samples_X, n_features)
        Left rows.
    Y : ndarray of shape (n_samples_Y, n_features), default=None
        Right rows; `X` if None.
    n_entries : int, default=2**17
        Number of entries computed at once, roughly.

    Returns
    -------
    Gram
        With an exact diagonal if `Y` is None, and with the angle between nearly
        parallel rows accurate to rounding.
    """
    same = Y is None
    right = X if Y is None else Y
    unit_x, x_norm = _unit_rows(X)
    unit_y, y_norm = (unit_x, x_norm) if same else _unit_rows(right)
    cosine = np.empty((len(X), len(right)), X.dtype)
    n_near: list[int] = []

    def fill(rows: slice, cols: slice) -> None:
        tile = unit_x[rows] @ unit_y[cols].T
        if same and rows == cols:
            np.fill_diagonal(tile, 0)  # known
        i, j, sine2 = _near_pairs(X[rows], right[cols], tile)
        tile[i, j] = np.copysign(np.sqrt(1 - sine2), tile[i, j])
        cosine[rows, cols] = tile
        if same:
            cosine[cols, rows] = tile.T
        n_near.append(len(i))

    over_tiles(fill, cosine.shape, symmetric=same, n_entries=n_entries)
    if same:
        np.fill_diagonal(cosine, x_norm > 0)
    return Gram(
        x_norm,
        y_norm,
        cosine,
        same,
        np.ones_like(x_norm),
        np.ones_like(y_norm),
        X,
        right,
        any(n_near),
    )


def _unit_rows(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of unit norm, or zero, and their root mean squares."""
    factor = _power_of_two(X)
    X = X * factor[:, None]  # squares neither overflow nor vanish
    norms = np.sqrt(np.einsum("ij,ij->i", X, X))
    X /= np.where(norms > 0, norms, 1)[:, None]
    return X, norms / np.sqrt(X.shape[1], dtype=X.dtype) / factor


def _power_of_two(X: np.ndarray) -> np.ndarray:
    """Return factors that bring the largest entry of each row to about one."""
    largest = np.maximum(X.max(axis=1), -X.min(axis=1))
    precision = np.finfo(X.dtype)
    exponent = np.frexp(largest)[1].clip(precision.minexp, precision.maxexp - 2)
    return np.ldexp(np.ones_like(largest), -exponent)


def _near_pairs(
    X: np.ndarray, Y: np.ndarray, cosine: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return places and squared sines of the pairs that are nearly parallel."""
    limit = np.sqrt(_NEARLY_PARALLEL)
    if cosine.max(initial=0) <= limit and cosine.min(initial=0) >= -limit:
        none = np.empty(0, np.intp)
        return none, none, np.empty(0, cosine.dtype)
    i, j = np.divmod(np.flatnonzero(np.abs(cosine) > limit), cosine.shape[1])
    step = max(1, _TILE_ENTRIES // X.shape[1])
    parts = [slice(start, start + step) for start in range(0, len(i), step)]
    sine2 = [_squared_sine(X[i[part]], Y[j[part]]) for part in parts]
    return i, j, np.concatenate(sine2)


def _squared_sine(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Return squared sines of the angles between rows that are nearly parallel.

    The area of the parallelogram of x and y is half of that of ``x - y`` and
    ``x + y``, of which one is short and known to its last digits.
    """
    x_factor, y_factor = _power_of_two(X), _power_of_two(Y)
    ratio = x_factor / y_factor
    y_factor = np.where((ratio > 0.3) & (ratio < 3), x_factor, y_factor)
    X, Y = X * x_factor[:, None], Y * y_factor[:, None]
    opposite = np.einsum("ij,ij->i", X, Y) < 0
    Y *= np.where(opposite, -1, 1)[:, None]
    total, gap = X + Y, X - Y
    along = np.einsum("ij,ij->i", gap, total) / np.einsum("ij,ij->i", total, total)
    gap -= along[:, None] * total
    sine = (_norms(gap) / _norms(X)) * (_norms(total) / _norms(Y)) / 2
    return sine**2


def _norms(X: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ij,ij->i", X, X))
