"""Gaussian expectations of products of functions, by quadrature in polar coordinates.

For ``u, v`` of variances a, b and correlation ``cos(theta)``, ``E[f(u) f(v)]`` is

    int r exp(-r^2 / 2) f(sqrt(a) r cos(x)) f(sqrt(b) r cos(x - theta)) dr dx / (2 pi) .

The integrand is smooth but where an argument vanishes, at angles x that depend on theta
alone, if f is smooth but at zero: rules are split there, and graded towards it, as f
may change over arguments of order one while variances are large. Even and odd parts of
f are kept apart, so that half of the circle and acute angles stand for all.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

_RADIUS, _ARC = 2.0, 1.0  # where nodes start to be graded, over the root of a variance
_FINEST = 1e-12  # share of an interval, too small to count
_N_LINE = 20  # nodes of each rule for one variable
_FARTHEST = 38.0  # standard deviations; beyond, a Gaussian vanishes
_LOG_NEGLIGIBLE = -42.0  # of an integrand, beside its largest value


def products(
    functions: Sequence[Function],
    roots_u: Array,
    roots_v: Array,
    angle: float,
    n_gauss: int,
) -> Array:
    """Return expectations of even and odd parts of functions.

    Parameters
    ----------
    functions : sequence of callable
        The functions.
    roots_u, roots_v : ndarray of shapes (n_u,) and (n_v,)
        Roots of variances.
    angle : float
        The angle theta, in [0, pi / 2].
    n_gauss : int
        Number of nodes of each rule.

    Returns
    -------
    ndarray of shape (2 n_functions, n_u, n_v)
        Of the even and the odd part of each function, one after the other.
    """
    ends = roots_u.max(), roots_v.max()
    largest = max(ends)
    reach = max(reach_of(f, end) for f in functions for end in ends)
    edges = octaves(reach, min(_RADIUS, _RADIUS / largest))
    r, weight = composite(edges, n_gauss)
    finest = max(_FINEST, min(_ARC, _ARC / largest))
    corner = np.pi / 2
    below, rule_below = _arc(angle - corner, corner, finest, n_gauss)
    above, rule_above = _arc(corner, corner + angle, finest, n_gauss)
    x, rule = np.append(below, above), np.append(rule_below, rule_above)
    rule = ((weight * r * np.exp(-(r**2) / 2))[:, None] * rule / np.pi).ravel()
    at_u, at_v = ((r[:, None] * np.cos(x - start)).ravel() for start in (0.0, angle))
    out = []
    for function in functions:
        left = even_and_odd(function, roots_u[:, None] * at_u)
        right = even_and_odd(function, roots_v[:, None] * at_v)
        out.extend((u * rule) @ v.T for u, v in zip(left, right, strict=True))
    return np.array(out)


def second_moments(
    functions: Sequence[Function], variance: float, breaks: Sequence[float] = ()
) -> list[float]:
    """Return ``E[f(u)^2]`` of functions, smooth but at zero and at some `breaks`."""
    root = np.sqrt(variance)
    reach = max(reach_of(f, root) for f in functions)
    edges = octaves(reach, min(0.5, 1 / root))
    apart = np.abs(np.array(breaks)) / root
    edges = np.union1d(edges, apart[apart < reach])
    x, weight = composite(edges, _N_LINE)
    weight = weight * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    z = root * x
    return [float(weight @ (f(z) ** 2 + f(-z) ** 2)) for f in functions]


def even_and_odd(function: Function, z: Array) -> tuple[Array, Array]:
    """Return the even and the odd part of a function."""
    right, left = function(z), function(-z)
    return (right + left) / 2, (right - left) / 2


def reach_of(function: Function, root: float) -> float:
    """Return the number of standard deviations beyond which nothing is left.

    Raises
    ------
    ValueError
        If the second moment of the function is not finite.
    """
    r = np.linspace(0, _FARTHEST, 400)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        size = np.maximum(np.abs(function(root * r)), np.abs(function(-root * r)))
        # at a distance r, products see all smaller arguments too
        log_size = 2 * np.log(np.maximum.accumulate(size)) - r**2 / 2
    most = log_size.max()
    some_left = np.any(size) and log_size[-1] > most + _LOG_NEGLIGIBLE
    if some_left or not most < np.inf:
        raise ValueError(
            "the second moment is not finite: the function grows too fast for a "
            f"Gaussian variable of variance {root**2:.3g}."
        )
    left = np.flatnonzero(log_size >= most + _LOG_NEGLIGIBLE)
    return float(r[min(left[-1] + 1, len(r) - 1)]) if np.any(size) else 1.0


def octaves(end: float, first: float) -> Array:
    """Return edges from 0 to an end, octaves but for the first and the last."""
    first = max(first, end * _FINEST)
    n_octaves = max(1, int(np.ceil(np.log2(end / first))))
    edges = end * 2.0 ** np.arange(-n_octaves, 1)
    return np.concatenate([[0], edges[:-1], [0.75 * end, end]])


def _arc(start: float, end: float, finest: float, n_gauss: int) -> tuple[Array, Array]:
    """Return nodes and weights between two angles, graded to both."""
    if end <= start:
        return np.zeros(0), np.zeros(0)
    n_octaves = max(0, int(np.ceil(np.log2((end - start) / (2 * finest)))))
    half = np.append(0, 0.5 * 2.0 ** np.arange(-n_octaves, 1))
    edges = np.append(half, 1 - half[-2::-1])
    return composite(start + (end - start) * edges, n_gauss)


@cache
def _gauss(n: int) -> tuple[Array, Array]:
    return leggauss(n)


def composite(edges: Array, n_gauss: int) -> tuple[Array, Array]:
    """Return nodes and weights of Gauss rules between edges."""
    nodes, weights = _gauss(n_gauss)
    lengths = np.diff(edges)[:, None]
    points = edges[:-1, None] + lengths * (nodes + 1) / 2
    return points.ravel(), (lengths * weights / 2).ravel()
