"""What an activation is to the package: its two Gaussian expectations.

For ``u, v`` jointly Gaussian with zero mean, variances ``var_u, var_v`` and
covariance ``cov``, an activation ``phi`` enters every kernel only through its
dual ``E[phi(u) phi(v)]`` and its derivative dual ``E[phi'(u) phi'(v)]``.

To add an activation, subclass :class:`Activation` and give it these two duals; to ship
it, list it in ``_registry.py``. The function itself and its derivative are needed
by simulations of finite networks only.
"""

from abc import ABC, abstractmethod
from numbers import Integral, Real
from typing import Any

import numpy as np

from sklearn_ndk._checks import as_float

MAX_DEGREE = 100  #: of polynomials: moments of degree 151 exceed double precision


class Activation(ABC):
    """A nonlinearity, described by its dual and derivative dual.

    Attributes
    ----------
    homogeneous : bool, default=False
        Whether ``phi(c z) = c phi(z)`` for every ``c > 0``. Without bias the
        kernel of two rows is then the product of their norms and a function of
        their angle.
    parity : {-1, 0, 1}, default=0
        One if ``phi`` is even, minus one if it is odd, zero if neither.
    has_ntk : bool, default=True
        Whether ``phi'`` is a function whose derivative dual is finite. Without it
        there are NNGP kernels, and no training by gradient descent.
    """

    homogeneous: bool = False
    parity: int = 0
    has_ntk: bool = True

    @abstractmethod
    def duals(
        self, var_u: np.ndarray, var_v: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
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
        derivative_dual : ndarray or None
            ``E[phi'(u) phi'(v)]``, the same; None, or anything, without an NTK.
        """

    def duals_at_angle(
        self,
        var_u: np.ndarray,
        var_v: np.ndarray,
        cov: np.ndarray,
        sine2: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray | None]:
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
        derivative_dual : ndarray or None
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


def correlation(root_u: np.ndarray, root_v: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Return the correlation, in [-1, 1]; zero where a variance is zero.

    A correlation within rounding error of one is one: an angle below 4e-8 cannot
    be told from zero, and its square root would turn 1e-16 into 1e-8.

    Parameters
    ----------
    root_u, root_v : ndarray
        Roots of the variances.
    cov : ndarray
        The covariance.

    Returns
    -------
    ndarray
        In an array of its own.
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


def one_minus_square(x: np.ndarray) -> np.ndarray:
    """Return ``1 - x^2``."""
    square = x * x
    return np.subtract(1, square, out=square)


def apply(name: str, z: Any) -> Any:
    """Return a function of NumPy's of an array, or the tensor's own of that name."""
    return getattr(np, name)(z) if isinstance(z, np.ndarray) else getattr(z, name)()


def checked_number(value: Any, name: str) -> float:
    """Return a parameter of an activation as a float.

    Parameters
    ----------
    value : float
        What was given.
    name : str
        What messages call it.

    Returns
    -------
    float
        The same number.

    Raises
    ------
    TypeError, ValueError
        If it is no real number, or not finite.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number; got {value!r}.")
    number = as_float(value, name)
    if not np.isfinite(number):
        raise ValueError(f"{name} must be finite; got {number}.")
    return number


def checked_degree(value: Any, hint: str = "") -> int:
    """Return the degree of a polynomial as an integer.

    Parameters
    ----------
    value : int
        What was given.
    hint : str, default=""
        A sentence for those who gave zero.

    Returns
    -------
    int
        The same number.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, below one, or so large that moments overflow.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"degree must be an integer; got {value!r}.")
    if not 1 <= value <= MAX_DEGREE:
        raise ValueError(
            f"degree must be between 1 and {MAX_DEGREE}; got {value}."
            + (hint if value == 0 else "")
        )
    return int(value)
