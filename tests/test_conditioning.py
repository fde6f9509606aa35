"""Estimators in their closed limits, given inputs that make kernels ill-conditioned."""

import warnings

import numpy as np
import pytest
from fixed_numbers import fixed
from numpy.testing import assert_allclose
from scipy.linalg import LinAlgWarning

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV

# that of all fits with such columns, which has tests of its own
pytestmark = pytest.mark.filterwarnings("ignore:Columns of X differ:UserWarning")

RNG = np.random.default_rng(0)
NORMAL = RNG.standard_normal((25, 3))
y = np.sign(NORMAL[:, 0])
DAYS = 1.7e18 + 86400e9 * np.arange(25)  # datetimes in nanoseconds
OFFSETS = {
    "1e4": 1e4 + 10 * NORMAL[:, 2],
    "1e6": 1e6 + 1e3 * NORMAL[:, 2],
    "1e8": 1e8 + 1e5 * NORMAL[:, 2],
    "dates": DAYS,
}
LIMITS = [None, "nngp", "ntk"]


def with_column(values):
    return np.c_[NORMAL[:, :2], values]


def outputs(model, X):
    """Return what a model that learns -1 and 1 gives, at equilibrium."""
    if hasattr(model, "decision_function"):
        return model.decision_function(X)
    return model.predict(X)


def at_equilibrium(estimator, **params):
    if estimator in (NDKRegressorCV, NDKClassifierCV):
        return estimator(times=[np.inf], cv=2, **params)
    return estimator(t=np.inf, **params)


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(
    "estimator", [NDKRegressor, NDKClassifier, NDKRegressorCV, NDKClassifierCV]
)
def test_predictions_of_training_inputs_never_exceed_targets(estimator, limit, offset):
    X = with_column(OFFSETS[offset])
    model = at_equilibrium(estimator, limit=limit).fit(X, y)
    assert np.linalg.norm(outputs(model, X)) <= (1 + 1e-3) * np.linalg.norm(y)


@pytest.mark.parametrize("limit", LIMITS)
def test_columns_of_different_scales_are_named(limit):
    X = with_column(OFFSETS["1e8"])
    with pytest.warns(LinAlgWarning, match=r"column 2 has entries up to 1\.0e\+08"):
        NDKRegressor(t=np.inf, limit=limit, tol=1e-6).fit(X, y).predict(X)
    with pytest.warns(LinAlgWarning, match=r"more than tol=1e-06.*Standardise"):
        NDKRegressor(t=np.inf, limit=limit, tol=1e-6).fit(X, y).predict(X)


@pytest.mark.parametrize("limit", LIMITS)
def test_standardised_columns_give_no_warning(limit):
    X = with_column(OFFSETS["1e8"])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    NDKRegressor(t=np.inf, limit=limit).fit(X, y).predict(X)


def test_a_larger_temperature_is_a_remedy():
    X = with_column(OFFSETS["1e4"])
    NDKRegressor(t=np.inf, T=100.0).fit(X, y).predict(X)


def test_an_accuracy_that_is_reached_gives_no_warning():
    X = with_column(OFFSETS["1e4"])
    model = NDKRegressor(t=np.inf, tol=1e-2).fit(X, y)
    assert_allclose(
        model.predict(X),
        _warned(NDKRegressor(t=np.inf, tol=1e-8), X, y, X),
        atol=1e-2,
    )


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("limit", [None, "nngp"])
@pytest.mark.parametrize("T", [1e-8, 1e-12, 1e-16, 1e-18, 1e-300])
def test_vanishing_temperature_is_least_squares(activation, limit, T):
    x = np.random.default_rng(0).standard_normal((50, 1))
    # far from the functions that the kernel spans, but for a part of order one
    target = x[:, 0] + np.sin(3 * x[:, 0])
    params = {"activation": activation, "bias": 0.0, "limit": limit, "t": np.inf}
    at = [[1.0], [-2.0]]
    basis = [x.clip(0), x.clip(None, 0)] if activation == "relu" else [x]
    coef = np.linalg.lstsq(np.hstack(basis), target, rcond=None)[0]
    expected = coef[0], -2 * coef[-1]
    model = NDKRegressor(T=T, **params).fit(x, target)
    assert_allclose(model.predict(at), expected, rtol=1e-5)


def test_rows_of_very_different_norms_are_interpolated_at_zero_temperature():
    X = np.array([[1.0, 0.0], [0.6e-9, 0.8e-9]])
    for limit in LIMITS:
        params = {"T": 0.0, "bias": 0.0, "t": np.inf, "limit": limit, "tol": 1e-5}
        model = NDKRegressor(**params).fit(X, [1.0, 2.0])
        assert_allclose(model.predict(X), [1, 2], rtol=1e-5)


@pytest.mark.parametrize("limit", LIMITS)
def test_targets_of_any_weights_are_interpolated_at_zero_temperature(limit):
    target = NORMAL[:10, 0] * NORMAL[:10, 1]
    weight = np.geomspace(1e-8, 1e8, 10)
    model = NDKRegressor(T=0.0, t=np.inf, limit=limit).fit(NORMAL[:10], target, weight)
    assert_allclose(model.predict(NORMAL[:10]), target, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e80, 1e150])
def test_automatic_times_follow_the_scale_of_the_inputs(scale):
    params = {"bias": 0.0, "limit": "ntk", "cv": 2, "times": 4}
    expected = fixed(NDKRegressorCV, **params).fit(NORMAL, NORMAL[:, 0])
    model = fixed(NDKRegressorCV, **params).fit(NORMAL * scale, NORMAL[:, 0])
    # one power at a time: the square of the scale leaves the range of numbers
    assert_allclose(model.times_ * scale * scale, expected.times_, rtol=1e-6)
    assert_allclose(
        model.cv_results_["mean_test_score"],
        expected.cv_results_["mean_test_score"],
        rtol=1e-6,
    )


def _warned(model, X, y, at):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        return model.fit(X, y).predict(at)
