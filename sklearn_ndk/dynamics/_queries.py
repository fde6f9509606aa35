"""Inputs whose covariance is wanted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAX_ENTRIES = 2**25  # of what is held for the rows that are handled at once


@dataclass(frozen=True)
class Queries:
    """Inputs whose outputs' variances, or covariance matrix, are wanted.

    Parameters
    ----------
    cross : TwoTimeKernel
        Kernel between the inputs and the training inputs.
    own : TwoTimeKernel or None
        Kernel between the inputs themselves, if all covariances are wanted; if None,
        variances.
    """

    cross: Any
    own: Any = None

    def prior(self, kind: str, t: float = 0.0) -> NDArray[np.float64]:
        """Return the covariance of networks that see no data.

        Parameters
        ----------
        kind : {"prior", "equilibrium_prior"}
            The method of :class:`TwoTimeKernel` that gives its kernel.
        t : float
            The time.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_rows)
            Variances or covariances.
        """
        if self.own is None:
            return getattr(self.cross, kind)().variances(t)
        return getattr(self.own, kind)().matrix(t, t)

    def inner(
        self, a: NDArray[np.float64], b: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return inner products of each row of `a` with its own, or each, row of `b`.

        Parameters
        ----------
        a, b : ndarray of shape (n_rows, ...)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_rows)
            Of variances or of covariances.
        """
        a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
        return np.einsum("ij,ij->i", a, b) if self.own is None else a @ b.T

    def blocks(self, n_entries: int) -> Iterator[tuple[slice, "Queries"]]:
        """Yield parts that fit in memory; all rows at once for covariances.

        Parameters
        ----------
        n_entries : int
            Number of entries that are held for a row.

        Yields
        ------
        tuple of slice and Queries
            The rows, and what is wanted of them.
        """
        n_rows = self.cross.n_rows
        step = max(1, _MAX_ENTRIES // n_entries) if self.own is None else n_rows
        for first in range(0, n_rows, step):
            rows = slice(first, first + step)
            yield rows, Queries(self.cross.rows(rows), self.own)
