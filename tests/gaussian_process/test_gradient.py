"""Gradients of the kernels in the logarithms of their hyperparameters."""

import numpy as np
import pytest
from added_activation import Parabola
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_ndk.activations import Hermite, RectifiedMonomial
from sklearn_ndk.gaussian_process import NNGP, NTK

RNG = np.random.default_rng(0)
X = RNG.standard_normal((7, 3))
SCALES = [0.5, 1.0, 3.0]
SMOOTH = ["erf", "linear", "gelu", "sin", "cos", "rbf", "exp", Hermite(2)]
KINKED = ["relu", "leaky_relu", "abs", RectifiedMonomial(2)]
NO_NTK = ["step", "sign"]


def differences(kernel, X, step):
    """Return the gradient by central differences of the sixth order."""
    theta = kernel.theta

    def difference(i, size):
        move = size * step * np.eye(len(theta))[i]
        up, down = (kernel.clone_with_theta(theta + m)(X) for m in (move, -move))
        return up - down

    parts = [
        (45 * difference(i, 1) - 9 * difference(i, 2) + difference(i, 3)) / (60 * step)
        for i in range(len(theta))
    ]
    return np.stack(parts, axis=-1)


def assert_gradient(kernel, X, rtol=1e-9, step=2e-3):
    K, gradient = kernel(X, eval_gradient=True)
    assert_array_equal(K, kernel(X))
    assert gradient.shape == (len(X), len(X), kernel.n_dims)
    atol = rtol * np.abs(gradient).max()
    assert_allclose(gradient, differences(kernel, X, step), atol=atol, rtol=0)


@pytest.mark.parametrize("length_scale", [1.5, SCALES], ids=["one", "each"])
@pytest.mark.parametrize("bias", [0.0, 0.5])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("activation", ["relu", "erf", "linear", "gelu"])
@pytest.mark.parametrize("make", [NNGP, NTK])
def test_gradient_is_that_of_the_kernel(make, activation, depth, bias, length_scale):
    kernel = make(depth, activation, 1.3, bias, length_scale)
    assert_gradient(kernel, X)


@pytest.mark.parametrize("activation", [*SMOOTH, *KINKED, Parabola()], ids=repr)
@pytest.mark.parametrize("make", [NNGP, NTK])
def test_gradient_of_every_activation(make, activation):
    assert_gradient(make(2, activation, 0.4, 0.5, SCALES), X, rtol=1e-8)


@pytest.mark.parametrize("activation", NO_NTK)
def test_gradient_of_activations_that_jump(activation):
    assert_gradient(NNGP(2, activation, 0.4, 0.5, SCALES), X)


@pytest.mark.parametrize("make", [NNGP, NTK])
@pytest.mark.parametrize("fixed", ["bias", "length_scale", "weights"])
def test_fixed_hyperparameters_have_no_gradient(make, fixed):
    name = make._weights if fixed == "weights" else fixed
    kernel = make(bias=0.5, length_scale=SCALES, **{f"{name}_bounds": "fixed"})
    free = make(bias=0.5, length_scale=SCALES)
    names = ["bias", *["length_scale"] * 3, make._weights]
    kept = [i for i, other in enumerate(names) if other != name]
    _, gradient = kernel(X, eval_gradient=True)
    assert_allclose(gradient, free(X, eval_gradient=True)[1][..., kept], rtol=1e-13)


def test_gradient_of_nothing_free():
    fixed = dict.fromkeys(("sigma_bounds", "length_scale_bounds"), "fixed")
    _, gradient = NNGP(**fixed)(X, eval_gradient=True)
    assert gradient.shape == (7, 7, 0)


def test_gradient_of_more_rows_than_a_tile():
    many = RNG.standard_normal((300, 2))
    assert_gradient(NTK(1, "relu", 1.3, 0.5, [1.0, 2.0]), many)


def degenerate():
    """Return rows that are equal, (anti)parallel, zero or nearly parallel."""
    near = [X[:2] * (1 + size * RNG.standard_normal((2, 3))) for size in (1e-9, 1e-5)]
    return np.concatenate([X[:2], X[:2], -X[:2], 2 * X[:2], np.zeros((2, 3)), *near])


@pytest.mark.parametrize("bias", [0.0, 0.5])
@pytest.mark.parametrize("activation", [*SMOOTH, *KINKED], ids=repr)
@pytest.mark.parametrize("make", [NNGP, NTK])
def test_gradient_of_degenerate_rows(make, activation, bias):
    kernel = make(2, activation, 0.4, bias, SCALES)
    assert_gradient(kernel, degenerate(), rtol=1e-6)


@pytest.mark.parametrize("activation", NO_NTK)
def test_gradient_of_degenerate_rows_is_finite_with_jumps(activation):
    kernel = NNGP(2, activation, 0.4, 0.5, SCALES)
    assert np.all(np.isfinite(kernel(degenerate(), eval_gradient=True)[1]))


@pytest.mark.parametrize("sigma", [1e-4, 1e2, 1e4])
@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("make", [NNGP, NTK])
def test_gradient_holds_where_an_optimiser_may_go(make, activation, sigma):
    assert_gradient(make(3, activation, sigma, 0.5, SCALES), X, rtol=1e-7)


@pytest.mark.parametrize("activation", ["sin", "cos"])
@pytest.mark.parametrize("make", [NNGP, NTK])
def test_gradient_of_waves_that_are_short_beside_the_inputs(make, activation):
    near = X * (1 + 1e-3 * RNG.standard_normal(X.shape))
    kernel = make(1, activation, 20.0, 0.5, SCALES)
    assert_gradient(kernel, np.concatenate([X, near]), step=2e-4)


@pytest.mark.parametrize("make", [NNGP, NTK])
def test_kernel_of_homogeneous_activations_falls_with_the_square_of_the_scale(make):
    K, gradient = make(3, "relu", 1.2)(X, eval_gradient=True)
    assert_allclose(gradient[..., 0], -2 * K, rtol=1e-12)


@pytest.mark.parametrize("make", [NNGP, NTK])
def test_no_gradient_of_two_sets_of_inputs(make):
    with pytest.raises(ValueError, match="only be evaluated when Y is None"):
        make()(X, X, eval_gradient=True)
