"""Drift of hidden weights below a frozen readout: golden answers and limits."""

import pickle

import numpy as np
import pytest
from fixed_numbers import fixed
from numpy.testing import assert_allclose, assert_array_equal
from oracles.golden import GOLDEN, GOLDEN_CASES, PARAMETERS
from sklearn.datasets import load_digits

from sklearn_ndk import NDKClassifier, NDKRegressor, NDKRegressorCV
from sklearn_ndk.kernels import mean_kernel, nngp_kernel, two_time_nngp_kernel


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, np.where(y % 2, 1.0, -1.0)


@pytest.mark.parametrize("case", GOLDEN_CASES, ids=lambda case: case["name"])
def test_golden_drift(case):
    data = {
        key.split("/")[1]: GOLDEN[key]
        for key in GOLDEN
        if key.startswith(case["name"] + "/")
    }
    model = NDKRegressor(**{name: case[name] for name in PARAMETERS}, tol=1e-6)
    model.fit(data["X"], data["y"])
    size = np.abs(data["y"]).max()
    for t0, name, atol in (
        (data["drift_t0"], "drift", 1e-6),
        (np.inf, "drift_inf", 1e-8),
    ):
        for delay, expected in zip(data["drift_delays"], data[name], strict=True):
            drifted = model.predict_drift(data["Xs"], float(delay), float(t0))
            expected = expected.reshape(drifted.shape)
            assert_allclose(drifted, expected, atol=atol * size)


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("t0", [0.0, 1e-3, 0.1, 3.0, 200.0, 1e9, np.inf])
def test_no_delay_is_the_prediction(digits, activation, depth, t0):
    X, y = digits
    model = NDKRegressor(depth, activation, sigma0=2.0, bias=0.1, tol=1e-6)
    model.fit(X[:100], y[:100])
    expected = model.predict(X[:200], t=t0)
    assert_array_equal(model.predict_drift(X[:200], 0, t0), expected)
    soon = model.predict_drift(X[:200], 1e-9, t0)
    assert_allclose(soon, expected, atol=2e-6)


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("sigma0", [0.5, 1.0, 2.0])
def test_tolerance_is_kept_at_all_delays(digits, activation, sigma0):
    X, y = digits
    shared = {"depth": 2, "activation": activation, "sigma0": sigma0, "T": 0.1}
    exact = NDKRegressor(**shared, tol=1e-9).fit(X[:150], y[:150])
    model = NDKRegressor(**shared, tol=1e-5).fit(X[:150], y[:150])
    some = np.r_[0:50, 1000:1050]
    for t0 in (0.02, 1.0, 30.0):
        for delay in (1e-4, 0.03, 1.0, 20.0, 500.0, np.inf):
            drifted = model.predict_drift(X[some], delay, t0)
            assert_allclose(drifted, exact.predict_drift(X[some], delay, t0), atol=1e-5)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("activation", ["relu", "erf", "linear"])
@pytest.mark.parametrize("bias", [0.0, 0.4])
def test_equilibrium_follows_the_two_time_kernel(digits, depth, activation, bias):
    X, y = digits
    network = {"depth": depth, "activation": activation, "sigma": 1.3, "bias": bias}
    model = NDKRegressor(**network, T=0.2, sigma0=0.7, tol=1e-6).fit(X[:40], y[:40])
    ridge = 0.2 / 1.3**2
    duals = np.linalg.solve(nngp_kernel(X[:40], **network) + ridge * np.eye(40), y[:40])
    for delay in (0.5, 5.0):  # Eq. (19)
        kernel = two_time_nngp_kernel(
            X, X[:40], t=1e4 + delay, t_prime=1e4, T=0.2, **network
        )
        expected = (kernel + bias**2) @ duals
        assert_allclose(model.predict_drift(X, delay), expected, atol=1e-8)
        solved, closed = (
            model.predict_drift(X, delay, t0) for t0 in (14 / ridge, 1e3 / ridge)
        )
        for drifted in (solved, closed):  # before and after the end of the mesh
            assert_allclose(drifted, expected, atol=2e-6)
        assert np.any(solved != closed)
        assert_array_equal(closed, model.predict_drift(X, delay))
    expected = (mean_kernel(X, X[:40], **network) + bias**2) @ duals  # Eq. (21)
    for t0 in (14 / ridge, np.inf):
        assert_allclose(model.predict_drift(X, np.inf, t0), expected, atol=2e-6)
        assert_allclose(model.predict_drift(X, 1e4, t0), expected, atol=2e-6)
    for t0 in (0.1, 5.0):  # all is forgotten that can be
        expected = model.predict_drift(X, 40 / ridge, t0)
        assert_allclose(model.predict_drift(X, np.inf, t0), expected, atol=1e-12)


def test_odd_networks_forget_everything_and_relu_keeps_norms(digits):
    X, y = digits
    erf = NDKRegressor(2, "erf", T=0.1).fit(X[:50], y[:50])
    relu = NDKRegressor(2, T=0.1).fit(X[:50], y[:50])
    for t0 in (1.0, np.inf):
        assert_allclose(erf.predict_drift(X, np.inf, t0), 0, atol=1e-15)
        ratio = relu.predict_drift(X, np.inf, t0) / np.linalg.norm(X, axis=1)
        assert_allclose(ratio, ratio[0])


@pytest.mark.parametrize("parameters", [{"T": 0.0}, {"limit": "ntk"}])
def test_nothing_drifts_without_noise(digits, parameters):
    X, y = digits
    model = NDKRegressor(**parameters).fit(X[:50], y[:50])
    for delay in (1.0, np.inf):
        for t0 in (2.0, np.inf):
            drifted = model.predict_drift(X, delay, t0)
            assert_array_equal(drifted, model.predict(X, t=t0))


def test_the_limit_nngp_freezes_at_equilibrium(digits):
    X, y = digits
    expected = NDKRegressor().fit(X[:50], y[:50]).predict_drift(X, 30.0)
    model = NDKRegressor(limit="nngp").fit(X[:50], y[:50])
    for t0 in (0.0, 1.0, np.inf):
        assert_allclose(model.predict_drift(X, 30.0, t0), expected, rtol=1e-12)


def test_weights_copies_and_scaled_targets(digits):
    X, y = digits[0][:60], 5 + 3 * digits[1][:60]
    weight = np.random.default_rng(0).integers(0, 3, 60)
    model = NDKRegressor(T=0.1, normalize_y=True).fit(X, y, weight)
    copies = np.repeat(np.arange(60), weight)
    mean, size = y[copies].mean(), y[copies].std()
    repeated = NDKRegressor(T=0.1, normalize_y=True).fit(X[copies], y[copies])
    for t0 in (2.0, np.inf):
        drifted = model.predict_drift(X, 10.0, t0)
        assert_allclose(drifted, repeated.predict_drift(X, 10.0, t0), rtol=1e-7)
        plain = NDKRegressor(T=0.1).fit(X, (y - mean) / size, weight)
        expected = plain.predict_drift(X, 10.0, t0) * size + mean
        assert_allclose(drifted, expected)


def test_shapes_pickles_and_the_cv_pair():
    X, labels = load_digits(return_X_y=True)
    X, labels = X[:60] / 16, labels[:60]
    two = np.column_stack([labels % 2, labels % 3])
    assert NDKRegressor().fit(X, two).predict_drift(X[:7], 1.0, 2.0).shape == (7, 2)
    many = NDKClassifier().fit(X, labels)
    assert many.predict_drift(X[:7], 1.0).shape == (7, 10)
    binary = NDKClassifier().fit(X, labels % 2)
    drifted = binary.predict_drift(X[:7], 1.0, 2.0)
    assert drifted.shape == (7,)
    again = pickle.loads(pickle.dumps(binary)).predict_drift(X[:7], 1.0, 2.0)
    assert_array_equal(again, drifted)
    regressor = fixed(NDKRegressorCV, times=[1.0], cv=2).fit(X, labels)
    plain = NDKRegressor(depth=2, bias=0.3).fit(X, labels)
    assert_allclose(regressor.predict_drift(X, 1.0), plain.predict_drift(X, 1.0))


@pytest.mark.parametrize("name", ["delay", "t0"])
def test_times_that_are_none(digits, name):
    X, y = digits
    model = NDKRegressor().fit(X[:20], y[:20])
    with pytest.raises(TypeError, match=f"{name} must be a single time"):
        model.predict_drift(X, **{"delay": 1.0} | {name: [1.0, 2.0]})
    for wrong in (-1.0, np.nan):
        with pytest.raises(ValueError, match=rf"{name} must be a time in \[0, inf\]"):
            model.predict_drift(X, **{"delay": 1.0} | {name: wrong})
