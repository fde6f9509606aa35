"""Hostile weights, dates, folds, scales and keywords are answered or told, by name."""

import datetime
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.model_selection import KFold
from sklearn.preprocessing import OneHotEncoder, scale

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 3))
LABELS = np.arange(12) % 2
REGRESSORS = [NDKRegressor, NDKRegressorCV]
PAIR = [NDKRegressorCV, NDKClassifierCV]
ALL = [NDKRegressor, NDKClassifier, *PAIR]
DAYS = np.datetime64("2020-01-01") + np.arange(12)


def small(make, **params):
    """Return an estimator that is quick to fit."""
    quick = {"times": [1.0, 5.0], "cv": 2} if make in PAIR else {}
    return make(**quick | params)


# Keywords


@pytest.mark.parametrize("make", ALL)
def test_unknown_keywords_are_told_of_the_public_class(make):
    message = rf"^{make.__name__}.__init__\(\) got an unexpected keyword argument 'tt'"
    with pytest.raises(TypeError, match=message):
        make(tt=1)


def test_unknown_keywords_are_told_of_a_subclass():
    class Mine(NDKRegressor):
        pass

    with pytest.raises(TypeError, match=r"Mine.__init__\(\) got an unexpected"):
        Mine(tt=1)


# Weights


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    ("weight", "error"),
    [
        (np.nan, ValueError),
        (np.inf, ValueError),
        (-1.0, ValueError),
        (0, ValueError),
        (10**400, ValueError),
        (np.float32("nan"), ValueError),
        (np.array(np.nan), ValueError),
        (1j, ValueError),
        ("heavy", TypeError),
        (b"heavy", TypeError),
        (DAYS[0], TypeError),
        ({}, TypeError),
        (["heavy"] * 12, (TypeError, ValueError)),
        (DAYS, TypeError),
        (DAYS - DAYS[0], TypeError),
        ([None] * 12, (TypeError, ValueError)),
        (np.ones(12) * 1j, (TypeError, ValueError)),
        ([datetime.date(2020, 1, 1)] * 12, TypeError),
    ],
    ids=repr,
)
def test_weights_that_are_none_are_told(make, weight, error):
    with pytest.raises(error, match="ample_weight"):
        small(make).fit(X, LABELS, sample_weight=weight)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("weight", [2, np.float32(2), np.array(2.0), True])
def test_a_scalar_weighs_every_sample(make, weight):
    scalar = small(make).fit(X, LABELS, sample_weight=weight)
    array = small(make).fit(X, LABELS, sample_weight=np.full(12, float(weight)))
    assert_array_equal(scalar.predict(X), array.predict(X))


# Dates and other non-numbers


NON_NUMBERS = {
    "datetime64": DAYS,
    "timedelta64": DAYS - DAYS[0],
    "dates": [datetime.date(2020, 1, 1)] * 12,
    "timedeltas": [datetime.timedelta(1)] * 12,
    "series": pd.Series(DAYS.astype("M8[ns]")),
    "timezone": pd.Series(DAYS.astype("M8[ns]")).dt.tz_localize("UTC"),
    "periods": pd.Series(pd.period_range("2020", periods=12, freq="D")),
    "polars": pl.Series(DAYS),
    "complex": np.ones(12) * 1j,
    "complex objects": np.array([1j] * 12, dtype=object),
    "datetime64 objects": np.array(list(DAYS), dtype=object),
}


@pytest.mark.parametrize("make", REGRESSORS)
@pytest.mark.parametrize("y", NON_NUMBERS.values(), ids=NON_NUMBERS)
def test_targets_of_a_regression_are_real_numbers(make, y):
    sentence = "y must hold real numbers|Complex data not supported"
    with pytest.raises((TypeError, ValueError), match=sentence):
        small(make).fit(X, y)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    "column", [v for k, v in NON_NUMBERS.items() if k != "complex"], ids=str
)
@pytest.mark.parametrize("library", [np, pd, pl])
def test_inputs_are_real_numbers(make, column, library):
    fitted = small(make).fit(X, LABELS)
    if library is np:
        inputs = np.empty((12, 3), dtype=object)
        inputs[:] = np.asarray(column, dtype=object)[:, None]
    elif library is pd:
        inputs = pd.DataFrame({"a": np.ones(12), "b": column, "c": np.ones(12)})
    else:
        if isinstance(column, np.ndarray) and column.dtype.kind in "mM":
            column = column.astype(column.dtype.str[:2] + "8[ms]")
        elif not isinstance(column, pl.Series):
            pytest.skip("not a column of polars")
        inputs = pl.DataFrame({"a": np.ones(12), "b": column, "c": np.ones(12)})
    with pytest.raises(TypeError, match="X must hold real numbers"):
        small(make).fit(inputs, LABELS)
    with pytest.raises(TypeError, match="X must hold real numbers"):
        fitted.predict(inputs)


@pytest.mark.parametrize("make", ALL)
def test_inputs_that_are_all_dates_are_refused(make):
    dates = np.tile(DAYS[:, None], 3)
    for inputs in (dates, pd.DataFrame(dates.astype("M8[ns]")), dates - DAYS[0]):
        with pytest.raises(TypeError, match="X must hold real numbers"):
            small(make).fit(inputs, LABELS)
        with pytest.raises(TypeError, match="X must hold real numbers"):
            small(make).fit(X, LABELS).predict(inputs)


@pytest.mark.parametrize("make", ALL)
def test_numbers_in_objects_are_numbers(make):
    plain = small(make).fit(X, LABELS)
    objects = small(make).fit(X.astype(object), LABELS.astype(object).astype(float))
    assert_array_equal(objects.predict(X.astype(object)), plain.predict(X))


# Folds


@pytest.mark.parametrize("make", PAIR)
@pytest.mark.parametrize(
    ("fold", "message"),
    [
        ((range(6), []), "test part of fold 1 of 2 is empty"),
        (([], range(6)), "training part of fold 1 of 2 is empty"),
        ((range(6), np.zeros(12, bool)), "test part of fold 1 of 2 is empty"),
        ((range(6), [5, 12]), "test part of fold 1 of 2 .*index 12, .*12 samples"),
        ((range(6), [5, -13]), "test part of fold 1 of 2 .*index -13, .*12 samples"),
        (([0, 1, 99], [5]), "training part of fold 1 of 2 .*index 99, .*12 samples"),
        ((range(6), [5.5]), "test part of fold 1 of 2 .*float64"),
        ((range(6), ["a"]), "test part of fold 1 of 2 .*<U1"),
        ((range(6), [[5, 6]]), r"test part of fold 1 of 2 .*shape \(1, 2\)"),
        ((range(6), 5), r"test part of fold 1 of 2 .*shape \(\)"),
        ((range(6), np.ones(4, bool)), r"test part of fold 1 of 2 .*shape \(4,\)"),
    ],
)
def test_folds_that_are_none_are_told(make, fold, message):
    folds = [(np.arange(6), np.arange(6, 12)), fold]
    with pytest.raises(ValueError, match=message):
        make(times=[1.0], cv=folds).fit(X, LABELS)


@pytest.mark.parametrize("make", PAIR)
def test_folds_may_be_masks_lists_or_count_from_the_end(make):
    folds = list(KFold(2, shuffle=True, random_state=0).split(X))
    expected = make(times=[1.0], cv=folds, limit="nngp").fit(X, LABELS).cv_results_
    masks = [[np.isin(np.arange(12), part) for part in fold] for fold in folds]
    lists = [[part.tolist() for part in fold] for fold in masks]
    from_end = [[part - 12 for part in fold] for fold in folds]
    for same in (masks, lists, from_end):
        actual = make(times=[1.0], cv=same, limit="nngp").fit(X, LABELS).cv_results_
        for name in ("split0_test_score", "split1_test_score"):
            assert_array_equal(actual[name], expected[name])


@pytest.mark.parametrize("make", PAIR)
def test_test_part_without_weight_is_told(make):
    weight = np.where(np.arange(12) >= 6, 0.0, 1.0)
    folds = [(np.arange(9), np.arange(9, 12))]
    message = "test part of fold 0 of 1 has samples of weight zero only"
    with pytest.raises(ValueError, match=message):
        make(times=[1.0], cv=folds).fit(X, LABELS, weight)
    scoring = "neg_max_error" if make is NDKRegressorCV else "matthews_corrcoef"
    if make is NDKRegressorCV:  # scores without weights
        make(times=[1.0], cv=folds, scoring=scoring).fit(X, LABELS, weight)


# Scales of targets


def largest_error(model, X, y):
    return -np.abs(model.predict(X) - y).max()


@pytest.mark.parametrize("make", REGRESSORS)
@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e-160, 1e160, 1e200, 1e307])
@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_normalized_targets_may_be_of_any_size(make, size, offset):
    y = np.column_stack([np.sin(3 * X[:, 0]) + offset, X[:, 1]])
    model = small(make, normalize_y=True)
    if make is NDKRegressorCV:
        model.set_params(scoring=largest_error)  # R^2 squares the targets
    usual, extreme = clone(model).fit(X, y), clone(model).fit(X, y * size)
    rtol = 1e-9 if size > 1e-300 else 1e-3
    for t in (0.0, 1.0, np.inf):
        expected = usual.predict(X, t=t)
        actual = extreme.predict(X, t=t) / size
        assert_allclose(actual, expected, rtol=rtol, atol=rtol)


def test_normalized_targets_reach_the_ends_of_double_precision():
    y = np.where(np.arange(12) < 11, -1.0, 1.0)
    end = np.finfo(float).max
    usual = NDKRegressor(T=0, normalize_y=True).fit(X, y).predict(X)
    extreme = NDKRegressor(T=0, normalize_y=True).fit(X, y * end * 0.999).predict(X)
    assert_allclose(extreme / end, 0.999 * usual, rtol=1e-9)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_constant_targets_are_kept_at_any_size(size):
    y = np.full(12, 7.3 * size)
    assert_allclose(NDKRegressor(normalize_y=True).fit(X, y).predict(X), y)


# Scales of columns


def table(load, **params):
    X, y = load(return_X_y=True, **params)
    some = np.random.default_rng(0).permutation(len(y))[:100]
    return X[some], y[some]


def scale_warnings(model, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return [str(w.message) for w in caught if "tandardi" in str(w.message)]


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@pytest.mark.parametrize("make", ALL)
def test_columns_of_very_different_scale_are_told_once(load, make):
    X, y = table(load)
    messages = scale_warnings(small(make, limit="nngp"), X, y)
    assert len(messages) == 1
    assert "StandardScaler" in messages[0]


def test_names_of_columns_of_different_scale_are_told():
    frame = load_wine(as_frame=True)
    with pytest.warns(UserWarning, match=r"'proline'.*'nonflavanoid_phenols'"):
        NDKClassifier().fit(frame.data, frame.target)
    with pytest.warns(UserWarning, match=r"column 12 .* column 7 "):
        NDKClassifier().fit(frame.data.to_numpy(), frame.target)


def test_folds_in_processes_tell_scales_once(recwarn):
    X, y = table(load_wine)
    model = NDKClassifierCV(cv=3, n_jobs=2, limit="nngp")
    assert len(scale_warnings(model, X, y)) == 1


def sensible_tables():
    digits, wine = table(load_digits), table(load_wine)
    cancer, iris = table(load_breast_cancer), table(load_iris)
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    codes = rng.zipf(2.0, (400, 2)).clip(0, 50)
    one_hot = OneHotEncoder(sparse_output=False).fit_transform(codes)
    mixed = np.column_stack([one_hot, rng.standard_normal((400, 3))])
    counts = rng.poisson(rng.exponential(3.0, 40), (400, 40))
    constants = np.column_stack([scale(wine[0]), np.full((100, 2), [0.0, 1e-6])])
    return {
        "digits": digits,
        "iris": iris,
        "diabetes": table(load_diabetes),
        "raw diabetes": table(load_diabetes, scaled=False),
        "scaled cancer": (scale(cancer[0]), cancer[1]),
        "scaled wine": (scale(wine[0]), wine[1]),
        "one-hot": (mixed, labels),
        "counts": (counts, labels),
        "constants": (constants, wine[1]),
        "one column of large numbers": (1e9 + iris[0][:, :1], iris[1]),
        "one scale, large": (1e8 * iris[0], iris[1]),
    }


SENSIBLE = sensible_tables()


@pytest.mark.parametrize("name", SENSIBLE)
def test_sensible_tables_are_fitted_without_a_word_about_scales(name):
    assert not scale_warnings(NDKRegressor(T=10.0), *SENSIBLE[name])


def test_samples_of_no_weight_do_not_count_for_scales():
    wild = np.vstack([X, [[1e6, 1.0, 1.0]]])
    NDKRegressor().fit(wild, np.ones(13), np.append(np.ones(12), 0.0))


# Accuracy where weights and scales are extreme


def test_kernels_that_change_too_much_are_refused():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8)) * np.exp(rng.standard_normal((60, 1)))
    model = NDKRegressor(12, T=0.01, sigma0=5.0, tol=1e-10, t=10.0, bias=0.3)
    with pytest.raises(ValueError, match=r"200 matrices .* raise tol"):
        model.fit(X, rng.standard_normal(60))


def test_light_samples_are_solved_to_the_tolerance_of_heavy_ones():
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((56, 4)), rng.uniform(-1, 1, 56)
    weight = np.where(rng.random(56) < 0.5, 1e4, 1e-2)
    times = np.geomspace(1e-5, 1e3, 9)
    exact, model = (
        NDKRegressor(2, T=1e-5, tol=tol).fit(X, y, weight) for tol in (1e-8, 1e-3)
    )
    rows = np.vstack([X, rng.standard_normal((10, 4))])
    expected = exact.predict_path(rows, times)
    assert_allclose(model.predict_path(rows, times), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_small_weights_are_solved_to_the_tolerance(activation):
    # kernels at unit norm are 1e-5: accuracy counts relative to them
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((4, 5)), rng.uniform(-1, 1, 4)
    network = {"depth": 3, "activation": activation, "sigma": 0.17, "sigma0": 0.17}
    rows = np.vstack([X, rng.standard_normal((6, 5))])
    times = np.geomspace(1e5, 1e11, 7)
    exact, model = (
        NDKRegressor(**network, T=5e-12, tol=tol).fit(X, y) for tol in (1e-9, 1e-3)
    )
    expected = exact.predict_path(rows, times)
    assert_allclose(model.predict_path(rows, times), expected, rtol=1e-3, atol=1e-3)


def test_saturated_networks_tell_that_lags_are_not_resolved():
    X = 1e8 * np.random.default_rng(0).standard_normal((4, 6))
    network = {"depth": 3, "activation": "erf", "T": 2.5e-12, "sigma0": 0.2}
    with pytest.warns(LinAlgWarning, match="Standardise the columns"):
        NDKRegressor(**network, sigma=0.5, t=5e-7).fit(X, [1.0, -1.0, 0.5, 0.0])
