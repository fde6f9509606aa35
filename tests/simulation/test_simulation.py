"""Finite networks against the theory of infinite width, and the theory against them.

`simulate_langevin` knows nothing of kernels but the length of a step, so that where
both agree neither can be wrong by itself. Two devices make a few small networks enough.
The law of a network is unchanged if readouts, noise and targets all change sign, so
half the difference of networks of one seed trained on y and on -y has the same mean,
and a deviation of the order of 1 / sqrt(width) only. And twice the mean at one width
less that at half of it is free of the term in 1 / width.
"""

import sys
import tracemalloc
from functools import cache
from itertools import product

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from sklearn_ndk import NDKRegressor
from sklearn_ndk.datasets import make_orthogonal
from sklearn_ndk.kernels import Activation, nngp_kernel, ntk_kernel
from sklearn_ndk.kernels._activations import ACTIVATIONS
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.simulation import _finite_network, _simulation, simulate_langevin
from sklearn_ndk.simulation._backends import NumpyBackend, TorchBackend
from sklearn_ndk.simulation._finite_network import (
    FiniteNetworks,
    bytes_per_network,
    layer_shapes,
)
from sklearn_ndk.simulation._langevin import _input_signals

TIMES = np.array([0.5, 2.0, 5.0, 10.0, 15.0, 20.0])  # diffusion acts at 1 / T = 10
NAN, INF = np.nan, np.inf


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


# The mean over networks and NDKRegressor

CASES = {
    "relu": (orthogonal, 64, 100, 0.0167, {"sigma0": 1.4}),
    "two layers": (orthogonal, 48, 100, 0.025, {"depth": 2, "sigma0": 1.3}),
    "erf": (
        two_outputs,
        64,
        100,
        0.02,
        {"activation": "erf", "sigma0": 0.7, "bias": 0.5},
    ),
    "digits": (digits, 256, 20, 0.02, {"sigma0": 1.4}),
}
WRONG = {
    "relu": [{"depth": 2}, {"sigma": 1.3}, {"sigma0": 1.0}, {"T": 0.05}],
    "two layers": [{"depth": 1}, {"depth": 3}, {"limit": "ntk"}],
    "erf": [{"bias": 0.0}, {"activation": "relu"}, {"limit": "nngp"}],
    "digits": [{"limit": "ntk"}, {"limit": "nngp"}, {"unweighted": True}],
}


def sample_weight(case):
    return np.where(digits()[1] > 0, 1.5, 0.15) if case == "digits" else None


@cache
def simulated(case):
    data, width, n_networks, step_size, params = CASES[case]
    return at_infinite_width(
        data(),
        TIMES,
        width=width,
        n_networks=n_networks,
        step_size=step_size,
        sample_weight=sample_weight(case),
        T=0.1,
        **params,
    )


def distance_from_theory(case, unweighted=False, **wrong):
    """Return the largest distance of the simulated mean, in standard errors."""
    data, *_, params = CASES[case]
    X, y, X_test = data()
    model = NDKRegressor(**{"T": 0.1} | params | wrong)
    model.fit(X, y, None if unweighted else sample_weight(case))
    theory = model.predict_path(np.vstack([X_test, X]), TIMES)
    mean, error = simulated(case)
    return np.abs((mean - theory) / error).max()


@pytest.mark.parametrize("case", CASES)
def test_mean_over_networks_is_that_of_the_theory(case):
    assert distance_from_theory(case) < 4


@pytest.mark.parametrize(
    ("case", "wrong"), [(case, wrong) for case in WRONG for wrong in WRONG[case]]
)
def test_wrong_theory_is_found_out(case, wrong):
    assert distance_from_theory(case, **wrong) > 6


def test_gap_to_the_theory_falls_as_one_over_the_width():
    X, y, X_test = orthogonal()
    widths, times = np.array([8, 16, 32]), [1.0, 2.0]
    theory = NDKRegressor(T=0.1, sigma0=1.4).fit(X, y).predict_path(X, times)
    gaps, errors = [], []
    for seed, width in enumerate(widths):
        n_networks = 12_800 // width
        outputs = mirrored(
            (X, y, X_test),
            times,
            T=0.1,
            sigma0=1.4,
            width=width,
            n_networks=n_networks,
            step_size=0.01,
            random_state=seed,
        )
        lag = (y[:, None] * (theory - outputs[:, len(X_test) :])).mean(axis=(1, 2))
        gaps.append(lag.mean())
        errors.append(lag.std(ddof=1) / np.sqrt(n_networks))
    relative = np.divide(errors, gaps)
    (slope, _), covariance = np.polyfit(
        np.log(widths), np.log(gaps), 1, w=1 / relative, cov="unscaled"
    )
    assert np.all(relative < 0.1)
    assert abs(slope + 1) < 4 * np.sqrt(covariance[0, 0]) < 0.4


# Drift


@pytest.mark.parametrize(
    ("params", "t0"),
    [
        ({"sigma0": 1.4}, 0.0),
        ({"sigma0": 1.4}, 4.0),
        ({"sigma0": 1.4, "bias": 0.5}, 25.0),
        ({"activation": "erf", "sigma0": 0.7}, 4.0),
        ({"sigma": 1.5, "sigma0": 0.8}, 4.0),
        ({"depth": 2, "sigma0": 1.3}, 4.0),
    ],
    ids=str,
)
def test_drift_of_hidden_weights_is_that_of_the_theory(params, t0):
    X, _, X_test = orthogonal()
    y = np.array([1.0, 1.0, 0.5, 1.0])  # what is left in the end is not zero
    delays = np.array([0.0, 2.0, 8.0, 100.0])
    mean, error = at_infinite_width(
        (X, y, X_test),
        t0 + delays,
        t0=t0,
        width=64,
        n_networks=150,
        step_size=0.02,
        T=0.1,
        **params,
    )
    model, rows = NDKRegressor(T=0.1, **params).fit(X, y), np.vstack([X_test, X])
    theory = np.transpose([model.predict_drift(rows, delay, t0) for delay in delays])
    assert np.all(np.abs(mean - theory) <= 4 * error)
    if t0:  # and it moves by more than the simulation can miss
        assert np.abs((theory[:, -1] - theory[:, 0]) / error[:, -1]).max() > 8


def test_hidden_weights_drift_to_their_prior_and_the_readout_stays():
    network = InfiniteNetwork(2, ACTIVATIONS["relu"], 0.1, 1.5, 0.7, 0.3)
    backend = NumpyBackend(np.random.SeedSequence(0).spawn(50))
    networks = FiniteNetworks(network, layer_shapes(6, 2, 30, 2, True), backend)
    readout = networks.weights[-1].copy()
    networks.drift(1e9)
    assert_array_equal(networks.weights[-1], readout)
    for weights in networks.weights[:-1]:
        error = 1.5**2 * np.sqrt(2 / weights.size)
        assert abs(weights.var() - 1.5**2) < 4 * error < 0.2


def test_nothing_drifts_without_noise():
    result = run(T=0.0, t0=0.5, times=[0.5, 3.0])
    assert_array_equal(result.predictions[..., 0], result.predictions[..., 1])


# The finite network itself


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("n_features", [3, 20])  # 20: more than there are inputs
@pytest.mark.parametrize(("activation", "bias"), [("relu", 0.4), ("erf", 0.0)])
def test_initial_outputs_have_the_nngp_covariance(device, n_features, activation, bias):
    if device:
        pytest.importorskip("torch")
    rows = np.random.default_rng(0).standard_normal((5, n_features))
    kernel = {"depth": 2, "activation": activation, "bias": bias}
    result = simulate_langevin(
        rows[:2],
        [1.0, 1.0],
        rows[2:],
        [0.0],
        sigma0=1.3,
        width=64,
        n_networks=4000,
        device=device,
        random_state=0,
        **kernel,
    )
    keys = ("train_predictions", "predictions")
    outputs = np.concatenate([result[key] for key in keys], axis=1)[..., 0]
    expected = 1.3**2 * nngp_kernel(rows, sigma=1.3, **kernel)
    # the covariance of 4000 networks has an error of 2%, with 1 / width another
    assert_allclose(np.cov(outputs.T), expected, atol=0.07 * expected.max())


def test_reduced_inputs_have_the_inner_products_of_the_inputs():
    X = np.random.default_rng(0).standard_normal((6, 50))
    X[5] = X[0] - X[1]
    signals = _input_signals(X, 0.3)
    assert signals.shape == (6, 7)
    assert_allclose(signals @ signals.T, X @ X.T / 50 + 0.3**2, atol=1e-12)


class QuietBackend(NumpyBackend):
    """Double precision, and no noise after the initial weights."""

    dtype = np.float64
    quiet = False

    def fill_normal(self, out):
        super().fill_normal(out)
        if self.quiet:
            out[:] = 0
        self.quiet = True


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("depth", "bias"), [(1, 0.0), (3, 0.7)])
def test_step_follows_the_gradient_of_the_energy(activation, depth, bias):
    rng = np.random.default_rng(0)
    network = InfiniteNetwork(depth, ACTIVATIONS[activation], 0.5, 0.8, 1.0, bias)
    signals, targets = _input_signals(rng.normal(size=(5, 3)), bias), np.eye(5)[:, :2]
    weight = rng.uniform(0.5, 2, (5, 1))
    shapes = layer_shapes(signals.shape[1], depth, 4, 2, bias > 0)
    backend = QuietBackend(np.random.SeedSequence(0).spawn(2))
    networks = FiniteNetworks(network, shapes, backend)

    def energy():
        loss = weight * (networks.outputs(signals) - targets) ** 2
        decay = sum((w**2).sum() for w in networks.weights)
        return loss.sum() / 2 + network.kappa * decay / 2

    before, numerical, eps = [w.copy() for w in networks.weights], [], 1e-6
    for weights in networks.weights:
        gradient = np.empty_like(weights)
        for i in np.ndindex(weights.shape):
            value = weights[i]
            weights[i] = value + eps
            above = energy()
            weights[i] = value - eps
            gradient[i] = (above - energy()) / (2 * eps)
            weights[i] = value
        numerical.append(gradient)
    networks.train(signals, targets, weight, 1e-7)
    for old, new, gradient in zip(before, networks.weights, numerical, strict=True):
        assert_allclose((old - new) / 1e-7, gradient, atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_activations_have_the_duals_they_claim(activation):
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    u = 1.3 * nodes[:, None]
    v = 0.5 * nodes[:, None] + 0.8 * nodes
    weights = np.outer(weights, weights) / (2 * np.pi)
    duals = activation.duals(1.3**2, 0.89, np.array([0.65]))
    for phi, dual in zip((activation, activation.derivative), duals, strict=True):
        assert_allclose((weights * phi(u) * phi(v)).sum(), dual, atol=5e-3)
    slope = (activation(u + 1e-6) - activation(u - 1e-6)) / 2e-6
    assert_allclose(activation.derivative(u), slope, atol=1e-8)


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


def test_activation_of_ones_own():
    X, y, X_test = orthogonal()
    mean, error = at_infinite_width(
        (X, y, X_test), TIMES[:3], width=32, n_networks=100, activation=Sine(), T=0.1
    )
    model = NDKRegressor(activation=Sine(), T=0.1).fit(X, y)
    theory = model.predict_path(np.vstack([X_test, X]), TIMES[:3])
    assert np.all(np.abs(mean - theory) <= 4 * error)


# Steps in time: the statements of the docstring


def rate(X, y, **params):
    """Return the fastest rate, by which the automatic step is 0.05."""
    short = simulate_langevin(X, y, X, [0.0], width=1, n_networks=1, **params)
    return 0.05 / short.step_size


def test_error_of_the_mean_is_of_first_order_in_the_step():
    X, y, X_test = orthogonal()
    network = {"activation": "linear", "T": 0.0}  # equal rates, for orthogonal inputs
    fastest = rate(X, y, **network)
    shares = np.array([1 / 128, 1 / 16, 1 / 8, 1 / 4])  # step times rate
    # the same initial weights at every step; at 1 / rate the error is largest
    runs = [
        mirrored(
            (X, y, X_test),
            [1 / fastest],
            step_size=share / fastest,
            width=200,
            n_networks=10,
            random_state=0,
            **network,
        ).mean(axis=0)
        for share in shares
    ]
    errors = np.array([np.abs(run - runs[0])[2:].mean() for run in runs[1:]])
    order = np.polyfit(np.log(shares[1:]), np.log(errors), 1)[0]
    assert abs(order - 1) < 0.25
    assert_allclose(errors[0], (shares[1] - shares[0]) / (2 * np.e), rtol=0.1)


def test_variance_at_rest_is_too_large_by_half_a_step():
    X, y, T = 2 * np.sqrt(3) * np.eye(1, 3), [1.0], 0.1
    fastest = rate(X, y, T=T) - T
    for share in (0.5, 0.25):
        outputs = simulate_langevin(
            X,
            y,
            X,
            20 + np.arange(0, 1000, 5) * share / fastest,  # whole steps
            T=T,
            width=256,
            n_networks=80,
            step_size=share / fastest,
            random_state=0,
        ).predictions[:, 0]
        variances = ((outputs - outputs.mean()) ** 2).mean(axis=1)
        exact = T * 2 / (2 + T)  # of the Gaussian process with kernel |x|^2 / 2 n = 2
        error = variances.std() / np.sqrt(len(variances))
        assert error < 0.025 * exact
        assert abs(variances.mean() - exact / (1 - share / 2)) < 4 * error


def test_deep_networks_rest_at_the_variance_of_the_nngp():
    X, X_eval = 0.1 * np.eye(1, 2), np.sqrt(2) * np.eye(1, 2, k=1)
    times = 8 + 0.4 * np.arange(250)  # T is one: the step sees the decay alone
    outputs = simulate_langevin(
        X, [0.0], X_eval, times, depth=3, T=1.0, width=64, n_networks=60, random_state=0
    ).predictions[:, 0]
    variances = (outputs**2).mean(axis=1)
    exact = nngp_kernel(X_eval, depth=3)[0, 0]
    error = variances.std() / np.sqrt(len(variances))
    assert error < 0.02 * exact
    assert abs(variances.mean() - exact) < 4 * error


def rate_up_to(end, X, y, **params):
    """Return the fastest rate of training up to some time."""
    run = simulate_langevin(X, y, X, [end], width=1, n_networks=1, **params)
    return 0.05 / run.step_size


def test_automatic_step_is_that_of_the_fastest_time():
    X, y, _ = digits()
    slow, fast = {"T": 0.1, "sigma0": 0.5}, {"T": 0.1, "sigma0": 1.5}
    settled = rate_up_to(200.0, X, y, **slow)
    assert settled == pytest.approx(rate(X, y, T=0.1), rel=1e-6)
    assert rate(X, y, **slow) < rate_up_to(1.0, X, y, **slow) < settled
    assert rate(X, y, **fast) > 2 * settled
    assert rate_up_to(9.0, X, y, **fast) == pytest.approx(rate(X, y, **fast))
    frozen = rate_up_to(200.0, X, y, **slow, t0=1.0)  # training ends at t0
    assert frozen == pytest.approx(rate_up_to(1.0, X, y, **slow))
    doubled = rate(X, y, **fast, sample_weight=np.full(30, 2.0))
    assert doubled - 0.1 == pytest.approx(2 * (rate(X, y, **fast) - 0.1))
    zero = simulate_langevin(0 * X, y, X, [1.0], T=0.0, width=2, random_state=0)
    assert zero.step_size > 0
    simulate_langevin(0 * X, y, X, [9.0], T=0.0, width=2, step_size=5.0)  # nor is 5
    assert np.all(zero.train_predictions == 0)


@pytest.mark.parametrize("activation", ["linear", "erf", "relu"])
def test_automatic_step_sees_the_fastest_mode_of_symmetric_inputs(activation):
    cube = np.array(list(product([-1.0, 1.0], repeat=3)))
    ntk = ntk_kernel(cube, activation=activation)
    fastest = rate(cube, np.ones(8), activation=activation, T=0.01)
    assert fastest == pytest.approx(np.linalg.eigvalsh(ntk)[-1] + 0.01, rel=0.1)


class DoubleBackend(NumpyBackend):
    """Double precision, with the random numbers of single precision."""

    dtype = np.float64

    def fill_normal(self, out):
        for generator, row in zip(self._generators, out, strict=True):
            row[:] = generator.standard_normal(row.shape, dtype=np.float32)


def test_single_precision_loses_no_small_changes(monkeypatch):
    X, y = [[1.0]], [1.0]
    settings = {"T": 1e-4, "width": 64, "n_networks": 4, "step_size": 1e-6}
    outputs = []
    for backend in (NumpyBackend, DoubleBackend):
        monkeypatch.setattr(_simulation, "NumpyBackend", backend)
        result = simulate_langevin(X, y, X, [5e-3], random_state=0, **settings)
        outputs.append(result.predictions)
    # gradients move a weight by 1e-7 a step, which single precision cannot hold
    assert_allclose(outputs[0], outputs[1], atol=1e-5)


# Reproducibility, shapes, order


def run(times=(0.5, 1.0), data=orthogonal, **params):
    X, y, X_test = data()
    defaults = {"T": 0.1, "width": 9, "n_networks": 5, "random_state": 0}
    return simulate_langevin(X, y, X_test, times, **defaults | params)


def assert_same(one, other):
    assert_array_equal(one.predictions, other.predictions)
    assert_array_equal(one.train_predictions, other.train_predictions)


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_batches_and_jobs_change_no_bit(activation, monkeypatch):
    network = {"activation": activation, "depth": 2, "bias": 0.3, "data": digits}
    network["times"] = [0.1]
    one = run(**network)
    assert_same(run(**network, n_jobs=2), one)
    assert_array_equal(run(**network, n_networks=7).predictions[:5], one.predictions)
    monkeypatch.setattr(NumpyBackend, "batch_bytes", 1)
    assert_same(run(**network), one)


def test_random_state():
    one = run()
    assert_same(run(random_state=np.random.RandomState(0)), one)
    assert not np.any(run(random_state=1).predictions == one.predictions)
    assert not np.any(one.predictions[0] == one.predictions[1])
    assert not np.any(run(random_state=None).predictions == one.predictions)


@pytest.mark.parametrize("T", [0.0, 0.1])
def test_recording_does_not_disturb(T):
    often = run(times=[1.0, 0.25, 0.5, 0.25], T=T, step_size=0.03125)
    once = run(times=[1.0], T=T, step_size=0.03125)
    assert_array_equal(often.times, [1.0, 0.25, 0.5, 0.25])
    assert_array_equal(often.predictions[..., 0], once.predictions[..., 0])
    assert_array_equal(often.predictions[..., 1], often.predictions[..., 3])
    assert np.any(often.predictions[..., 1] != often.predictions[..., 2])


def test_drift_begins_between_recorded_times():
    settings = {"T": 0.1, "t0": 1.0, "step_size": 0.03125}
    across = run(times=[0.5, 3.0], **settings).predictions
    assert_array_equal(
        across[..., 1], run(times=[1.0, 3.0], **settings).predictions[..., 1]
    )
    assert np.any(across[..., 1] != run(times=[1.0], **settings).predictions[..., 0])


def test_rows_evaluated_in_parts_are_the_same(monkeypatch):
    whole = run(times=[0.5])
    monkeypatch.setattr(_finite_network, "_MAX_ROWS", 2)
    parts = run(times=[0.5])
    assert_allclose(parts.predictions, whole.predictions, rtol=1e-5)
    assert_allclose(parts.train_predictions, whole.train_predictions, rtol=1e-5)


def test_shapes():
    one, two = run(), run(data=two_outputs)
    assert one.predictions.shape == (5, 2, 2)
    assert one.train_predictions.shape == (5, 4, 2)
    assert two.predictions.shape == (5, 2, 2, 2)
    assert two.train_predictions.shape == (5, 4, 2, 2)
    assert isinstance(one.step_size, float)


def test_samples_without_weight_take_no_part():
    X, y, X_test = orthogonal()
    params = {"T": 0.0, "random_state": 0, "step_size": 0.05}
    weighted = simulate_langevin(
        X, y, X_test, [1.0], sample_weight=[1, 1, 0, 1], **params
    )
    other = np.where([0, 0, 1, 0], 9.0, y)
    changed = simulate_langevin(
        X, other, X_test, [1.0], sample_weight=[1, 1, 0, 1], **params
    )
    assert_same(weighted, changed)


def test_memory_is_bounded_whatever_the_number_of_rows():
    X, y, X_test = orthogonal()
    peaks = []
    for n_rows in (300, 30_000):
        rows = np.resize(X_test, (n_rows, X.shape[1]))
        tracemalloc.start()
        simulate_langevin(X, y, rows, [0.0], width=100, n_networks=200)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # the outputs, twice in double precision and once in single
    assert peaks[1] - peaks[0] < 1.3 * 30_000 * 200 * 20
    assert peaks[0] < 1.5 * NumpyBackend.batch_bytes


@pytest.mark.parametrize("n_samples", [3, 1000])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_memory_of_a_network_is_foreseen(n_samples, depth, activation):
    network = InfiniteNetwork(depth, ACTIVATIONS[activation], 0.1, 1.0, 1.0, 0.0)
    shapes = layer_shapes(5, depth, 100, 1, False)
    signals = np.ones((n_samples, 5), np.float32)
    tracemalloc.start()
    backend = NumpyBackend(np.random.SeedSequence(0).spawn(4))
    FiniteNetworks(network, shapes, backend).train(
        signals, signals[:, :1], signals[:, :1], 1e-3
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    foreseen = 4 * bytes_per_network(shapes, n_samples, n_samples)
    assert 0.4 < peak / (foreseen + 20_000) < 1.1


def test_progress_is_told(capsys):
    run(verbose=1, times=[1.0], step_size=0.1)
    assert "5 networks in 1 batches, each of 10 steps" in capsys.readouterr().out


# PyTorch


def test_torch_has_the_same_law():
    pytest.importorskip("torch")
    X, y, X_test = orthogonal()
    for params in ({"bias": 0.5}, {"activation": "erf", "depth": 2}):
        shared = {"T": 0.1, "t0": 1.0, "width": 12, "n_networks": 400} | params
        means, variances = [], []
        for seed, device in enumerate([None, "cpu"]):
            result = simulate_langevin(
                X,
                y,
                X_test,
                [0.0, 1.0, 4.0],
                device=device,
                random_state=seed,
                step_size=0.05,
                **shared,
            )
            means.append(result.predictions.mean(axis=0))
            variances.append(result.predictions.var(axis=0))
        error = np.sqrt(sum(variances) / 400)
        assert np.all(np.abs(means[0] - means[1]) < 4 * error)
        # a variance of 400 networks has an error of 7%, and heavier tails add to it
        assert_allclose(variances[0], variances[1], rtol=0.35)


def test_torch_draws_anew_for_each_batch(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(TorchBackend, "batch_bytes", 1)
    outputs = run(device="cpu", times=[0.0]).predictions[:, 0, 0]
    assert len(np.unique(outputs)) == len(outputs) == 5


def test_torch_is_reproducible():
    pytest.importorskip("torch")
    assert_same(run(device="cpu"), run(device="cpu"))
    with parallel_config(n_jobs=2):  # one after another all the same
        assert_same(run(device="cpu"), run(device="cpu", n_jobs=2))
    other = run(device="cpu", random_state=1)
    assert not np.any(other.predictions == run(device="cpu").predictions)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_activations_are_the_same_for_torch(activation):
    torch = pytest.importorskip("torch")
    z = np.linspace(-3, 3, 7, dtype=np.float32)
    for phi in (activation, activation.derivative):
        assert_allclose(phi(torch.asarray(z)).numpy(), phi(z), rtol=1e-5)
        assert phi(z).dtype in (np.float32, bool)


def test_torch_device_is_told():
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="PyTorch cannot use device='abacus'"):
        run(device="abacus")


def test_missing_torch_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    message = r"device='cpu' needs PyTorch: pip install sklearn-ndk\[torch\]"
    with pytest.raises(ImportError, match=message):
        run(device="cpu")


# Bad input


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("depth", 0, r"an int in the range \[1, inf\)"),
        ("activation", "tanhh", "a str among"),
        ("T", -0.1, r"a float in the range \[0.0, inf\)"),
        ("sigma", 0.0, r"a float in the range \(0.0, inf\)"),
        ("sigma0", NAN, r"a float in the range \(0.0, inf\)"),
        ("bias", -1.0, r"a float in the range \[0.0, inf\)"),
        ("width", 0, r"an int in the range \[1, inf\)"),
        ("n_networks", 0, r"an int in the range \[1, inf\)"),
        ("t0", -1.0, r"a float in the range \[0.0, inf\]"),
        ("t0", NAN, r"a float in the range \[0.0, inf\]"),
        ("step_size", 0.0, r"'auto'.* or a float in the range \(0.0, inf\)"),
        ("step_size", "short", r"'auto'"),
        ("device", 3, "an instance of 'str' or None"),
        ("random_state", "x", "RandomState"),
        ("times", 3.0, "array-like"),
    ],
)
def test_bad_parameters_are_told(name, value, allowed):
    message = f"The '{name}' parameter of simulate_langevin must be .*{allowed}"
    with pytest.raises(ValueError, match=message):
        run(**{name: value})


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, -2.0], r"times must be in \[0, inf\]; got -2.0 among them"),
        ([NAN], r"times must be in \[0, inf\]; got nan among them"),
        ([1.0, INF], "times of a simulation must be finite; got inf among them"),
        ([[1.0, 2.0]], r"times must be a 1-D array.* got shape \(1, 2\)"),
        ([], "times must be a 1-D array of at least one time"),
    ],
)
def test_bad_times_are_told(times, message):
    with pytest.raises(ValueError, match=message):
        run(times=times)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": [[1.0, NAN]]}, "Input X contains NaN"),
        ({"X": [1.0, 2.0]}, "Expected 2D array, got 1D array"),
        ({"y": [INF]}, "Input y contains infinity"),
        ({"y": [1.0, 2.0]}, "inconsistent numbers of samples"),
        ({"y": ["ant"]}, "could not convert string to float"),
        ({"X_eval": [[1.0]]}, "X_eval has 1 features, but X has 2 features"),
        ({"X_eval": [[1.0, INF]]}, "Input X_eval contains infinity"),
        ({"X": [[1e40, 0.0]]}, "X has values that exceed single precision"),
        ({"y": [1e39]}, "y has values that exceed single precision"),
        ({"sample_weight": [-1.0]}, "Negative values in data passed to `sample_w"),
        ({"sample_weight": [0.0]}, "ample.weights? .*zero"),
        ({"sample_weight": [1.0, 1.0]}, "sample_weight.shape"),
    ],
    ids=str,
)
def test_bad_data_are_told(changed, message):
    data = {"X": [[1.0, 0.5]], "y": [1.0], "X_eval": [[0.0, 1.0]], "times": [1.0]}
    with pytest.raises(ValueError, match=message):
        simulate_langevin(**data | changed)


@pytest.mark.parametrize("method", ["__call__", "derivative"])
def test_activation_without_a_method_is_told(method):
    class Lacking(Sine):
        pass

    setattr(Lacking, method, getattr(Activation, method))
    message = rf"need the method {method}\(z\).* Lacking\(\) does not define it"
    with pytest.raises(TypeError, match=message):
        run(activation=Lacking())


def test_unstable_step_is_refused():
    X, y, _ = orthogonal()
    limit = 2 / rate(X, y, T=0.1)
    run(step_size=0.9 * limit)
    with pytest.raises(ValueError, match=r"step_size=.* is too long: .* at most"):
        run(step_size=1.01 * limit)


def test_endless_simulations_are_told(monkeypatch):
    monkeypatch.setattr(_simulation, "_MANY_STEPS", 10)
    run(times=[1.0], step_size=0.1)
    run(times=[9.0], step_size=0.1, t0=1.0)
    with pytest.warns(UserWarning, match=r"takes 1.1e\+01 steps of 1.0e-01 .* Scale X"):
        run(times=[1.1], step_size=0.1)


def test_divergence_is_told():
    X, y, X_test = orthogonal()
    with pytest.raises(ValueError, match=r"diverged before t=9 with step_size"):
        simulate_langevin(X, 1e6 * y, X_test, [9.0], activation="linear", width=2)
