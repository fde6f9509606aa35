"""Checks of single times and of arrays of them."""

from numbers import Real

import numpy as np


def check_time(t, name="t", hint=""):
    if not isinstance(t, Real) or isinstance(t, bool):
        raise TypeError(
            f"{name} must be a single time, a number; got {t!r} of type "
            f"{type(t).__name__}.{hint}"
        )
    if not t >= 0:
        raise ValueError(f"{name} must be a time in [0, inf]; got {t!r}.")
    return t


def check_times(times, name="times"):
    times = np.asarray(times, dtype=np.float64)
    if times.ndim != 1 or not len(times):
        raise ValueError(
            f"{name} must be a 1-D array of at least one time; got shape {times.shape}."
        )
    wrong = times[~(times >= 0)]
    if len(wrong):
        raise ValueError(f"{name} must be in [0, inf]; got {wrong[0]} among them.")
    return times
