"""Estimators, inputs and targets that the displays are given, and their scores."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_ndk._base import BaseNDK
from sklearn_ndk._validation import refuse_non_numbers


def last_step(
    estimator: BaseEstimator, X: ArrayLike | None = None
) -> tuple[BaseNDK, Any]:
    """Return the estimator at the end of a pipeline, and inputs as it sees them.

    Raises
    ------
    TypeError
        If it is not one of this package.
    """
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            if X is not None and step not in (None, "passthrough"):
                X = step.transform(X)
        estimator = estimator.steps[-1][1]
    if not isinstance(estimator, BaseNDK):
        raise TypeError(
            "The displays show estimators of this package, or pipelines that end in "
            f"one; got {type(estimator).__name__}."
        )
    return estimator, X


def check_data(
    estimator: BaseEstimator, X: ArrayLike, y: ArrayLike | None
) -> tuple[Any, Any, Any]:
    """Return a fitted estimator, inputs as it sees them, and targets if there are any.

    Returns
    -------
    estimator : BaseNDK
        The last step of a pipeline.
    X : array-like of shape (n_samples, n_features)
        Its inputs.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
        Class labels, 1-D, or targets, 2-D.

    Raises
    ------
    TypeError
        If the estimator is not one of this package, or `y` has dates.
    ValueError
        If there are not as many of `y` as of `X`, or `y` cannot be what the estimator
        was fitted to.
    """
    check_consistent_length(X, y)
    estimator, X = last_step(estimator, X)
    check_is_fitted(estimator)
    if y is None:
        return estimator, X, None
    return estimator, X, _check_y(estimator, y)


def _check_y(estimator: Any, y: Any) -> NDArray:
    y = check_array(
        y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y"
    )
    y = y.reshape(len(y), -1)
    n_columns = 1 if is_classifier(estimator) else n_outputs(estimator)
    if y.shape[1] != n_columns:
        raise ValueError(
            f"y has {y.shape[1]} targets, but the estimator was fitted to {n_columns}."
        )
    if is_classifier(estimator):
        return _check_labels(estimator, y[:, 0])
    refuse_non_numbers(y, "y")
    return check_array(y, dtype=np.float64, input_name="y")


def _check_labels(estimator: Any, y: NDArray) -> NDArray:
    """Return labels in the type of the classes, whatever container they came in."""
    index = {label: i for i, label in enumerate(estimator.classes_.tolist())}
    unknown = [label for label in y.tolist() if label not in index]
    if unknown:
        raise ValueError(
            f"y has labels that are not in {estimator.classes_}; got {unknown[0]!r} "
            "among them."
        )
    return estimator.classes_[[index[label] for label in y.tolist()]]


def n_outputs(estimator: Any) -> int:
    """Return the number of outputs of a fitted estimator."""
    return len(estimator._target_scale.mean)


def encoded(estimator: Any, y: NDArray) -> NDArray[np.float64]:
    """Return what outputs are trained towards, of shape (n_samples, n_outputs)."""
    if not is_classifier(estimator):
        return y
    targets = np.where(y[:, None] == estimator.classes_, 1.0, -1.0)
    return targets[:, -n_outputs(estimator) :]  # of two classes the second


def scores(
    estimator: Any, outputs: NDArray[np.float64], y: NDArray
) -> NDArray[np.float64]:
    """Return the score of mean outputs at each time, R^2 or accuracy.

    Parameters
    ----------
    estimator : BaseNDK
        The fitted estimator.
    outputs : ndarray of shape (n_samples, n_outputs, n_times)
        The mean outputs.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Labels or targets, see :func:`check_data`.

    Returns
    -------
    ndarray of shape (n_times,)
        The scores.
    """
    if is_classifier(estimator):
        return np.array([accuracy_score(y, p) for p in estimator._labels(outputs).T])
    return np.array([r2_score(y, p) for p in np.moveaxis(outputs, -1, 0)])


def score_name(estimator: BaseEstimator) -> str:
    """Return what :func:`scores` are called."""
    return "accuracy" if is_classifier(estimator) else "$R^2$"
