"""Activations, each known to the package by its two Gaussian expectations.

For ``u, v`` jointly Gaussian with zero mean, variances ``var_u, var_v`` and
covariance ``cov``, an activation ``phi`` enters every kernel only through its
dual ``E[phi(u) phi(v)]`` and its derivative dual ``E[phi'(u) phi'(v)]``.

To add an activation, subclass :class:`Activation` and give it these two duals; to ship
it, list it in :data:`ACTIVATIONS`. The function itself and its derivative are needed
by simulations of finite networks only.
"""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from scipy import special

# The angle of erf's kernel stays off pi / 2 while variances are below this.
_LARGE_VARIANCE = 100.0
_SMALL_ANGLE = 0.01  # where the next term of a series is below 1e-10


class Activation(ABC):
    """A nonlinearity, described by its dual and derivative dual.

    Attributes
    ----------
    homogeneous : bool, default=False
        Whether ``phi(c z) = c phi(z)`` for every ``c > 0``. Without bias the
        kernel of two rows is then the product of their norms and a function of
        their angle.
    """

    homogeneous: bool = False

    @abstractmethod
    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return ``E[phi(u) phi(v)]`` and ``E[phi'(u) phi'(v)]``.

        Parameters
        ----------
        var_u, var_v, cov : array-like of float
            Variances and covariance of ``u`` and ``v``. The variances broadcast
            against the covariance.

        Returns
        -------
        dual : ndarray
            ``E[phi(u) phi(v)]``, finite numbers of the shape of `cov`, or of one
            that broadcasts to it. Nothing is written into what is returned.
        derivative_dual : ndarray
            ``E[phi'(u) phi'(v)]``, the same.
        """

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the duals of variables whose angle is known better than by `cov`.

        The correlation of nearly parallel variables has lost the digits of their
        angle. Those who can use them override this method; `sine2` is left out
        otherwise.

        Parameters
        ----------
        var_u, var_v, cov : array-like of float
            As in :meth:`duals`.
        sine2 : array-like of float
            ``1 - cov^2 / (var_u var_v)``, to relative accuracy.

        Returns
        -------
        dual : ndarray
            As in :meth:`duals`.
        derivative_dual : ndarray
            As in :meth:`duals`.
        """
        return self.duals(var_u, var_v, cov)

    def output_sine2(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> np.ndarray | None:
        """Return the squared sine of the angle between ``phi(u)`` and ``phi(v)``.

        Those who override :meth:`duals_at_angle` may keep angles in deeper layers,
        too.

        Parameters
        ----------
        var_u, var_v, cov, sine2 : array-like of float
            As in :meth:`duals_at_angle`.

        Returns
        -------
        ndarray or None
            ``1 - E[phi(u) phi(v)]^2 / (E[phi(u)^2] E[phi(v)^2])``, to relative
            accuracy; None where it is not known any better than by the duals.
        """
        return None

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """Return ``E[phi(u)^2]``, the dual of a variable with itself.

        Parameters
        ----------
        var : array-like of float
            The variance of ``u``.

        Returns
        -------
        ndarray
            Of the same shape.
        """
        return self.duals(var, var, var)[0]

    def __call__(self, z: Any) -> Any:
        """Return ``phi(z)``, which only networks of finite width need.

        Parameters
        ----------
        z : ndarray or torch.Tensor
            Pre-activations; left as they are.

        Returns
        -------
        ndarray or torch.Tensor
            Of the same shape.
        """
        raise self._undefined("__call__")

    def derivative(self, z: Any) -> Any:
        """Return ``phi'(z)``, which only networks of finite width need.

        Parameters
        ----------
        z : ndarray or torch.Tensor
            Pre-activations; left as they are.

        Returns
        -------
        ndarray or torch.Tensor
            Of the same shape; of booleans, where it is 0 or 1 everywhere.
        """
        raise self._undefined("derivative")

    def _undefined(self, method: str) -> TypeError:
        return TypeError(
            f"Networks of finite width need the method {method}(z) of their "
            f"activation; {self!r} does not define it."
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _correlation(root_u: np.ndarray, root_v: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Return the correlation, in [-1, 1]; zero where a variance is zero.

    A correlation within rounding error of one is one: an angle below 4e-8 cannot
    be told from zero, and its square root would turn 1e-16 into 1e-8.
    """
    precision = np.finfo(cov.dtype)
    # roots before products: the product of two variances could overflow
    corr = cov * (_reciprocal(root_u, precision) * _reciprocal(root_v, precision))
    limit = 1 - 8 * precision.eps
    if corr.size and corr.max() > limit:
        np.copyto(corr, 1, where=corr > limit)
    return np.clip(corr, -1, 1, out=corr)


def _reciprocal(root: np.ndarray, precision: np.finfo) -> np.ndarray:
    # of a variance that underflows the covariance does so too
    return 1 / np.maximum(root, np.sqrt(precision.tiny))


def _one_minus_square(x: np.ndarray) -> np.ndarray:
    square = x * x
    return np.subtract(1, square, out=square)


class Relu(Activation):
    """``phi(z) = max(z, 0)``: the arc-cosine kernels of order 1 and 0."""

    homogeneous = True

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
        corr = _correlation(root_u, root_v, cov)
        derivative_dual = np.arccos(corr)
        np.subtract(np.pi, derivative_dual, out=derivative_dual)
        dual = _one_minus_square(corr)
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
        corr, sine = _correlation(root_u, root_v, cov), np.sqrt(sine2)
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
        sine, cosine = np.sqrt(sine2), _correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
        angle = np.arctan2(sine, cosine)
        # sin - angle cos, without cancellation where the angle is small
        small = angle**3 / 3 * (1 - angle**2 / 10)
        excess = np.where(angle < _SMALL_ANGLE, small, sine - angle * cosine)
        # 1 - cos is sin^2 / (1 + cos)
        gap = np.where(cosine > 0, sine2 / (1 + np.abs(cosine)), 1 - cosine)
        gap -= excess / np.pi
        return gap * (2 - gap)

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        return var / 2

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z.clip(0, None)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return z > 0


class Erf(Activation):
    """``phi(z) = erf(z)``: the arc-sine kernel."""

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Activation.duals`."""
        if max(np.max(v, initial=0) for v in (var_u, var_v)) >= _LARGE_VARIANCE:
            corr = _correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
            return self.duals_at_angle(var_u, var_v, cov, _one_minus_square(corr))
        root = 1 / (np.sqrt(1 + 2 * var_u) * np.sqrt(1 + 2 * var_v))
        sine = cov * (2 * root)  # of the arc-sine kernel's angle
        cosine = _one_minus_square(sine)
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
        rest_u, rest_v = 1 / (1 + 2 * var_u), 1 / (1 + 2 * var_v)
        share_u, share_v = 2 * var_u * rest_u, 2 * var_v * rest_v
        root = np.sqrt(rest_u) * np.sqrt(rest_v)
        sine = cov * (2 * root)
        # sine^2 is share_u share_v (1 - sine2): sum positive terms
        cosine = sine2 * (share_u * share_v)
        cosine += rest_u + share_u * rest_v
        np.sqrt(cosine, out=cosine)
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
        power = -z * z
        exp = np.exp(power) if isinstance(z, np.ndarray) else power.exp()
        return 2 / math.sqrt(math.pi) * exp


class Linear(Activation):
    """``phi(z) = z``: a deep linear network."""

    homogeneous = True

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


#: Every activation the package ships, by name.
ACTIVATIONS: dict[str, Activation] = {
    "relu": Relu(),
    "erf": Erf(),
    "linear": Linear(),
}
#: Their classes, which need no checks.
SHIPPED = tuple(type(activation) for activation in ACTIVATIONS.values())


def get_activation(activation: str | Activation) -> Activation:
    """Return the :class:`Activation` for a name or for an activation object.

    Parameters
    ----------
    activation : str or Activation
        One of the names in :data:`ACTIVATIONS`, or an object, returned as is.

    Returns
    -------
    Activation
        The activation object.
    """
    if isinstance(activation, Activation):
        return activation
    return ACTIVATIONS[activation]
