"""Scales of the features: networks see inputs that are divided by them."""

import pickle
import warnings
from fractions import Fraction
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from fixed_numbers import FIXED
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk._length_scale import divided
from sklearn_ndk.inspection import PredictionPathDisplay
from sklearn_ndk.kernels import (
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
    two_time_nngp_kernel,
)
from sklearn_ndk.simulation import simulate_langevin

RNG = np.random.default_rng(0)
X = 0.3 + RNG.standard_normal((20, 3))
y = np.arange(20) % 2  # targets of either estimator
NEW = RNG.standard_normal((4, 3))
TIMES = [0, 0.5, np.inf]
SCALES = [3.0, [0.7, 2.0, 5.0]]
NETWORK = {"T": 0.3, "sigma0": 1.2, "bias": 0.2, "tol": 1e-2}
FOLDS = {"times": [0.5, 3.0, np.inf], "cv": 2}
PLAIN = [NDKRegressor, NDKClassifier]
CHOOSING = [NDKRegressorCV, NDKClassifierCV]
KERNELS = [nngp_kernel, ntk_kernel, mean_kernel, ndk_kernel, two_time_nngp_kernel]


def make(estimator, **params):
    defaults = NETWORK | (FIXED | FOLDS if estimator in CHOOSING else {"t": 0.5})
    return estimator(**(defaults | params))


def told(model, X):
    """Return all that a model tells of inputs, by the name of what it is."""
    both = {
        "mean": model.predict(X),
        "path": model.predict_path(X, TIMES),
        "drift": model.predict_drift(X, 1.0, t0=0.5),
        "drift from equilibrium": model.predict_drift(X, 1.0),
    }
    if is_classifier(model):
        return both | {
            "decision": model.decision_function(X),
            "decisions": model.decision_function_path(X, TIMES),
            "votes": model.predict_proba(X),
            "votes of times": model.predict_proba_path(X, TIMES),
        }
    return both | {
        "std": model.predict(X, return_std=True)[1],
        "cov": model.predict(X, t=np.inf, return_cov=True)[1],
        "stds": model.predict_path(X, TIMES, return_std=True)[1],
        "draws": model.sample_y(X, 3),
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert_array_equal(one[name], other[name], err_msg=name)


def call(kernel, *args, **params):
    """Call a kernel, at two times if it has times."""
    if "t" in signature(kernel).parameters:
        params = {"t": 2.0, "t_prime": 0.5} | params
    return kernel(*args, **params)


# What it means


@pytest.mark.parametrize("length_scale", SCALES, ids=["one", "each"])
@pytest.mark.parametrize("limit", [None, "ntk", "nngp"])
@pytest.mark.parametrize("estimator", PLAIN)
def test_estimators_see_divided_inputs(estimator, limit, length_scale):
    scaled = make(estimator, limit=limit, length_scale=length_scale).fit(X, y)
    plain = make(estimator, limit=limit).fit(X / length_scale, y)
    assert_same(told(scaled, NEW), told(plain, NEW / length_scale))
    assert np.any(told(scaled, NEW)["drift"] != told(plain, NEW)["drift"])


@pytest.mark.parametrize("length_scale", SCALES, ids=["one", "each"])
@pytest.mark.parametrize("estimator", CHOOSING)
def test_time_is_chosen_by_divided_inputs(estimator, length_scale):
    scaled = make(estimator, length_scale=length_scale).fit(X, y)
    plain = make(estimator).fit(X / length_scale, y)
    for name in ("mean_test_score", "std_test_score"):
        assert_array_equal(scaled.cv_results_[name], plain.cv_results_[name])
    assert (scaled.t_, scaled.noise_) == (plain.t_, plain.noise_)
    assert_same(told(scaled, NEW), told(plain, NEW / length_scale))


@pytest.mark.parametrize("estimator", CHOOSING)
def test_time_grid_is_that_of_divided_inputs(estimator):
    scaled = make(estimator, times=5, length_scale=3.0).fit(X, y)
    assert_array_equal(scaled.times_, make(estimator, times=5).fit(X / 3.0, y).times_)


@pytest.mark.parametrize(
    ("estimator", "scoring"),
    [(NDKRegressorCV, "neg_mean_squared_error"), (NDKClassifierCV, "neg_log_loss")],
)
def test_scores_of_a_fold_are_those_of_a_model_fitted_to_it(estimator, scoring):
    network = FIXED | {"depth": 1, "length_scale": [0.7, 2.0, 5.0], "tol": 1e-4}
    model = make(estimator, scoring=scoring, **network).fit(X, y)
    plain = make(estimator._base, **network)
    search = GridSearchCV(plain, {"t": FOLDS["times"]}, cv=2, scoring=scoring)
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert_allclose(model.cv_results_["mean_test_score"], scores, rtol=1e-3)


@pytest.mark.parametrize("estimator", CHOOSING)
def test_scorers_are_given_inputs_in_the_units_of_the_user(estimator):
    seen = set()

    def scoring(model, rows, targets):
        seen.update(row.tobytes() for row in rows)
        return model.score(rows.copy(), targets)  # of rows that it has not met

    asked = make(estimator, length_scale=3.0, scoring=scoring).fit(X, y)
    assert seen == {row.tobytes() for row in X}
    default = make(estimator, length_scale=3.0).fit(X, y)
    for name in ("mean_test_score", "std_test_score"):
        assert_allclose(asked.cv_results_[name], default.cv_results_[name], atol=1e-12)


@pytest.mark.parametrize("length_scale", SCALES, ids=["one", "each"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_see_divided_inputs(kernel, length_scale):
    shared = {"depth": 2, "activation": "erf", "bias": 0.3}
    for inputs in ([X], [X, NEW]):
        scaled = call(kernel, *inputs, length_scale=length_scale, **shared)
        plain = call(kernel, *[rows / length_scale for rows in inputs], **shared)
        assert_array_equal(scaled, plain)


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_of_relu_without_bias_scale_with_the_inputs(kernel):
    scaled = call(kernel, X, NEW, depth=3, length_scale=3.0)
    assert_allclose(scaled, call(kernel, X, NEW, depth=3) / 9, rtol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_keep_the_precision_of_the_inputs(kernel):
    single = call(kernel, X.astype(np.float32), bias=0.3, length_scale=[0.7, 2, np.inf])
    assert single.dtype == np.float32
    double = call(kernel, X, bias=0.3, length_scale=[0.7, 2, np.inf])
    assert_allclose(single, double, rtol=1e-5, atol=1e-6)


def test_both_kernels_of_one_call_see_divided_inputs():
    both = ntk_kernel(X, length_scale=[0.7, 2.0, 5.0], return_nngp=True)
    plain = ntk_kernel(X / [0.7, 2.0, 5.0], return_nngp=True)
    assert_array_equal(both, plain)


def test_finite_networks_see_divided_inputs():
    length_scale = [0.7, 2.0, np.inf]
    shared = {"times": [0.2], "T": 0.1, "bias": 0.3, "width": 8, "n_networks": 3}
    shared |= {"random_state": 0}
    scaled = simulate_langevin(X, y, NEW, length_scale=length_scale, **shared)
    plain = simulate_langevin(X / length_scale, y, NEW / length_scale, **shared)
    for name in ("predictions", "train_predictions", "step_size"):
        assert_array_equal(scaled[name], plain[name])


def test_pictures_show_divided_inputs():
    scaled = make(NDKRegressor, length_scale=3.0).fit(X, y)
    plain = make(NDKRegressor).fit(X / 3.0, y)
    one = PredictionPathDisplay.from_estimator(scaled, NEW, std=True)
    other = PredictionPathDisplay.from_estimator(plain, NEW / 3.0, std=True)
    for name in ("times", "values", "ntk", "nngp", "std"):
        assert_array_equal(getattr(one, name), getattr(other, name))


# Scales of one, and infinite ones


@pytest.mark.parametrize("ones", [1, 1.0, np.ones(3), Fraction(1), [1, 1, 1]])
def test_scales_of_one_copy_and_change_nothing(ones):
    assert divided(X, ones) is X
    assert_array_equal(
        make(NDKRegressor, length_scale=ones).fit(X, y).predict(NEW),
        make(NDKRegressor).fit(X, y).predict(NEW),
    )


@pytest.mark.parametrize("estimator", PLAIN + CHOOSING)
def test_features_of_infinite_scale_are_left_out(estimator):
    model = make(estimator, length_scale=[1.0, np.inf, 2.0]).fit(X, y)
    zeroed = X * [1, 0, 1], NEW * [1, 0, 1]
    known = make(estimator, length_scale=[1.0, 1.0, 2.0]).fit(zeroed[0], y)
    assert_same(told(model, NEW), told(known, zeroed[1]))
    assert_same(told(model, NEW), told(model, NEW + np.array([0, 1e6, 0])))


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_leave_features_of_infinite_scale_out(kernel):
    left_out = call(kernel, X, NEW, length_scale=[1.0, np.inf, 1.0])
    assert_array_equal(left_out, call(kernel, X * [1, 0, 1], NEW * [1, 0, 1]))


@pytest.mark.parametrize("estimator", PLAIN + CHOOSING)
def test_rows_that_differ_in_a_feature_left_out_are_one_sample(estimator):
    twice, labels = np.vstack([X, X + np.array([0, 1.0, 0])]), np.tile(y, 2)
    left_out = make(estimator, length_scale=[1.0, np.inf, 1.0]).fit(twice, labels)
    repeated = make(estimator).fit(np.vstack([X, X]) * [1, 0, 1], labels)
    assert_same(told(left_out, NEW), told(repeated, NEW * [1, 0, 1]))
    assert_array_equal(left_out.X_fit_, twice)


# The user's inputs and parameters


@pytest.mark.parametrize("estimator", PLAIN + CHOOSING)
def test_fitted_inputs_are_in_the_units_of_the_user(estimator):
    weight = np.where(np.arange(21) == 3, 0.0, 1.0)
    repeated, labels = np.vstack([X, X[:1]]), np.append(y, y[0])
    model = make(estimator, length_scale=[0.7, 2.0, 5.0])
    model.fit(repeated, labels, sample_weight=weight)
    assert_array_equal(model.X_fit_, np.delete(X, 3, axis=0))


@pytest.mark.parametrize("estimator", PLAIN + CHOOSING)
def test_a_fit_keeps_its_scale(estimator):
    length_scale = np.array([0.7, 2.0, 5.0])
    expected = told(make(estimator, length_scale=length_scale).fit(X, y), NEW)
    model = make(estimator, length_scale=length_scale).fit(X, y)
    length_scale *= 10
    assert_same(told(model, NEW), expected)
    model.set_params(length_scale=1.0)
    assert_same(told(model, NEW), expected)
    assert_same(told(pickle.loads(pickle.dumps(model)), NEW), expected)


@pytest.mark.parametrize("length_scale", [*SCALES, np.array([0.7, 2.0, 5.0])])
@pytest.mark.parametrize("estimator", PLAIN + CHOOSING)
def test_clones_and_representations(estimator, length_scale):
    model = estimator(length_scale=length_scale)
    assert_array_equal(clone(model).get_params()["length_scale"], length_scale)
    assert "length_scale=" in repr(model)
    assert "length_scale" not in repr(estimator())


def test_grid_search_finds_the_feature_that_matters():
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((60, 3))
    scales = [1.0, [1.0, np.inf, np.inf], [np.inf, 1.0, 1.0]]
    search = GridSearchCV(NDKRegressor(bias=1.0), {"length_scale": scales}, cv=KFold(3))
    search.fit(rows, np.sin(2 * rows[:, 0]))
    assert search.best_params_["length_scale"] == scales[1]
    assert search.best_score_ > 0.9


def test_data_frames_and_series():
    names = ["a", "b", "c"]
    scales = pd.Series([0.7, 2.0, 5.0], index=names)
    frame, new = (pd.DataFrame(rows, columns=names) for rows in (X, NEW))
    model = make(NDKRegressor, length_scale=scales).fit(frame, y)
    plain = make(NDKRegressor).fit(X / [0.7, 2.0, 5.0], y)
    assert_same(told(model, new), told(plain, NEW / [0.7, 2.0, 5.0]))
    assert model.feature_names_in_.tolist() == names


def test_columns_of_different_size_may_be_cured_by_their_scales():
    rows = X * [1.0, 1e5, 1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(NDKRegressor, length_scale=[1.0, 1e5, 1.0]).fit(rows, y)
        make(NDKRegressor, length_scale=[1.0, np.inf, 1.0]).fit(rows, y)
    with pytest.warns(UserWarning, match="Columns of X differ in size"):
        make(NDKRegressor).fit(rows, y)
    with pytest.warns(UserWarning, match="Columns of X / length_scale .* column 1 "):
        make(NDKRegressor, length_scale=[1.0, 1e-5, 1.0]).fit(X, y)


# Bad scales


BAD = [
    (0, ValueError, r"float in the range \(0.0, inf\]"),
    (-1.0, ValueError, r"float in the range \(0.0, inf\]"),
    (np.nan, ValueError, r"float in the range \(0.0, inf\]"),
    (None, ValueError, "'length_scale' parameter of .* Got None"),
    ("wide", ValueError, "'length_scale' parameter of .* Got 'wide'"),
    (1j, ValueError, "'length_scale' parameter of .* Got 1j"),
    (10**400, ValueError, "length_scale must be in the range of double precision"),
    ([1.0, 2.0], ValueError, "length_scale has 2 entries, but X has 3 features"),
    ([1.0] * 4, ValueError, "length_scale has 4 entries, but X has 3 features"),
    ([2.0], ValueError, "length_scale has 1 entries, but X has 3 features"),
    ([], ValueError, r"length_scale must be a 1-D array .* got shape \(0,\)"),
    (np.array(2.0), ValueError, r"length_scale must be a 1-D array .* got shape \(\)"),
    ([[1.0, 1.0, 1.0]], ValueError, r"must be a 1-D array .* got shape \(1, 3\)"),
    ([1.0, [2.0], 3.0], ValueError, "length_scale must be a 1-D array .* nested"),
    ([1.0, 0.0, 1.0], ValueError, "length_scale must be positive; got 0.0 among"),
    ([1.0, -2.0, 1.0], ValueError, "length_scale must be positive; got -2.0 among"),
    ([1.0, np.nan, 1.0], ValueError, "length_scale must be positive; got nan among"),
    (["1", "1", "1"], TypeError, "length_scale must be numbers; got dtype <U1"),
    ([1.0, None, 1.0], TypeError, "length_scale must be numbers; got None"),
    ([1.0, 1j, 1.0], TypeError, "length_scale must be numbers; got dtype complex"),
    ([True, False, True], TypeError, "length_scale must be numbers; got dtype bool"),
    (1e-308, ValueError, "X / length_scale exceeds the range of float64"),
    ([1e-308, 1.0, 1.0], ValueError, "X / length_scale exceeds the range of float64"),
]


@pytest.mark.parametrize(("length_scale", "error", "message"), BAD)
def test_bad_scales_are_told(length_scale, error, message):
    large = 10 * X
    for estimator in PLAIN + CHOOSING:
        with pytest.raises(error, match=message):
            make(estimator, length_scale=length_scale).fit(large, y)
    for kernel in KERNELS:
        with pytest.raises(error, match=message):
            call(kernel, large, length_scale=length_scale)
    with pytest.raises(error, match=message):
        simulate_langevin(large, y, NEW, [1.0], length_scale=length_scale)


@pytest.mark.parametrize("estimator", PLAIN + CHOOSING)
def test_bad_inputs_of_predictions_are_told(estimator):
    model = make(estimator, length_scale=[1e-2, 1.0, 1.0]).fit(X, y)
    with pytest.raises(ValueError, match="X / length_scale exceeds the range"):
        model.predict(np.full((1, 3), 1e307))
    with pytest.raises(ValueError, match=r"X has 2 features, but .* expecting 3"):
        model.predict(X[:, :2])


def test_quotients_of_single_precision_are_told():
    single = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"Y / length_scale exceeds .* float32"):
        nngp_kernel(single, 1e38 * single, length_scale=1e-1)
