"""The spread of outputs over networks: closed forms, oracles, promises, bad input."""

import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracles.golden import GOLDEN, GOLDEN_CASES, PARAMETERS
from oracles.sampled import sampled_covariance
from robustness.cases import draw
from scipy.linalg import expm

from sklearn_ndk import NDKRegressor, NDKRegressorCV
from sklearn_ndk.dynamics import Modes
from sklearn_ndk.dynamics.volterra._adjoint import Adjoint
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel

X = np.random.default_rng(0).standard_normal((12, 3))
y = np.sin(X[:, 0]) + X[:, 1]
WEIGHTS = np.linspace(0.5, 2, 12)
# two training rows, others, and some far beyond their norms
ROWS = np.vstack([X[:2], np.random.default_rng(1).standard_normal((4, 3)), 8 * X[3:5]])
NETWORKS = [
    {"T": 0.05},
    {"depth": 2, "T": 0.02, "bias": 0.3, "sigma0": 1.4},
    {"activation": "erf", "T": 0.1, "sigma0": 0.6, "bias": 0.2},
    {"depth": 2, "activation": "erf", "T": 0.01, "sigma": 1.2, "sigma0": 1.2},
    {"activation": "linear", "T": 0.05, "sigma0": 1.3},
    {"T": 0.0, "depth": 2},
    {"limit": "ntk", "bias": 0.1},
    {"limit": "nngp", "T": 0.1},
]
TIMES = [0.0, 0.03, 1.0, 30.0, np.inf]


def covariance(params, t, rows=ROWS, targets=y, weights=WEIGHTS):
    model = NDKRegressor(**params).fit(X, targets, weights)
    return model.predict(rows, t=t, return_cov=True)[1]


def prior(params, rows=ROWS):
    resting = params.get("limit") == "nngp"
    sigma = params.get("sigma" if resting else "sigma0", 1.0)
    shared = {k: v for k, v in params.items() if k in ("depth", "activation", "bias")}
    return sigma**2 * nngp_kernel(rows, sigma=sigma, **shared)


# Oracles


@pytest.mark.parametrize("case", GOLDEN_CASES, ids=lambda case: case["name"])
def test_covariance_is_that_of_brute_force(case):
    inputs, targets, rows = (GOLDEN[f"{case['name']}/{k}"] for k in ("X", "y", "Xs"))
    model = NDKRegressor(**{name: case[name] for name in PARAMETERS})
    model.fit(inputs, targets)
    for t, expected in zip(
        GOLDEN[f"{case['name']}/cov_times"], GOLDEN[f"{case['name']}/cov"], strict=True
    ):
        got = model.predict(rows, t=t, return_cov=True)[1]
        got = got[..., 0] if got.ndim == 3 else got
        assert np.abs(got - expected).max() <= 2e-4 * np.abs(expected).max()


@pytest.mark.parametrize("params", NETWORKS[:5])
@pytest.mark.parametrize("tau", [0.01, 0.3, 3.0])
def test_covariance_is_that_of_the_sampled_equation(params, tau):
    """Late in training too, where weights have forgotten how they started."""
    t = tau * params.get("sigma", 1.0) ** 2 / params["T"]
    model = NDKRegressor(**params, tol=1e-5).fit(X[:3], y[:3])
    got = model.predict(ROWS, t=t, return_cov=True)[1]
    expected = sampled_covariance(model._network(), X[:3], ROWS, t)
    scale = np.sqrt(np.outer(*2 * [np.diag(prior(params))]))
    assert np.all(np.abs(got - expected) <= 2e-4 * scale)


@pytest.mark.parametrize("params", [NETWORKS[0], NETWORKS[3]])
@pytest.mark.parametrize("t", [0.03, 1.0, 30.0])
def test_both_routes_agree_where_weights_are_stationary(params, t):
    model = NDKRegressor(tol=1e-7, t=t, **params).fit(X, y, WEIGHTS)
    problem = model._ensemble._problem
    kernel = problem.kernel()
    modes = Modes(kernel.nngp(), problem.ridge)
    adjoint = Adjoint(kernel, modes, problem.ridge, t, 1e-6)
    expected = adjoint.covariance(problem.queries(ROWS, full=True))
    got = model.predict(ROWS, return_cov=True)[1]
    assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("params", NETWORKS)
def test_spread_at_initialisation_is_the_prior(params):
    expected = prior(params)
    if params.get("limit") != "nngp":
        assert_allclose(covariance(params, 0.0), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("params", [*NETWORKS[:5], NETWORKS[7]])
def test_spread_at_equilibrium_is_the_posterior(params):
    sigma, T = params.get("sigma", 1.0), params["T"]
    shared = {k: v for k, v in params.items() if k in ("depth", "activation", "bias")}
    shared["sigma"] = sigma
    K, cross = nngp_kernel(X, **shared), nngp_kernel(ROWS, X, **shared)
    learned = cross @ np.linalg.solve(K + T / sigma**2 * np.diag(1 / WEIGHTS), cross.T)
    expected = sigma**2 * (nngp_kernel(ROWS, **shared) - learned)
    assert_allclose(covariance(params, np.inf), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("params", NETWORKS[5:7])
@pytest.mark.parametrize("t", [0.03, 1.0, 30.0])
def test_spread_without_noise_is_that_of_linearised_networks(params, t):
    # Lee et al. (arXiv:1902.06720), Eqs. (13)-(16), with a weighted loss
    shared = {k: v for k, v in params.items() if k in ("depth", "activation", "bias")}
    theta, cross = ntk_kernel(X, **shared), ntk_kernel(ROWS, X, **shared)
    K, K_cross = nngp_kernel(X, **shared), nngp_kernel(ROWS, X, **shared)
    learned = np.eye(12) - expm(-theta * WEIGHTS * t)
    A = cross @ np.linalg.solve(theta, learned)
    expected = nngp_kernel(ROWS, **shared) + A @ K @ A.T
    expected -= A @ K_cross.T + K_cross @ A.T
    assert_allclose(covariance(params, t), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("params", NETWORKS[:5])
def test_variances_keep_their_promise(params):
    for t in (0.03, 1.0, 30.0, 300.0):
        fine = covariance({**params, "tol": 1e-7}, t)
        got = covariance(params, t)
        scale = np.sqrt(np.outer(*2 * [np.diag(prior(params))]))
        assert np.all(np.abs(got - fine) <= 1e-3 * scale)


@pytest.mark.parametrize("seed", [109, 540, 571, 641])
def test_variances_keep_their_promise_where_it_is_hard(seed):
    """Problems that random draws found: initial weights are small, or noise is."""
    case = draw(seed)
    network = case.network._asdict() | {"limit": case.limit}
    targets, times = np.arange(len(case.X)) == 0, np.array(list(case.times))

    def variances(tol):
        model = NDKRegressor(**network, tol=tol).fit(case.X, 1 * targets, case.weight)
        return model.predict_path(case.rows, times, return_std=True)[1] ** 2

    resting = {k: network[k] for k in ("depth", "activation", "sigma", "bias")}
    scale = nngp_kernel(case.rows, **resting).diagonal() * network["sigma"] ** 2
    start = NDKRegressor(**network, t=0.0).fit(case.X, 1 * targets, case.weight)
    scale = np.maximum(scale, start.predict(case.rows, return_std=True)[1] ** 2)
    off = np.abs(variances(case.tol) - variances(1e-8)) / scale[:, None]
    assert np.all(off <= min(1e-3, 10 * case.tol))


@pytest.mark.parametrize("params", NETWORKS[:5])
def test_spread_late_in_training_is_nearly_the_posterior(params):
    rate = params["T"] / params.get("sigma", 1.0) ** 2
    scale = np.sqrt(np.outer(*2 * [np.diag(prior(params))]))
    late, rest = (covariance(params, t) for t in (12 / rate, np.inf))
    assert np.all(np.abs(late - rest) <= 2e-3 * scale)


def test_variances_follow_a_smaller_tolerance():
    params = NETWORKS[1]
    scale = np.sqrt(np.outer(*2 * [np.diag(prior(params))]))
    fine = covariance({**params, "tol": 1e-8}, 1.0)
    for tol in (1e-5, 1e-6):
        got = covariance({**params, "tol": tol}, 1.0)
        assert np.all(np.abs(got - fine) <= 10 * tol * scale)


# Invariants


@pytest.mark.parametrize("params", NETWORKS)
@pytest.mark.parametrize("t", TIMES)
def test_covariance_is_symmetric_and_positive(params, t):
    got = covariance(params, t)
    assert_array_equal(got, got.T)
    assert np.linalg.eigvalsh(got)[0] >= -1e-10 * np.abs(got).max()


@pytest.mark.parametrize("params", NETWORKS)
@pytest.mark.parametrize("t", TIMES)
def test_standard_deviations_are_roots_of_variances(params, t):
    model = NDKRegressor(**params).fit(X, y, WEIGHTS)
    std = model.predict(ROWS, t=t, return_std=True)[1]
    variances = np.diag(model.predict(ROWS, t=t, return_cov=True)[1])
    scale = np.diag(prior(params))
    assert np.all(np.abs(std**2 - variances) <= 1e-3 * scale)


@pytest.mark.parametrize("params", NETWORKS)
@pytest.mark.parametrize("t", TIMES)
def test_spread_does_not_depend_on_targets(params, t):
    others = np.random.default_rng(3).standard_normal(12)
    assert_array_equal(covariance(params, t), covariance(params, t, targets=others))


@pytest.mark.parametrize("params", NETWORKS)
def test_nothing_is_less_certain_at_a_training_point_than_before_training(params):
    # where the scale of the weights grows, so does what the prior knows of it
    sigma0 = max(params.get("sigma0", 1.0), params.get("sigma", 1.0))
    before = np.sqrt(np.diag(prior({**params, "sigma0": sigma0}, X)))
    model = NDKRegressor(**params).fit(X, y, WEIGHTS)
    _, std = model.predict_path(X, TIMES, return_std=True)
    assert np.all(std <= before[:, None] * (1 + 1e-3))


@pytest.mark.parametrize("params", NETWORKS)
def test_weight_two_is_two_copies(params):
    copies = NDKRegressor(**params).fit(np.vstack([X, X]), np.append(y, y))
    for t in TIMES:
        twice = copies.predict(ROWS, t=t, return_std=True)[1]
        heavy = np.sqrt(np.diag(covariance(params, t, weights=np.full(12, 2.0))))
        scale = np.diag(prior(params))
        assert np.all(np.abs(twice**2 - heavy**2) <= 1e-3 * scale)


@pytest.mark.parametrize("params", NETWORKS)
def test_spread_of_a_row_does_not_depend_on_others(params):
    model = NDKRegressor(**params).fit(X, y)
    for t in TIMES:
        together = model.predict(ROWS, t=t, return_std=True)[1] ** 2
        alone = model.predict(ROWS[3:5], t=t, return_std=True)[1] ** 2
        assert_allclose(together[3:5], alone, rtol=0, atol=1e-4)


# What users see


def test_shapes_and_units_are_those_of_the_targets():
    Y = np.column_stack([y, 100 * y + 7])
    model = NDKRegressor(normalize_y=True, t=1.0).fit(X, Y)
    mean, std = model.predict(ROWS, return_std=True)
    assert mean.shape == std.shape == (len(ROWS), 2)
    assert_allclose(std[:, 1], 100 * std[:, 0])
    covariances = model.predict(ROWS, return_cov=True)[1]
    assert covariances.shape == (len(ROWS), len(ROWS), 2)
    assert_allclose(np.diag(covariances[..., 1]), std[:, 1] ** 2, rtol=1e-2)
    one = NDKRegressor(normalize_y=True, t=1.0).fit(X, y)
    assert_allclose(one.predict(ROWS, return_std=True)[1], std[:, 0])
    assert one.predict(ROWS, return_cov=True)[1].shape == (len(ROWS), len(ROWS))


@pytest.mark.parametrize("params", NETWORKS)
def test_paths_are_predictions_at_each_time(params):
    model = NDKRegressor(**params).fit(X, y)
    times = TIMES[::-1]
    path, std = model.predict_path(ROWS, times, return_std=True)
    assert path.shape == std.shape == (len(ROWS), len(times))
    assert_allclose(path, model.predict_path(ROWS, times))
    for i, t in enumerate(times):
        expected = model.predict(ROWS, t=t, return_std=True)[1]
        assert_allclose(std[:, i], expected, rtol=1e-8, atol=1e-10)


def test_cv_regressor_tells_its_spread_at_the_chosen_time():
    model = NDKRegressorCV(times=[0.1, 1.0], cv=3).fit(X, y)
    std = model.predict(ROWS, return_std=True)[1]
    assert_allclose(std, model.predict(ROWS, t=model.t_, return_std=True)[1])


@pytest.mark.parametrize("params", [NETWORKS[0], NETWORKS[1], NETWORKS[6]])
def test_draws_have_the_moments_they_promise(params):
    Y = np.column_stack([y, 10 * y])
    model = NDKRegressor(normalize_y=True, t=1.0, **params).fit(X, Y)
    draws = model.sample_y(ROWS, 20000)
    assert draws.shape == (len(ROWS), 2, 20000)
    mean, expected = model.predict(ROWS, return_cov=True)
    std = np.sqrt(np.einsum("iij->ij", expected))
    assert np.all(np.abs(draws.mean(axis=2) - mean) <= 5 * std / np.sqrt(20000))
    for output in range(2):
        got = np.cov(draws[:, output])
        error = np.outer(std[:, output], std[:, output]) * 5 * np.sqrt(2 / 20000)
        assert np.all(np.abs(got - expected[..., output]) <= error)
    across = np.cov(draws[0])[0, 1] / (std[0, 0] * std[0, 1])
    assert abs(across) <= 5 / np.sqrt(20000)  # outputs are independent


def test_draws_are_reproducible():
    model = NDKRegressor(t=1.0).fit(X, y)
    one = model.sample_y(ROWS, 3, random_state=1)
    assert one.shape == (len(ROWS), 3)
    assert_array_equal(one, model.sample_y(ROWS, 3, random_state=1))
    assert not np.allclose(one, model.sample_y(ROWS, 3, random_state=2))
    early = model.sample_y(ROWS, 3, t=0.0)
    assert not np.allclose(early, model.sample_y(ROWS, 3))


def test_both_spreads_at_once_are_refused():
    model = NDKRegressor().fit(X, y)
    with pytest.raises(ValueError, match="Only one of return_std and return_cov"):
        model.predict(ROWS, return_std=True, return_cov=True)


@pytest.mark.parametrize("t", ["late", [1.0, 2.0], None, -1.0, np.nan])
def test_bad_times_are_refused(t):
    model = NDKRegressor().fit(X, y)
    if t is not None:
        for ask in (
            lambda: model.predict(ROWS, t=t, return_std=True),
            lambda: model.sample_y(ROWS, t=t),
        ):
            with pytest.raises((TypeError, ValueError), match="t must"):
                ask()


@pytest.mark.parametrize("n_samples", [0, -1, 1.5, "two"])
def test_bad_numbers_of_draws_are_refused(n_samples):
    model = NDKRegressor().fit(X, y)
    with pytest.raises((TypeError, ValueError), match="n_samples"):
        model.sample_y(ROWS, n_samples)


# Resources


def test_covariances_that_do_not_fit_are_refused_at_once():
    model = NDKRegressor().fit(X, y)
    rows = np.zeros((10**6, 3))
    for ask in (
        lambda: model.predict(rows, return_cov=True),
        lambda: model.sample_y(rows),
    ):
        with pytest.raises(ValueError, match="Ask for covariances of fewer rows"):
            ask()


@pytest.mark.parametrize("params", [*NETWORKS[:2], *NETWORKS[6:]])
def test_standard_deviations_of_many_rows_take_little_memory(params):
    model = NDKRegressor(t=1.0, **params).fit(X, y)
    rows = np.random.default_rng(0).standard_normal((9000, 3))
    model.predict(rows[:10], return_std=True)
    tracemalloc.start()
    model.predict(rows, return_std=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(rows) ** 2 / 2


@pytest.mark.parametrize("params", [*NETWORKS[:2], *NETWORKS[6:]])
def test_pickles_hold_no_matrix_of_all_samples(params):
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((300, 3))
    model = NDKRegressor(t=1.0, **params).fit(inputs, inputs[:, 0])
    before = len(pickle.dumps(model))
    std = model.predict(ROWS, return_std=True)[1]
    after = pickle.dumps(model)
    assert len(after) - before < 8 * 300**2 / 10
    assert_allclose(
        pickle.loads(after).predict(ROWS, return_std=True)[1], std, atol=1e-6
    )
