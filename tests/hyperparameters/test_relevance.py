"""How much features matter to what networks have learned."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_ndk import NDKRegressor
from sklearn_ndk.hyperparameters._relevance import mean_square_slopes, relevance
from sklearn_ndk.kernels._network import make_network
from sklearn_ndk.training._samples import TrainingSet

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = np.column_stack([np.sin(X[:, 0]), X[:, 1] ** 2])
NETWORK = {"depth": 2, "sigma": 1.2, "bias": 0.4}


def network(activation):
    return make_network(**NETWORK, activation=activation, T=0.0, sigma0=1.2)


def samples(rows=X, targets=Y, weight=None):
    weight = np.ones(len(rows)) if weight is None else weight
    return TrainingSet.from_rows(rows, targets, weight)


@pytest.mark.parametrize("activation", ["relu", "erf", "tanh"])
def test_slopes_are_differences_of_predictions(activation):
    weight, step = RNG.uniform(0.5, 2, len(X)), 1e-5
    model = NDKRegressor(**NETWORK, activation=activation, T=0.1, limit="nngp")
    model.fit(X, Y, sample_weight=weight)
    squares = []
    for change in step * np.eye(X.shape[1]):
        slopes = (model.predict(X + change) - model.predict(X - change)) / (2 * step)
        squares.append(np.average(slopes**2, axis=0, weights=weight).mean())
    found = mean_square_slopes(samples(weight=weight), network(activation), 0.1)
    assert_allclose(found, squares, rtol=1e-5)


def test_relevance_is_that_of_the_task():
    found = relevance(samples(), network("relu"), 0.1)
    assert found[:2].min() > 1.5 * found[2]
    assert_allclose(np.mean(found**2), 1)


def test_rows_of_zeros_and_features_of_zeros():
    rows = np.column_stack([X, np.zeros(len(X))])
    rows[0] = 0
    found = relevance(samples(rows), network("relu"), 0.1)
    assert np.all(np.isfinite(found))
    assert 0 < found[3] < 0.01 * found.max()
    flat = relevance(samples(targets=np.zeros_like(Y)), network("relu"), 0.1)
    assert_array_equal(flat, 1)


def test_weights_are_copies():
    weight = np.r_[3, 2, np.ones(38)]
    copies = np.repeat(np.arange(40), weight.astype(int))
    found = [relevance(s, network("relu"), 0.1) for s in (
        samples(weight=weight), samples(X[copies], Y[copies]))]  # fmt: skip
    assert_allclose(*found, rtol=1e-10)
