"""Activations with a kink or a jump at zero: functions of one angle, and of norms."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sklearn_ndk.activations._activation import (
    Activation,
    apply,
    checked_degree,
    checked_number,
    correlation,
    one_minus_square,
)
from sklearn_ndk.activations._polynomials import horner, monomial_moment

_SMALL_ANGLE = 0.01  # where the next term of a series is below 1e-10


@dataclass(frozen=True)
class ReLU(Activation):
    """``phi(z) = max(z, 0)``: the arc-cosine kernels of order 1 and 0."""

    homogeneous = True

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
        corr = correlation(root_u, root_v, cov)
        derivative_dual = np.arccos(corr)
        np.subtract(np.pi, derivative_dual, out=derivative_dual)
        dual = one_minus_square(corr)
        np.sqrt(dual, out=dual)
        corr *= derivative_dual
        dual += corr
        dual *= root_u / (2 * np.pi) * root_v
        derivative_dual *= 1 / (2 * np.pi)
        return dual, derivative_dual

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals_at_angle`."""
        root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
        corr, sine = correlation(root_u, root_v, cov), np.sqrt(sine2)
        rest = np.pi - np.arctan2(sine, corr)
        dual = (root_u / (2 * np.pi) * root_v) * (sine + corr * rest)
        return dual, rest / (2 * np.pi)

    def output_sine2(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> np.ndarray:
        """See :meth:`Activation.output_sine2`."""
        cosine = correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
        return _sine2_of_rectified(cosine, sine2, 1.0)

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return var / 2

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z.clip(0, None)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return z > 0


_RELU = ReLU()


def _sine2_of_rectified(
    cosine: np.ndarray, sine2: np.ndarray, share: float
) -> np.ndarray:
    """Return the squared sine of the angle between outputs of two linear pieces.

    Parameters
    ----------
    cosine, sine2 : ndarray
        Of the angle between the inputs.
    share : float
        ``(1 - slope)^2 / (1 + slope^2)``, where the other slope is one.

    Returns
    -------
    ndarray
        To relative accuracy.
    """
    sine = np.sqrt(sine2)
    angle = np.arctan2(sine, cosine)
    # sin - angle cos, without cancellation where the angle is small
    small = angle**3 / 3 * (1 - angle**2 / 10)
    excess = np.where(angle < _SMALL_ANGLE, small, sine - angle * cosine)
    excess *= share / np.pi
    # 1 - cos is sin^2 / (1 + cos), and the other way round
    near, far = sine2 / (1 + np.abs(cosine)), 1 + np.abs(cosine)
    below = np.where(cosine > 0, near, far) - excess  # 1 - cos of the outputs
    above = np.where(cosine > 0, far, near) + excess
    return below * above


class _TwoSlopes(Activation):
    """``phi(z) = z`` for positive `z`, a multiple of it for negative ones."""

    homogeneous = True

    @property
    @abstractmethod
    def _negative(self) -> float:
        """The slope for negative inputs."""

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        return self._mixed(cov, *_RELU.duals(var_u, var_v, cov))

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals_at_angle`."""
        return self._mixed(cov, *_RELU.duals_at_angle(var_u, var_v, cov, sine2))

    def output_sine2(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> np.ndarray:
        """See :meth:`Activation.output_sine2`."""
        cosine = correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
        if self.parity == 1:  # opposite inputs have one output
            cosine = np.abs(cosine)
        slope = self._negative
        return _sine2_of_rectified(cosine, sine2, (1 - slope) ** 2 / (1 + slope**2))

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return var * ((1 + self._negative**2) / 2)

    def _mixed(
        self, cov: np.ndarray, dual: np.ndarray, derivative_dual: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turn duals of the relu into those of ``slope z + (1 - slope) relu(z)``."""
        slope = self._negative
        dual *= (1 - slope) ** 2
        dual += slope * cov
        derivative_dual *= (1 - slope) ** 2
        derivative_dual += slope
        return dual, derivative_dual

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z.clip(0, None) + self._negative * z.clip(None, 0)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        sign = apply("sign", z)
        return sign.clip(0, None) - self._negative * sign.clip(None, 0)


@dataclass(frozen=True)
class LeakyReLU(_TwoSlopes):
    """``phi(z) = z`` for positive `z`, ``slope z`` for negative ones.

    Parameters
    ----------
    slope : float, default=0.01
        The slope for negative inputs; any finite number.

    Examples
    --------
    >>> from sklearn_ndk.activations import LeakyReLU
    >>> from sklearn_ndk.kernels import nngp_kernel
    >>> nngp_kernel([[1.0, 0.0], [0.0, 2.0]], activation=LeakyReLU(0.1)).round(4)
    array([[0.2525, 0.1289],
           [0.1289, 1.01  ]])
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        slope = checked_number(self.slope, "slope")
        if not math.isfinite(slope * slope):
            raise ValueError(f"slope={slope:.3g} is too large: its square overflows.")
        object.__setattr__(self, "slope", slope)

    @property
    def _negative(self) -> float:
        return self.slope


@dataclass(frozen=True)
class Abs(_TwoSlopes):
    """``phi(z) = |z|``."""

    parity = 1

    @property
    def _negative(self) -> float:
        return -1.0


class _Jump(Activation):
    """Two constants, one on each side of zero: no derivative that is a function."""

    has_ntk = False

    @property
    @abstractmethod
    def _levels(self) -> tuple[float, float]:
        """The dual of equal variables, and of opposite ones."""

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, None]:
        """See :meth:`Activation.duals`."""
        corr = correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
        return self._at(np.arccos(corr, out=corr), var_u, var_v), None

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, None]:
        """See :meth:`Activation.duals_at_angle`."""
        corr = correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
        return self._at(np.arctan2(np.sqrt(sine2), corr), var_u, var_v), None

    def output_sine2(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> np.ndarray:
        """See :meth:`Activation.output_sine2`."""
        equal, opposite = self._levels
        cosine = correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
        if self.parity == -1:  # opposite inputs have opposite outputs
            cosine = np.abs(cosine)
        gap = np.arctan2(np.sqrt(sine2), cosine) * ((1 - opposite / equal) / np.pi)
        return gap * (2 - gap)

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return (var > 0).astype(var.dtype) * self._levels[0]

    def derivative(self, z: Any) -> Any:
        """Raise ValueError: there is none.

        Parameters
        ----------
        z : ndarray or torch.Tensor
            Pre-activations.
        """
        raise ValueError(
            f"Networks of finite width cannot be trained with {self!r}: its derivative "
            "is not a function."
        )

    def _at(
        self, angle: np.ndarray, var_u: np.ndarray, var_v: np.ndarray
    ) -> np.ndarray:
        """Turn angles into duals, in place."""
        equal, opposite = self._levels
        angle *= (opposite - equal) / np.pi
        angle += equal
        angle *= (var_u > 0) & (var_v > 0)  # there it is phi(0) = 0
        return angle


@dataclass(frozen=True)
class Step(_Jump):
    """``phi(z) = 1`` for positive `z`, else 0: the arc-cosine kernel of order 0.

    It has NNGP kernels, and no NTK: its derivative is not a function.
    """

    @property
    def _levels(self) -> tuple[float, float]:
        return 0.5, 0.0

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return apply("sign", z).clip(0, None)


@dataclass(frozen=True)
class Sign(_Jump):
    """``phi(z)`` is the sign of `z`.

    It has NNGP kernels, and no NTK: its derivative is not a function.
    """

    parity = -1

    @property
    def _levels(self) -> tuple[float, float]:
        return 1.0, -1.0

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return apply("sign", z)


@dataclass(frozen=True)
class RectifiedMonomial(Activation):
    """``phi(z) = max(z, 0)^degree``: the arc-cosine kernels of any order.

    Parameters
    ----------
    degree : int
        The power, from 1 to 100.

    References
    ----------
    Cho and Saul, "Kernel Methods for Deep Learning", NeurIPS 2009.
    """

    degree: int

    def __post_init__(self) -> None:
        degree = checked_degree(self.degree, " That of degree 0 is Step().")
        object.__setattr__(self, "degree", degree)

    @property
    def homogeneous(self) -> bool:  # type: ignore[override]
        """Whether it is the relu."""
        return self.degree == 1

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
        corr = correlation(root_u, root_v, cov)
        sine = np.sqrt(one_minus_square(corr))
        return self._at(root_u, root_v, corr, sine, np.pi - np.arccos(corr))

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals_at_angle`."""
        root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
        corr, sine = correlation(root_u, root_v, cov), np.sqrt(sine2)
        return self._at(root_u, root_v, corr, sine, np.pi - np.arctan2(sine, corr))

    def _at(
        self,
        root_u: np.ndarray,
        root_v: np.ndarray,
        corr: np.ndarray,
        sine: np.ndarray,
        rest: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the duals, given what the angle leaves of pi, too."""
        n, (of, of_derivative) = self.degree, self._polynomials
        scale = root_u ** (n - 1) / (2 * np.pi) * root_v ** (n - 1)

        def dual(sines: list[float], rests: list[float]) -> np.ndarray:
            return horner(sines, corr) * sine + horner(rests, corr) * rest

        return dual(*of) * root_u * scale * root_v, n**2 * scale * dual(*of_derivative)

    @cached_property
    def _polynomials(self) -> tuple[tuple[list[float], list[float]], ...]:
        """Those beside the sine, and beside the rest, of both duals."""
        return _arc_cosine(self.degree), _arc_cosine(self.degree - 1)

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return var**self.degree * (sum(monomial_moment(self.degree)) / 2)

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z.clip(0, None) ** self.degree

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        if self.degree == 1:
            return z > 0
        return self.degree * z.clip(0, None) ** (self.degree - 1)


def _arc_cosine(degree: int) -> tuple[list[float], list[float]]:
    """Return the polynomials of Cho and Saul's arc-cosine kernel.

    With ``rho`` the cosine of the angle, it is
    ``(A(rho) sqrt(1 - rho^2) + B(rho) (pi - angle)) / (2 pi)`` for unit variances.

    Parameters
    ----------
    degree : int
        The power of the activation.

    Returns
    -------
    A, B : list of float
        Coefficients, of rising powers; none is negative.
    """
    sines = [0]
    for n in range(1, degree + 1):
        # Price's theorem: the derivative is n^2 times the kernel of degree n - 1
        below, moments = [*sines, 0, 0], monomial_moment(n)
        sines = [0] * n
        if n % 2:
            sines[0] = (2 ** (n // 2) * math.factorial(n // 2)) ** 2
        for j in range(n % 2, n - 1, 2):
            change = below[j] - (below[j - 2] if j >= 2 else 0)
            before = j * sines[j - 1] if j else 0
            sines[j + 1] = (n**2 * change + before - moments[j]) // (j + 1)
    return [float(a) for a in sines], [float(b) for b in monomial_moment(degree)]
