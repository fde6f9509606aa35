"""The share of networks that vote for a class."""

import numpy as np
import pytest
from fixed_numbers import fixed
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor
from sklearn_ndk._vote import vote

X, y = load_wine(return_X_y=True)
X, y = scale(X)[::3], np.array(["a", "b", "c"])[y][::3]
TWO = y != "c"
TIMES = [0.0, 0.1, 3.0, np.inf]
NETWORKS = [
    {},
    {"depth": 2, "sigma0": 1.4, "T": 0.1},
    {"activation": "erf", "limit": "ntk"},
    {"limit": "nngp", "bias": 0.3},
    {"T": 0.0},
]


@pytest.mark.parametrize("n_classes", [3, 4, 10])
def test_shares_are_those_of_random_networks(n_classes):
    rng = np.random.default_rng(0)
    means = rng.standard_normal((8, n_classes)) * np.geomspace(0.1, 10, 8)[:, None]
    variances = rng.uniform(0.05, 2, (8, n_classes))
    n_draws = 200_000
    shares = vote(means, variances)
    for mean, variance, share in zip(means, variances, shares, strict=True):
        noise = rng.standard_normal((n_draws, n_classes))
        winners = np.argmax(mean + np.sqrt(variance) * noise, axis=1)
        counted = np.bincount(winners, minlength=n_classes) / n_draws
        error = np.sqrt(np.maximum(share * (1 - share), 1 / n_draws) / n_draws)
        assert np.all(np.abs(counted - share) <= 4 * error)


def test_two_classes_are_a_probit():
    means, variances = np.linspace(-3, 3, 7), np.linspace(0.5, 2, 7)
    expected = norm.cdf(means / np.sqrt(variances))
    assert_allclose(vote(means[:, None], variances[:, None])[:, 1], expected)


def test_two_of_three_classes_without_a_chance_for_the_third_are_a_probit():
    shares = vote(np.array([[0.7, -0.2, -50.0]]), np.array([[0.6, 0.01, 3.0]]))
    expected = norm.cdf(0.9 / np.sqrt(0.6 + 0.01))
    assert_allclose(shares, [[expected, 1 - expected, 0]], atol=1e-12)


@pytest.mark.parametrize("variance", [0.0, 1e-300, 1.0])
def test_tied_classes_share_alike(variance):
    variances = np.full((2, 3), variance)
    tied = vote(np.array([[1.0, 1.0, -300.0], [2.0, 2.0, 2.0]]), variances)
    assert_allclose(tied, [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]], atol=1e-12)
    assert_allclose(vote(np.zeros((2, 1)), variances[:, :1]), 0.5)


def test_networks_that_agree_are_certain():
    assert_array_equal(vote(np.array([[-1.0], [2.0]]), np.zeros((2, 1))), np.eye(2))
    means = np.array([[0.1, 0.3, 0.2]])
    assert_array_equal(vote(means, np.zeros((1, 3))), [[0, 1, 0]])
    assert_allclose(vote(1e200 * means, np.ones((1, 3))), [[0, 1, 0]])


@pytest.mark.parametrize("params", NETWORKS)
@pytest.mark.parametrize("some", [slice(None), TWO], ids=["three", "two"])
def test_votes_sum_to_one_and_the_most_frequent_is_predicted(params, some):
    model = NDKClassifier(t=1.0, **params).fit(X[some], y[some])
    for t in TIMES:
        shares = model.predict_proba(X, t=t)
        assert np.all((shares >= 0) & (shares <= 1))
        assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
        winners = model.classes_[shares.argmax(axis=1)]
        assert_array_equal(winners, model.predict(X, t=t))
    path = model.predict_proba_path(X, TIMES)
    assert path.shape == (len(X), len(model.classes_), len(TIMES))
    assert_allclose(path[:, :, -1], shares, atol=1e-12)


@pytest.mark.parametrize("params", NETWORKS)
def test_votes_are_of_the_spread_that_the_regressor_tells(params):
    signs = np.where(y[TWO] == "b", 1.0, -1.0)
    mean, std = (
        NDKRegressor(t=1.0, **params)
        .fit(X[TWO], signs)
        .predict(X[~TWO], return_std=True)
    )
    model = NDKClassifier(t=1.0, **params).fit(X[TWO], y[TWO])
    assert_allclose(model.predict_proba(X[~TWO])[:, 1], norm.cdf(mean / std), atol=1e-9)


@pytest.mark.parametrize("some", [slice(None), TWO], ids=["three", "two"])
def test_outputs_vote_in_the_scale_of_the_targets(some):
    """Normalized targets have a scale of their own for each class."""
    signs = np.where(y[some, None] == np.unique(y[some]), 1.0, -1.0)
    regressor = NDKRegressor(t=1.0, normalize_y=True).fit(X[some], signs)
    mean, std = regressor.predict(X, return_std=True)
    model = NDKClassifier(t=1.0, normalize_y=True).fit(X[some], y[some])
    shares = model.predict_proba(X)
    if signs.shape[1] == 2:  # one output, in place of two opposite ones
        expected = norm.cdf(mean[:, 1] / std[:, 1])
        assert_allclose(shares[:, 1], expected, atol=1e-6)
        return
    draws = np.random.default_rng(0).standard_normal((200_000, 1, 3))
    for own, at, spread in zip(shares[::9], mean[::9], std[::9], strict=True):
        winners = np.argmax(at + spread * draws[:, 0], axis=1)
        counted = np.bincount(winners, minlength=3) / len(draws)
        error = np.sqrt(np.maximum(own * (1 - own), 1 / len(draws)) / len(draws))
        assert np.all(np.abs(counted - own) <= 4 * error)


def test_all_classes_are_alike_at_initialisation():
    model = NDKClassifier(t=0.0).fit(X, y)
    assert_allclose(model.predict_proba(X), 1 / 3)


def test_pairs_with_scores_of_votes():
    inputs, labels = load_iris(return_X_y=True)
    inputs, labels = scale(inputs)[::2], labels[::2]
    times = [0.3, 3.0, np.inf]
    for scoring in ("neg_log_loss", "roc_auc_ovr"):
        model = fixed(NDKClassifierCV, times=times, scoring=scoring, cv=3).fit(
            inputs, labels
        )
        base = NDKClassifier(depth=model.depth, bias=model.bias)
        grid = GridSearchCV(base, {"t": times}, cv=3, scoring=scoring)
        grid.fit(inputs, labels)
        expected = grid.cv_results_["mean_test_score"]
        assert_allclose(model.cv_results_["mean_test_score"], expected, atol=2e-3)
        shares = model.predict_proba(inputs)
        assert_allclose(shares, model.predict_proba(inputs, t=model.t_))
    assert log_loss(labels, shares) < log_loss(labels, np.full((len(labels), 3), 1 / 3))


def test_calibration_works_around_them():
    inputs, labels = load_iris(return_X_y=True)
    inputs, labels = scale(inputs), labels
    for base in (NDKClassifier(t=3.0), fixed(NDKClassifierCV, times=5, cv=3)):
        model = CalibratedClassifierCV(base, cv=3).fit(inputs[::2], labels[::2])
        shares = model.predict_proba(inputs[1::2])
        assert roc_auc_score(labels[1::2], shares, multi_class="ovr") > 0.95
