"""An activation that a user adds: right values, and no writing into its arrays."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ndk import NDKRegressor
from sklearn_ndk.kernels import Activation, ndk_kernel, nngp_kernel, ntk_kernel


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
