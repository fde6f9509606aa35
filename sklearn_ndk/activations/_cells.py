"""Cells of the logarithm of variance, on which functions of it are polynomials."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sklearn_ndk.activations._polar import Array

_ALL = (...,)  # index
_STEP = float(np.log(4))  # between upper ends, so that a cell serves many arrays
_WIDTHS = 2 * _STEP, 4 * _STEP


class Cell(NamedTuple):
    """An interval of the logarithm of variance.

    Parameters
    ----------
    end : float
        The upper end.
    width : float
        The length.
    """

    end: float
    width: float

    def position(self, log_var: Array) -> Array:
        """Return where variances lie, in [-1, 1]."""
        return 2 * (log_var - self.end) / self.width + 1

    def log_variance(self, x: Array) -> Array:
        """Return the logarithm of a variance, given where it lies."""
        return self.end + (x - 1) / 2 * self.width


def by_cell(*log_vars: Array) -> Iterator[tuple[Cell, list[tuple]]]:
    """Yield cells that cover variances, and the indices of those in each.

    One cell for all arrays, unless variances differ by a factor of hundreds.
    """
    every = [log_var for log_var in log_vars if log_var.size]
    if not every:
        return
    lowest = min(float(log_var.min()) for log_var in every)
    end = _STEP * float(np.ceil(max(log_var.max() for log_var in every) / _STEP))
    for width in _WIDTHS:
        if end - width <= lowest:
            yield Cell(end, width), [_ALL] * len(log_vars)
            return
    below = [np.floor((end - log_var) / width) for log_var in log_vars]
    for number in np.unique(np.concatenate([some.ravel() for some in below])):
        here = [np.nonzero(some == number) for some in below]
        yield Cell(end - float(number) * width, width), here


def crossed(rows: tuple, columns: tuple) -> tuple:
    """Return the index of all pairs of some rows and columns."""
    if rows is _ALL:
        return _ALL if columns is _ALL else (slice(None), *columns)
    return (*rows, slice(None)) if columns is _ALL else np.ix_(*rows, *columns)


def both(some: tuple, others: tuple) -> tuple:
    """Return the index of entries of a vector that both indices hold."""
    if some is _ALL or others is _ALL:
        return others if some is _ALL else some
    return (np.intersect1d(*some, *others, assume_unique=True),)
