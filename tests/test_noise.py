"""The noise of targets that held-out predictions tell."""

import pickle

import numpy as np
import pytest
from fixed_numbers import fixed
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import scale

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV

X_FLOW, y_flow = load_diabetes(return_X_y=True)
X_FLOW, y_flow = scale(X_FLOW)[:150], y_flow[:150]
X_TUMOUR, y_tumour = load_breast_cancer(return_X_y=True)
X_TUMOUR, y_tumour = scale(X_TUMOUR)[::3], y_tumour[::3]
NETWORK = {"depth": 2, "bias": 0.3}
TIMES = [0.01, 0.3, 30.0]
VARIANTS = [
    {},
    {"T": 1.0, "sigma0": 1.3},
    {"limit": "ntk", "activation": "erf"},
    {"limit": "nngp"},
]


def held_out(kind, model, X, y, folds, weight):
    """Return means and standard deviations by estimators that users would fit."""
    parts = []
    for train, test in folds:
        network = NETWORK | {k: getattr(model, k) for k in ("T", "sigma0", "limit")}
        one = kind(**network, activation=model.activation, t=model.t_)
        one.normalize_y = model.normalize_y
        one.fit(X[train], y[train], weight[train])
        parts.append((one.predict(X[test], return_std=True), y[test], weight[test]))
    moments, y, weight = zip(*parts, strict=True)
    mean, std = map(np.concatenate, zip(*moments, strict=True))
    return mean, std, np.concatenate(y), np.concatenate(weight)


@pytest.mark.parametrize("params", VARIANTS)
def test_regression_noise_has_the_largest_likelihood(params):
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y_flow))
    model = fixed(NDKRegressorCV, times=TIMES, cv=KFold(3), normalize_y=True, **params)
    model.fit(X_FLOW, y_flow, weight)
    folds = KFold(3).split(X_FLOW)
    mean, std, y, weight = held_out(NDKRegressor, model, X_FLOW, y_flow, folds, weight)

    def loss(log):
        density = norm.logpdf(y, mean, np.sqrt(std**2 + np.exp(log)))
        return -np.average(density, weights=weight)

    best = minimize_scalar(loss, bounds=(0, 12), method="bounded")
    assert_allclose(model.noise_, np.exp(best.x), rtol=2e-3)


def test_noise_is_that_of_each_output():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    Y = X[:, :1] + rng.standard_normal((200, 2)) * [0.1, 2.0]
    model = fixed(NDKRegressorCV, times=TIMES).fit(X, Y)
    assert model.noise_.shape == (2,)
    assert_allclose(model.noise_, [0.01, 4.0], rtol=0.5)
    mean, std = model.predict(rng.standard_normal((500, 2)), return_std=True)
    assert mean.shape == (std**2 + model.noise_).shape
    for one, noise in enumerate(model.noise_):
        single = fixed(NDKRegressorCV, times=[model.t_]).fit(X, Y[:, one])
        assert isinstance(single.noise_, float)
        assert_allclose(single.noise_, noise, rtol=1e-2)


def test_intervals_with_the_noise_hold_new_targets():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (600, 2))
    y = np.sin(X[:, 0]) + 0.3 * rng.standard_normal(600)
    model = fixed(NDKRegressorCV, T=0.1).fit(X[:200], y[:200])
    mean, std = model.predict(X[200:], return_std=True)
    off = np.abs(y[200:] - mean)
    assert np.mean(off < 1.645 * std) < 0.6
    held = np.mean(off < 1.645 * np.sqrt(std**2 + model.noise_))
    assert 0.85 < held < 0.95


@pytest.mark.parametrize("params", VARIANTS)
def test_votes_have_the_noise_of_the_smallest_log_loss(params):
    signs, one = 2.0 * y_tumour - 1, np.ones(len(y_tumour))
    model = fixed(NDKClassifierCV, times=TIMES, cv=3, **params).fit(X_TUMOUR, y_tumour)
    folds = StratifiedKFold(3).split(X_TUMOUR, y_tumour)
    mean, std, y, _ = held_out(NDKRegressor, model, X_TUMOUR, signs, folds, one)

    def loss(log):
        return log_loss(y, norm.cdf(mean / np.sqrt(std**2 + np.exp(log))))

    best = minimize_scalar(loss, bounds=np.log([1e-6, 1e2]), method="bounded")
    assert_allclose(loss(np.log(model.noise_)), best.fun, atol=1e-6)
    shares = model.predict_proba(X_TUMOUR)
    regressor = NDKRegressor(**NETWORK, **params, t=model.t_).fit(X_TUMOUR, signs)
    mean, std = regressor.predict(X_TUMOUR, return_std=True)
    expected = norm.cdf(mean / np.sqrt(std**2 + model.noise_))
    assert_allclose(shares[:, 1], expected, atol=1e-6)
    assert_array_equal(model.classes_[shares.argmax(axis=1)], model.predict(X_TUMOUR))


def test_noise_makes_probabilities_better():
    X, y = X_TUMOUR, y_tumour
    model = fixed(NDKClassifierCV).fit(X[::2], y[::2])
    plain = NDKClassifier(**NETWORK, t=model.t_).fit(X[::2], y[::2])
    losses = [log_loss(y[1::2], m.predict_proba(X[1::2])) for m in (model, plain)]
    assert losses[0] < losses[1] / 2


def test_noise_is_found_when_asked_for_and_forgotten_in_a_refit():
    model = fixed(NDKClassifierCV, times=TIMES)
    with pytest.raises(NotFittedError):
        _ = model.noise_
    model.fit(X_TUMOUR, y_tumour)
    copied = pickle.loads(pickle.dumps(model))
    first = model.noise_
    assert copied.noise_ == pickle.loads(pickle.dumps(model)).noise_ == first
    assert model.fit(X_TUMOUR[::2], y_tumour[::2]).noise_ != first


def test_folds_that_lack_a_class_are_left_out():
    X, y = load_wine(return_X_y=True)
    X, y = scale(X)[::2], y[::2]
    rows = np.arange(len(y))
    folds = [(rows[::2], rows[1::2]), (rows[y != 0], rows[y == 0])]
    model = fixed(NDKClassifierCV, times=TIMES, cv=folds).fit(X, y)
    alone = fixed(NDKClassifierCV, times=[model.t_], cv=folds[:1]).fit(X, y)
    assert_allclose(model.noise_, alone.noise_, rtol=1e-6)


def test_exact_predictions_have_no_noise():
    X = np.linspace(-1, 1, 30)[:, None]
    model = fixed(NDKRegressorCV, activation="linear", T=0, times=TIMES).fit(
        X, np.zeros(30)
    )
    assert model.noise_ == 0
