"""Hyperparameters chosen by the evidence, before the time is."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from sklearn_ndk import NDKClassifierCV, NDKRegressorCV
from sklearn_ndk.gaussian_process import NNGP
from sklearn_ndk.hyperparameters import most_likely
from sklearn_ndk.hyperparameters._evidence import Evidence
from sklearn_ndk.kernels._network import make_network
from sklearn_ndk.training._samples import TrainingSet

AUTO = dict.fromkeys(("T", "bias", "length_scale"), "auto")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
Y = np.sin(X[:, :2]) + 0.1 * RNG.standard_normal((60, 2))
HERE = {"T": 0.2, "sigma": 1.2, "bias": 0.4, "length_scale": np.array([1.5, 0.8, 2.3])}
NETWORKS = [
    {"depth": 1, "activation": "relu"},
    {"depth": 2, "activation": "erf"},
    {"depth": 3, "activation": "tanh"},
]


def evidence(network, weight=None):
    weight = np.ones(len(X)) if weight is None else weight
    samples = TrainingSet.from_rows(X, Y, weight)
    return Evidence(
        samples, make_network(T=1.0, sigma=1.0, sigma0=1.0, bias=0.1, **network)
    )


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n["activation"])
def test_it_is_that_of_a_gaussian_process(network):
    value, _ = evidence(network)(**HERE)
    here = {name: HERE[name] for name in ("sigma", "bias", "length_scale")}
    kernel = NNGP(**network, **here)
    prior = ConstantKernel(HERE["sigma"] ** 2) * kernel + WhiteKernel(HERE["T"])
    size = np.mean(Y * np.linalg.solve(prior(X), Y))  # of the largest likelihood
    model = GaussianProcessRegressor(ConstantKernel(size) * prior, alpha=0)
    model.set_params(optimizer=None).fit(X, Y)
    assert_allclose(value, model.log_marginal_likelihood_value_, rtol=1e-9)


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n["activation"])
def test_its_gradient_is_that_of_differences(network, relative):
    weight = RNG.uniform(0.5, 2, len(X))
    of_samples = partial(evidence(network, weight), relative=relative)
    _, gradient = of_samples(**HERE)
    step = 1e-4
    for name, rates in gradient.items():
        for number, rate in enumerate(np.atleast_1d(rates)):
            change = step * (np.arange(np.size(rates)) == number)
            right, left = (
                of_samples(
                    **HERE | {name: HERE[name] * np.exp(sign * change).squeeze()}
                )
                for sign in (1, -1)
            )
            expected = (right[0] - left[0]) / (2 * step)
            assert_allclose(rate, expected, rtol=1e-6, atol=1e-5)


def test_noise_in_units_of_the_prior():
    of_samples = evidence(NETWORKS[0], RNG.uniform(0.5, 2, len(X)))
    network = {name: HERE[name] for name in ("sigma", "bias", "length_scale")}
    variance = of_samples.variance(**network)
    kernel = NNGP(depth=1, activation="relu", **network)
    assert_allclose(variance, HERE["sigma"] ** 2 * np.mean(kernel.diag(X)))
    relative, _ = of_samples(**HERE, relative=True)
    absolute, _ = of_samples(**HERE | {"T": HERE["T"] * variance})
    assert_allclose(relative, absolute, rtol=1e-12)


def test_what_is_chosen_is_a_maximum():
    samples = TrainingSet.from_rows(X, Y, np.ones(len(X)))
    network = make_network(depth=2, activation="relu", T=1, sigma=1, sigma0=1, bias=0.1)
    given = {"sigma": 1.0, "length_scale": 1.0}
    chosen = most_likely(samples, network, given, ("T", "bias"))
    del chosen["size"]
    _, gradient = Evidence(samples, network)(**chosen, **given)
    assert max(abs(gradient["T"]), abs(gradient["bias"])) < 1e-2


def test_scales_of_features_that_matter_are_small():
    """The others have one in common; of targets that are noise, all have."""
    rows = np.random.default_rng(1).standard_normal((150, 6))
    signal = np.sin(2 * rows[:, 0]) + rows[:, 1] ** 2
    model = NDKRegressorCV(**AUTO, limit="nngp", normalize_y=True).fit(rows, signal)
    scales = model.length_scale_
    assert scales[:2].max() < scales[2:].min() / 3
    noise = np.random.default_rng(2).standard_normal(150)
    scales = model.fit(rows, noise).length_scale_
    assert scales.max() < 2 * scales.min()


def test_noise_that_targets_have_is_found():
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((400, 3))
    kernel = NNGP(depth=2, bias=0.5)
    root = np.linalg.cholesky(kernel(rows) + 1e-12 * np.eye(len(rows)))
    for T in (1e-3, 0.3):
        y = 7 * (root @ rng.standard_normal(400) + T**0.5 * rng.standard_normal(400))
        model = NDKRegressorCV(bias=0.5, length_scale=1.0, limit="nngp").fit(rows, y)
        assert 0.4 < model.T_ / T < 2.5


@pytest.mark.parametrize("limit", [None, "nngp"])
def test_it_is_the_model_of_the_numbers_that_were_chosen(limit):
    model = NDKRegressorCV(**AUTO, limit=limit).fit(X, Y)
    numbers = {name: getattr(model, f"{name}_") for name in AUTO}
    same = clone(model).set_params(**numbers).fit(X, Y)
    assert model.t_ == same.t_
    assert_allclose(model.predict(X), same.predict(X), rtol=1e-6, atol=1e-10)
    for name, number in numbers.items():
        assert_array_equal(getattr(same, f"{name}_"), number)
    assert model.get_params() == NDKRegressorCV(**AUTO, limit=limit).get_params()


def test_depth_and_scales_of_weights_are_chosen_too():
    rows = np.random.default_rng(3).standard_normal((80, 2))
    y = rows[:, 0] * rows[:, 1]
    auto = dict.fromkeys(("depth", "T", "sigma", "sigma0", "bias"), "auto")
    model = NDKRegressorCV(**auto, activation="erf", times=4).fit(rows, y)
    assert model.depth_ in (1, 2, 3)
    assert model.sigma0_ == model.sigma_ != 1
    best = Evidence(
        TrainingSet.from_rows(rows, y[:, None], np.ones(80)),
        model._ensemble._problem.network,
    )
    found = {"T": model.T_, "sigma": model.sigma_, "bias": model.bias_}
    value, _ = best(**found, length_scale=1.0)
    for depth in (1, 2, 3):
        other = clone(model).set_params(depth=depth).fit(rows, y)
        found = {"T": other.T_, "sigma": other.sigma_, "bias": other.bias_}
        best._network = other._ensemble._problem.network
        assert best(**found, length_scale=1.0)[0] <= value + 1e-9
    assert NDKRegressorCV(sigma=1.7, sigma0="auto", times=3).fit(rows, y).sigma0_ == 1.7


def test_noise_is_chosen_along_where_there_is_none():
    """In the limit of gradient flow, and at T=0, which is the same."""
    free = {"bias": "auto", "length_scale": "auto"}
    models = [NDKRegressorCV(**free, limit="ntk"), NDKRegressorCV(**free, T=0.0)]
    flow, cold = (model.fit(X, Y) for model in models)
    whole = NDKRegressorCV(**AUTO, limit="nngp").fit(X, Y)
    assert flow.bias_ == cold.bias_ == whole.bias_
    assert_array_equal(flow.length_scale_, whole.length_scale_)
    assert_array_equal(cold.length_scale_, whole.length_scale_)
    assert flow.T_ == cold.T_ == 0


def test_weights_are_copies():
    weight = np.r_[3, 2, np.ones(58)].astype(int)
    copies = np.repeat(np.arange(60), weight)
    model = NDKRegressorCV(**AUTO, cv=[(np.arange(40), np.arange(40, 60))])
    weighted = clone(model).fit(X, Y, sample_weight=weight)
    parts = np.flatnonzero(copies < 40), np.flatnonzero(copies >= 40)
    copied = model.set_params(cv=[parts]).fit(X[copies], Y[copies])
    weightless = clone(model).set_params(cv=[(np.arange(40), np.arange(40, 60))])
    more, zeros = np.r_[X, X[:5] + 1], np.r_[weight, np.zeros(5)]
    weightless.fit(more, np.r_[Y, Y[:5] - 1], sample_weight=zeros)
    assert_allclose(weightless.predict(X), weighted.predict(X), atol=1e-5)
    for name in AUTO:
        assert_allclose(getattr(weighted, f"{name}_"), getattr(copied, f"{name}_"))
    assert_allclose(weighted.predict(X), copied.predict(X), rtol=1e-6, atol=1e-8)


def test_units_and_orders_do_not_matter():
    model = NDKRegressorCV(**AUTO, limit="nngp")
    order = RNG.permutation(len(X))
    plain, other = clone(model).fit(X, Y), model.fit(50 * X[order], 1e3 * Y[order])
    relative = plain.length_scale_ / plain.length_scale_.mean()
    found = other.length_scale_ / other.length_scale_.mean()
    assert_allclose(found, relative, rtol=1e-2)
    assert_allclose(other.predict(50 * X), 1e3 * plain.predict(X), atol=1)


def test_classes_and_searches():
    rows, labels = load_iris(return_X_y=True)
    rows = scale(rows)
    model = NDKClassifierCV(**AUTO).fit(rows[::2], labels[::2])
    assert model.score(rows[1::2], labels[1::2]) > 0.9
    grid = {"T": ["auto", 0.01], "depth": [1, 2]}
    search = GridSearchCV(NDKClassifierCV(length_scale="auto", times=5), grid, cv=2)
    assert search.fit(rows, labels).best_score_ > 0.9


def test_many_rows_are_thinned():
    rows, y = load_diabetes(return_X_y=True)
    rows = np.concatenate([scale(rows), scale(rows) + 1e-3])
    model = NDKRegressorCV(**AUTO, limit="nngp", normalize_y=True)
    model.fit(rows, np.concatenate([y, y]))
    assert model.score(rows, np.concatenate([y, y])) > 0.5


def test_a_given_scale_of_each_feature_is_kept():
    scales = np.array([1.0, 2.0, np.inf])
    model = NDKRegressorCV(length_scale=scales).fit(X, Y)
    same = NDKRegressorCV(length_scale=1.0).fit(X / scales, Y)
    assert_allclose(model.predict(X), same.predict(X / scales), atol=1e-6)
    assert_array_equal(model.length_scale_, scales)


def test_large_inputs_are_no_failure():
    model = NDKRegressorCV(T="auto", bias="auto", limit="nngp", normalize_y=True)
    assert model.fit(1e6 * X, Y).score(1e6 * X, Y) > 0.5


def test_bad_input():
    with pytest.raises(ValueError, match='T="auto" has no meaning with limit="ntk"'):
        NDKRegressorCV(T="auto", limit="ntk").fit(X, Y)
    with pytest.raises(ValueError, match="'bias' parameter of NDKRegressorCV"):
        NDKRegressorCV(bias="Auto").fit(X, Y)
    with pytest.raises(ValueError, match="T=1e-12 is lost beside the kernel"):
        NDKRegressorCV(T=1e-12, length_scale=1.0).fit(1e4 * X[:, :1], Y)
    with pytest.warns(UserWarning, match="2 distinct samples are too little to choose"):
        NDKRegressorCV(T="auto", cv=2).fit(X[[0, 1, 0, 1]], Y[:4])
    with pytest.warns(UserWarning, match="targets all zero are too little"):
        model = NDKRegressorCV(T="auto", cv=2).fit(X, np.zeros(len(X)))
    assert_array_equal(model.predict(X), 0)
