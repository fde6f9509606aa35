"""How duals change with the variances and the angle of their variables.

An activation is known by its duals alone. At a fixed angle they are smooth in the
logarithm of each variance. Of activations with kinks they are not smooth in the
correlation, where it is one, but in the angle. So differences tell their rates to ten
digits.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sklearn_ndk.activations import Activation
from sklearn_ndk.kernels._duals import checked_second_moment, own_duals

_STEP = 2.0**-9  # the error of the rule and that of rounding are both below 1e-10
_LARGEST = 2.0**16  # of variances that steps are shortened for: rounding would win
_ROUNDING = 8 * np.finfo(float).eps  # of a correlation; its angle is below 6e-8


class Pair(NamedTuple):
    """Two Gaussian variables.

    Attributes
    ----------
    var_u, var_v, cov : ndarray
        Their variances and covariance.
    roots : ndarray
        Product of their standard deviations.
    corr : ndarray
        Their correlation, one or minus one if it is so to rounding; zero if a
        variance is.
    """

    var_u: np.ndarray
    var_v: np.ndarray
    cov: np.ndarray
    roots: np.ndarray
    corr: np.ndarray

    @property
    def sine2(self) -> np.ndarray:
        """Squared sine of their angle."""
        return (1 - self.corr) * (1 + self.corr)


class DualRates(NamedTuple):
    """The duals and their rates of change, both duals on the first axis.

    Attributes
    ----------
    values : ndarray of shape (2, ...)
        See :meth:`Activation.duals`.
    by_u, by_v : ndarray of shape (2, ...)
        Rates with the logarithms of the variances, at a fixed angle.
    by_angle : ndarray of shape (2, ...) or None
        Rates with ``log(tan(angle / 2))``, which are those with the angle times its
        sine; if asked for.
    """

    values: np.ndarray
    by_u: np.ndarray
    by_v: np.ndarray
    by_angle: np.ndarray | None


def as_pair(var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray) -> Pair:
    """Return two variables by their moments.

    Parameters
    ----------
    var_u, var_v, cov : ndarray
        Their variances and covariance.

    Returns
    -------
    Pair
        The variables.
    """
    roots = np.sqrt(var_u) * np.sqrt(var_v)
    corr = ratio(cov, roots)
    # rows that are parallel stay so under every length scale
    corr = np.where(np.abs(corr) > 1 - _ROUNDING, np.sign(corr), corr)
    return Pair(var_u, var_v, cov, roots, corr)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide by what may be zero.

    Parameters
    ----------
    numerator, denominator : ndarray
        They broadcast.

    Returns
    -------
    ndarray
        Zero where the denominator is.
    """
    out = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    return np.divide(numerator, denominator, out=out, where=denominator != 0)


def dual_rates(activation: Activation, pair: Pair, by_angle: bool) -> DualRates:
    """Return the duals of an activation and how they change.

    Parameters
    ----------
    activation : Activation
        The activation.
    pair : Pair
        Its arguments.
    by_angle : bool
        Whether rates with the angle are wanted.

    Returns
    -------
    DualRates
        The duals and their rates.
    """
    var_u, var_v, cov, sine2 = pair.var_u, pair.var_v, pair.cov, pair.sine2
    # squared tangent of half the angle; its steps shrink with the angle, as features
    # of the duals do, and leave 0 and pi alone
    tan2 = ratio(1 - pair.corr, 1 + pair.corr)

    def duals(*arguments: np.ndarray) -> np.ndarray:
        both = own_duals(activation, *arguments)
        return np.array(both if activation.has_ntk else both[:1])

    def scaled_u(step: float) -> np.ndarray:
        growth = np.exp(step * pace_u)
        return duals(var_u * growth, var_v, cov * np.sqrt(growth), sine2)

    def scaled_v(step: float) -> np.ndarray:
        growth = np.exp(step * pace_v)
        return duals(var_u, var_v * growth, cov * np.sqrt(growth), sine2)

    def turned(step: float) -> np.ndarray:
        t2 = tan2 * np.exp(2 * step)
        moved = pair.roots * (1 - t2) / (1 + t2)
        return duals(var_u, var_v, moved, 4 * t2 / (1 + t2) ** 2)

    values = duals(var_u, var_v, cov, sine2)
    if activation.homogeneous:  # of degrees one and zero
        by_u = by_v = np.stack([values[0] / 2, np.zeros_like(values[0])])
    else:
        pace_u, pace_v = _pace(var_u), _pace(var_v)
        by_u, by_v = _derivative(scaled_u) / pace_u, _derivative(scaled_v) / pace_v
    return DualRates(values, by_u, by_v, _derivative(turned) if by_angle else None)


def second_moment_rate(activation: Activation, var: np.ndarray) -> np.ndarray:
    """Return the rate of ``E[phi(u)^2]`` with the logarithm of the variance of `u`.

    Parameters
    ----------
    activation : Activation
        The activation.
    var : ndarray
        The variance.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    if activation.homogeneous:
        return checked_second_moment(activation, var)
    return _derivative(
        lambda step: checked_second_moment(activation, var * np.exp(step))
    )


def _pace(var: np.ndarray) -> np.ndarray:
    """Return how much shorter steps are for large variances.

    Waves lose their phase where standard deviations differ by about one.
    """
    return 1 / np.sqrt(np.clip(var, 1, _LARGEST))


def _derivative(function: Callable[[float], np.ndarray]) -> np.ndarray:
    """Return the derivative at zero by the central difference of fourth order."""
    near = function(_STEP) - function(-_STEP)
    far = function(2 * _STEP) - function(-2 * _STEP)
    return (8 * near - far) / (12 * _STEP)
