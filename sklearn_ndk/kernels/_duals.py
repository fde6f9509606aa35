"""Duals of any activation, checked and in arrays of our own.

Users' activations may return one array twice, arrays that they keep or that are
read-only, and numbers of any real type that only broadcast to what is asked for.
"""

from typing import Any

import numpy as np

from sklearn_ndk.activations import Activation
from sklearn_ndk.activations._registry import SHIPPED


def own_duals(
    activation: Activation,
    var_u: np.ndarray,
    var_v: np.ndarray,
    cov: np.ndarray,
    sine2: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the duals of an activation in arrays that may be written into.

    Parameters
    ----------
    activation : Activation
        The activation; what one from outside the package returns is checked.
    var_u, var_v, cov : ndarray
        Arguments of :meth:`Activation.duals`.
    sine2 : ndarray, default=None
        Argument of :meth:`Activation.duals_at_angle`, if it is to be asked.

    Returns
    -------
    dual, derivative_dual : ndarray
        Of the shape of the covariance. Copies, unless the activation is one of the
        package: others may have kept what they return. The second is None if the
        activation has no NTK.

    Raises
    ------
    TypeError, ValueError
        If the activation returned anything but two arrays of finite numbers that
        broadcast to the shape of `cov`.
    """
    if sine2 is None:
        duals = activation.duals(var_u, var_v, cov)
    else:
        duals = activation.duals_at_angle(var_u, var_v, cov, sine2)
    if type(activation) in SHIPPED:
        return duals
    source = f"{activation!r}.duals"
    if not isinstance(duals, tuple | list) or len(duals) != 2:
        raise TypeError(
            f"{source} must return two arrays, E[phi(u) phi(v)] and "
            f"E[phi'(u) phi'(v)]; got {type(duals).__name__}"
            + (f" of {len(duals)}." if isinstance(duals, tuple | list) else ".")
        )
    dtype = np.result_type(cov, np.float32)

    def own(array: Any) -> np.ndarray:
        return np.array(_checked(array, source, np.shape(cov)), dtype)

    return own(duals[0]), own(duals[1]) if activation.has_ntk else None


def checked_second_moment(activation: Activation, var: np.ndarray) -> np.ndarray:
    """Return the second moment of an activation, checked like its duals.

    Parameters
    ----------
    activation : Activation
        The activation.
    var : ndarray
        The variance of its input.

    Returns
    -------
    ndarray
        Of the shape of `var`, to be read only.
    """
    if type(activation) in SHIPPED:
        return activation.second_moment(var)
    if type(activation).second_moment is Activation.second_moment:
        return own_duals(activation, var, var, var)[0]
    source = f"{activation!r}.second_moment"
    return _checked(activation.second_moment(var), source, np.shape(var))


def _checked(values: Any, source: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return what an activation returned as an array of finite numbers of a shape."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{source} must return real numbers; got dtype {array.dtype}.")
    try:
        array = np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(
            f"{source} must return arrays of the shape of the covariance, {shape}; "
            f"got {array.shape}."
        ) from None
    if not np.all(np.isfinite(array)):
        raise ValueError(
            f"{source} returned numbers that are not finite: correct it, or scale the "
            "inputs, sigma and sigma0 if it overflows."
        )
    return array
