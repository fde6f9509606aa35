"""Gradient flow with a kernel matrix: right, or told how wrong it may be."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles.exact_limits import flow_fit, gram
from scipy.linalg import expm

from sklearn_ndk.dynamics._gradient_flow import GradientFlow

TOL = 1e-6


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_gradient_flow_is_the_matrix_exponential():
    X, y = rows(8), rows(2, 8, seed=1)
    theta = X @ X.T + np.eye(8)
    flow = GradientFlow(theta.copy, y)
    duals = flow.duals(np.array([0.0, 0.3, 2.0, np.inf])).values
    for i, t in enumerate((0.0, 0.3, 2.0)):
        expected = np.linalg.solve(theta, (np.eye(8) - expm(-theta * t)) @ y.T).T
        assert_allclose(duals[:, i], expected, atol=1e-13)
    assert_allclose(duals[:, 3], np.linalg.solve(theta, y.T).T, rtol=1e-10)


def test_gradient_flow_of_a_singular_kernel_stays_finite():
    X = rows(8, 3)  # rank 3
    kernel, y = X @ X.T, rows(1, 8, seed=1)
    for t in (1.0, 1e6, 1e30, np.inf):
        flow = GradientFlow(kernel.copy, y)
        dual = flow.duals(np.array([t])).values[:, 0]
        assert np.all(np.isfinite(dual))
    least_norm = (np.linalg.pinv(kernel) @ y.T).T
    assert_allclose(dual @ kernel, least_norm @ kernel, atol=1e-9)


def test_error_of_a_singular_kernel_depends_on_whether_its_rank_is_known():
    kernel, y = gram(rows(8, 3)), rows(1, 8, seed=1)
    late = np.array([1e20])
    assert GradientFlow(kernel.copy, y, rank=lambda: 3).duals(late).error < TOL
    assert GradientFlow(kernel.copy, y).duals(late).error > 0.1
    # before rounding errors count, nothing need be known
    assert GradientFlow(kernel.copy, y).duals(np.array([1.0])).error < TOL


@pytest.mark.parametrize("t", [1e2, 1e10, 1e18, 1e19, 1e25, 1e26, 1e28, np.inf])
def test_small_rows_are_learned_in_their_own_time(t):
    size = np.array([1.0, 0.3, 1e-9, 1e-13])
    G, y = rows(4, 6) * size[:, None], rows(1, 4, seed=1) * size
    solved = GradientFlow(lambda: gram(G), y).duals(np.array([t]))
    fit = solved.values[:, 0] @ gram(G)
    assert solved.error < TOL
    assert_allclose(fit / size, flow_fit(G, t, y) / size, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_every_row_is_right_relative_to_its_size(seed):
    # as weights of samples scale rows: light samples are learned as others are
    rng = np.random.default_rng(seed)
    size = 10 ** rng.uniform(-14, 0, 5)
    G, y = rng.standard_normal((5, 7)) * size[:, None], rng.standard_normal((1, 5))
    y *= size
    for t in 10 ** rng.uniform(2, 28, 3):
        solved = GradientFlow(lambda: gram(G), y).duals(np.array([t]))
        fit = solved.values[:, 0] @ gram(G)
        assert_allclose(fit / size, flow_fit(G, t, y) / size, atol=TOL / 10)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_kernels_of_any_scale(scale):
    G, y = rows(6, 3), rows(1, 6, seed=1)
    times = np.array([0.0, 0.1, 10.0, 1e18, np.inf])
    flow = GradientFlow(lambda: gram(G) * scale, y, rank=lambda: 3)
    solved = flow.duals(times / scale)
    expected = np.array([flow_fit(G, t, y)[0] for t in times])
    assert solved.error < TOL
    assert_allclose((solved.values @ (gram(G) * scale))[0], expected, atol=1e-7)


@pytest.mark.parametrize("seed", range(60))
def test_right_or_told(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 8, 2)
    G = rng.standard_normal((n, m)) * 10 ** rng.uniform(-6, 6, m)
    G *= 10 ** rng.uniform(-4, 4, (n, 1)) ** rng.integers(2)
    y = rng.standard_normal((1, n))
    kernel = gram(G)
    times = 10 ** rng.uniform(-1, 25, 4) / np.trace(kernel)
    flow = GradientFlow(kernel.copy, y, tol=TOL, rank=lambda: min(n, m))
    for t in (*times, np.inf):
        solved = flow.duals(np.array([t]))
        fit, size = solved.values[:, 0] @ kernel, np.linalg.norm(y)
        error = np.linalg.norm(fit - flow_fit(G, t, y)) / size
        assert error <= max(TOL, 3 * solved.error)
        assert np.linalg.norm(fit) <= (1 + max(1e-9, solved.error)) * size
