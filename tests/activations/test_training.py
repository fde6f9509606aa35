"""Training of networks with activations of all kinds, against oracles."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles.brute_force import Kernel, Resolution, brute_force

from sklearn_ndk import NDKRegressor
from sklearn_ndk.activations import ELU, LeakyReLU, RectifiedMonomial, Tanh
from sklearn_ndk.activations._registry import get_activation
from sklearn_ndk.kernels._network import InfiniteNetwork

COARSE = Resolution(n_nodes=7, n_points=20, ratio=2.0, max_change=1.0)
X = np.random.default_rng(0).standard_normal((4, 3))
Y = np.array([1.0, -0.5, 0.3, -1.0])
ROWS = np.vstack([X[:1], np.random.default_rng(1).standard_normal((2, 3))])
ANY = [Tanh(), ELU(), LeakyReLU(0.3), RectifiedMonomial(2)]


@pytest.mark.parametrize("activation", [*ANY, "gelu", "sin", "rbf", "abs"], ids=str)
@pytest.mark.parametrize("sigma0", [1.0, 1.2])
def test_trajectories_are_those_of_brute_force(activation, sigma0):
    params = {"T": 0.1, "sigma": 1.0, "sigma0": sigma0, "bias": 0.3}
    model = NDKRegressor(activation=activation, t=1.0, tol=1e-5, **params).fit(X, Y)
    network = InfiniteNetwork(1, get_activation(activation), **params)
    times = np.array([0.1, 1.0, 8.0])
    expected = brute_force(Kernel.of(network), X, Y, ROWS, times, resolution=COARSE)
    assert_allclose(model.predict_path(ROWS, times), expected, atol=5e-5)
