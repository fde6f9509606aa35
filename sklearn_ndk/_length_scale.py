"""Inputs divided by the scales of their features."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklearn_ndk._checks import NumberInterval, as_float, check_numbers

#: Constraints on scales, for scikit-learn's validation.
LENGTH_SCALE: list[Any] = [NumberInterval(Real, 0, None, closed="right"), "array-like"]


def divided(
    X: NDArray[Any], length_scale: float | ArrayLike, name: str = "X"
) -> NDArray[Any]:
    """Return inputs over the scales of their features, in their own precision.

    Every entry is rounded on its own: equal rows stay equal bit by bit, whatever
    table they are in.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite inputs.
    length_scale : float or array-like of shape (n_features,)
        Scales that a user gave.
    name : str, default="X"
        What messages call the inputs.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The quotients; `X` itself if all scales are one.

    Raises
    ------
    TypeError, ValueError
        If the scales are not positive numbers, one for all features or one for each,
        or if a quotient overflows.
    """
    scale = _checked(length_scale, X.shape[1], name)
    if np.all(scale == 1):
        return X
    with np.errstate(over="ignore", under="ignore"):
        quotients = np.divide(X, scale, out=np.empty_like(X))
    if not np.all(np.isfinite(quotients)):
        raise ValueError(
            f"{name} / length_scale exceeds the range of {X.dtype}; give a larger "
            "length_scale."
        )
    return quotients


def _checked(
    length_scale: Any, n_features: int, name: str
) -> np.float64 | NDArray[np.float64]:
    """Return the scale of all features, or that of each."""
    if isinstance(length_scale, Real):
        return np.float64(as_float(length_scale, "length_scale"))
    scales = check_numbers(length_scale, "length_scale")
    if len(scales) != n_features:
        raise ValueError(
            f"length_scale has {len(scales)} entries, but {name} has {n_features} "
            "features."
        )
    wrong = scales[~(scales > 0)]
    if len(wrong):
        raise ValueError(f"length_scale must be positive; got {wrong[0]} among them.")
    return scales
