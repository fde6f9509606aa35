"""Activations without closed forms, and functions that users pass."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracles.iterated import iterated_expectation
from scipy.special import erf
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sklearn_ndk import NDKClassifier, NDKRegressor, NDKRegressorCV
from sklearn_ndk.activations import (
    ELU,
    GELU,
    SELU,
    Erf,
    Function,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Step,
    Tanh,
)
from sklearn_ndk.activations._registry import get_activation
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel

NAMED = [Tanh(), Sigmoid(), Softplus(), SiLU(), ELU(0.7), SELU(), Mish()]
X = np.random.default_rng(0).standard_normal((12, 3))
Y = np.sin(2 * X[:, 0])


def name(value):
    return getattr(value, "__name__", str(value))


def hard_tanh(z):
    return np.clip(z, -1, 1)


def leaky(z):
    return np.maximum(z, 0.1 * z)


def shifted(z):
    return np.abs(z - 0.5)


def jump(z):
    return np.where(z > 0.3, 1.0, 0.1 * z)


def bent(z):  # the curvature jumps as well
    return np.where(z > 0.7, np.sin(z), np.sin(0.7) + (z - 0.7) ** 2)


def points(n_points=200, decades=8):
    rng = np.random.default_rng(2)
    var_u, var_v = 10 ** rng.uniform(-decades, decades, (2, n_points))
    var_v[::3] = var_u[::3] * 10 ** rng.uniform(-1, 1, len(var_v[::3]))
    corr = rng.uniform(-1, 1, n_points)
    corr[::4] = np.sign(corr[::4]) * (1 - 10 ** rng.uniform(-4, -1, len(corr[::4])))
    return var_u, var_v, corr


def sizes(function, var_u, var_v):
    with_function = Function(function)
    return np.sqrt(with_function.second_moment(var_u)) * np.sqrt(
        with_function.second_moment(var_v)
    )


@pytest.mark.parametrize("activation", NAMED, ids=name)
def test_duals_are_precise_at_all_scales(activation):
    var_u, var_v, corr = points(16)
    cov = corr * np.sqrt(var_u) * np.sqrt(var_v)
    duals = activation.duals(var_u, var_v, cov)
    for function, dual in zip((activation, activation.derivative), duals, strict=True):
        expected = [
            iterated_expectation(function, *pair)
            for pair in zip(var_u, var_v, corr, strict=True)
        ]
        error = np.abs(dual - expected) / sizes(function, var_u, var_v)
        assert error.max() < 1e-8
    assert activation.error_ <= activation.tol == 1e-8


@pytest.mark.parametrize("activation", [*NAMED, Function(leaky)], ids=name)
def test_tables_are_as_precise_as_they_say(activation):
    """A block is read off a table, a few pairs are integrated."""
    var_u, var_v, corr = points(30, decades=1)
    corr = np.random.default_rng(3).uniform(-1, 1, (30, 30))
    cov = corr * np.sqrt(var_u)[:, None] * np.sqrt(var_v)
    table = activation.duals(var_u[:, None], var_v[None], cov)
    scattered = activation.duals(
        *map(np.ravel, np.broadcast_arrays(var_u[:, None], var_v, cov))
    )
    for function, found, single in zip(
        (activation, activation.derivative), table, scattered, strict=True
    ):
        assert_allclose(found.ravel(), single, rtol=0, atol=1e-9 * np.abs(found).max())
        for i, j in [(0, 0), (3, 17), (29, 4)]:
            pair = var_u[i], var_v[j], corr[i, j]
            expected = iterated_expectation(function, *pair)
            size = sizes(function, *np.array([[var_u[i]], [var_v[j]]]))
            assert np.abs(found[i, j] - expected) / size < 1e-8
    assert activation.error_ < 1e-8


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (erf, Erf()),
        (lambda z: np.maximum(z, 0), ReLU()),
        (leaky, LeakyReLU(0.1)),
        (np.tanh, Tanh()),
        (lambda z: z * (1 + erf(z / np.sqrt(2))) / 2, GELU()),
    ],
    ids=name,
)
def test_functions_are_the_activations_that_they_equal(function, exact):
    for kernel in (nngp_kernel, ntk_kernel):
        for bias in (0.0, 0.4):
            params = {"depth": 2, "bias": bias}
            expected = kernel(X, activation=exact, **params)
            got = kernel(X, activation=function, **params)
            assert_allclose(got, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("bias", [0.0, 0.4])
def test_kinks_stay_sharp_on_the_diagonal_of_deep_kernels(bias):
    """Angles in deeper layers are roots of errors: equal rows must be seen as such."""
    rng = np.random.default_rng(1)
    rows = np.geomspace(0.1, 30, 40)[:, None] * rng.standard_normal((40, 3))
    rows[7] = rows[3]
    params = {"depth": 4, "bias": bias}
    expected = ntk_kernel(rows, activation=LeakyReLU(0.1), **params)
    error = ntk_kernel(rows, activation=leaky, **params) - expected
    size = np.sqrt(np.diag(expected))
    assert np.max(np.abs(error) / np.outer(size, size)) < 1e-7


def test_the_dual_of_a_variable_with_itself_is_its_second_moment():
    var = np.geomspace(0.01, 40, 300)
    for activation in (*NAMED, Function(hard_tanh)):
        dual = activation.duals(var, var, var)[0]
        assert_allclose(dual, activation.second_moment(var), rtol=3e-13)


def test_functions_need_not_be_hashable():
    cubic = np.polynomial.Polynomial([0.5, -1, 0.3, 0.2])
    same = Function(lambda z: 0.5 - z + 0.3 * z**2 + 0.2 * z**3, cubic.deriv())
    expected = ntk_kernel(X[:4], activation=same)
    assert_allclose(ntk_kernel(X[:4], activation=cubic), expected, rtol=1e-7)


@pytest.mark.parametrize("limit", ["ntk", "nngp"])
def test_predictions_of_single_rows_are_those_of_batches(limit):
    model = NDKRegressor(activation="tanh", limit=limit, T=0.01).fit(X, Y)
    rows = np.random.default_rng(2).standard_normal((60, 3))
    single = np.concatenate([model.predict(row[None]) for row in rows])
    assert_allclose(model.predict(rows), single, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("function", "slope", "breaks"),
    [
        (hard_tanh, lambda z: 1.0 * (np.abs(z) < 1), (-1, 1)),
        (shifted, lambda z: np.sign(z - 0.5), (0.5,)),
    ],
)
def test_kinks_are_found_and_split(function, slope, breaks):
    activation = Function(function)
    var_u, var_v, corr = points(10, decades=1)
    corr[0] = 1.0
    var_v[:3] = var_u[:3]
    cov = corr * np.sqrt(var_u * var_v)
    rows = np.linspace(1.1, 3.9, 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        duals = activation.duals(var_u, var_v, cov)
        angles = np.linspace(-1, 1, 400).reshape(20, 20)
        cov = angles * np.sqrt(rows[:, None] * rows)
        block = activation.duals(rows[:, None], rows[None], cov)
    assert_allclose(
        block[0][0, 3], activation.duals(*rows[[0, 3], None], cov[:1, 3])[0]
    )
    assert_allclose(
        block[0][11, 7],
        iterated_expectation(function, rows[11], rows[7], angles[11, 7], breaks),
        rtol=1e-7,
    )
    assert_allclose(duals[0][0], activation.second_moment(var_u[:1])[0], rtol=1e-9)
    for f, dual in zip((function, slope), duals, strict=True):
        expected = [
            iterated_expectation(f, *pair, breaks)
            for pair in zip(var_u[1:], var_v[1:], corr[1:], strict=True)
        ]
        assert_allclose(dual[1:], expected, rtol=1e-7, atol=1e-8)


def test_a_function_that_jumps_has_an_nngp_alone():
    activation = Function(jump)
    assert not activation.has_ntk
    var_u, var_v, corr = points(10, decades=1)
    dual, nothing = activation.duals(var_u, var_v, corr * np.sqrt(var_u * var_v))
    expected = [
        iterated_expectation(jump, *pair, (0.3,))
        for pair in zip(var_u, var_v, corr, strict=True)
    ]
    assert_allclose(dual, expected, atol=1e-8)
    assert nothing is None
    with pytest.raises(ValueError, match="has no NTK"):
        ntk_kernel(X, activation=jump)
    one = lambda z: np.where(z > 0, 1.0, 0.0)  # noqa: E731
    assert_allclose(nngp_kernel(X, activation=one), nngp_kernel(X, activation=Step()))


def test_a_tolerance_that_is_missed_is_told():
    activation = Function(bent)
    with pytest.warns(ConvergenceWarning, match="less than tol=1e-08"):
        activation.duals(*points(20, 1)[:2], np.zeros(20))
    assert 1e-8 < activation.error_ < 1e-4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Function(bent, tol=1e-3).duals(*points(20, 1)[:2], np.zeros(20))


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        (
            lambda z: np.where(z > 0, np.nan, z),
            ValueError,
            "must return finite numbers",
        ),
        (lambda z: z.sum(), ValueError, "array of the shape of its argument"),
        (lambda z: z.ravel(), ValueError, "array of the shape of its argument"),
        (lambda z: z + 1j, TypeError, "real numbers; got complex128"),
        (lambda z: np.exp(z**2), ValueError, "second moment is not finite"),
        (Tanh, TypeError, r"an object, Tanh\(\), not its class"),
        ("swish", ValueError, "activation"),
        (3, ValueError, "activation"),
    ],
)
def test_bad_functions_are_refused(bad, error, match):
    with pytest.raises(error, match=match):
        NDKRegressor(activation=bad).fit(X, Y)
    with pytest.raises(error, match=match):
        nngp_kernel(X, activation=bad)


@pytest.mark.parametrize("function", [np.floor, np.tan])
def test_too_many_jumps_are_refused(function):
    with pytest.raises(ValueError, match="jumps or bends at"):
        nngp_kernel(X, activation=function)


def test_a_slope_without_a_second_moment_makes_no_ntk():
    assert not Function(lambda z: np.sqrt(np.abs(z))).has_ntk
    assert Function(lambda z: np.abs(z) ** 1.5).has_ntk


def test_functions_that_vanish_far_out_are_seen_at_all_distances():
    """Where products are large one variable may be many deviations from zero."""
    local = Function(lambda z: z * np.exp(-(z**2) / 2))
    for scale in (1.0, 50.0):
        var = scale * np.linspace(0.5, 2, 40)
        cov = np.linspace(-1, 1, 1600).reshape(40, 40) * np.sqrt(var[:, None] * var)
        det = (1 + var[:, None]) * (1 + var) - cov**2
        size = np.sqrt(local.second_moment(var))
        error = np.abs(local.duals(var[:, None], var[None], cov)[0] - cov / det**1.5)
        assert np.max(error / np.outer(size, size)) < 1e-8


@pytest.mark.parametrize("activation", [*NAMED, Function(hard_tanh)], ids=name)
@pytest.mark.parametrize("scale", [1e-150, 1e-20, 1e20, 1e140])
def test_extreme_rows_are_finite(activation, scale):
    rows = scale * np.r_[X[:3], X[:1], -X[:1]]
    matrix = nngp_kernel(rows, activation=activation, bias=0.5)
    assert np.all(np.isfinite(matrix))
    assert_allclose(matrix[3], matrix[0], atol=1e-7 * matrix.max())


def test_bad_parameters():
    with pytest.raises(TypeError, match="phi must be callable"):
        Function(3)
    with pytest.raises(ValueError, match="tol must be positive"):
        Function(np.tanh, tol=0)
    with pytest.raises(TypeError, match="alpha must be a real number"):
        ELU("large")


def test_derivatives_may_be_given_or_left_out():
    given = Function(np.tanh, lambda z: 1 / np.cosh(np.clip(z, -300, 300)) ** 2)
    z = np.linspace(-6, 6, 500)
    assert_allclose(Function(np.tanh).derivative(z), Tanh().derivative(z), atol=1e-10)
    assert_allclose(given.derivative(z), Tanh().derivative(z), atol=1e-14)
    fast = Function(lambda z: np.sin(30 * z))
    assert_allclose(fast.derivative(z), 30 * np.cos(30 * z), atol=1e-5)
    corner = Function(hard_tanh).derivative(
        np.array([-1.1, -0.999, 0.0, 0.999999, 1.01])
    )
    assert_allclose(corner, [0, 1, 1, 1, 0], atol=1e-8)


@pytest.mark.parametrize("activation", [*NAMED, Function(hard_tanh)], ids=name)
def test_activations_are_values(activation):
    for same in (pickle.loads(pickle.dumps(activation)), clone(activation, safe=False)):
        assert same == activation
        assert hash(same) == hash(activation)
    assert get_activation(np.tanh) is get_activation(np.tanh)
    assert repr(ELU(0.7)) == "ELU(alpha=0.7)"


@pytest.mark.parametrize("activation", [*NAMED, hard_tanh, leaky], ids=name)
def test_gram_matrices_are_positive(activation):
    rows = np.r_[X, X[:3], 1.0001 * X[:2], -X[:2], 0 * X[:1]]
    for kernel in (nngp_kernel, ntk_kernel):
        matrix = kernel(rows, activation=activation, depth=2, bias=0.1)
        assert_allclose(matrix, matrix.T, atol=1e-9 * matrix.max())
        assert np.linalg.eigvalsh(matrix)[0] > -1e-7 * matrix.max()
        assert_allclose(matrix[12:15, :], matrix[:3, :], atol=1e-7 * matrix.max())


@pytest.mark.parametrize("activation", ["tanh", "silu", "selu", leaky], ids=name)
def test_training_ends_in_bayesian_inference(activation):
    network = {"activation": activation, "T": 0.1, "bias": 0.2}
    model = NDKRegressor(**network, t=1.0).fit(X, Y)
    path, std = model.predict_path(X, [1.0, 300.0, np.inf], return_std=True)
    assert_allclose(path[:, 1], path[:, 2], atol=1e-4)
    assert_allclose(std[:, 1], std[:, 2], atol=1e-3)
    rest = NDKRegressor(**network, limit="nngp").fit(X, Y)
    assert_allclose(path[:, 2], rest.predict(X), atol=1e-9)
    assert np.all(np.isfinite(model.predict_drift(X, delay=3.0)))


def test_functions_work_where_names_do():
    search = GridSearchCV(
        NDKClassifier(t=1.0), {"activation": ["relu", np.tanh, leaky]}, cv=2
    )
    labels = (Y > 0).astype(int)
    search.fit(X, labels)
    assert_array_equal(search.predict(X).shape, labels.shape)
    model = NDKRegressorCV(1, lambda z: np.sin(z) + z, times=3, cv=2, n_jobs=2)
    assert np.all(np.isfinite(model.fit(X, Y).predict(X)))
