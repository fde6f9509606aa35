"""The activations: their duals, and what is asked of one from outside."""

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from numpy.testing import assert_allclose
from scipy.special import erf

from sklearn_ndk.kernels import Activation, nngp_kernel
from sklearn_ndk.kernels._activations import ACTIVATIONS

FUNCTIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "erf": (erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2))),
    "linear": (lambda z: z, np.ones_like),
}


def rows(n=12, d=5, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("name", list(ACTIVATIONS))
@pytest.mark.parametrize(("a", "d", "r"), [(1, 1, 0.5), (0.3, 2, -0.8), (4, 0.1, 0.97)])
def test_duals_are_gaussian_expectations(name, a, d, r):
    x, w = hermegauss(200)
    u = np.sqrt(a) * x[:, None]
    v = np.sqrt(d) * (r * x[:, None] + np.sqrt(1 - r**2) * x)
    weight = w[:, None] * w / (2 * np.pi)
    cov = np.array([[r * np.sqrt(a * d)]])
    duals = ACTIVATIONS[name].duals(np.array([[a]]), np.array([[d]]), cov)
    tolerance = 5e-3 if name == "relu" else 1e-8  # relu' jumps between grid points
    for function, dual in zip(FUNCTIONS[name], duals, strict=True):
        expected = np.sum(weight * function(u) * function(v))
        assert_allclose(dual[0, 0], expected, atol=tolerance)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_second_moment_is_the_dual_with_itself(name):
    var = np.geomspace(1e-300, 1e300, 61)
    dual = ACTIVATIONS[name].duals(var, var, var)[0]
    assert_allclose(ACTIVATIONS[name].second_moment(var), dual, rtol=1e-14)


def test_an_activation_is_one_small_object():
    class Shifted(Activation):
        name, homogeneous = "half relu", True

        def duals(self, var_u, var_v, cov):
            return tuple(d / 4 for d in ACTIVATIONS["relu"].duals(var_u, var_v, cov))

    X = rows()
    assert_allclose(nngp_kernel(X, activation=Shifted()), nngp_kernel(X) / 4)
