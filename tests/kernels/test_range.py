"""Kernels beyond floating point are told in a sentence, before heavy work."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ndk import NDKClassifier, NDKRegressor
from sklearn_ndk.kernels import (
    Activation,
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
    two_time_nngp_kernel,
)
from sklearn_ndk.simulation import simulate_langevin

X = np.random.default_rng(0).standard_normal((8, 3))
y = np.sin(X[:, 0])
TIMES = {"t": 2.0, "t_prime": 1.0}


@pytest.mark.parametrize("bias", [0.0, 0.5])
@pytest.mark.parametrize("sigma", [1e3, 1e6])
def test_deep_networks_that_overflow(bias, sigma):
    network = {"depth": 60, "bias": bias}
    message = "kernels overflow float64 with depth=60.*use smaller sigma"
    for call in (
        lambda: nngp_kernel(X, sigma=sigma, **network),
        lambda: mean_kernel(X, sigma=sigma, **network),
        lambda: ntk_kernel(X, X[:2], sigma0=sigma, **network),
        lambda: ndk_kernel(X, sigma=sigma, sigma0=sigma, **network, **TIMES),
        lambda: two_time_nngp_kernel(X, sigma0=sigma, **network, **TIMES),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("make", [NDKRegressor, NDKClassifier])
@pytest.mark.parametrize("limit", [None, "ntk", "nngp"])
@pytest.mark.parametrize("t", [1.0, np.inf])
def test_estimators_of_networks_that_overflow(make, limit, t):
    model = make(depth=60, sigma=1e3, sigma0=1e3, limit=limit, t=t)
    with pytest.raises(ValueError, match=r"kernels overflow float64 with depth=60"):
        model.fit(X, y > 0)


def test_simulations_of_networks_that_overflow():
    with pytest.raises(ValueError, match=r"kernels overflow float64 with depth=60"):
        simulate_langevin(X, y, X, [1.0], depth=60, sigma0=1e6, width=2, n_networks=1)


def test_rows_of_a_prediction_that_overflow():
    model = NDKRegressor(t=1.0, bias=0.1).fit(X, y)
    for t in (0.5, np.inf):
        with pytest.raises(ValueError, match="kernels overflow float64"):
            model.predict(1e200 * X, t=t)


@pytest.mark.parametrize("kernel", [nngp_kernel, ntk_kernel])
@pytest.mark.parametrize("activation", ["relu", "erf", "linear"])
def test_inputs_of_any_size_are_right_or_told(kernel, activation):
    for scale in (1e-300, 1e-170):
        with pytest.raises(ValueError, match="kernels underflow float64"):
            kernel(scale * X, activation=activation)
    for scale in (1e160, 1e300):
        with pytest.raises(ValueError, match="kernels overflow float64"):
            kernel(scale * X, activation=activation)
    small = kernel(1e-100 * X, activation=activation)
    assert_allclose(small, 1e-140 * kernel(1e-30 * X, activation=activation), rtol=1e-9)
    assert np.all(np.isfinite(kernel(1e80 * X, activation=activation)))
    # rows of both sizes, of which the small ones have kernels of their own size
    mixed = kernel(np.r_[X, 1e-200 * X[:1]], activation=activation)
    assert_allclose(mixed[:-1, :-1], kernel(X, activation=activation), rtol=1e-13)
    zeros = np.zeros((2, 3))
    assert_allclose(kernel(zeros, activation=activation), 0)


def test_single_precision_is_narrower():
    single = X.astype(np.float32)
    with pytest.raises(ValueError, match="kernels overflow float32"):
        ntk_kernel(single, depth=10, sigma0=1e3)
    with pytest.raises(ValueError, match="kernels underflow float32"):
        ntk_kernel(np.float32(1e-20) * single)
    assert_allclose(ntk_kernel(np.float32(1e-15) * single), 1e-30 * ntk_kernel(X), 1e-4)


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_tiny_inputs_learn_as_their_kernel_says(activation):
    # at these sizes the NDK is the kernel of X, scaled, and the flow its first step
    options = {"activation": activation, "T": 0.01, "t": 1.0}
    small = NDKRegressor(**options).fit(1e-100 * X, y).predict(1e-100 * X)
    larger = NDKRegressor(**options).fit(1e-30 * X, y).predict(1e-30 * X)
    assert_allclose(small, 1e-140 * larger, rtol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        {"sigma": 1e200},
        {"sigma": 1e-200},
        {"sigma": 10**400},
        {"sigma0": 1e200},
        {"sigma0": 1e-160},
        {"bias": 1e-200},
        {"bias": 1e200},
        {"T": 1e-300, "sigma": 1e20},
        {"T": 1e300, "sigma": 1e-10},
    ],
    ids=str,
)
def test_hyperparameters_whose_squares_no_float_holds(network):
    name = list(network)[-1]
    message = rf"{name}(=.* out of range| must be in the range of double)"
    with pytest.raises(ValueError, match=message):
        ndk_kernel(X, **network, **TIMES)
    for t in (1.0, np.inf):
        with pytest.raises(ValueError, match=message):
            NDKRegressor(t=t, **network).fit(X, y)


class Exp(Activation):
    def duals(self, var_u, var_v, cov):
        with np.errstate(over="ignore"):
            dual = np.exp((var_u + var_v) / 2 + cov)
        return dual, dual


def test_activations_that_overflow():
    with pytest.raises(ValueError, match=r"Exp\(\).duals returned .* not finite"):
        nngp_kernel(100 * X, activation=Exp())
    with pytest.raises(ValueError, match=r"Exp\(\).duals returned .* not finite"):
        NDKRegressor(activation=Exp(), t=1.0).fit(100 * X, y)
