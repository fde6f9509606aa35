"""A few kernel matrices that span the kernel at all pairs of times.

Over the pairs of times of a mesh, ``NDK(t, t'; x, x')`` as a function of the
inputs stays in a space of a few dimensions. A cross approximation of the kernel
at probe inputs finds pairs of times whose kernels span it; the kernel at any
other pair is their combination, with scalar coefficients read off at a few
probes. Pairs count by what they can add to a prediction: a short lag, or a time
at which little residual is left, needs few digits. The kernels are combined so
that their coefficients fall off: most of them are corrections, small enough for
single precision.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dger, idamax

_MAX_PAIRS = 2000  # of times, aimed at
_AT_ONCE = 4096  # pairs of times, so that the kernels stay in cache
_OCTAVES = 32  # spanned by the lags of one time
_MAX_RANK = 200  # with more, a sample of 400 probes does not stand for others
_PER_OCTAVE = 8  # lags that represent all others, of a stationary kernel
_SINGLE_SHARE = 0.5  # of the precision, for rounding to single precision


@dataclass(frozen=True)
class Relevance:
    """What a unit error of ``NDK(t, t')`` can add to the prediction at `t`.

    Around a pair of times, an error extends over a range of `t'` comparable to
    the distances to ``t'`` = 0 and to `t`, or to the memory ``1 / kappa``, and
    multiplies the residual at `t'`.

    Parameters
    ----------
    kappa : float
        Diffusion rate.
    times, residual : ndarray of shape (n_times,)
        The 2-norm of the residual over the samples at increasing times, roughly.
    onset : float
        Time at which predictions start to matter: up to it they grow in proportion
        to `t`, and their relative accuracy is kept.
    """

    kappa: float
    times: np.ndarray
    residual: np.ndarray
    onset: float

    def __call__(self, t, t_prime):
        """Return the relevance of pairs of times, of the shape of `t`."""
        extent = np.minimum(np.minimum(t_prime, t - t_prime), 1 / self.kappa)
        return extent * self.left(t_prime) * np.maximum(1, self.onset / t)

    def left(self, t):
        """Return the size of the residual at some times."""
        return np.interp(t, self.times, self.residual)


class TimeBasis:
    """Pairs of times whose kernels span a two-time kernel.

    Parameters
    ----------
    probe : callable
        The kernel at probe inputs: ``probe(t, t_prime)`` has shape
        (n_probes, n_pairs), ``probe.subset(rows)`` is a smaller probe,
        ``probe.stationary`` tells whether only the lag between times matters, and
        ``probe.sampled`` whether the inputs are a sample of others.
    times, earlier : ndarrays of shape (n_times,) and (n_earlier,)
        Positive times that represent all `t`, and all `t_prime`, of interest.
    relevance : callable
        Factor by which errors count at pairs of times, e.g. `Relevance`.
    tol : float
        Largest error of the span at probes, times relevance.

    Raises
    ------
    ValueError
        If the kernel changes too much over time to be spanned by a few hundred.

    Attributes
    ----------
    t, t_prime : ndarray of shape (rank,)
        The chosen pairs.
    mixing : ndarray of shape (rank, rank)
        Upper triangular. The basis function ``R_j`` is the sum over i of
        ``mixing[i, j] NDK(t[i], t_prime[i])``, of order one.
    probe : callable
        As many of the probes.
    precision : ndarray of shape (rank,)
        Error that each function may have: `tol` over the largest coefficient, which
        is multiplied by its relevance; in ascending order.
    dtypes : list of dtype
        Precision that each function needs.
    """

    def __init__(self, probe, times, earlier, relevance, tol):
        t, t_prime = _pairs(times, earlier)
        weight = relevance(t, t_prime)
        if probe.stationary:
            kept = _most_relevant(t - t_prime, weight)
            t, t_prime, weight = t[kept], t_prime[kept], weight[kept]
        values = probe(t, t_prime) * weight
        if not values.any():  # as for inputs of zero: any basis will do
            values[0, 0] = 1
        max_rank = _MAX_RANK if probe.sampled else len(values)
        cross = cross_approximation(values, tol, max_rank)
        if cross is None:
            raise ValueError(
                "The kernel changes so much in the course of training that more than "
                f"{max_rank} matrices would be needed to represent it: raise tol, "
                "bring sigma0 nearer to sigma, reduce the depth, or standardise X."
            )
        rows, columns, self._lower, upper = cross
        self.probe = probe.subset(rows)
        self.t, self.t_prime = t[columns], t_prime[columns]
        inverse = solve_triangular(upper, np.eye(len(upper)))
        self.mixing = weight[columns, None] * inverse
        precision = tol / np.abs(np.diag(upper))
        # in ascending order, nearly so as it is
        self.precision = np.minimum.accumulate(precision[::-1])[::-1]
        single = np.finfo(np.float32).eps <= _SINGLE_SHARE * self.precision
        self.dtypes = [np.float32 if s else np.float64 for s in single]

    def matrices(self, kernel, *, transposed=False, double=False, overwrite=False):
        """Return the matrices ``R_j`` of a kernel.

        Parameters
        ----------
        kernel : TwoTimeKernel
            The kernel, or another of inputs that the probe stands for.
        transposed : bool, default=False
            Whether those with the times exchanged are wanted, which are the transposes
            where rows and columns are the same inputs:
            ``NDK(t, t'; x, x') = NDK(t', t; x', x)``.
        double : bool, default=False
            Whether all are wanted in double precision.
        overwrite : bool, default=False
            Whether they may take the place of the Gram matrix.

        Returns
        -------
        list of ndarray of shape (n_rows, n_columns)
            As many as the rank, those in double precision first.
        """
        times = (self.t_prime, self.t) if transposed else (self.t, self.t_prime)
        dtypes = [np.float64] * len(self.t) if double else self.dtypes
        return kernel.mixtures(
            *times, self.mixing, dtypes, self.precision, overwrite=overwrite
        )

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
        pairs = t.ravel(), t_prime.ravel()
        out = np.empty((len(self.t), t.size))
        for start in range(0, t.size, _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            out[:, some] = solve_triangular(
                self._lower,
                self.probe(*(times[some] for times in pairs)),
                lower=True,
                unit_diagonal=True,
                check_finite=False,
            )
        return out.reshape(len(self.t), *t.shape)


def precisions(matrices):
    """Return which matrices of a basis, one after another, have which precision."""
    n_double = sum(matrix.dtype == float for matrix in matrices)
    parts = (range(n_double), float), (range(n_double, len(matrices)), np.float32)
    return [(terms, dtype) for terms, dtype in parts if terms]


def cross_approximation(a, tol, max_rank):
    """Choose rows and columns of `a` whose cross spans it to `tol`.

    It is Gaussian elimination with complete pivoting, stopped when every entry
    left is small.

    Parameters
    ----------
    a : ndarray of shape (n_rows, n_columns)
        The matrix.
    tol : float
        Largest entry left of ``a - a[:, columns] a[rows, columns]^-1 a[rows]``.
    max_rank : int
        Largest number of rows and columns.

    Returns
    -------
    None if they do not suffice, or a tuple:
    rows, columns : list of int
        As many of both, at least one.
    lower, upper : ndarray of shape (rank, rank)
        Triangular, the lower with unit diagonal; no entry exceeds the diagonal
        of its column or row. Their product is the cross, ``a[rows, columns]``.
    """
    rest = np.array(a, order="F")
    rows, columns, lower, upper = [], [], [], []
    for rank in range(min(a.shape)):
        flat = idamax(rest.ravel(order="K"))
        row, column = flat % len(a), flat // len(a)
        pivot = rest[row, column]
        if rows and abs(pivot) <= tol:
            break
        if rank == max_rank:
            return None
        rows.append(row)
        columns.append(column)
        lower.append(rest[:, column] / pivot)
        upper.append(rest[row].copy())
        dger(-1, lower[-1], upper[-1], a=rest, overwrite_a=True)
    return rows, columns, np.array(lower)[:, rows].T, np.array(upper)[:, columns]


def _pairs(times, earlier):
    """Pair each time with earlier ones, and with times graded towards 0 and itself."""
    n_levels = np.clip(_MAX_PAIRS // (2 * len(times)), 32, 96)
    fractions = 2.0 ** -np.linspace(0, _OCTAVES, n_levels)[1:]
    fractions = np.concatenate([fractions, 1 - fractions[1:]])
    t, graded = np.meshgrid(times, fractions)
    late, early = np.meshgrid(times, earlier)
    ordered = early < late
    return (
        np.concatenate([t.ravel(), late[ordered]]),
        np.concatenate([(graded * t).ravel(), early[ordered]]),
    )


def _most_relevant(lag, relevance):
    """Return the most relevant pair of each small range of lags, as indices."""
    ranges = np.floor(_PER_OCTAVE * np.log2(lag))
    order = np.lexsort((relevance, ranges))
    last = np.append(np.diff(ranges[order]) > 0, True)
    return order[last]
