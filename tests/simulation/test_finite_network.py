"""A batch of finite networks: its law, its gradients and its memory."""

import tracemalloc

import numpy as np
import pytest
from named_activations import DEEP_WITH_NTK, WITH_NTK
from numpy.testing import assert_allclose, assert_array_equal
from simulated import (
    orthogonal,
)

from sklearn_ndk.activations._registry import ACTIVATIONS, get_activation
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.simulation._backends import NumpyBackend
from sklearn_ndk.simulation._finite_network import (
    FiniteNetworks,
    bytes_per_network,
    input_signals,
    layer_shapes,
)


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


def test_reduced_inputs_have_the_inner_products_of_the_inputs():
    X = np.random.default_rng(0).standard_normal((6, 50))
    X[5] = X[0] - X[1]
    signals = input_signals(X, 0.3)
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


@pytest.mark.parametrize(
    ("activation", "depth", "bias"),
    [(name, 1, 0.0) for name in WITH_NTK] + [(name, 3, 0.7) for name in DEEP_WITH_NTK],
)
def test_step_follows_the_gradient_of_the_energy(activation, depth, bias):
    rng = np.random.default_rng(0)
    network = InfiniteNetwork(depth, get_activation(activation), 0.5, 0.8, 1.0, bias)
    signals, targets = input_signals(rng.normal(size=(5, 3)), bias), np.eye(5)[:, :2]
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


@pytest.mark.parametrize("activation", WITH_NTK, ids=str)
def test_activations_have_the_duals_they_claim(activation):
    activation = get_activation(activation)
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    u = 1.3 * nodes[:, None]
    v = 0.5 * nodes[:, None] + 0.8 * nodes
    weights = np.outer(weights, weights) / (2 * np.pi)
    duals = activation.duals(1.3**2, 0.89, np.array([0.65]))
    for phi, dual in zip((activation, activation.derivative), duals, strict=True):
        assert_allclose((weights * phi(u) * phi(v)).sum(), dual, atol=5e-3)
    slope = (activation(u + 1e-6) - activation(u - 1e-6)) / 2e-6
    assert_allclose(activation.derivative(u), slope, atol=1e-8)


def test_rows_evaluated_in_parts_are_the_same():
    X, _, X_test = orthogonal()
    signals = input_signals(np.vstack([X, X_test]), 0.0)
    network = InfiniteNetwork(1, ACTIVATIONS["relu"], 0.1)
    shapes = layer_shapes(signals.shape[1], 1, 9, 1, False)
    backend = NumpyBackend(np.random.SeedSequence(0).spawn(5))
    networks = FiniteNetworks(network, shapes, backend)
    signals = backend.asarray(signals)
    whole = networks.outputs(signals)
    assert np.all(whole != 0)
    for max_rows in (1, 2, 4):  # the last leaves a rest
        parts = networks.outputs(signals, max_rows=max_rows)
        assert_allclose(parts, whole, rtol=1e-5)


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
