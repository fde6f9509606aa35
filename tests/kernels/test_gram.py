"""Norms and angles of rows: any scale, and the angle of nearly parallel ones."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles.precise_kernels import precise_ntk

from sklearn_ndk.kernels import ndk_kernel, nngp_kernel, ntk_kernel
from sklearn_ndk.kernels._gram import gram_matrix


def test_angle_between_nearly_parallel_rows_is_resolved():
    angle = 1e-6
    X = np.array([[1.0, 0.0, 0.0], [np.cos(angle), np.sin(angle), 0.0]]) + 0.0
    got = ntk_kernel(X)[0, 1]
    # depth 1: K + cos(angle) Kdot in terms of the angle
    dual = np.sin(angle) + (np.pi - angle) * np.cos(angle)
    expected = (dual + np.cos(angle) * (np.pi - angle)) / (2 * np.pi) / 3
    assert_allclose(got, expected, rtol=1e-11)


def test_angle_is_resolved_below_what_a_cosine_tells():
    for angle in (1e-9, 1e-12):
        x, y = [[1.0, 0.0]], [[1.0, angle]]
        # depth 1: the NTK falls by angle / (2 pi), to first order, in units of 1/2
        expected = 0.5 * 2 * (0.5 - angle / (4 * np.pi))
        assert_allclose(ntk_kernel(x, y)[0, 0], expected, rtol=1e-15)
        sine2 = gram_matrix(np.array(x), np.array(y)).near_pairs(
            slice(None), slice(None)
        )[2]
        assert_allclose(np.sqrt(sine2), angle, rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_norms_and_angles_of_any_scale(scale):
    X = np.random.default_rng(0).standard_normal((5, 3))
    plain, scaled = gram_matrix(X), gram_matrix(scale * X)
    assert_allclose(scaled.x_norm, scale * plain.x_norm, rtol=1e-14)
    assert_allclose(scaled.cosine, plain.cosine, rtol=1e-14, atol=1e-15)


def test_rows_of_different_scales_have_their_angles():
    X = np.random.default_rng(0).standard_normal((6, 3))
    scale = np.array([1e-300, 1e-150, 1.0, 1e100, 1e200, 1e300])[:, None]
    assert_allclose(gram_matrix(scale * X).cosine, gram_matrix(X).cosine, rtol=1e-12)


@pytest.mark.parametrize("activation", ["erf", "relu"])
@pytest.mark.parametrize("offset", [1e3, 1e4, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("bias", [0.0, 0.7])
def test_kernels_of_rows_far_from_the_origin(activation, offset, bias):
    X = offset + np.random.default_rng(0).standard_normal((5, 3))
    shared = {"activation": activation, "sigma0": 1.3, "bias": bias}
    for depth in (1, 2, 4):
        expected = precise_ntk(X, X, depth=depth, **shared)
        for other in (None, X[::-1]):
            K = ntk_kernel(X, other, depth=depth, **shared)
            if other is not None:
                K = K[:, ::-1]
            assert_allclose(K, expected, rtol=1e-12)


@pytest.mark.parametrize(("scale", "bias"), [(2e4, 0.05), (1e6, 0.0), (1e11, 0.07)])
def test_erf_kernels_of_a_single_large_feature(scale, bias):
    X = scale * np.random.default_rng(0).standard_normal((8, 1))
    shared = {"depth": 4, "activation": "erf", "sigma0": 0.5, "bias": bias}
    expected = precise_ntk(X, X, **shared)
    size = np.sqrt(np.diag(expected))
    error = np.abs(ntk_kernel(X, **shared) - expected) / size[:, None] / size
    assert error.max() < 1e-9


@pytest.mark.parametrize("bias", [0.0, 9.0])
def test_relu_kernels_of_opposite_rows_in_deep_networks(bias):
    X = 3e3 * np.random.default_rng(0).standard_normal((6, 1))
    for depth in (2, 3, 11):
        shared = {"activation": "relu", "sigma0": 1.2, "bias": bias, "depth": depth}
        expected = precise_ntk(X, X, **shared)
        size = np.sqrt(np.diag(expected))
        error = np.abs(ntk_kernel(X, **shared) - expected) / size[:, None] / size
        assert error.max() < 1e-13


def test_opposite_rows_far_from_the_origin():
    X = 1e6 + np.random.default_rng(0).standard_normal((4, 3))
    for kernel in (ntk_kernel, nngp_kernel):
        same = kernel(X, X.copy(), activation="erf")
        assert_allclose(kernel(X, -X, activation="erf"), -same, rtol=1e-14)


def test_kernel_is_continuous_in_times_far_from_the_origin():
    X = 1e6 + np.random.default_rng(0).standard_normal((4, 3))
    options = {"activation": "erf", "T": 0.1, "sigma0": 1.5}
    at = ndk_kernel(X, t=5.0, t_prime=5.0, **options)
    lag = 1e-14  # angles of 4e-8 between weights, against 1e-6 between rows
    near = ndk_kernel(X, t=5.0 + lag, t_prime=5.0, **options)
    assert_allclose(near, at, rtol=2e-2)
