"""Data, ensembles of finite networks and what is measured on them."""

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

from sklearn_ndk.activations._registry import ACTIVATIONS
from sklearn_ndk.datasets import make_orthogonal
from sklearn_ndk.kernels import Activation
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.simulation import simulate_langevin
from sklearn_ndk.simulation._finite_network import (
    input_signals,
)
from sklearn_ndk.simulation._simulation import Simulation


def orthogonal():
    X, y, X_test, _ = make_orthogonal(4, overlap=0.8, random_state=1)
    return X, y, X_test[:2]


def two_outputs():
    X, y, X_test = orthogonal()
    return X, np.column_stack([y, [2.0, 0.0, -1.0, 0.5]]), X_test


def digits():
    X, y = load_digits(n_class=2, return_X_y=True)
    return X[:30] / 16, np.where(y, 1.0, -1.0)[:30], X[30:33] / 16


def mirrored(data, times, **params):
    """Return outputs at test and training inputs, averaged over mirror images."""
    X, y, X_test = data
    one, other = (simulate_langevin(X, t, X_test, times, **params) for t in (y, -y))
    keys = ("predictions", "train_predictions")
    return np.concatenate([(one[key] - other[key]) / 2 for key in keys], axis=1)


def at_infinite_width(data, times, *, width, n_networks, **params):
    """Return the mean with the term in 1 / width removed, and its standard error."""
    small, large = (
        mirrored(
            data, times, width=w, n_networks=n_networks, random_state=seed, **params
        )
        for seed, w in enumerate((width // 2, width))
    )
    mean = 2 * large.mean(axis=0) - small.mean(axis=0)
    variance = 4 * large.var(axis=0, ddof=1) + small.var(axis=0, ddof=1)
    return mean, np.sqrt(variance / n_networks)


class Sine(Activation):
    """An activation of a user's own."""

    name = "sine"
    homogeneous = False

    def duals(self, var_u, var_v, cov):
        size = np.exp(-(var_u + var_v) / 2)
        return size * np.sinh(cov), size * np.cosh(cov)

    def __call__(self, z):
        return np.sin(z)

    def derivative(self, z):
        return np.cos(z)


def rate(X, y, **params):
    """Return the fastest rate, by which the automatic step is 0.05."""
    short = simulate_langevin(X, y, X, [0.0], width=1, n_networks=1, **params)
    return 0.05 / short.step_size


def run(times=(0.5, 1.0), data=orthogonal, **params):
    X, y, X_test = data()
    defaults = {"T": 0.1, "width": 9, "n_networks": 5, "random_state": 0}
    return simulate_langevin(X, y, X_test, times, **defaults | params)


def assert_same(one, other):
    assert_array_equal(one.predictions, other.predictions)
    assert_array_equal(one.train_predictions, other.train_predictions)


def simulation(data, times, *, width=9, T=0.1, bias=0.0, depth=1, activation="relu"):
    """Return a simulation of steps of 0.05, to be run with settings of its own."""
    X, y, X_test = data
    return Simulation(
        InfiniteNetwork(depth, ACTIVATIONS[activation], T, 1.0, 1.0, bias),
        width,
        input_signals(np.vstack([X, X_test]), bias),
        y.reshape(len(y), -1),
        np.ones((len(y), 1)),
        np.array(times),
        np.inf,
        0.05,
    )
