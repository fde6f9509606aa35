"""Predictions against brute force, closed forms, an ODE, and their own refinement."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles.brute_force import Kernel, brute_force
from oracles.extremes import CASES, FILE, problem
from oracles.golden import GOLDEN, GOLDEN_CASES, PARAMETERS
from scipy.integrate import solve_ivp
from sklearn.datasets import load_diabetes, load_digits
from sklearn.kernel_ridge import KernelRidge

from sklearn_ndk import NDKRegressor
from sklearn_ndk.activations._registry import get_activation
from sklearn_ndk.kernels import ndk_kernel, nngp_kernel, ntk_kernel
from sklearn_ndk.kernels._network import InfiniteNetwork


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, np.where(y % 2, 1.0, -1.0)


def rows(n, d=5, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("case", GOLDEN_CASES, ids=lambda case: case["name"])
def test_golden_predictions_at_all_times(case):
    data = {key.split("/")[1]: GOLDEN[key] for key in GOLDEN if case["name"] in key}
    model = NDKRegressor(**{name: case[name] for name in PARAMETERS}, tol=1e-6)
    model.fit(data["X"], data["y"])
    size = np.abs(data["y"]).max()
    for inputs, expected in (("Xs", data["pred"]), ("X", data["pred_train"])):
        path = model.predict_path(data[inputs], data["times"])
        expected = expected.transpose(1, 2, 0).reshape(path.shape)
        assert_allclose(path, expected, atol=1e-6 * size)
    equilibrium = model.predict(data["Xs"])
    expected = data["pred_inf"].reshape(equilibrium.shape)
    assert_allclose(equilibrium, expected, atol=1e-8 * size)


@pytest.mark.parametrize(
    "i", range(len(CASES)), ids=lambda i: "-".join(map(str, CASES[i]))
)
def test_extreme_hyperparameters_against_brute_force(i):
    network, X, y, Xs, times = problem(CASES[i])
    parameters = {name: getattr(network, name) for name in PARAMETERS}
    model = NDKRegressor(**parameters, tol=1e-6).fit(X, y)
    path = model.predict_path(np.vstack([X, Xs]), times)
    assert_allclose(path, np.load(FILE)[str(i)], atol=2e-6 * np.abs(y).max())


def test_brute_force_is_what_the_file_holds_and_knows_weights():
    network, X, y, Xs, times = problem(CASES[3])
    both = np.vstack([X, Xs])
    assert_allclose(
        brute_force(Kernel.of(network), X, y, both, times), np.load(FILE)["3"]
    )
    weight = np.array([0.5, 2.0, 1.0, 3.0])
    model = NDKRegressor(
        **{name: getattr(network, name) for name in PARAMETERS}, tol=1e-6
    )
    path = model.fit(X, y, weight).predict_path(both, times)
    expected = brute_force(Kernel.of(network), X, y, both, times, weight)
    assert_allclose(path, expected, atol=1e-6)


@pytest.mark.parametrize(("depth", "bias"), [(2, 0.0), (4, 0.0), (2, 0.3)])
def test_shrinking_weights_and_spread_norms_against_brute_force(depth, bias):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((14, 3)) * np.exp(rng.standard_normal((14, 1)))
    y, Xs = rng.uniform(-1, 1, 14), rng.standard_normal((20, 3))
    network = InfiniteNetwork(depth, get_activation("erf"), 0.006, 0.93, 2.0, bias)
    model = NDKRegressor(
        **{name: getattr(network, name) for name in PARAMETERS}, tol=1e-6
    )
    model.fit(X, y)
    both, times = np.vstack([X, Xs]), np.array([0.1, 0.4, 1.0, 1.6]) / network.kappa
    expected = brute_force(Kernel.of(network), X, y, both, times)
    assert_allclose(model.predict_path(both, times), expected, atol=2e-6)
    for t0, mean in zip(times, expected.T, strict=True):
        drifted = model.predict_drift(both, 1e-10 / network.kappa, t0)
        assert_allclose(drifted, mean, atol=2e-6)


@pytest.mark.parametrize("n", [15, 60])
@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("scale", [1e-9, 0.1, 10.0, 1e8, 1e80])
def test_rows_do_not_depend_on_others_far_away(n, activation, scale):
    X, y = rows(n), rows(n, 1, seed=1).ravel()
    model = NDKRegressor(2, activation, T=0.1, sigma0=0.5, bias=0.5).fit(X, y)
    within = X[:2] + X[2:4]
    within *= (
        np.median(np.linalg.norm(X, axis=1)) / np.linalg.norm(within, axis=1)[:, None]
    )
    inputs = np.vstack([within, scale * X[:1]])
    for t in (0.5, 30.0):
        near = model.predict(within, t=t)
        assert_allclose(model.predict(inputs, t=t)[:2], near, atol=1e-12)
        near = model.predict_drift(within, 3.0, t)
        drifted = model.predict_drift(inputs, 3.0, t)
        assert_allclose(drifted[:2], near, atol=1e-12)
        assert np.all(np.isfinite(drifted))


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_tolerance_is_kept_over_the_whole_trajectory(digits, activation):
    X, y = digits
    times = np.geomspace(1e-3, 1500, 40)
    shared = {"depth": 2, "activation": activation, "sigma0": 1.4}
    some = np.r_[0:50, 1000:1050]  # training and test rows
    exact = NDKRegressor(**shared, tol=1e-10).fit(X[:300], y[:300])
    expected = exact.predict_path(X[some], times)
    for tol in 10.0 ** -np.arange(2, 9):
        model = NDKRegressor(**shared, tol=tol).fit(X[:300], y[:300])
        assert np.abs(model.predict_path(X[some], times) - expected).max() <= tol


@pytest.mark.parametrize("T", [1e-4, 1.0])
def test_tolerance_is_kept_on_data_with_spread_norms(T):
    X, y = load_diabetes(return_X_y=True)
    X, y = X[::4] / X.std(axis=0), y[::4] / np.abs(y).max()
    times = np.geomspace(1e-3, 15, 30) / T
    shared = {"depth": 1, "activation": "erf", "sigma0": 1.4, "bias": 0.2, "T": T}
    exact = NDKRegressor(**shared, tol=1e-9).fit(X[:80], y[:80])
    model = NDKRegressor(**shared, tol=1e-6).fit(X[:80], y[:80])
    # test rows beyond the norms of the training rows are served as exactly
    for Xs in (X, 3 * X[80:], X[80:] / 10):
        error = model.predict_path(Xs, times) - exact.predict_path(Xs, times)
        assert np.abs(error).max() <= 1e-6


# Limits


@pytest.mark.parametrize("activation", ["relu", "erf", "linear"])
def test_equilibrium_is_kernel_ridge_with_the_nngp_kernel(activation):
    X, y, Xs = rows(40), rows(40, 2, seed=1), rows(9, seed=2)
    weight = np.random.default_rng(3).uniform(0.1, 3, 40)
    network = {"depth": 3, "activation": activation, "sigma": 1.2, "bias": 0.3}
    ridge = KernelRidge(alpha=0.2 / 1.2**2, kernel="precomputed")
    ridge.fit(nngp_kernel(X, **network), y, weight)
    expected = ridge.predict(nngp_kernel(Xs, X, **network))
    for limit in (None, "nngp"):
        model = NDKRegressor(**network, T=0.2, limit=limit).fit(X, y, weight)
        assert_allclose(model.predict(Xs), expected, atol=1e-10)


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("sigma0", [0.4, 1.0, 2.0])
def test_solved_trajectory_meets_the_equilibrium(digits, activation, sigma0):
    X, y = digits
    model = NDKRegressor(2, activation, T=0.05, sigma0=sigma0, tol=1e-6)
    model.fit(X[:150], y[:150])
    equilibrium = model.predict(X[150:250])
    for tau in (14, 20):
        late = model.predict(X[150:250], t=tau / 0.05)
        assert_allclose(late, equilibrium, atol=1e-6)
        if tau == 14:
            assert np.any(late != equilibrium)  # by solving, not by assumption


@pytest.mark.parametrize("activation", ["relu", "erf", "linear"])
def test_vanishing_temperature_is_gradient_flow(activation):
    X, y, Xs = rows(20), rows(20, 1, seed=1)[:, 0], rows(9, seed=2)
    times = np.array([0.0, 0.01, 0.3, 1.0, 4.0])
    network = {"depth": 2, "activation": activation, "sigma0": 1.3, "bias": 0.1}
    flow = NDKRegressor(**network, T=0).fit(X, y).predict_path(Xs, times)
    cold = NDKRegressor(**network, T=1e-8, tol=1e-6).fit(X, y).predict_path(Xs, times)
    # relu feels diffusion by the kink of its kernel, as sqrt(kappa t)
    assert_allclose(cold, flow, atol=2e-4 if activation == "relu" else 2e-6)
    theta = ntk_kernel(X, depth=2, activation=activation, sigma0=1.3, bias=0.1)
    k = ntk_kernel(Xs, X, depth=2, activation=activation, sigma0=1.3, bias=0.1)
    eigenvalues, vectors = np.linalg.eigh(theta)
    for i, t in enumerate(times):  # Eq. (16)
        learned = -np.expm1(-eigenvalues * t) / eigenvalues
        expected = k @ (vectors @ (learned * (vectors.T @ y)))
        assert_allclose(flow[:, i], expected, atol=1e-9)


def test_gradient_flow_at_infinite_time_interpolates():
    X, y = rows(20), rows(20, 1, seed=1)[:, 0]
    for model in (NDKRegressor(T=0), NDKRegressor(limit="ntk", T=0.3)):
        assert_allclose(model.fit(X, y).predict(X), y, atol=1e-8)


@pytest.mark.parametrize("sigma0", [0.3, 1.0, 3.0])
def test_linear_network_follows_its_closed_ode(sigma0):
    # depth 1: NDK = 2 e(t,t')^2 s(t') K0, so f' = -2 kappa f + 2 s(t) K0 (y - f)
    X, y, T = rows(12), rows(12, 1, seed=1)[:, 0], 0.1
    K0 = X @ X.T / X.shape[1]

    def flow(t, f):
        s = 1 + (sigma0**2 - 1) * np.exp(-2 * T * t)
        return -2 * T * f + 2 * s * K0 @ (y - f)

    times = np.array([0.01, 0.1, 1.0, 10.0, 60.0])
    ode = solve_ivp(flow, (0, 60), 0 * y, "LSODA", times, rtol=1e-10, atol=1e-12)
    model = NDKRegressor(activation="linear", T=T, sigma0=sigma0, tol=1e-6).fit(X, y)
    assert_allclose(model.predict_path(X, times), ode.y, atol=2e-6)


def test_prediction_starts_along_the_ntk():
    X, y, Xs = rows(20), rows(20, 1, seed=1)[:, 0], rows(5, seed=2)
    model = NDKRegressor(depth=2, sigma0=1.4, tol=1e-6).fit(X, y)
    t = 1e-7
    k = ndk_kernel(Xs, X, t=0, t_prime=0, depth=2, sigma0=1.4)
    assert_allclose(model.predict(Xs, t=t) / t, k @ y, rtol=1e-5)
    assert np.all(model.predict(Xs, t=0) == 0)


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_predictions_depend_on_their_time_and_the_set_of_samples_only(activation):
    X, y, Xs = rows(40), rows(40, 1, seed=1)[:, 0], rows(5, seed=2)
    network = {"activation": activation, "depth": 2, "T": 0.1, "sigma0": 1.4}
    one = NDKRegressor(**network, t=0.3).fit(X, y)
    shuffled = np.random.default_rng(0).permutation(40)
    for other in (
        NDKRegressor(**network, t=50.0).fit(X, y),
        NDKRegressor(**network, t=0.3).fit(X[shuffled], y[shuffled]),
    ):
        times = np.array([0.3, 5.0, 200.0])
        path = one.predict_path(Xs, times)
        assert_allclose(other.predict_path(Xs, times), path, rtol=1e-12, atol=1e-14)
