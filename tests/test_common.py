"""scikit-learn's own checks, over configurations that take every road."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV

REGRESSORS = [
    NDKRegressor(),
    NDKRegressor(t=5.0),
    NDKRegressor(activation="erf", t=20.0, normalize_y=True),
    NDKRegressor(activation="linear", bias=0.1, t=3.0),
    NDKRegressor(T=0, t=10.0),
    NDKRegressor(limit="ntk"),
    NDKRegressor(limit="nngp", depth=2),
    NDKRegressor(depth=3, T=0.05, sigma0=1.4, t=30.0),
    NDKRegressorCV(times=4, cv=2),
    NDKRegressorCV(times=[1.0, 9.0], cv=2, selection="1se", limit="ntk"),
    NDKRegressor(length_scale=2.5, t=5.0),
    NDKRegressorCV(length_scale=2.5, times=4, cv=2),
    NDKRegressorCV(T="auto", bias="auto", length_scale="auto", times=4, cv=2),
    # a ridge that errors of 1e-8, of its duals, do not exceed in the checks
    NDKRegressor(activation=np.arctan, T=1.0, limit="nngp"),
]
# the spread differs between the inputs of one check, see
UNEVEN = NDKClassifier(activation="erf", T=0.1, t=100.0, bias=0.2)
CLASSIFIERS = [
    NDKClassifier(),
    NDKClassifier(depth=3, t=5.0),
    UNEVEN,
    NDKClassifier(limit="ntk", t=2.0, normalize_y=True),
    NDKClassifier(limit="nngp", activation="linear"),
    NDKClassifier(T=0),
    NDKClassifierCV(times=4, cv=2),
    NDKClassifierCV(times=[1.0, 9.0], cv=2, selection="1se", limit="nngp"),
    NDKClassifier(length_scale=2.5),
    NDKClassifierCV(length_scale=2.5, times=4, cv=2),
]


def _not_ours(estimator):
    """Return the checks that networks need not meet, and why."""
    if estimator is not UNEVEN:
        return {}
    return {
        "check_decision_proba_consistency": (
            "the vote is the mean over its spread, which differs between inputs"
        )
    }


@parametrize_with_checks(REGRESSORS + CLASSIFIERS, expected_failed_checks=_not_ours)
def test_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator", [NDKRegressor(), NDKClassifier(), NDKRegressorCV(), NDKClassifierCV()]
)
def test_checks_that_the_common_ones_omit(estimator):
    name = type(estimator).__name__
    check_param_validation(name, estimator)
    check_dataframe_column_names_consistency(name, estimator)
