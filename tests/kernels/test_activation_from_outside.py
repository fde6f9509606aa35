"""An activation that a user adds: right values, and no writing into its arrays."""

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from numpy.testing import assert_allclose
from oracles.brute_force import Kernel, brute_force

from sklearn_ndk import NDKRegressor
from sklearn_ndk.kernels import (
    Activation,
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
)
from sklearn_ndk.kernels._network import make_network
from sklearn_ndk.simulation import simulate_langevin


class Exp(Activation):
    """``phi = exp``, whose duals are one and the same array."""

    def duals(self, var_u, var_v, cov):
        dual = np.exp((var_u + var_v) / 2 + cov)
        return dual, dual


class FreshExp(Exp):
    def duals(self, var_u, var_v, cov):
        dual = super().duals(var_u, var_v, cov)[0]
        return dual, dual.copy()


class ReadOnlyExp(Exp):
    def duals(self, var_u, var_v, cov):
        dual = super().duals(var_u, var_v, cov)[0]
        dual.flags.writeable = False
        return dual, dual


class Wave(Activation):
    """``phi(z) = cos(z) + sin(z)``, and what finite networks need."""

    def duals(self, var_u, var_v, cov):
        size = np.exp(-(var_u + var_v) / 2)
        return size * np.exp(cov), size * np.exp(cov)

    def __call__(self, z):
        return read_only(np.cos(z) + np.sin(z))

    def derivative(self, z):
        return read_only(np.cos(z) - np.sin(z))


def read_only(array):
    array.flags.writeable = False
    return array


class Constant(Activation):
    """``phi = 1``, whose duals have any type and shape that broadcasts."""

    def __init__(self, one, zero):
        self.one, self.zero = one, zero

    def duals(self, var_u, var_v, cov):
        return self.one, self.zero


class Returning(Activation):
    def __init__(self, value):
        self.value = value

    def duals(self, var_u, var_v, cov):
        return self.value


X = np.random.default_rng(0).standard_normal((6, 2)) / 2
Y = np.sin(3 * X[:, 0])


@pytest.mark.parametrize("activation", [Exp(), ReadOnlyExp()])
def test_one_array_may_be_both_duals(activation):
    assert_allclose(
        ntk_kernel([[1.0]], activation=activation, sigma0=0.5), 1.25 * np.exp(0.5)
    )
    for depth in (1, 2):
        options = {"t": 3.0, "t_prime": 1.0, "sigma": 0.5, "bias": 0.1, "depth": depth}
        assert_allclose(
            ndk_kernel(X, X[:2], activation=activation, **options),
            ndk_kernel(X, X[:2], activation=FreshExp(), **options),
        )
    assert_allclose(
        nngp_kernel(X, activation=activation, bias=0.5),
        nngp_kernel(X, activation=FreshExp(), bias=0.5),
    )


@pytest.mark.parametrize(
    ("one", "zero"),
    [(1, 0), (True, False), (np.ones(1), np.zeros(1)), (np.array(1), np.array(0.0))],
    ids=["int", "bool", "broadcast", "0-d"],
)
def test_duals_of_any_type_that_broadcast(one, zero):
    activation = Constant(one, zero)
    assert_allclose(nngp_kernel(X, activation=activation, bias=0.5), 1.25)
    for depth in (1, 2):
        assert_allclose(ntk_kernel(X, activation=activation, depth=depth), 1)


@pytest.mark.parametrize("limit", [None, "ntk", "nngp"])
@pytest.mark.parametrize("T", [0.0, 0.01])
def test_estimator_takes_an_activation_from_outside(limit, T):
    options = {"T": T, "sigma": 0.5, "sigma0": 0.4, "limit": limit}
    fits = [
        NDKRegressor(activation=activation, **options).fit(X, Y)
        for activation in (ReadOnlyExp(), FreshExp())
    ]
    for t in (0.0, 0.1, 10.0, np.inf):
        ours, theirs = (fit.predict(X[:3] + 0.1, t=t) for fit in fits)
        assert np.all(np.isfinite(ours))
        assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def test_frozen_readout_takes_an_activation_from_outside():
    fits = [
        NDKRegressor(activation=activation, T=0.01, sigma=0.5, sigma0=0.4).fit(X, Y)
        for activation in (ReadOnlyExp(), FreshExp())
    ]
    ours, theirs = (fit.predict_drift(X[:3], delay=20.0, t0=3.0) for fit in fits)
    assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.ones((2, 3)), TypeError, "must return two arrays"),
        (None, TypeError, "must return two arrays"),
        ((1.0, "0"), TypeError, "must return real numbers"),
        ((np.ones(5), 0.0), ValueError, "of the shape of the covariance"),
        ((1.0, np.nan), ValueError, "not finite"),
    ],
)
def test_wrong_duals_are_told(value, error, message):
    with pytest.raises(error, match=message):
        ntk_kernel(X, activation=Returning(value))


def test_missing_or_wrong_methods_are_told():
    class Without(Activation):
        pass

    class Moment(Exp):
        def second_moment(self, var):
            return np.ones(5)

    with pytest.raises(TypeError, match=r"abstract.* method.*duals"):
        Without()
    with pytest.raises(TypeError, match=r"an object, Exp\(\), not its class"):
        nngp_kernel(X, activation=Exp)
    with pytest.raises(ValueError, match=r"Moment\(\).second_moment must return"):
        nngp_kernel(X, activation=Moment())


def test_duals_of_lower_precision_do():
    class Single(Exp):
        def duals(self, var_u, var_v, cov):
            return tuple(d.astype(np.float32) for d in super().duals(var_u, var_v, cov))

    options = {"depth": 2, "bias": 0.3, "sigma0": 0.5}
    expected = ntk_kernel(X, activation=FreshExp(), **options)
    for rows, dtype in ((X, np.float64), (X.astype(np.float32), np.float32)):
        for activation in (Single(), ReadOnlyExp()):
            K = ntk_kernel(rows, activation=activation, **options)
            assert K.dtype == dtype
            assert_allclose(K, expected, rtol=1e-5)


def test_wave_has_the_duals_of_its_function():
    z, w = hermegauss(60)
    u, v = 0.7 * z[:, None], 0.9 * (0.4 * z[:, None] + np.sqrt(0.84) * z)
    weight = w[:, None] * w / (2 * np.pi)
    duals = Wave().duals(0.49, 0.81, np.array([0.7 * 0.9 * 0.4]))
    for function, dual in zip((Wave(), Wave().derivative), duals, strict=True):
        assert_allclose(dual[0], np.sum(weight * function(u) * function(v)), rtol=1e-12)


NETWORK = {"sigma": 1.1, "sigma0": 0.7, "bias": 0.2, "depth": 2}


def test_regressor_of_a_wave_is_right_at_any_time():
    model = NDKRegressor(activation=Wave(), T=0.1, tol=1e-6, **NETWORK).fit(X, Y)
    Xs, times = X[:3] + 0.1, np.array([0.5, 4.0])
    network = make_network(activation=Wave(), T=0.1, **NETWORK)
    assert_allclose(model.predict(Xs, t=0.0), 0, atol=1e-15)
    expected = brute_force(Kernel.of(network), X, Y, Xs, times)
    assert_allclose(model.predict_path(Xs, times), expected, atol=3e-6)
    options = {"activation": Wave(), "depth": 2, "sigma": 1.1, "bias": 0.2}
    ridge = 0.1 / 1.1**2 * np.eye(len(X))
    dual = np.linalg.solve(nngp_kernel(X, **options) + ridge, Y)
    assert_allclose(
        model.predict(Xs, t=np.inf), nngp_kernel(Xs, X, **options) @ dual, rtol=1e-9
    )
    drifted = (mean_kernel(Xs, X, **options) + 0.2**2) @ dual
    assert_allclose(model.predict_drift(Xs, np.inf), drifted, rtol=1e-9)


def test_limits_of_a_wave_are_right():
    Xs = X[:3] + 0.1
    options = {"activation": Wave(), "depth": 2, "sigma0": 0.7, "bias": 0.2}
    flow = NDKRegressor(activation=Wave(), T=0.1, limit="ntk", **NETWORK).fit(X, Y)
    values, vectors = np.linalg.eigh(ntk_kernel(X, **options))
    for t in (0.3, 5.0):
        dual = vectors @ (-np.expm1(-values * t) / values * (vectors.T @ Y))
        assert_allclose(flow.predict(Xs, t=t), ntk_kernel(Xs, X, **options) @ dual)
    rest = NDKRegressor(activation=Wave(), T=0.1, limit="nngp", **NETWORK).fit(X, Y)
    langevin = NDKRegressor(activation=Wave(), T=0.1, **NETWORK).fit(X, Y)
    assert_allclose(rest.predict(Xs, t=1.0), langevin.predict(Xs, t=np.inf))


def test_simulation_reads_only():
    result = simulate_langevin(
        X, Y, X[:1], [0.5], activation=Wave(), width=8, n_networks=2, random_state=0
    )
    assert np.all(np.isfinite(result.predictions))
