"""Expansions of expectations on a pair of cells of variance, and how they are summed.

A part of ``E[f(u) f(v)]``, even or odd in the correlation, is a sum over n of
``(a_n(log var u) . b_n(log var v)) T_n(x)``: a_n and b_n are vectors of polynomials, x
the correlation or the angle, whichever takes fewer terms, and T_n Chebyshev's
polynomials. A block of a matrix takes one product of thin matrices for each n.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray
from scipy.linalg import svd
from scipy.linalg.blas import dgemm

Array = NDArray[np.float64]
Add = Callable[[Array, Array, Array], Array]
Terms = Sequence[tuple[Array, Array]]

_ALMOST_ONE = 1 + 4e-13  # a cosine that rounding takes for this is one
_MOST = 100.0  # sum of coefficients of powers, whose rounding is not seen
_N_POWERS = 32  # nodes in the correlation
_TILE = 2**15  # entries whose terms stay in cache


class Angles(NamedTuple):
    """The angles between pairs of variables.

    Parameters
    ----------
    cosine : ndarray
        Their correlations.
    sine2 : ndarray or None
        The squared sines, where they are known better than from correlations.
    """

    cosine: Array
    sine2: Array | None

    def some(self, index: int | tuple | slice | Array) -> "Angles":
        """Return the angles of some pairs."""
        sine2 = None if self.sine2 is None else self.sine2[index]
        return Angles(self.cosine[index], sine2)

    def reshape(self, *shape: int) -> "Angles":
        """Return them in another shape."""
        return Angles(*(some if some is None else some.reshape(shape) for some in self))

    def acute(self) -> Array:
        """Return the angles or, of those that are obtuse, the supplements."""
        if self.sine2 is None:
            return np.arccos(np.minimum(_ALMOST_ONE * np.abs(self.cosine), 1))
        return np.arctan2(np.sqrt(self.sine2), np.abs(self.cosine))

    def sine(self) -> Array:
        """Return the sines of the angles."""
        if self.sine2 is None:
            return np.sqrt((1 - self.cosine) * (1 + self.cosine))
        return np.sqrt(self.sine2)


class InAngle(NamedTuple):
    """Chebyshev's polynomials in the acute angle, stretched to make room at zero."""

    stretch: float

    def argument(self, angles: Angles) -> Array:
        """Return where polynomials are taken, in [-1, 1]."""
        return self._stretched(angles.acute())

    def nodes(self, n: int) -> Array:
        """Return n angles at which values are wanted."""
        whole = np.arcsinh(self.stretch * np.pi / 2)
        return np.sinh((chebyshev_nodes(n) + 1) / 2 * whole) / self.stretch

    def coefficients(self, values: Array, odd: bool) -> Array:
        """Return those of a part from its values at the nodes, on the first axis."""
        return np.tensordot(to_coefficients(len(values)), values, axes=1)

    def sign(self, angles: Angles) -> Array:
        """Return what odd parts are multiplied by."""
        return np.copysign(1.0, angles.cosine)

    def interpolated(self, coefficients: Array, angles: Array) -> Array:
        """Return a part at some angles, on the first axis."""
        powers = chebvander(self._stretched(angles), len(coefficients) - 1)
        return np.tensordot(powers, coefficients, axes=1)

    def _stretched(self, angle: Array) -> Array:
        whole = np.arcsinh(self.stretch * np.pi / 2)
        return np.arcsinh(self.stretch * angle) * (2 / whole) - 1


class InCorrelation(NamedTuple):
    """Chebyshev's polynomials in the cosine of twice the angle.

    Even parts are a series of them, odd parts the correlation times one.
    """

    def argument(self, angles: Angles) -> Array:
        """Return where polynomials are taken, in [-1, 1]."""
        return 2 * angles.cosine**2 - 1

    def sign(self, angles: Angles) -> Array:
        """Return what odd parts are multiplied by."""
        return angles.cosine

    def nodes(self, n: int) -> Array:
        """Return n angles at which values are wanted."""
        return np.pi * (np.arange(n) + 0.5) / (2 * n)

    def coefficients(self, values: Array, odd: bool) -> Array:
        """Return those of a part from its values at the nodes, on the first axis."""
        if not odd:
            return np.tensordot(to_coefficients(len(values)), values, axes=1)
        n = len(values)
        odds = 2 * np.arange(n)[:, None] + 1
        found = np.tensordot(2 / n * np.cos(odds * self.nodes(n)), values, axes=1)
        # cos(odd a) / cos(a) = 2 cos((odd - 1) a) - cos((odd - 2) a) / cos(a)
        for k in range(n - 2, -1, -1):
            found[k] -= found[k + 1]
        found[1:] *= 2
        return found


class Part(NamedTuple):
    """An even or odd part of the expectation of one function.

    Parameters
    ----------
    function : int
        Which function.
    odd : bool
        Whether the part changes its sign with the correlation.
    variable : InAngle or InCorrelation
        What it is expanded in.
    left, right : ndarray of shapes (n_vectors, n_u) and (n_vectors, n_v)
        Chebyshev coefficients of all entries of a_n, and of b_n.
    ends : ndarray of shape (n_terms,)
        Where the entries of each term end.
    powers : bool
        Whether T_n are powers in place of Chebyshev's polynomials.
    """

    function: int
    odd: bool
    variable: InAngle | InCorrelation
    left: Array
    right: Array
    ends: Array
    powers: bool

    def exchanged(self) -> "Part":
        """Return the part with u and v exchanged."""
        return self._replace(left=self.right, right=self.left)


def expanded(
    function: int, odd: bool, values: Array, in_angle: InAngle, slack: float
) -> Part:
    """Return a part in as few terms as its accuracy takes.

    Parameters
    ----------
    function : int
        Which function.
    odd : bool
        Whether the part changes its sign with the correlation.
    values : ndarray of shape (n_angles, n_u, n_v)
        At the nodes of `in_angle`, and Chebyshev coefficients in both variances.
    in_angle : InAngle
        How angles are stretched.
    slack : float
        Size of what may be left out.
    """
    in_correlation = InCorrelation()
    of_angle = in_angle.coefficients(values, odd)
    at_nodes = in_angle.interpolated(of_angle, in_correlation.nodes(_N_POWERS))
    of_correlation = in_correlation.coefficients(at_nodes, odd)
    n_angles, n_powers = (_n_terms(c, slack) for c in (of_angle, of_correlation))
    # the tail is seen to vanish, or the angle is the better variable
    if n_powers <= min(n_angles, _N_POWERS - 2):
        return _factored(
            function, odd, in_correlation, of_correlation[:n_powers], slack
        )
    return _factored(function, odd, in_angle, of_angle[:n_angles], slack)


def _n_terms(coefficients: Array, slack: float) -> int:
    """Return the number of terms beyond which the rest is small."""
    sizes = np.linalg.norm(coefficients, axis=(1, 2))
    rest = np.cumsum(sizes[::-1])[::-1]
    return int(np.count_nonzero(rest > slack))


def _factored(
    function: int,
    odd: bool,
    variable: InAngle | InCorrelation,
    coefficients: Array,
    slack: float,
) -> Part:
    """Return a part, each of whose terms has as few products as it takes."""
    n_terms, n_u, n_v = coefficients.shape
    in_powers = np.tensordot(_to_powers(n_terms), coefficients, axes=1)
    powers = np.linalg.norm(in_powers, axis=(1, 2)).sum() < _MOST
    left, right = [np.zeros((0, n_u))], [np.zeros((0, n_v))]
    for matrix in in_powers if powers else coefficients:
        of_u, sizes, of_v = svd(matrix)
        rank = np.count_nonzero(sizes > slack / n_terms)
        left.append((of_u[:, :rank] * sizes[:rank]).T)
        right.append(of_v[:rank])
    ends = np.cumsum([len(rows) for rows in left[1:]], dtype=int)
    vectors = np.concatenate(left), np.concatenate(right)
    return Part(function, odd, variable, *vectors, ends, bool(powers))


def block(
    parts: Sequence[Part], of_u: Sequence[Array], of_v: Sequence[Array], angles: Angles
) -> Array:
    """Return the expectations of all pairs of rows and columns, in each matrix.

    Parameters
    ----------
    parts : sequence of Part
        The parts of all functions.
    of_u, of_v : sequence of ndarray
        For each function, Chebyshev's polynomials at the logarithms of variances,
        times what values are to be multiplied by: those of all rows, or columns, one
        after the other.
    angles : Angles
        Of shape (..., n_rows, n_columns).

    Returns
    -------
    ndarray of shape (n_functions, ..., n_rows, n_columns)
        The expectations.
    """
    shape = n_rows, n_columns = angles.cosine.shape[-2:]
    angles, whole = angles.reshape(-1, *shape), angles.cosine.shape
    out = np.zeros((len(of_u), *angles.cosine.shape))
    of_u, of_v = (
        [some.reshape(-1, n, some.shape[-1]) for some in bases]
        for bases, n in ((of_u, n_rows), (of_v, n_columns))
    )
    step = max(1, _TILE // max(1, n_columns))
    for matrix in range(out.shape[1]):
        right = [part.right @ of_v[part.function][matrix].T for part in parts]
        for first in range(0, n_rows, step):
            some = matrix, slice(first, first + step)
            left = [part.left @ of_u[part.function][some].T for part in parts]
            tile = out[:, *some]
            _add_parts(tile, parts, left, right, angles.some(some), _add_outer)
    return out.reshape(-1, *whole)


def scattered(
    parts: Sequence[Part], of_u: Sequence[Array], of_v: Sequence[Array], angles: Angles
) -> Array:
    """Return the expectations of single pairs, all arrays as long; see `block`."""
    out = np.zeros((len(of_u), len(angles.cosine)))
    left = [part.left @ of_u[part.function].T for part in parts]
    right = [part.right @ of_v[part.function].T for part in parts]
    _add_parts(out, parts, left, right, angles, _add_inner)
    return out


def _add_parts(
    out: Array,
    parts: Sequence[Part],
    left: Sequence[Array],
    right: Sequence[Array],
    angles: Angles,
    add: Add,
) -> None:
    """Add all parts to the expectations of their functions."""
    arguments: dict[InAngle | InCorrelation, Array] = {}
    for part, *vectors in zip(parts, left, right, strict=True):
        if not len(part.ends):
            continue
        variable = part.variable
        if variable not in arguments:
            arguments[variable] = variable.argument(angles)
        total = _series(arguments[variable], part, *vectors, add)
        out[part.function] += variable.sign(angles) * total if part.odd else total


def _series(x: Array, part: Part, left: Array, right: Array, add: Add) -> Array:
    """Return the sum of the terms of a part."""
    terms = [
        (left[start:end], right[start:end]) for start, end in pairwise([0, *part.ends])
    ]
    summed = _horner if part.powers else _clenshaw
    return summed(x, terms[::-1], add)


def _horner(x: Array, terms: Terms, add: Add) -> Array:
    """Return a sum over powers, the highest first."""
    total = np.zeros(x.shape)
    for term in terms:
        total *= x
        total = add(total, *term)
    return total


def _clenshaw(x: Array, terms: Terms, add: Add) -> Array:
    """Return a sum over Chebyshev's polynomials, the highest first."""
    twice = 2 * x
    total, before, spare = np.zeros((3, *x.shape))
    for term in terms:
        np.multiply(twice, total, out=spare)
        spare -= before
        total, before, spare = add(spare, *term), total, before
    return total - x * before


def _add_outer(total: Array, left: Array, right: Array) -> Array:
    """Add ``left.T @ right``, in place."""
    if not len(left):
        return total
    return dgemm(1.0, right.T, left.T, 1.0, total.T, trans_b=True, overwrite_c=True).T


def _add_inner(total: Array, left: Array, right: Array) -> Array:
    total += np.einsum("ij,ij->j", left, right)
    return total


def chebyshev_nodes(n: int) -> Array:
    """Return n nodes in (-1, 1)."""
    return np.cos(np.pi * (np.arange(n) + 0.5) / n)


def _to_powers(n: int) -> Array:
    """Return the matrix from n Chebyshev coefficients to those of powers."""
    rows = np.eye(n)
    for k in range(2, n):  # T_k = 2 x T_k-1 - T_k-2
        rows[k] = 2 * np.roll(rows[k - 1], 1) - rows[k - 2]
    return rows.T


def to_coefficients(n: int) -> Array:
    """Return the matrix from values at n Chebyshev nodes to coefficients."""
    degrees = np.arange(n)[:, None]
    matrix = 2 / n * np.cos(degrees * np.pi * (np.arange(n) + 0.5) / n)
    matrix[0] /= 2
    return matrix
