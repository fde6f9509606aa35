"""A fit that fails changes nothing: unfitted stays so, fitted predicts as before."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.exceptions import NotFittedError

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 3))
LABELS = np.arange(12) % 2
MODELS = [
    NDKRegressor(t=0.5),
    NDKClassifier(),
    NDKRegressorCV(times=[0.5, 2.0], cv=2),
    NDKClassifierCV(times=[0.5, 2.0], cv=2),
]
BAD = {
    "targets": {"y": np.ones(3)},
    "inputs": {"X": np.full((12, 3), np.nan)},
    "other inputs": {"X": np.full((12, 5), np.nan)},
    "weights": {"sample_weight": -np.ones(12)},
    "2-D weights": {"sample_weight": np.ones((12, 2))},
    "no weight": {"sample_weight": np.zeros(12)},
    "parameter": {"T": -1.0},
    "folds": {"cv": [([0], [99])]},
    "scoring": {"scoring": lambda model, X, y: "good"},
}


class Failing:
    """A callback that fails at the end of a fit."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.parent is None:
            raise RuntimeError("on purpose")


@pytest.fixture(params=MODELS, ids=lambda model: type(model).__name__)
def model(request):
    return request.param.__class__(**request.param.get_params())


def fitted_attributes(model):
    return {name for name in vars(model) if name.endswith("_")}


def fit_badly(model, change):
    """Fit with something bad, and take the bad parameters back."""
    params = {k: v for k, v in change.items() if k in model.get_params()}
    data = {k: v for k, v in change.items() if k in {"X", "y", "sample_weight"}}
    if not params and not data:
        pytest.skip("has no such parameter")
    good = {name: model.get_params()[name] for name in params}
    with pytest.raises(ValueError):  # noqa: PT011 (messages: test_bad_input)
        model.set_params(**params).fit(**{"X": X, "y": LABELS} | data)
    model.set_params(**good)


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_failed_first_fit_leaves_the_estimator_unfitted(model, change):
    fit_badly(model, change)
    assert not fitted_attributes(model)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_failed_refit_leaves_the_fit_whole(model, change):
    names = [f"column {i}" for i in range(3)]
    inputs = pd.DataFrame(X, columns=names)
    before = dict(vars(model.fit(inputs, LABELS)))
    expected = model.predict(inputs)
    fit_badly(model, change)
    after = vars(model)
    assert set(after) == set(before)
    assert all(after[name] is before[name] for name in fitted_attributes(model))
    assert_array_equal(model.predict(inputs), expected)


def test_failed_refit_leaves_the_fit_whole_without_validation(model):
    with config_context(skip_parameter_validation=True):
        expected = model.fit(X, LABELS).predict(X)
        with pytest.raises(ValueError, match="Input X contains NaN"):
            model.fit(np.full((12, 3), np.nan), LABELS)
    assert_array_equal(model.predict(X), expected)


def test_callback_that_fails_leaves_the_fit_whole(model):
    expected = model.fit(X, LABELS).predict(X)
    before = dict(vars(model))
    model.set_callbacks(Failing())
    with pytest.raises(RuntimeError, match="on purpose"):
        model.fit(2 * X[:, :2], LABELS)
    model.set_callbacks()
    assert all(vars(model)[name] is value for name, value in before.items())
    assert_array_equal(model.predict(X), expected)


def test_refit_replaces_the_fit(model):
    model.fit(pd.DataFrame(X, columns=list("abc")), LABELS)
    other = RNG.standard_normal((10, 2)), 1 - np.arange(10) % 2
    fresh = type(model)(**model.get_params()).fit(*other)
    model.fit(*other)
    assert not hasattr(model, "feature_names_in_")
    assert set(vars(model)) == set(vars(fresh))
    assert_array_equal(model.predict(other[0]), fresh.predict(other[0]))
