"""What the CV pair chooses by default, and what that is good for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_breast_cancer, load_diabetes, make_friedman1
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.pipeline import make_pipeline

from sklearn_ndk import NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk.preprocessing import TableScaler

NUMBERS = ("depth", "T", "sigma", "sigma0", "bias", "length_scale")


def test_features_of_noise_cost_little():
    X, y = make_friedman1(600, noise=1.0, random_state=0)
    more = np.c_[X, np.random.default_rng(50).normal(size=(600, 20))]
    errors = []
    for table in (X, more):
        model = make_pipeline(TableScaler(), NDKRegressorCV(normalize_y=True))
        model.fit(table[:300], y[:300])
        errors.append(root_mean_squared_error(y[300:], model.predict(table[300:])))
    assert errors[1] < 1.05 * errors[0]


def test_one_feature_in_ten_is_found():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(600, 10))
    y = 10 * np.sin(2 * X[:, 0]) + rng.normal(size=600)
    model = NDKRegressorCV(normalize_y=True).fit(X[:300], y[:300])
    assert np.argmin(model.length_scale_) == 0
    assert root_mean_squared_error(y[300:], model.predict(X[300:])) < 1.15


def test_the_same_numbers_make_the_same_model():
    X, y = load_diabetes(return_X_y=True)
    model = NDKRegressorCV(normalize_y=True, times=5).fit(X[:100], y[:100])
    numbers = {name: getattr(model, f"{name}_") for name in NUMBERS}
    same = NDKRegressor(**numbers, t=model.t_, normalize_y=True).fit(X[:100], y[:100])
    assert_allclose(model.predict(X), same.predict(X), rtol=1e-5)


@pytest.mark.parametrize("units", [1e-3, 1.0, 1e3])
def test_spreads_are_in_the_units_of_the_targets(units):
    """Of a Gaussian process with little noise, spreads match errors of predictions."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(400, 3))
    y = units * (np.sin(2 * X[:, 0]) + X[:, 1] + 0.01 * rng.normal(size=400))
    model = NDKRegressorCV(limit="nngp").fit(X[:100], y[:100])
    mean, std = model.predict(X[100:], return_std=True)
    ratio = np.sqrt(np.mean((mean - y[100:]) ** 2 / (std**2 + model.noise_)))
    assert 0.6 < ratio < 1.6


def test_probabilities_are_no_surer_than_right():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(TableScaler(), NDKClassifierCV()).fit(X[::3], y[::3])
    assert log_loss(y[1::3], model.predict_proba(X[1::3])) < 0.15


def test_gradient_flow_needs_no_temperature():
    X, y = load_diabetes(return_X_y=True)
    model = NDKRegressorCV(limit="ntk", normalize_y=True, times=5).fit(X[:80], y[:80])
    assert model.T_ == 0
    assert np.shape(model.length_scale_) == (10,)


def test_callbacks_see_the_search():
    X, y = load_diabetes(return_X_y=True)
    names = []

    class Recorder:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            names.append(context.task_name)

        def on_fit_task_end(self, estimator, context):
            names.append("end of " + context.task_name)

        def teardown(self, estimator, context):
            pass

    model = NDKRegressorCV(times=[1.0], cv=2).set_callbacks(Recorder())
    model.fit(X[:60], y[:60])
    start = names.index("hyperparameters")
    assert names[start + 1] == "end of hyperparameters"
    assert start < names.index("fold")
    names.clear()
    numbers = {"T": 0.1, "bias": 0.3, "length_scale": 1.0}
    model.set_params(**numbers).fit(X[:60], y[:60])
    assert "hyperparameters" not in names
    monitor = ScoringMonitor(scoring="r2")
    NDKRegressorCV(times=[1.0], cv=2).set_callbacks(monitor).fit(X[:60], y[:60])
    assert len(monitor.get_logs().data) > 3
