"""Tiles that cover a matrix, and work on them spread over threads."""

from collections.abc import Callable

import numpy as np

from sklearn_ndk._compute._threads import n_threads, single_threaded_blas, spread


def over_tiles(
    function: Callable[[slice, slice], None],
    shape: tuple[int, int],
    *,
    symmetric: bool,
    n_entries: int,
) -> None:
    """Call a function for each tile of a matrix, on all threads.

    Parameters
    ----------
    function : callable
        Called with the slice of rows and the slice of columns of a tile. Its calls
        of BLAS run on one thread: those of a multi-threaded BLAS would be in the
        way of ours.
    shape : tuple of int
        Shape of the matrix.
    symmetric : bool
        Whether tiles on and above the diagonal are enough.
    n_entries : int
        Number of entries of a tile, roughly.
    """
    n_rows, n_cols = shape
    height = max(8, int(np.sqrt(n_entries)))
    width = height if symmetric else max(height, n_entries // max(1, n_rows))
    tiles = [
        (slice(row, row + height), slice(col, col + width))
        for row in range(0, n_rows, height)
        for col in range(row if symmetric else 0, n_cols, width)
    ]
    with single_threaded_blas():
        spread(lambda tile: function(*tile), tiles, n_threads())
