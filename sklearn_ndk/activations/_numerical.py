"""Activations whose duals have no closed form, and any function that users pass."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_ndk.activations._activation import (
    Activation,
    apply,
    checked_number,
    correlation,
)
from sklearn_ndk.activations._breaks import Break, Broken
from sklearn_ndk.activations._dual_table import DualTable
from sklearn_ndk.activations._expansion import Angles
from sklearn_ndk.activations._kinks import (
    breaks_of,
    differentiated,
    jumps,
    slope_is_square_integrable,
)
from sklearn_ndk.activations._polar import Function as ArrayFunction

_TOL = 1e-8
_N_TABLES = 64  # kept
_LARGE = 256  # entries of a matrix, to be taken as one
_TINY = 1e-290  # a variance of zero, whose logarithm is finite


class Numerical(Activation):
    """An activation known by its values, with duals by quadrature and tables.

    Subclasses define ``__call__`` and ``derivative``, compare by value and hash.

    Attributes
    ----------
    tol : float
        Accuracy of the dual beside ``sqrt(E[phi(u)^2] E[phi(v)^2])``, and of the
        derivative dual likewise.
    """

    tol: float = _TOL

    def _broken(self) -> list[Broken]:
        """Return the function and, if it is one, its derivative."""
        return [Broken(self.__call__), Broken(self.derivative)]

    @property
    def error_(self) -> float:
        """The largest error of duals measured so far; tables are made when needed."""
        return _table_of(self).error

    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """See :meth:`Activation.duals`."""
        return self._duals(var_u, var_v, cov, None)

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """See :meth:`Activation.duals_at_angle`."""
        return self._duals(var_u, var_v, cov, sine2)

    def second_moment(self, var: np.ndarray) -> np.ndarray:
        """See :meth:`Activation.second_moment`."""
        var = np.asarray(var)
        moments = _table_of(self).moments.of_first(_log(var))
        return moments.astype(np.result_type(var, np.float32), copy=False)

    def _duals(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the duals, where squared sines may be known."""
        var_u, var_v = (np.asarray(v, float) for v in (var_u, var_v))
        corr = correlation(np.sqrt(var_u), np.sqrt(var_v), cov)
        logs, angles = (_log(var_u), _log(var_v)), Angles(corr, sine2)
        large = corr.ndim >= 2 and corr.shape[-2] * corr.shape[-1] > _LARGE
        if large and _constant(var_u, -1) and _constant(var_v, -2):
            *lead, n_rows, n_columns = corr.shape
            log_u = np.broadcast_to(logs[0], (*lead, n_rows, 1))[..., 0]
            log_v = np.broadcast_to(logs[1], (*lead, 1, n_columns))[..., 0, :]
            out = _table_of(self).block(log_u, log_v, angles)
        else:
            flat = [np.broadcast_to(log, corr.shape).ravel() for log in logs]
            out = _table_of(self).scattered(*flat, angles.reshape(-1))
            out = out.reshape(-1, *corr.shape)
        dual, *derivative_dual = out.astype(corr.dtype, copy=False)
        return dual, derivative_dual[0] if derivative_dual else None


def _log(var: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(var, _TINY))


def _constant(var: np.ndarray, axis: int) -> bool:
    """Tell whether variances do not vary along an axis."""
    return var.ndim < -axis or var.shape[axis] == 1


@lru_cache(maxsize=_N_TABLES)
def _table_of(activation: Numerical) -> DualTable:
    """Return the table of an activation, shared by all that equal it."""
    report = partial(_report, repr(activation), activation.tol)
    return DualTable(activation._broken(), activation.tol, report)


def _report(name: str, tol: float, error: float) -> None:
    warnings.warn(
        f"Duals of {name} are accurate to {error:.1g} beside its second moments, less "
        f"than tol={tol:g}: it is not smooth enough. Give the activation a larger tol "
        "if that will do.",
        ConvergenceWarning,
        stacklevel=2,
    )


def _sigmoid(z: Any) -> Any:
    return (1 + apply("tanh", z / 2)) / 2


def _softplus(z: Any) -> Any:
    return z.clip(0, None) + apply("log1p", apply("exp", -abs(z)))


@dataclass(frozen=True)
class Tanh(Numerical):
    """``phi(z) = tanh(z)``."""

    parity = -1

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return apply("tanh", z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        decay = apply("exp", -2 * abs(z))
        return 4 * decay / (1 + decay) ** 2


@dataclass(frozen=True)
class Sigmoid(Numerical):
    """``phi(z) = 1 / (1 + exp(-z))``, the logistic function."""

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return _sigmoid(z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        decay = apply("exp", -abs(z))
        return decay / (1 + decay) ** 2


@dataclass(frozen=True)
class Softplus(Numerical):
    """``phi(z) = log(1 + exp(z))``."""

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return _softplus(z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return _sigmoid(z)


@dataclass(frozen=True)
class SiLU(Numerical):
    """``phi(z) = z / (1 + exp(-z))``, also called swish."""

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z * _sigmoid(z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return _sigmoid(z) + z * Sigmoid().derivative(z)


@dataclass(frozen=True)
class Mish(Numerical):
    """``phi(z) = z tanh(log(1 + exp(z)))``."""

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z * apply("tanh", _softplus(z))

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        inner = _softplus(z)
        slope = Tanh().derivative(inner) * _sigmoid(z)
        return apply("tanh", inner) + z * slope


@dataclass(frozen=True)
class ELU(Numerical):
    """``phi(z) = z`` where positive, else ``alpha (exp(z) - 1)``.

    Parameters
    ----------
    alpha : float, default=1.0
        Minus the value far to the left.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", checked_number(self.alpha, "alpha"))

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return z.clip(0, None) + self.alpha * apply("expm1", z.clip(None, 0))

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return (z > 0) + self.alpha * apply("exp", z.clip(None, 0)) * (z <= 0)


@dataclass(frozen=True)
class SELU(Numerical):
    """The self-normalising ``phi(z) = 1.0507 ELU(alpha=1.6733)(z)``."""

    _scale = 1.0507009873554805
    _elu = ELU(1.6732632423543772)

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return self._scale * self._elu(z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return self._scale * self._elu.derivative(z)


@dataclass(frozen=True, repr=False)
class Function(Numerical):
    """Any function, such as a user passes in place of an activation.

    Parameters
    ----------
    phi : callable
        The function of an array of real numbers, entry by entry.
    phi_prime : callable, default=None
        Its derivative; differences of `phi` if None.
    tol : float, default=1e-8
        Accuracy of duals, beside the roots of second moments. A
        :class:`~sklearn.exceptions.ConvergenceWarning` tells where it is missed,
        as kinks at other arguments than zero make it.

    Raises
    ------
    TypeError
        If `phi` is not callable, or if what it returns are not real numbers.
    ValueError
        If it returns another shape, or numbers that are not finite.

    Notes
    -----
    Jumps and kinks are looked for, between -1000 and 1000. A function that jumps has
    an NNGP and no NTK.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ndk.activations import Function
    >>> from sklearn_ndk.kernels import nngp_kernel
    >>> softsign = Function(lambda z: z / (1 + np.abs(z)))
    >>> nngp_kernel([[1.0, 0.0], [0.0, 2.0]], activation=softsign).round(4)
    array([[0.1284, 0.    ],
           [0.    , 0.2487]])
    """

    phi: Callable[[Any], Any]
    phi_prime: Callable[[Any], Any] | None = None
    tol: float = _TOL

    def __post_init__(self) -> None:
        for name, function in (("phi", self.phi), ("phi_prime", self.phi_prime)):
            if function is not None:
                _check(function, name)
        tol = checked_number(self.tol, "tol")
        if not tol > 0:
            raise ValueError(f"tol must be positive; got {tol:g}.")
        object.__setattr__(self, "tol", tol)

    def __hash__(self) -> int:
        return hash((_hash_of(self.phi), _hash_of(self.phi_prime), self.tol))

    def __repr__(self) -> str:
        return f"Function({getattr(self.phi, '__name__', self.phi)})"

    @property
    def has_ntk(self) -> bool:  # type: ignore[override]
        """Whether the derivative is a function, with a second moment."""
        return self._has_ntk

    @cached_property
    def _has_ntk(self) -> bool:
        return not len(self._jumps) and slope_is_square_integrable(self.derivative)

    @cached_property
    def _jumps(self) -> np.ndarray:
        return jumps(self.phi)

    @cached_property
    def _breaks(self) -> tuple[list[Break], list[Break]]:
        return breaks_of(self.phi)

    @cached_property
    def _derivative(self) -> ArrayFunction:
        if self.phi_prime is not None:
            return self.phi_prime
        points = [some.at for some in self._breaks[0]]
        return differentiated(self.phi, np.array(points))

    def _broken(self) -> list[Broken]:
        own, of_derivative = self._breaks
        function = Broken(self.phi, own)
        if not self.has_ntk:
            return [function]
        return [function, Broken(self.derivative, of_derivative)]

    def __call__(self, z: Any) -> Any:
        """See :meth:`Activation.__call__`."""
        return self.phi(z)

    def derivative(self, z: Any) -> Any:
        """See :meth:`Activation.derivative`."""
        return self._derivative(z)


def _hash_of(function: Any) -> int:
    try:
        return hash(function)
    except TypeError:  # such as that of a polynomial, which can be changed
        return id(function)


def _check(function: Any, name: str) -> None:
    """Raise if something is not a function of arrays of real numbers."""
    if not callable(function):
        raise TypeError(f"{name} must be callable; got {type(function).__name__}.")
    z = np.linspace(-5, 5, 12).reshape(3, 4) + 0.01
    with np.errstate(all="ignore"):
        values = function(z.copy())
    if np.shape(values) != z.shape:
        raise ValueError(
            f"{name} must return an array of the shape of its argument, {z.shape}; got "
            f"{np.shape(values)}."
        )
    dtype = np.asarray(values).dtype
    if dtype.kind not in "fiub":
        raise TypeError(f"{name} must return real numbers; got {dtype}.")
    if not np.all(np.isfinite(values)):
        where = z[~np.isfinite(values)][0]
        raise ValueError(
            f"{name} must return finite numbers; {name}({where:g}) is not."
        )
