"""A few kernel matrices that span the kernel at all pairs of times.

Over the pairs of times of a mesh, ``NDK(t, t'; x, x')`` as a function of the
inputs stays in a space of a few dimensions. A cross approximation of the kernel
at probe inputs finds pairs of times whose kernels span it; the kernel at any
other pair is their combination, with scalar coefficients read off at a few
probes.
"""

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.linalg.blas import dger, idamax

_MAX_PAIRS = 1500  # of times, aimed at
_OCTAVES = 24  # spanned by the lags of one time


class TimeBasis:
    """Pairs of times whose kernels span a two-time kernel.

    Parameters
    ----------
    probe : callable
        The kernel at probe inputs: ``probe(t, t_prime)`` has shape
        (n_probes, n_pairs), and ``probe.subset(rows)`` is a smaller probe.
    times : ndarray of shape (n_times,)
        Positive times that represent all times of interest.
    tol : float
        Largest error of the span at probes, relative to the kernel at equal times.

    Attributes
    ----------
    t, t_prime : ndarray of shape (rank,)
        The chosen pairs.
    """

    def __init__(self, probe, times, tol):
        t, t_prime = _graded_pairs(times)
        size = np.sqrt(_largest(probe, t) * _largest(probe, t_prime))
        size[size == 0] = 1  # a kernel that vanishes, as for inputs all zero
        rows, columns = cross_approximation(probe(t, t_prime) / size, tol)
        self.t, self.t_prime = t[columns], t_prime[columns]
        self._probe = probe.subset(rows)
        self._size = size[columns]
        self._lu = lu_factor(self._probe(self.t, self.t_prime) / self._size)

    def coefficients(self, t, t_prime):
        """Return the kernel at other pairs of times as combinations of the basis.

        Parameters
        ----------
        t, t_prime : ndarray
            Times, of one shape.

        Returns
        -------
        ndarray of shape (rank, *t.shape)
            ``NDK(t, t') = sum_i coefficients[i] NDK(self.t[i], self.t_prime[i])``.
        """
        values = self._probe(t.ravel(), t_prime.ravel())
        coefficients = lu_solve(self._lu, values) / self._size[:, None]
        return coefficients.reshape(len(self.t), *t.shape)


def cross_approximation(a, tol):
    """Choose rows and columns of `a` whose cross spans it to `tol`.

    It is Gaussian elimination with complete pivoting, stopped when every entry
    left is small.

    Parameters
    ----------
    a : ndarray of shape (n_rows, n_columns)
        The matrix.
    tol : float
        Largest entry left of ``a - a[:, columns] a[rows, columns]^-1 a[rows]``,
        relative to the largest of `a`.

    Returns
    -------
    rows, columns : list of int
        As many of both.
    """
    rest = np.array(a, order="F")
    rows, columns = [], []
    for _ in range(min(a.shape)):
        flat = idamax(rest.ravel(order="K"))
        row, column = flat % len(a), flat // len(a)
        pivot = rest[row, column]
        if abs(pivot) <= tol * np.abs(a[rows[:1], columns[:1]]).sum():
            break
        rows.append(row)
        columns.append(column)
        cross = rest[:, column].copy(), rest[row].copy()
        dger(-1 / pivot, *cross, a=rest, overwrite_a=True)
    return rows, columns


def _graded_pairs(times):
    """Pair each time with earlier ones, graded towards zero and towards itself."""
    n_levels = np.clip(_MAX_PAIRS // (2 * len(times)), 24, 96)
    fractions = 2.0 ** -np.linspace(0, _OCTAVES, n_levels)
    fractions = np.concatenate([[0.0], fractions, 1 - fractions[1:]])
    t, fractions = np.meshgrid(times, fractions)
    return t.ravel(), (fractions * t).ravel()


def _largest(probe, t):
    return np.abs(probe(t, t)).max(axis=0)
