"""A few kernel matrices that span the kernel at all pairs of times.

Over the pairs of times of a mesh, ``NDK(t, t'; x, x')`` as a function of the
inputs stays in a space of a few dimensions. A cross approximation of the kernel
at probe inputs finds pairs of times whose kernels span it; the kernel at any
other pair is their combination, with scalar coefficients read off at a few
probes. The kernels are combined so that their coefficients fall off: most of
them are corrections, small enough for single precision.
"""

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dger, idamax

_MAX_PAIRS = 2000  # of times, aimed at
_ROWS_MIXED = 16  # at once
_OCTAVES = 32  # spanned by the lags of one time


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
    mixing : ndarray of shape (rank, rank)
        Upper triangular. The basis function ``R_j`` is the sum over i of
        ``mixing[i, j] NDK(t[i], t_prime[i])``, of order one.
    size : ndarray of shape (rank,)
        Largest coefficient of each function, relative to the first.
    """

    def __init__(self, probe, times, tol):
        t, t_prime = _graded_pairs(times)
        scale = np.sqrt(_largest(probe, t) * _largest(probe, t_prime))
        rows, columns, self._lower, upper = cross_approximation(
            probe(t, t_prime) / scale, tol
        )
        self._tol = tol
        self._probe = probe.subset(rows)
        self.t, self.t_prime = t[columns], t_prime[columns]
        inverse = solve_triangular(upper, np.eye(len(upper)))
        self.mixing = inverse / scale[columns, None]
        self.size = np.abs(np.diag(upper) / upper[0, 0])

    def coefficients(self, t, t_prime):
        """Return the kernel at other pairs of times as combinations of the basis.

        Parameters
        ----------
        t, t_prime : ndarray
            Times, of one shape.

        Returns
        -------
        ndarray of shape (rank, *t.shape)
            ``NDK(t, t') = sum_j coefficients[j] R_j``.
        """
        values = self._probe(t.ravel(), t_prime.ravel())
        coefficients = solve_triangular(
            self._lower, values, lower=True, unit_diagonal=True, check_finite=False
        )
        return coefficients.reshape(len(self.t), *t.shape)

    def matrices(self, kernel):
        """Compute the basis functions for given inputs.

        Parameters
        ----------
        kernel : callable
            ``kernel(t, t_prime)`` is a matrix.

        Returns
        -------
        list of ndarray
            One matrix per basis function, in single precision where its
            coefficients are so small that this is exact to the tolerance.
        """
        matrices = [
            kernel(t, t_prime) for t, t_prime in zip(self.t, self.t_prime, strict=True)
        ]
        for rows in range(0, len(matrices[0]), _ROWS_MIXED):
            block = np.stack([matrix[rows : rows + _ROWS_MIXED] for matrix in matrices])
            mixed = np.tensordot(self.mixing, block, axes=(0, 0))
            for matrix, values in zip(matrices, mixed, strict=True):
                matrix[rows : rows + _ROWS_MIXED] = values
        single = self.size * np.finfo(np.float32).eps <= 0.1 * self._tol
        for j in np.flatnonzero(single):
            matrices[j] = matrices[j].astype(np.float32)
        return matrices


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
    lower, upper : ndarray of shape (rank, rank)
        Triangular, the lower with unit diagonal; no entry exceeds the diagonal
        of its column or row. Their product is the cross, ``a[rows, columns]``.
    """
    rest = np.array(a, order="F")
    rows, columns, lower, upper = [], [], [], []
    for _ in range(min(a.shape)):
        flat = idamax(rest.ravel(order="K"))
        row, column = flat % len(a), flat // len(a)
        pivot = rest[row, column]
        if rows and abs(pivot) <= tol * abs(upper[0][columns[0]]):
            break
        rows.append(row)
        columns.append(column)
        lower.append(rest[:, column] / pivot)
        upper.append(rest[row].copy())
        dger(-1, lower[-1], upper[-1], a=rest, overwrite_a=True)
    return rows, columns, np.array(lower)[:, rows].T, np.array(upper)[:, columns]


def _graded_pairs(times):
    """Pair each time with earlier ones, graded towards zero and towards itself."""
    n_levels = np.clip(_MAX_PAIRS // (2 * len(times)), 32, 96)
    fractions = 2.0 ** -np.linspace(0, _OCTAVES, n_levels)
    fractions = np.concatenate([[0.0], fractions, 1 - fractions[1:]])
    t, fractions = np.meshgrid(times, fractions)
    return t.ravel(), (fractions * t).ravel()


def _largest(probe, t):
    return np.abs(probe(t, t)).max(axis=0)
