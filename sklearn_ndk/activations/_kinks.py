"""Where a function that is given as a callable is not smooth, and its derivative."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.polynomial import Chebyshev

from sklearn_ndk.activations._breaks import Break
from sklearn_ndk.activations._expansion import chebyshev_nodes
from sklearn_ndk.activations._polar import Array, Function

_NEAR, _N_NEAR = 12.0, 4801  # a grid around zero, even
_FAR, _N_FAR = 1e3, 400  # and on, even in the logarithm
_N_HALVINGS = 45
_JUMP, _KINK = 1e-6, 1e-3  # beside the function, or its slope, and one
_STEP = 1e-6  # of slopes on one side
_KINK_WIDTH = 1e-5
_STENCIL = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])  # of differences, order 8
_STEPS = 2.0 ** -np.arange(3, 15)
_MOST = 30  # breaks
_AT_ZERO = 1e-9  # breaks that are at zero
_N_FIT, _WINDOW = 10, 0.2  # points, and at most the width, of a fit on one side
_DIGITS = 11  # of changes
_ROOM = 5.0  # steps to the nearest break


def breaks_of(function: Function) -> tuple[list[Break], list[Break]]:
    """Return the breaks of a function, and of its derivative, but for zero.

    Parameters
    ----------
    function : callable
        The function, of arrays.

    Returns
    -------
    tuple of two lists of Break
        Those of the function and of its derivative.
    """
    at_jumps = jumps(function)
    others = [x for x in kinks(function) if np.all(np.abs(at_jumps - x) > _KINK_WIDTH)]
    points = np.sort(np.append(at_jumps, others))
    points = points[np.abs(points) > _AT_ZERO]
    own, of_derivative = [], []
    for at in points:
        others = np.append(points[points != at], 0.0)
        width = min(_WINDOW, np.abs(others - at).min() / 2)
        jump, slope, curvature = _changes(function, at, width)
        own.append(Break(float(at), jump, slope))
        side = float(np.sign(at))
        of_derivative.append(Break(float(at), side * slope, side * curvature))
    return own, of_derivative


def _changes(function: Function, at: float, width: float) -> Array:
    """Return changes of the value and two derivatives at a break, outwards."""
    side = np.sign(at)
    found = []
    for outwards in (1, -1):
        distance = width * (1 - chebyshev_nodes(_N_FIT)) / 2
        values = function(at + outwards * side * distance)
        fit = Chebyshev.fit(distance, values, _N_FIT - 1, domain=[0, width])
        found.append([fit(0), outwards * fit.deriv()(0), fit.deriv(2)(0)])
    return np.round(np.subtract(*found), _DIGITS)


def jumps(function: Function) -> Array:
    """Return the arguments at which a function jumps.

    Parameters
    ----------
    function : callable
        The function, of arrays.

    Returns
    -------
    ndarray
        Increasing.
    """
    left, right = _halved(function, lambda a, b: np.abs(function(b) - function(a)))
    size = 1 + np.maximum(np.abs(function(left)), np.abs(function(right)))
    return _few(_merged(right[np.abs(function(right) - function(left)) > _JUMP * size]))


def kinks(function: Function) -> Array:
    """Return the arguments at which the slope of a continuous function jumps.

    Parameters
    ----------
    function : callable
        The function, of arrays.

    Returns
    -------
    ndarray
        Increasing.
    """
    above, below = (
        partial(_slope, function, step=_STEP),
        partial(_slope, function, step=-_STEP),
    )
    left, right = _halved(
        function, lambda a, b: np.abs(above(b) - below(a)), _KINK_WIDTH
    )
    before, after = below(left), above(right)
    size = 1 + np.maximum(np.abs(before), np.abs(after))
    some = np.abs(after - before) > _KINK * size
    around = above(right + 10 * _KINK_WIDTH) - below(left - 10 * _KINK_WIDTH)
    some &= np.abs(after - before) > np.abs(around) / 2  # else it turns, but smoothly
    left, right, before, after = (x[some] for x in (left, right, before, after))
    # where the tangents of both sides meet
    rise = function(right) - function(left)
    kink = left + (after * (right - left) - rise) / (after - before)
    return _few(_merged(np.clip(kink, left, right)))


def _few(points: Array) -> Array:
    """Return points, or raise if there are too many."""
    if len(points) > _MOST:
        raise ValueError(
            f"phi jumps or bends at {len(points)} arguments between -{_FAR:g} and "
            f"{_FAR:g}, the first at {points[0]:.3g}; at most {_MOST} can be told."
        )
    return points


def slope_is_square_integrable(derivative: Function) -> bool:
    """Tell whether the square of a derivative can be integrated through zero."""
    near, nearer = 1e-6, 1e-12
    for side in (1, -1):
        size, smaller = (
            z * derivative(np.array([side * z]))[0] ** 2 for z in (near, nearer)
        )
        if smaller > size / 2 > 0:
            return False
    return True


def differentiated(function: Function, breaks: Array) -> Function:
    """Return the derivative of a function, by differences that cross no break.

    Parameters
    ----------
    function : callable
        The function, of arrays; smooth but at zero and at `breaks`.
    breaks : ndarray
        Arguments.

    Returns
    -------
    callable
        Its derivative. The step suits a sample of arguments.
    """
    breaks = np.append(breaks, 0.0)
    z = np.linspace(-5, 5, 1001) + 1e-3
    tried = [_difference(function, breaks, z, step=step) for step in _STEPS]
    changes = [np.max(np.abs(a - b)) for a, b in zip(tried[1:], tried, strict=False)]
    step = _STEPS[1 + int(np.argmin(changes))]
    return partial(_difference, function, breaks, step=step)


def _difference(function: Function, breaks: Array, z: Array, *, step: float) -> Array:
    room = np.min([np.abs(z - b) for b in breaks], axis=0)
    steps = np.minimum(step * (1 + np.abs(z)), room / _ROOM)
    steps = np.maximum(steps, np.finfo(float).tiny)
    total = sum(
        weight * (function(z + k * steps) - function(z - k * steps))
        for k, weight in enumerate(_STENCIL, 1)
    )
    return total / steps


def _slope(function: Function, z: Array, step: float) -> Array:
    return (function(z + step) - function(z)) / step


def _halved(
    function: Function, change: Callable[[Array, Array], Array], width: float = 0.0
) -> tuple[Array, Array]:
    """Return narrow intervals, in each of a grid, across which most changes."""
    far = np.geomspace(_NEAR, _FAR, _N_FAR)[1:]
    grid = np.concatenate([-far[::-1], np.linspace(-_NEAR, _NEAR, _N_NEAR), far])
    left, right = grid[:-1], grid[1:]
    for _ in range(_N_HALVINGS):
        middle = (left + right) / 2
        wide = (right - left > width) & (middle > left) & (middle < right)
        first = change(left, middle) >= change(middle, right)
        left, right = (
            np.where(wide & ~first, middle, left),
            np.where(wide & first, middle, right),
        )
    return left, right


def _merged(points: Array) -> Array:
    """Return points without those that equal others, nearly."""
    points = np.sort(points)
    apart = np.diff(points, prepend=-np.inf) > 2 * _KINK_WIDTH * (1 + np.abs(points))
    return points[apart]
