"""Smooth activations, with duals in closed form."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from sklearn_ndk.activations._activation import (
    Activation,
    apply,
    checked_degree,
    checked_number,
    correlation,
    one_minus_square,
)
from sklearn_ndk.activations._polynomials import horner, monomial_moment

# The angle of erf's kernel stays off pi / 2 while variances are below this.
_LARGE_VARIANCE = 100.0


def _squared_sine(var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray) -> np.ndarray:
    return one_minus_square(correlation(np.sqrt(var_u), np.sqrt(var_v), cov))


def _smoothed_angle(
    var_u: np.ndarray, var_v: np.ndarray, sine2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cosine and a factor of the angle of variables with noise of their own.

    Parameters
    ----------
    var_u, var_v, sine2 : ndarray
        Variances, and the squared sine of the angle without noise, whose variance
        is one.

    Returns
    -------
    cosine : ndarray
        ``sqrt(1 - sine^2)``, where the sine is ``cov * root``; in an array of its own.
    root : ndarray
        One over the roots of both variances with noise.
    """
    rest_u, rest_v = 1 / (1 + var_u), 1 / (1 + var_v)
    share_u, share_v = var_u * rest_u, var_v * rest_v
    # sine^2 is share_u share_v (1 - sine2): sum positive terms
    cosine = sine2 * (share_u * share_v)
    cosine += rest_u + share_u * rest_v
    np.sqrt(cosine, out=cosine)
    return cosine, np.sqrt(rest_u) * np.sqrt(rest_v)


@dataclass(frozen=True)
class Erf(Activation):
    """``phi(z) = erf(z)``: the arc-sine kernel."""

    parity = -1

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        if max(np.max(v, initial=0) for v in (var_u, var_v)) >= _LARGE_VARIANCE:
            sine2 = _squared_sine(var_u, var_v, cov)
            return self.duals_at_angle(var_u, var_v, cov, sine2)
        root = 1 / (np.sqrt(1 + 2 * var_u) * np.sqrt(1 + 2 * var_v))
        sine = cov * (2 * root)  # of the arc-sine kernel's angle
        cosine = one_minus_square(sine)
        np.sqrt(cosine, out=cosine)
        dual = np.arcsin(sine, out=sine)
        return self._scaled(dual, cosine, root)

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals_at_angle`."""
        cosine, root = _smoothed_angle(2 * var_u, 2 * var_v, sine2)
        sine = cov * (2 * root)
        dual = np.arctan2(sine, cosine, out=sine)
        return self._scaled(dual, cosine, root)

    @staticmethod
    def _scaled(
        angle: np.ndarray, cosine: np.ndarray, root: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turn the kernel's angle and its cosine into the duals, in place."""
        angle *= 2 / np.pi
        derivative_dual = np.divide(4 / np.pi, cosine, out=cosine)
        derivative_dual *= root
        return angle, derivative_dual

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return 2 / np.pi * np.arctan(2 * var / np.sqrt(1 + 4 * var))

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return special.erf(z) if isinstance(z, np.ndarray) else z.erf()

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return 2 / math.sqrt(math.pi) * apply("exp", -z * z)


@dataclass(frozen=True)
class Linear(Activation):
    """``phi(z) = z``: a deep linear network."""

    homogeneous = True
    parity = -1

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        return np.array(cov), np.ones_like(cov)

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return var

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return z == z  # one everywhere


@dataclass(frozen=True)
class GELU(Activation):
    """``phi(z) = z Phi(z)``, with the normal distribution function ``Phi``.

    It is the exact one, not the approximation by a hyperbolic tangent.
    """

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        sine2 = _squared_sine(var_u, var_v, cov)
        return self.duals_at_angle(var_u, var_v, cov, sine2)

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals_at_angle`."""
        rest_u, rest_v = 1 / (1 + var_u), 1 / (1 + var_v)
        cosine, root = _smoothed_angle(var_u, var_v, sine2)
        sine = cov * root
        derivative_dual = np.arctan2(cosine, -sine)  # the angle from the opposite
        dual = cov * derivative_dual
        dual += cosine * (var_u * np.sqrt(rest_u) * (var_v * np.sqrt(rest_v)))
        sine /= cosine
        dual += cov * root * (sine * root)
        dual *= 1 / (2 * np.pi)
        sine *= (root / cosine) ** 2 + rest_u + rest_v
        derivative_dual += sine
        derivative_dual *= 1 / (2 * np.pi)
        return dual, derivative_dual

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        root = np.sqrt(1 + 2 * var)
        ratio = var / (1 + var) / root
        return var * ((np.arctan2(root, -var) / 2 + ratio) / np.pi)

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z * _normal_cdf(z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        density = apply("exp", -z * z / 2) / math.sqrt(2 * math.pi)
        return _normal_cdf(z) + z * density


def _normal_cdf(z: Any) -> Any:
    if isinstance(z, np.ndarray):
        return special.ndtr(z)
    return (z * -math.sqrt(0.5)).erfc() / 2


@dataclass(frozen=True)
class _Wave(Activation):
    """A sine or a cosine.

    Parameters
    ----------
    frequency : float, default=1.0
        Factor of the input; not zero.
    """

    frequency: float = 1.0

    def __post_init__(self) -> None:
        frequency = checked_number(self.frequency, "frequency")
        if not np.finfo(float).tiny <= frequency**2 <= np.finfo(float).max:
            raise ValueError(
                "frequency must not be zero, and its square must be between 2.3e-308 "
                f"and 1.7e308; got {frequency:.3g}."
            )
        object.__setattr__(self, "frequency", frequency)

    def _sine_and_cosine(
        self, cov: np.ndarray, gap: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the duals of the sine and of the cosine.

        Parameters
        ----------
        cov : ndarray
            The covariance.
        gap : ndarray
            ``var_u + var_v - 2 |cov|``; overwritten.

        Returns
        -------
        sine, cosine : ndarray
            In arrays of their own.
        """
        frequency2 = self.frequency**2
        gap *= -frequency2 / 2
        size = np.exp(gap, out=gap)
        size /= 2
        sine = np.expm1(np.abs(cov) * (-2 * frequency2))
        cosine = sine + 2
        cosine *= size
        sine *= size
        return np.copysign(sine, cov, out=sine), cosine

    def _duals(self, cov: np.ndarray, gap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return those of this wave."""
        sine, cosine = self._sine_and_cosine(cov, gap)
        dual, derivative_dual = (sine, cosine) if self.parity < 0 else (cosine, sine)
        derivative_dual *= self.frequency**2
        return dual, derivative_dual

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        size = np.abs(cov)
        gap = var_u - size  # exact where they are close
        gap += var_v - size
        return self._duals(cov, np.maximum(gap, 0, out=gap))

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals_at_angle`."""
        root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
        near = sine2 / (1 + np.sqrt(1 - sine2))  # 1 - |cos|
        return self._duals(cov, (root_u - root_v) ** 2 + 2 * root_u * root_v * near)


@dataclass(frozen=True)
class Sin(_Wave):
    """``phi(z) = sin(frequency z)``.

    Parameters
    ----------
    frequency : float, default=1.0
        Factor of the input; not zero.
    """

    parity = -1

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return np.expm1(var * (-2 * self.frequency**2)) / -2

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return apply("sin", self.frequency * z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return self.frequency * apply("cos", self.frequency * z)


@dataclass(frozen=True)
class Cos(_Wave):
    """``phi(z) = cos(frequency z)``.

    Parameters
    ----------
    frequency : float, default=1.0
        Factor of the input; not zero.
    """

    parity = 1

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return 1 + np.expm1(var * (-2 * self.frequency**2)) / 2

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return apply("cos", self.frequency * z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return -self.frequency * apply("sin", self.frequency * z)


@dataclass(frozen=True)
class RBF(Activation):
    """``phi(z) = exp(-z^2)``: units that answer to inputs near zero."""

    parity = 1

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        sine2 = _squared_sine(var_u, var_v, cov)
        return self.duals_at_angle(var_u, var_v, cov, sine2)

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals_at_angle`."""
        dual, root = _smoothed_angle(2 * var_u, 2 * var_v, sine2)
        np.divide(root, dual, out=dual)
        return dual, 4 * (cov * dual) * dual * dual

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return 1 / np.sqrt(1 + 4 * var)

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return apply("exp", -z * z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return -2 * z * apply("exp", -z * z)


@dataclass(frozen=True)
class Exp(Activation):
    """``phi(z) = exp(z)``; its kernels overflow where inputs are large."""

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        dual = var_u / 2 + cov
        dual += var_v / 2
        np.exp(dual, out=dual)
        return dual, dual.copy()

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return np.exp(2 * var)

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return apply("exp", z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return apply("exp", z)


@dataclass(frozen=True)
class _Polynomial(Activation):
    """A polynomial that is even or odd.

    Parameters
    ----------
    degree : int
        Its degree.
    """

    degree: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "degree", checked_degree(self.degree))

    @property
    def homogeneous(self) -> bool:  # type: ignore[override]
        """Whether it is linear."""
        return self.degree == 1

    @property
    def parity(self) -> int:  # type: ignore[override]
        """That of its degree: one if it is even, minus one if it is odd."""
        return -1 if self.degree % 2 else 1


@dataclass(frozen=True)
class Monomial(_Polynomial):
    """``phi(z) = z^degree``.

    Parameters
    ----------
    degree : int
        The power, from 1 to 100.
    """

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        n, (moment, moment_below) = self.degree, self._moments
        root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
        corr = correlation(root_u, root_v, cov)
        scale = root_u ** (n - 1) * root_v ** (n - 1)
        dual = horner(moment, corr) * root_u * scale * root_v
        return dual, n**2 * scale * horner(moment_below, corr)

    @cached_property
    def _moments(self) -> tuple[list[float], list[float]]:
        """Polynomials in the correlation, for this degree and the one below."""
        n = self.degree
        moments = monomial_moment(n), monomial_moment(n - 1)
        return [float(m) for m in moments[0]], [float(m) for m in moments[1]]

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return var**self.degree * float(sum(monomial_moment(self.degree)))

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z**self.degree

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return self.degree * z ** (self.degree - 1)


@dataclass(frozen=True)
class Hermite(_Polynomial):
    """``phi(z) = He_n(z) / sqrt(n!)``, with the probabilists' Hermite polynomials.

    These are orthonormal for inputs of unit variance: their dual is then the `n`-th
    power of the covariance.

    Parameters
    ----------
    degree : int
        The degree `n`, from 1 to 100.
    """

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        n = self.degree
        excess = (var_u - 1) * (var_v - 1) if n > 1 else np.zeros_like(cov)
        dual, dual_below = (_hermite_dual(k, excess, cov) for k in (n, n - 1))
        dual_below *= n
        return dual, dual_below

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return _hermite(self.degree, z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        if self.degree == 1:
            return z == z  # one everywhere
        return math.sqrt(self.degree) * _hermite(self.degree - 1, z)


def _hermite(degree: int, z: Any) -> Any:
    """Return the normalised Hermite polynomial of a positive degree."""
    before, here = 1.0, z
    for k in range(1, degree):
        before, here = here, (z * here - math.sqrt(k) * before) / math.sqrt(k + 1)
    return here


def _hermite_dual(degree: int, excess: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Return the dual of a normalised Hermite polynomial.

    He_n of a variable that is not of unit variance is a sum of those of degrees
    n - 2m of one that is. No sum of the terms' sizes exceeds the second moments.

    Parameters
    ----------
    degree : int
        That of the polynomial; zero is one.
    excess : ndarray
        ``(var_u - 1) (var_v - 1)``.
    cov : ndarray
        The covariance.

    Returns
    -------
    ndarray
        In an array of its own.
    """
    out, power = np.ones_like(cov), 1.0
    square = cov * cov if degree > 1 else out
    for m in range(1, degree // 2 + 1):
        power = power * excess
        pairs = (2**m * math.factorial(m)) ** 2 * math.factorial(degree - 2 * m)
        out *= square
        out += math.factorial(degree) / pairs * power
    if degree % 2:
        out *= cov
    return out
