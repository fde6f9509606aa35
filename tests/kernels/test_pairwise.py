"""The pairwise kernels: against definitions, limits, symmetries and bad scales."""

import numpy as np
import pytest
from named_activations import AT_ANY_DEPTH, DEEP_WITH_NTK
from numpy.testing import assert_allclose
from oracles.golden import GOLDEN, GOLDEN_CASES, PARAMETERS

from sklearn_ndk.activations._registry import ACTIVATIONS
from sklearn_ndk.kernels import (
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
    two_time_nngp_kernel,
)


def rows(n=12, d=5, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("case", GOLDEN_CASES, ids=lambda case: case["name"])
def test_golden_kernels(case):
    data = {key: GOLDEN[f"{case['name']}/{key}"] for key in ("X", "Xs", "pairs")}
    parameters = {name: case[name] for name in PARAMETERS}
    for i, (t, t_prime) in enumerate(data["pairs"]):
        times = {"t": t, "t_prime": t_prime}
        for kernel, key in ((two_time_nngp_kernel, "K"), (ndk_kernel, "NDK")):
            got = kernel(data["Xs"], data["X"], **times, **parameters)
            assert_allclose(got, GOLDEN[f"{case['name']}/{key}"][i], rtol=1e-10)


@pytest.mark.parametrize("activation", DEEP_WITH_NTK)
@pytest.mark.parametrize("bias", [0.0, 0.4])
def test_ndk_joins_ntk_and_nngp(activation, bias):
    shared = {"depth": 3, "activation": activation, "bias": bias}
    X, Y = rows(), rows(7, seed=1)
    start = ndk_kernel(X, Y, t=0, t_prime=0, T=0.3, sigma0=1.3, **shared)
    assert_allclose(start, ntk_kernel(X, Y, sigma0=1.3, **shared), rtol=1e-12)
    rest = {"t": np.inf, "t_prime": np.inf, "sigma0": 0.6, "sigma": 1.2}
    equilibrium = two_time_nngp_kernel(X, Y, T=0.3, **rest, **shared) + bias**2
    assert_allclose(equilibrium, nngp_kernel(X, Y, sigma=1.2, **shared), rtol=1e-12)
    far = {"t": 1e4, "t_prime": 5e3, "sigma": 1.2, "T": 0.3}
    distant = two_time_nngp_kernel(X, Y, **far, **shared)
    assert_allclose(distant, mean_kernel(X, Y, sigma=1.2, **shared), atol=1e-12)


@pytest.mark.parametrize("activation", DEEP_WITH_NTK)
def test_exchange_of_inputs_and_times_is_a_symmetry(activation):
    X, Y = rows(), rows(7, seed=1)
    shared = {"depth": 2, "activation": activation, "sigma0": 1.7, "bias": 0.2}
    one = ndk_kernel(X, Y, t=30.0, t_prime=4.0, **shared)
    other = ndk_kernel(Y, X, t=4.0, t_prime=30.0, **shared)
    assert_allclose(one, other.T, rtol=1e-12)


@pytest.mark.parametrize("activation", DEEP_WITH_NTK)
def test_equal_standard_deviations_make_a_stationary_kernel(activation):
    X = rows()
    shared = {"depth": 2, "activation": activation, "sigma": 0.8, "sigma0": 0.8}
    early = ndk_kernel(X, t=13.0, t_prime=1.0, **shared)
    late = ndk_kernel(X, t=112.0, t_prime=100.0, **shared)
    assert_allclose(early, late, rtol=1e-12)


@pytest.mark.parametrize("activation", DEEP_WITH_NTK)
@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_integral_of_the_stationary_kernel_is_nngp_over_ridge(activation, bias):
    # identity (17), with lags u^2: the kernel has a kink at lag zero
    shared = {"depth": 2, "activation": activation, "sigma": 1.2, "bias": bias}
    X, T = rows(6), 0.5
    x, w = np.polynomial.legendre.leggauss(80)
    u, weight = 5 * (x + 1), 5 * w * 10 * (x + 1)
    start = 1e3  # the past of the initial weights is forgotten
    total = sum(
        wi * ndk_kernel(X, t=start + ui**2, t_prime=start, T=T, sigma0=0.5, **shared)
        for ui, wi in zip(u, weight, strict=True)
    )
    ridge = T / 1.2**2
    assert_allclose(total * ridge, nngp_kernel(X, **shared), rtol=1e-7)


def test_diagonal_has_its_closed_form():
    X = np.r_[rows(), 1e-150 * rows(2), 1e150 * rows(2)]
    k = np.einsum("ij,ij->i", X / np.sqrt(5), X / np.sqrt(5))
    assert_allclose(np.diag(nngp_kernel(X, depth=3)), k / 8, rtol=1e-12)
    assert_allclose(np.diag(ntk_kernel(X, depth=3)), 4 * k / 8, rtol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "activation"),
    [(kernel, name) for kernel in (nngp_kernel, mean_kernel) for name in AT_ANY_DEPTH]
    + [(ntk_kernel, name) for name in DEEP_WITH_NTK],
)
def test_degenerate_rows_are_finite_and_right(kernel, activation):
    x = rows(1)
    X = np.vstack([x, x, -x, 0 * x, 1e-150 * x, 1e150 * x, 3 * x])
    K = kernel(X, X.copy(), depth=2, activation=activation)
    assert np.all(np.isfinite(K))
    assert_allclose(K[0, :2], K[1, :2], rtol=1e-15)
    assert_allclose(K[0, 1], kernel(x, depth=2, activation=activation)[0, 0], rtol=1e-9)
    phi = ACTIVATIONS[activation]
    if phi(np.zeros(1)) == 0:
        assert_allclose(K[3], 0, atol=1e-300)
    if phi.parity and kernel is not mean_kernel:
        assert_allclose(K[0, 2], phi.parity * K[0, 1], rtol=1e-12)
    if phi.homogeneous:
        assert_allclose(K[0, 5], 1e150 * K[0, 0], rtol=1e-12)
        assert_allclose(K[0, 4], 1e-150 * K[0, 0], rtol=1e-12)
        assert_allclose(K[0, 6], 3 * K[0, 0], rtol=1e-12)


def test_antiparallel_rows_have_the_exact_relu_kernel():
    x = rows(1)
    # relu(u) relu(-u) = 0, and then the second layer sees uncorrelated inputs
    assert_allclose(nngp_kernel(x, -x), 0, atol=1e-17)
    k = (x**2).mean() / 2
    assert_allclose(nngp_kernel(x, -x, depth=2), k / (2 * np.pi), rtol=1e-12)


def test_single_precision_in_gives_single_precision_out():
    X = rows().astype(np.float32)
    for kernel in (nngp_kernel, ntk_kernel):
        K = kernel(X, activation="erf", depth=2)
        assert K.dtype == np.float32
        assert_allclose(
            K, kernel(X.astype(float), activation="erf", depth=2), rtol=1e-4
        )


@pytest.mark.parametrize("activation", DEEP_WITH_NTK)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ntk_and_nngp_in_one_pass_are_those_of_two(activation, dtype):
    X, Y = rows(6).astype(dtype), rows(4, seed=1).astype(dtype)
    network = {"depth": 3, "activation": activation, "bias": 0.3}
    for other in (None, Y):
        ntk, nngp = ntk_kernel(X, other, sigma0=1.3, return_nngp=True, **network)
        assert ntk.dtype == nngp.dtype == dtype
        assert_allclose(ntk, ntk_kernel(X, other, sigma0=1.3, **network), rtol=1e-7)
        assert_allclose(nngp, nngp_kernel(X, other, sigma=1.3, **network), rtol=1e-7)
