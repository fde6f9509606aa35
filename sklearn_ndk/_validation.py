"""Checks of data that scikit-learn's own let through, or tell without a name."""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils._param_validation import validate_params
from sklearn.utils.validation import _check_sample_weight

_Function = TypeVar("_Function", bound=Callable)

# Columns of raw wine differ by 2,500 in size, and standardising them helps; indicators,
# pixels, counts and common units differ by less than a thousand.
_WIDEST_RATIO = 1e3


def validated(constraints: dict) -> Callable[[_Function], _Function]:
    """Decorate a function to check its parameters; type checkers see through it.

    Parameters
    ----------
    constraints : dict
        Those of scikit-learn, by the name of the parameter.

    Returns
    -------
    callable
        The decorator.
    """
    return validate_params(constraints, prefer_skip_nested_validation=True)


def refuse_non_numbers(values: Any, name: str) -> None:
    """Refuse dates, which NumPy takes for numbers, and objects that are no numbers.

    Parameters
    ----------
    values : array-like
        What a user gave.
    name : str
        Its name.
    """
    if sparse.issparse(values):
        return
    # an array of a whole polars frame would hold its dates as numbers
    columns = values.get_columns() if hasattr(values, "get_columns") else [values]
    for column in columns:
        _refuse_non_number_array(np.asarray(column), name)


def _refuse_non_number_array(array, name):
    if array.dtype.kind in "mM":
        raise TypeError(
            f"{name} must hold real numbers; got dates or durations of type "
            f"{array.dtype}."
        )
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} must hold real numbers.")
    if array.dtype.kind == "O" and array.ndim:
        for value in array.flat:
            _refuse_non_number(value, name)


def _refuse_non_number(value, name):
    if value is None:
        return  # nan to NumPy, which scikit-learn tells
    if type(value).__name__ == "NAType":
        raise ValueError(f"Input {name} contains NaN: the missing value {value!r}.")
    if isinstance(value, np.datetime64 | np.timedelta64):
        raise TypeError(f"{name} must hold real numbers; got {value!r}.")
    try:
        float(value)
    except TypeError as error:
        raise TypeError(f"{name} must hold real numbers; {error}.") from None
    except OverflowError:
        raise ValueError(
            f"{name} must hold numbers in the range of double precision; got a "
            "larger one."
        ) from None
    except ValueError:
        return  # a string, which scikit-learn tells


def check_weights(
    sample_weight: ArrayLike | None, X: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weight of each sample, checked.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        What a user gave; None weighs every sample with one.
    X : ndarray of shape (n_samples, n_features)
        Inputs.

    Returns
    -------
    ndarray of shape (n_samples,)
        Finite, non-negative weights, not all of them zero.
    """
    weight = None if sample_weight is None else _as_floats(sample_weight)
    if weight is not None and weight.ndim == 0:
        if not 0 < weight < np.inf:
            raise ValueError(
                "sample_weight must be positive and finite where it is one number; "
                f"got {float(weight)}."
            )
        weight = float(weight)
    return _check_sample_weight(weight, X, dtype=np.float64, ensure_non_negative=True)


def _as_floats(sample_weight):
    weight = np.asarray(sample_weight)
    refuse_non_numbers(weight, "sample_weight")
    try:
        if weight.dtype.kind in "US":
            raise TypeError
        return weight.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            "sample_weight must be a real number or an array of them; got "
            f"{sample_weight!r}."
        ) from None
    except OverflowError:
        raise ValueError(
            "sample_weight must be finite in double precision; got a larger number."
        ) from None


def warn_of_scales(
    X: NDArray[np.float64], names: ArrayLike | None, name: str = "X"
) -> None:
    """Warn where columns of the inputs differ in size by orders of magnitude.

    A column that is constant teaches nothing: it may be as small as it likes.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training inputs.
    names : array-like of shape (n_features,) or None
        Names of the columns.
    name : str, default="X"
        What the warning calls the inputs.
    """
    low, high = X.min(axis=0), X.max(axis=0)
    size = np.maximum(high, -low)
    varying = np.where(high > low, size, np.inf)
    large, small = np.argmax(size), np.argmin(varying)
    if not size[large] / _WIDEST_RATIO > varying[small]:
        return

    def column(i):
        return f"column {i}" if names is None else f"column {names[i]!r}"

    warnings.warn(
        f"Columns of {name} differ in size by orders of magnitude: {column(large)} "
        f"reaches {size[large]:.3g} and {column(small)} {size[small]:.3g}. The larger "
        "ones hide the others from the network, and slow its training down: "
        "standardise the columns, for instance with "
        "sklearn.preprocessing.StandardScaler.",
        UserWarning,
        stacklevel=2,
    )
