"""Expansions of expectations on a pair of cells of variance, and how they are summed.

A part of ``E[f(u) f(v)]``, even or odd in the correlation, is a sum over n of
``(a_n(log var u) . b_n(log var v)) T_n(x)``: a_n and b_n are vectors of polynomials, x
the correlation or the angle, whichever takes fewer terms, and T_n Chebyshev's
polynomials. A block of a matrix takes one product of thin matrices for each n.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from scipy.linalg import svd
from scipy.linalg.blas import dgemm

from sklearn_ndk.activations._polar import Array

Terms = Sequence[tuple[Array, ...]]
Add = Callable[..., Array]  # adds a term to a sum, in place

_ALMOST_ONE = 1 + 4e-13  # a cosine that rounding takes for this is one
_PAYS = 0.8  # share of terms, for which the whole angle pays
_MOST = 100.0  # sum of coefficients of powers, whose rounding is not seen
_N_NODES = 32  # of other variables than the stretched angle
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


class Variable(ABC):
    """What parts are expanded in, by Chebyshev's polynomials."""

    @abstractmethod
    def argument(self, angles: Angles) -> Array:
        """Return where polynomials are taken, in [-1, 1]."""

    def sign(self, angles: Angles) -> Array:
        """Return what odd parts are multiplied by."""
        return np.copysign(1.0, angles.cosine)

    def coefficients(self, values: Array, odd: bool) -> Array:
        """Return those of a part from its values at the nodes, on the first axis."""
        return np.tensordot(to_coefficients(len(values)), values, axes=1)


@dataclass(frozen=True)
class InAngle(Variable):
    """The acute angle, stretched to make room at zero."""

    stretch: float

    def argument(self, angles: Angles) -> Array:
        """See :meth:`Variable.argument`."""
        return self._stretched(angles.acute())

    def nodes(self, n: int) -> Array:
        """Return n angles at which values are wanted."""
        whole = np.arcsinh(self.stretch * np.pi / 2)
        return np.sinh((chebyshev_nodes(n) + 1) / 2 * whole) / self.stretch

    def interpolated(self, coefficients: Array, angles: Array) -> Array:
        """Return a part at some angles, on the first axis."""
        powers = chebvander(self._stretched(angles), len(coefficients) - 1)
        return np.tensordot(powers, coefficients, axes=1)

    def _stretched(self, angle: Array) -> Array:
        whole = np.arcsinh(self.stretch * np.pi / 2)
        return np.arcsinh(self.stretch * angle) * (2 / whole) - 1


@dataclass(frozen=True)
class InCorrelation(Variable):
    """The cosine of twice the angle; odd parts are the correlation times a series."""

    def argument(self, angles: Angles) -> Array:
        """See :meth:`Variable.argument`."""
        return 2 * angles.cosine**2 - 1

    def sign(self, angles: Angles) -> Array:
        """See :meth:`Variable.sign`."""
        return angles.cosine

    def nodes(self, n: int) -> Array:
        """Return n angles at which values are wanted."""
        return np.pi * (np.arange(n) + 0.5) / (2 * n)

    def coefficients(self, values: Array, odd: bool) -> Array:
        """See :meth:`Variable.coefficients`."""
        if not odd:
            return super().coefficients(values, odd)
        n = len(values)
        odds = 2 * np.arange(n)[:, None] + 1
        found = np.tensordot(2 / n * np.cos(odds * self.nodes(n)), values, axes=1)
        # cos(odd a) / cos(a) = 2 cos((odd - 1) a) - cos((odd - 2) a) / cos(a)
        for k in range(n - 2, -1, -1):
            found[k] -= found[k + 1]
        found[1:] *= 2
        return found


@dataclass(frozen=True)
class InWholeAngle(Variable):
    """The angle up to pi, for both parts in one."""

    def argument(self, angles: Angles) -> Array:
        """See :meth:`Variable.argument`."""
        acute = angles.acute()
        return np.where(angles.cosine < 0, np.pi - acute, acute) * (2 / np.pi) - 1

    def nodes(self, n: int) -> Array:
        """Return n angles at which values are wanted."""
        return (chebyshev_nodes(n) + 1) * np.pi / 2


class Part(NamedTuple):
    """The even or the odd part of the expectation of one function, or all of it.

    Parameters
    ----------
    function : int
        Which function.
    odd : bool
        Whether the part changes its sign with the correlation.
    variable : Variable
        What it is expanded in.
    left, right : ndarray of shapes (n_vectors, n_u) and (n_vectors, n_v)
        Chebyshev coefficients of all entries of a_n, and of b_n.
    ends : ndarray of shape (n_terms,)
        Where the entries of each term end.
    shared : Shared
        The same terms, as combinations of few functions that all share.
    powers : bool
        Whether T_n are powers in place of Chebyshev's polynomials.
    """

    function: int
    odd: bool
    variable: Variable
    left: Array
    right: Array
    ends: Array
    shared: "Shared"
    powers: bool

    def exchanged(self) -> "Part":
        """Return the part with u and v exchanged."""
        left, right, shared = self.right, self.left, self.shared.exchanged()
        return self._replace(left=left, right=right, shared=shared)


class Shared(NamedTuple):
    """Terms as combinations of products of functions of u and of v.

    Parameters
    ----------
    left, right : ndarray of shapes (n_left, n_u) and (n_right, n_v)
        Chebyshev coefficients of the functions.
    chosen : ndarray of shape (2, n_products)
        Numbers of both functions of each product.
    core : ndarray of shape (n_terms, n_products)
        The combinations.
    """

    left: Array
    right: Array
    chosen: Array
    core: Array

    def exchanged(self) -> "Shared":
        """Return the terms with u and v exchanged."""
        return Shared(self.right, self.left, self.chosen[::-1], self.core)


def expanded(
    function: int, values: Array, in_angle: InAngle, slack: float
) -> list[Part]:
    """Return the expectation of a function in as few terms as its accuracy takes.

    Parameters
    ----------
    function : int
        Which function.
    values : ndarray of shape (2, n_angles, n_u, n_v)
        The even and the odd part at the nodes of `in_angle`, and as Chebyshev
        coefficients in both variances.
    in_angle : InAngle
        How angles are stretched.
    slack : float
        Size of what may be left out.

    Returns
    -------
    list of Part
        One or two.
    """
    series = [in_angle.coefficients(part, odd) for odd, part in enumerate(values)]
    apart = [
        _shortest(bool(odd), in_angle, part, slack) for odd, part in enumerate(series)
    ]
    whole = InWholeAngle()
    angles = whole.nodes(_N_NODES)
    even, odd = (
        in_angle.interpolated(part, np.minimum(angles, np.pi - angles))
        for part in series
    )
    signs = np.sign(np.cos(angles))[:, None, None]
    together = whole.coefficients(even + signs * odd, False)
    n_together = _n_terms(together, slack)
    worthwhile = _PAYS * sum(len(part[-1]) for part in apart)
    if n_together < min(worthwhile, _N_NODES - 1):  # the tail is seen to vanish
        apart = [(False, whole, together[:n_together])]
    return [_factored(function, *part, slack) for part in apart if len(part[-1])]


def _shortest(
    odd: bool, in_angle: InAngle, of_angle: Array, slack: float
) -> tuple[bool, Variable, Array]:
    """Return a part in the angle or the correlation, from its series in the angle."""
    in_correlation = InCorrelation()
    at_nodes = in_angle.interpolated(of_angle, in_correlation.nodes(_N_NODES))
    of_correlation = in_correlation.coefficients(at_nodes, odd)
    n_angles, n_powers = (_n_terms(c, slack) for c in (of_angle, of_correlation))
    # the tail is seen to vanish, or the angle is the better variable
    if n_powers <= min(n_angles, _N_NODES - 2):
        return odd, in_correlation, of_correlation[:n_powers]
    return odd, in_angle, of_angle[:n_angles]


def n_polynomials(parts: Sequence[Part]) -> int:
    """Return the number of polynomials in each variance."""
    return max((part.left.shape[1] for part in parts), default=1)


def _n_terms(coefficients: Array, slack: float) -> int:
    """Return the number of terms beyond which the rest is small."""
    sizes = np.linalg.norm(coefficients, axis=(1, 2))
    rest = np.cumsum(sizes[::-1])[::-1]
    return int(np.count_nonzero(rest > slack))


def _factored(
    function: int,
    odd: bool,
    variable: Variable,
    coefficients: Array,
    slack: float,
) -> Part:
    """Return a part, each of whose terms has as few products as it takes."""
    n_terms, n_u, n_v = coefficients.shape
    in_powers = np.tensordot(_to_powers(n_terms), coefficients, axes=1)
    powers = bool(np.linalg.norm(in_powers, axis=(1, 2)).sum() < _MOST)
    terms = in_powers if powers else coefficients
    left, right = [np.zeros((0, n_u))], [np.zeros((0, n_v))]
    for matrix in terms:
        of_u, sizes, of_v = svd(matrix)
        rank = np.count_nonzero(sizes > slack / n_terms)
        left.append((of_u[:, :rank] * sizes[:rank]).T)
        right.append(of_v[:rank])
    ends = np.cumsum([len(rows) for rows in left[1:]], dtype=int)
    vectors = np.concatenate(left), np.concatenate(right)
    return Part(function, odd, variable, *vectors, ends, _shared(terms, slack), powers)


def _shared(terms: Array, slack: float) -> Shared:
    """Return terms as combinations of few products."""
    n_terms, n_u, n_v = terms.shape
    of_u = svd(terms.swapaxes(0, 1).reshape(n_u, -1), full_matrices=False)[0]
    of_v = svd(terms.reshape(-1, n_v), full_matrices=False)[2]
    core = of_u.T @ terms @ of_v.T
    chosen = np.array(np.nonzero(np.any(n_terms * np.abs(core) > slack, axis=0)))
    n_left, n_right = chosen.max(axis=1, initial=-1) + 1
    return Shared(of_u.T[:n_left], of_v[:n_right], chosen, core[:, *chosen])


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
    ends = [part.ends for part in parts]
    step = max(1, _TILE // max(1, n_columns))
    for matrix in range(out.shape[1]):
        right = [part.right @ of_v[part.function][matrix].T for part in parts]
        for first in range(0, n_rows, step):
            some = matrix, slice(first, first + step)
            left = [part.left @ of_u[part.function][some].T for part in parts]
            terms = [_split(*three) for three in zip(left, right, ends, strict=True)]
            _add_parts(out[:, *some], parts, terms, angles.some(some), _add_outer)
    return out.reshape(-1, *whole)


def scattered(
    parts: Sequence[Part], of_u: Sequence[Array], of_v: Sequence[Array], angles: Angles
) -> Array:
    """Return the expectations of single pairs, all arrays as long; see `block`."""
    out = np.zeros((len(of_u), len(angles.cosine)))
    terms = []
    for part in parts:
        left, right, chosen, core = part.shared
        products = (left @ of_u[part.function].T)[chosen[0]]
        products *= (right @ of_v[part.function].T)[chosen[1]]
        terms.append([(term,) for term in core @ products])
    _add_parts(out, parts, terms, angles, operator.iadd)
    return out


def _split(left: Array, right: Array, ends: Array) -> Terms:
    """Return the vectors of each term."""
    return [(left[start:end], right[start:end]) for start, end in pairwise([0, *ends])]


def _add_parts(
    out: Array, parts: Sequence[Part], terms: Sequence[Terms], angles: Angles, add: Add
) -> None:
    """Add all parts to the expectations of their functions."""
    arguments: dict[Variable, Array] = {}
    for part, own in zip(parts, terms, strict=True):
        variable = part.variable
        if variable not in arguments:
            arguments[variable] = variable.argument(angles)
        summed = _horner if part.powers else _clenshaw
        total = summed(arguments[variable], own[::-1], add)
        out[part.function] += variable.sign(angles) * total if part.odd else total


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
