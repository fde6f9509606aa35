"""Checks of single times and of arrays of them, and of numbers."""

from numbers import Integral, Real
from typing import Any, SupportsFloat

import numpy as np
from sklearn.utils._param_validation import Interval


class NumberInterval(Interval):
    """An interval of scikit-learn's that knows fractions, and refuses durations."""

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether a value is a number in the interval."""
        if not isinstance(val, self.type) or isinstance(val, np.timedelta64):
            return False
        return (val if isinstance(val, Integral) else float(val)) in self


def as_float(value: SupportsFloat, name: str) -> float:
    """Return a real number in double precision.

    Parameters
    ----------
    value : Real
        The number; integers and fractions may be of any size.
    name : str
        What messages call it.

    Returns
    -------
    float
        The same number.

    Raises
    ------
    ValueError
        If it is finite but beyond the range of floating point.
    """
    try:
        return float(value)
    except OverflowError:
        raise ValueError(
            f"{name} must be in the range of double precision, up to 1.8e308; got a "
            "larger number."
        ) from None


def check_time(t: Any, name: str = "t", hint: str = "") -> float:
    """Return a single time as a float.

    Parameters
    ----------
    t : object
        What was given.
    name : str, default="t"
        What messages call it.
    hint : str, default=""
        A sentence for those who gave something else than a number.

    Returns
    -------
    float
        The time, in [0, inf].

    Raises
    ------
    TypeError, ValueError
        If it is not a number, or not a time.
    """
    if not isinstance(t, Real) or isinstance(t, bool | np.timedelta64):
        raise TypeError(
            f"{name} must be a single time, a number; got {t!r} of type "
            f"{type(t).__name__}.{hint}"
        )
    if not t >= 0:
        raise ValueError(f"{name} must be a time in [0, inf]; got {t!r}.")
    return as_float(t, name)


def check_numbers(values: Any, name: str, kind: str = "number") -> np.ndarray:
    """Return real numbers as an array of floats.

    Parameters
    ----------
    values : object
        What was given.
    name : str
        What messages call it.
    kind : str, default="number"
        What messages call each of them.

    Returns
    -------
    ndarray of shape (n_values,)
        The numbers, at least one; they may be nan or infinite.

    Raises
    ------
    TypeError, ValueError
        If they are not numbers, or not in one dimension.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise ValueError(
            f"{name} must be a 1-D array of numbers; got nested lists."
        ) from None
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"{name} must be a 1-D array of at least one {kind}; got shape "
            f"{array.shape}."
        )
    if array.dtype == object:  # integers of any size, fractions, or no numbers
        wrong = [v for v in array if not isinstance(v, Real) or isinstance(v, bool)]
        if wrong:
            raise TypeError(
                f"{name} must be numbers; got {wrong[0]!r} of type "
                f"{type(wrong[0]).__name__} among them."
            )
        array = np.array([as_float(v, name) for v in array])
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be numbers; got dtype {array.dtype}.")
    return array.astype(np.float64)


def check_times(times: Any, name: str = "times") -> np.ndarray:
    """Return several times as an array of floats.

    Parameters
    ----------
    times : object
        What was given.
    name : str, default="times"
        What messages call it.

    Returns
    -------
    ndarray of shape (n_times,)
        The times, in [0, inf], at least one.

    Raises
    ------
    TypeError, ValueError
        If they are not numbers, not times, or not in one dimension.
    """
    array = check_numbers(times, name, "time")
    negative = array[~(array >= 0)]
    if len(negative):
        raise ValueError(f"{name} must be in [0, inf]; got {negative[0]} among them.")
    return array
