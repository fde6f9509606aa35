"""The equilibrium from a kernel matrix: right, or told how wrong it may be."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles.exact_limits import gram, ridge_fit

from sklearn_ndk.dynamics._equilibrium import ridge_duals

TOL = 1e-6


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def solve(kernel, ridge, targets, **accuracy):
    return ridge_duals(kernel.copy(), ridge, targets, **accuracy)


@pytest.mark.parametrize("ridge", [0.0, 1e-18, 0.1])
def test_ridge_duals_also_of_a_singular_kernel(ridge):
    X = rows(8, 3)
    kernel, y = X @ X.T, rows(1, 3, seed=1) @ X.T  # y in the range
    duals = solve(kernel, ridge, y).values
    assert np.all(np.isfinite(duals))
    assert_allclose(duals @ kernel + ridge * duals, y, atol=1e-9)


def test_error_is_small_where_the_kernel_is_well_conditioned():
    G, y = rows(8, 20), rows(2, 8, seed=1)
    solved = solve(gram(G), 0.1, y)
    assert solved.error < 1e-12
    assert_allclose(solved.values @ gram(G), ridge_fit(G, 0.1, y), atol=1e-13)


@pytest.mark.parametrize("ridge", [1e-12, 1e-16, 1e-18, 1e-300])
def test_vanishing_ridge_is_least_squares_of_least_norm(ridge):
    G, y = rows(50, 2), rows(1, 50, seed=1)  # most of y is not in the range
    solved = solve(gram(G), ridge, y, rank=lambda: 2)
    expected = np.linalg.lstsq(G, y[0], rcond=None)[0]
    assert solved.error < TOL  # nothing is hidden: the rank is known
    assert_allclose(solved.values @ G, [expected], atol=1e-7)
    limit = solve(gram(G), 0.0, y, rank=lambda: 2)
    assert_allclose(solved.values @ G, limit.values @ G, atol=1e-7)


def test_eigenvalues_hidden_by_rounding_are_told():
    G, y = rows(50, 2), rows(1, 50, seed=1)
    assert solve(gram(G), 1e-18, y).error > 0.1


def test_rows_of_any_size_are_interpolated_without_ridge():
    # sizes of rows: those of inputs, and roots of sample weights
    unit = rows(6, 9)
    for size in (np.geomspace(1, 1e-9, 6), np.geomspace(1e-4, 1e4, 6)):
        G = unit * size[:, None]
        y = rows(1, 6, seed=1) * size
        solved = solve(gram(G), 0.0, y)
        assert solved.error < TOL
        assert_allclose(solved.values @ gram(G) / size, y / size, rtol=1e-9)


def test_rows_too_small_to_learn_do_not_spoil_the_others():
    # to learn y = 1 of a row of 1e-18, duals are such that their rounding errors
    # at rows of size one would be hundreds of times y
    G, y = rows(4, 6) * np.array([[1.0], [1.0], [1.0], [1e-18]]), np.ones((1, 4))
    solved = solve(gram(G), 0.0, y)
    assert solved.error < 1
    assert_allclose((solved.values @ gram(G))[:, :3], y[:, :3], atol=1e-9)


def test_least_squares_weighs_rows_of_any_size_alike():
    # the scaling that makes rows comparable must not change what is minimised
    G, y = rows(9, 2) * np.geomspace(1, 1e-4, 9)[:, None], rows(1, 9, seed=1)
    solved = solve(gram(G), 0.0, y, rank=lambda: 2)
    fit = solved.values @ gram(G)
    assert_allclose(fit, ridge_fit(G, 0.0, y), atol=1e-7)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("ridge", [0.0, 0.1, 1e-20])
def test_kernels_of_any_scale(scale, ridge):
    for G in (rows(6, 9), rows(6, 2)):
        kernel, y = gram(G), rows(1, 6, seed=1)
        rank = {"rank": lambda G=G: min(G.shape)}
        solved = solve(kernel * scale, ridge * scale, y, **rank)
        expected = solve(kernel, ridge, y, **rank)
        fit = solved.values @ (kernel * scale)
        assert_allclose(fit, expected.values @ kernel, atol=1e-7)
        assert_allclose(solved.error, expected.error, rtol=10, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_targets_of_any_scale(scale):
    G, y = rows(6, 2), rows(1, 6, seed=1)
    expected = solve(gram(G), 1e-18, y)
    solved = solve(gram(G), 1e-18, y * scale)
    assert_allclose(solved.error, expected.error, rtol=1e-6)
    assert_allclose(solved.values / scale, expected.values, rtol=1e-6)


def test_nothing_is_learned_of_a_kernel_or_targets_of_zero():
    for kernel, y in ((np.zeros((3, 3)), np.ones((1, 3))), (np.eye(3), np.zeros(3))):
        solved = solve(kernel, 0.0, np.atleast_2d(y))
        assert not np.any(solved.values)
        assert solved.error == 0


@pytest.mark.parametrize("seed", range(60))
def test_right_or_told(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 8, 2)
    G = rng.standard_normal((n, m)) * 10 ** rng.uniform(-6, 6, m)
    G *= 10 ** rng.uniform(-4, 4, (n, 1)) ** rng.integers(2)
    y = rng.standard_normal((1, n))
    ridge = 10 ** rng.uniform(-20, 3)
    solved = solve(gram(G), ridge, y, tol=TOL, rank=lambda: min(n, m))
    fit, size = solved.values @ gram(G), np.linalg.norm(y)
    error = np.linalg.norm(fit - ridge_fit(G, ridge, y)) / size
    assert error <= max(TOL, 3 * solved.error)
    assert np.linalg.norm(fit) <= (1 + max(1e-9, solved.error)) * size
