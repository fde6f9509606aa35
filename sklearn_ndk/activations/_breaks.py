"""Functions with jumps and kinks, as a smooth function and steps and ramps.

Where two lines, ``u = c`` and ``v = d``, nearly coincide, expectations of functions
that break at them change too fast for polynomials. Those of steps ``1(x > c)`` and
ramps ``max(x - c, 0)`` with each other are known in closed form, with Owen's T; those
with a smooth function are smooth, and integrals over one variable.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, owens_t

from sklearn_ndk.activations._polar import (
    Array,
    Function,
    composite,
    even_and_odd,
    octaves,
    reach_of,
)

_N_GAUSS = 10
_THINNEST = 1e-8  # layer of a smoothed break that has nodes of its own
_LEAST_SINE = 1e-100  # whose inverse has a square
_ROOT_2PI = np.sqrt(2 * np.pi)


class Break(NamedTuple):
    """A jump and a kink, away from zero.

    Parameters
    ----------
    at : float
        The argument.
    jump, slope : float
        Change of the function, and of its slope, from its side towards zero outwards.
    """

    at: float
    jump: float
    slope: float

    def __call__(self, z: Array) -> Array:
        """Return the step and the ramp, which begin outwards of the break."""
        out = np.sign(self.at) * (z - self.at)
        return self.jump * (out > 0) + self.slope * np.maximum(out, 0)


class Broken:
    """A function as the sum of a smooth one and of its breaks.

    Parameters
    ----------
    function : callable
        The function, of arrays.
    breaks : sequence of Break
        Its breaks, but for zero.
    """

    def __init__(self, function: Function, breaks: Sequence[Break] = ()) -> None:
        self._function, self.breaks = function, tuple(breaks)

    def __call__(self, z: Array) -> Array:
        """Return the function."""
        return self._function(z)

    def smooth(self, z: Array) -> Array:
        """Return the function without its breaks."""
        values = self._function(z)
        for some in self.breaks:
            values = values - some(z)
        return values

    def with_smooth(self, roots_u: Array, roots_v: Array, angle: float) -> Array:
        """Return expectations of products of one's breaks and the other's smooth part.

        Parameters
        ----------
        roots_u, roots_v : ndarray of shapes (n_u,) and (n_v,)
            Roots of variances.
        angle : float
            The angle between the variables, in [0, pi / 2].

        Returns
        -------
        ndarray of shape (2, n_u, n_v)
            For the even and the odd part of the smooth function.
        """
        out = np.zeros((2, len(roots_u), len(roots_v)))
        for some in self.breaks:
            out += self._one_way(some, roots_u, roots_v, angle)
            out += self._one_way(some, roots_v, roots_u, angle).swapaxes(1, 2)
        return out

    def _one_way(
        self, some: Break, roots_u: Array, roots_v: Array, angle: float
    ) -> Array:
        """Return those of the smooth part of u and a break of v."""
        out = np.empty((2, len(roots_u), len(roots_v)))
        cosine, sine = np.cos(angle), max(np.sin(angle), _LEAST_SINE)
        end, first = reach_of(self.smooth, roots_u.max()), 1 / roots_u.max()
        for i, root in enumerate(roots_v):
            centre = abs(some.at) / root / cosine
            x, weight = _line(end, first, centre, sine / cosine)
            distance = (x * cosine - abs(some.at) / root) / sine  # outwards
            below = ndtr(distance)
            density = np.exp(-(distance**2) / 2) / _ROOT_2PI
            ramp = root * sine * (distance * below + density)
            seen = weight * (some.jump * below + some.slope * ramp)
            z = roots_u[:, None] * x
            even, odd = even_and_odd(self.smooth, z)
            out[:, :, i] = even @ seen, np.sign(some.at) * (odd @ seen)
        return out


def among_breaks(
    functions: Sequence[Broken],
    root_u: Array,
    root_v: Array,
    cosine: Array,
    sine: Array,
) -> list[Array]:
    """Return expectations of products of the breaks of two variables.

    Parameters
    ----------
    functions : sequence of Broken
        The functions.
    root_u, root_v : ndarray
        Roots of variances.
    cosine, sine : ndarray
        Of the angle between the variables, at most pi.

    Returns
    -------
    list of ndarray
        Of each function, of the shape to which all broadcast.
    """
    shape = np.broadcast_shapes(root_u.shape, root_v.shape, cosine.shape)
    totals = [np.zeros(shape) for _ in functions]
    sine = np.maximum(sine, _LEAST_SINE)
    # breaks at opposite arguments, and of a derivative, share their moments
    shared: dict[tuple, Array] = defaultdict(lambda: np.zeros((len(functions), 2, 2)))
    for number, function in enumerate(functions):
        for first, second in product(function.breaks, repeat=2):
            side = np.sign(first.at) * np.sign(second.at)
            changes = np.outer(first[1:], second[1:])
            shared[abs(first.at), abs(second.at), side][number] += changes
    for (at_u, at_v, side), changes in shared.items():
        changes = changes.reshape(-1, 4)
        distances = at_u / root_u, at_v / root_v
        moments = _quadrant(*distances, side * cosine, sine, np.any(changes[:, 1:]))
        sizes = 1.0, root_v, root_u, root_u * root_v
        for total, own in zip(totals, changes, strict=True):
            for change, size, moment in zip(own, sizes, moments, strict=False):
                if change:
                    total += change * size * moment
    return totals


def _quadrant(
    h: Array, k: Array, cosine: Array, sine: Array, ramps: bool
) -> tuple[Array, ...]:
    """Return moments over the quadrant x > h, y > k of correlated Gaussian variables.

    Those of 1 and, with ramps, of y - k, x - h and their product (Rosenbaum, J. R.
    Stat. Soc. B 23, 1961).
    """
    with np.errstate(over="ignore"):
        away_k, away_h = (k - cosine * h) / sine, (h - cosine * k) / sine
        both = (ndtr(-h) + ndtr(-k)) / 2
        both = both - owens_t(h, away_k / h) - owens_t(k, away_h / k)
        corner = sine * np.exp(-(h**2 + away_k**2) / 2) / (2 * np.pi)
    if not ramps:
        return (both,)
    at_h = np.exp(-(h**2) / 2) / _ROOT_2PI * ndtr(-away_k)
    at_k = np.exp(-(k**2) / 2) / _ROOT_2PI * ndtr(-away_h)
    x, y = at_h + cosine * at_k, at_k + cosine * at_h
    xy = cosine * (both + h * at_h + k * at_k) + corner
    product_ = xy - k * x - h * y + h * k * both
    return both, y - k * both, x - h * both, product_


def _line(end: float, first: float, centre: float, width: float) -> tuple[Array, Array]:
    """Return nodes and weights for a Gaussian variable, graded to zero and a layer."""
    half = octaves(end, min(0.5, first))
    layer = octaves(end, np.clip(width, _THINNEST, 1.0))
    edges = np.concatenate([half, -half, centre + layer, centre - layer])
    x, weight = composite(np.unique(edges[np.abs(edges) <= end]), _N_GAUSS)
    return x, weight * np.exp(-(x**2) / 2) / _ROOT_2PI
