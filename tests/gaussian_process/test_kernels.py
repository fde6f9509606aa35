"""The kernels are those of the functions, and kernels to scikit-learn."""

import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.gaussian_process.tests import test_kernels as checks

from sklearn_ndk.activations import LeakyReLU
from sklearn_ndk.gaussian_process import NNGP, NTK
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal((4, 3))
SCALES = [0.5, 1.0, 3.0]
KERNELS = [
    NNGP(),
    NTK(),
    NNGP(2, "erf", 1.3, 0.5, 2.0),
    NTK(3, LeakyReLU(), 0.8, 0.5, [0.5, 2.0]),
    NNGP(bias=0.5, length_scale=[2.0], sigma_bounds="fixed"),
    NTK(bias=0.5, bias_bounds="fixed", length_scale_bounds=(0.1, 10.0)),
]
COMPOSED = ConstantKernel(2.0) * NNGP(bias=0.5) + WhiteKernel(0.1)


# Values


@pytest.mark.parametrize("length_scale", [0.5, SCALES])
@pytest.mark.parametrize("right", [None, Y])
def test_values_are_those_of_the_functions(right, length_scale):
    network = {"depth": 2, "activation": "erf", "bias": 0.3}
    left, other = (Z if Z is None else Z / np.array(length_scale) for Z in (X, right))
    K = NNGP(**network, sigma=1.2, length_scale=length_scale)(X, right)
    assert_allclose(K, nngp_kernel(left, other, **network, sigma=1.2), rtol=1e-14)
    K = NTK(**network, sigma0=1.2, length_scale=length_scale)(X, right)
    assert_allclose(K, ntk_kernel(left, other, **network, sigma0=1.2), rtol=1e-14)


@pytest.mark.parametrize("kernel", KERNELS[:3], ids=repr)
def test_diagonal(kernel):
    rows = np.concatenate([X, np.zeros((1, 3))])
    assert_allclose(kernel.diag(rows), np.diag(kernel(rows)), rtol=1e-14)


@pytest.mark.parametrize("make", [NNGP, NTK])
def test_memory_is_that_of_what_is_asked_for(make):
    n, kernel = 5000, make(2, bias=0.5)
    many = RNG.standard_normal((n, 3))
    kernel(X, X)
    for compute in (lambda: kernel.diag(many), lambda: kernel(many[:10], many)):
        tracemalloc.start()
        compute()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < n**2 * 8 / 10  # a tenth of the matrix of all pairs


def test_single_precision_is_computed_in_double():
    assert NNGP()(X.astype(np.float32)).dtype == np.float64


# The interface of scikit-learn


@pytest.mark.parametrize("kernel", [*KERNELS, COMPOSED], ids=repr)
@pytest.mark.parametrize(
    "check",
    [
        checks.test_kernel_gradient,
        checks.test_kernel_diag,
        checks.test_kernel_input_type,
        checks.test_kernel_clone,
        checks.test_kernel_clone_after_set_params,
        checks.test_repr_kernels,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learns_own_checks(check, kernel):
    check(kernel)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize(
    "check",
    [
        checks.test_auto_vs_cross,
        checks.test_kernel_versus_pairwise,
        checks.test_set_get_params,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learns_checks_of_kernels_without_noise(check, kernel):
    check(kernel)


def test_order_of_hyperparameters_is_alphabetical():
    kernel = NNGP(sigma=2.0, bias=0.5, length_scale=[3.0, 4.0])
    assert_allclose(np.exp(kernel.theta), [0.5, 3.0, 4.0, 2.0])
    kernel = NTK(sigma0=2.0, bias=0.5, length_scale=3.0)
    assert_allclose(np.exp(kernel.theta), [0.5, 3.0, 2.0])
    assert_allclose(kernel.bounds, np.log([(1e-5, 1e5)] * 3))


def test_hyperparameters_survive_their_logarithms():
    kernel = NTK(sigma0=2.0, bias=0.5, length_scale=SCALES)
    again = NTK(length_scale=[1.0] * 3, bias=1.0).clone_with_theta(kernel.theta)
    assert_allclose(again(X), kernel(X), rtol=1e-13)


def test_no_bias_stays_none():
    kernel = NNGP(bias=0.0)
    assert kernel.hyperparameter_bias.fixed
    assert kernel.n_dims == 2
    assert kernel.clone_with_theta([0.1, 0.2]).bias == 0


@pytest.mark.parametrize("bounds", ["fixed", (0.1, 10.0)])
def test_bounds(bounds):
    kernel = NNGP(bias=1.0, sigma_bounds=bounds, bias_bounds="fixed")
    n_free = 1 if bounds == "fixed" else 2
    assert kernel.n_dims == n_free
    if bounds != "fixed":
        assert_allclose(kernel.bounds[-1], np.log(bounds))


def test_kernels_are_equal_if_their_parameters_are():
    assert NNGP(bias=0.5) == NNGP(bias=0.5)
    assert NNGP(bias=0.5) != NNGP(bias=0.6)
    assert NNGP() != NTK()
    assert NNGP() != RBF()


def test_kernels_are_not_stationary():
    assert not NNGP().is_stationary()
    assert not (NTK() + RBF()).is_stationary()


@pytest.mark.parametrize("kernel", [*KERNELS, COMPOSED], ids=repr)
def test_kernels_are_pickled_and_cloned(kernel):
    inputs = X[:, :2]
    for copy in (pickle.loads(pickle.dumps(kernel)), clone(kernel)):
        assert_array_equal(copy(inputs), kernel(inputs))


def test_repr_tells_the_network():
    shown = repr(NNGP(2, "erf", sigma=np.float64(1.23456), length_scale=[1.0, 2.5]))
    expected = "depth=2, activation='erf', sigma=1.23, bias=0, length_scale=[1, 2.5]"
    assert shown == f"NNGP({expected})"


def test_sums_and_products():
    kernel = 2.0 * NNGP(bias=0.5) + WhiteKernel(0.1)
    expected = 2 * NNGP(bias=0.5)(X) + 0.1 * np.eye(len(X))
    assert_allclose(kernel(X), expected, rtol=1e-14)
    assert kernel.n_dims == 5


# Bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sigma": 0.0}, "The 'sigma' parameter of NNGP must be a float in the range"),
        ({"bias": -1.0}, "The 'bias' parameter of NNGP must be a float in the range"),
        ({"depth": 0}, "The 'depth' parameter of NNGP must be an int in the range"),
        ({"activation": "tanhh"}, "The 'activation' parameter of NNGP must be"),
        ({"length_scale": 0.0}, "The 'length_scale' parameter of NNGP must be"),
        ({"length_scale": [1.0, 2.0]}, "length_scale has 2 entries, but X has 3 feat"),
        ({"length_scale": [1.0, 0.0, 2.0]}, "length_scale must be positive"),
    ],
    ids=str,
)
def test_bad_parameters_are_told_when_called(parameters, message):
    kernel = NNGP(**parameters)
    repr(kernel)
    for call in (kernel, kernel.diag):
        with pytest.raises(ValueError, match=message):
            call(X)


@pytest.mark.parametrize("activation", ["step", "sign"])
def test_activations_without_ntk(activation):
    kernel = NTK(activation=activation)
    for call in (kernel, kernel.diag):
        with pytest.raises(ValueError, match="has no NTK, because its derivative"):
            call(X)
    assert_allclose(
        NNGP(activation=activation).diag(X), np.diag(NNGP(activation=activation)(X))
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [(np.full((2, 3), np.nan), "contains NaN"), (X[0], "Expected 2D array")],
)
def test_bad_inputs(bad, message):
    for call in (NNGP(), NNGP().diag):
        with pytest.raises(ValueError, match=message):
            call(bad)
