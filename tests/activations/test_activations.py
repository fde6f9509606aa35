"""The activations: duals that are right everywhere, and objects with manners."""

import copy
import pickle
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from added_activation import Parabola
from named_activations import WITH_NTK
from numpy.testing import assert_allclose, assert_array_equal
from precise_duals import DUALS, as_array, derivative_dual
from sklearn.base import clone

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor
from sklearn_ndk.activations import (
    Abs,
    Activation,
    Cos,
    Erf,
    Exp,
    Hermite,
    LeakyReLU,
    Monomial,
    RectifiedMonomial,
    ReLU,
    Sign,
    Sin,
    Step,
)
from sklearn_ndk.activations._numerical import Numerical
from sklearn_ndk.activations._registry import ACTIVATIONS, SHIPPED, get_activation
from sklearn_ndk.dynamics import Modes
from sklearn_ndk.kernels import (
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
    two_time_nngp_kernel,
)
from sklearn_ndk.simulation import simulate_langevin

# that of the added one is arithmetic, which precise numbers do precisely
PRECISE = DUALS | {Parabola(): lambda *pair: Parabola().duals(*pair)[0]}
ALL = [pytest.param(activation, id=str(activation)) for activation in PRECISE]
WITH_DERIVATIVE = [param for param in ALL if param.values[0].has_ntk]
JUMPS = [Step(), Sign()]
X = np.random.default_rng(0).standard_normal((12, 3))
Y = np.sin(2 * X[:, 0])


def rows_and_repeats():
    return np.r_[X, X[:3], 1.001 * X[:2], -X[:2], 0 * X[:1]]


def points(activation):
    """Return 200 pairs of variances and covariances, of all sizes and angles."""
    rng = np.random.default_rng(1)
    var_u, var_v = 10 ** rng.uniform(-8, 8, (2, 200))
    corr = rng.uniform(-1, 1, 200)
    corr[::4] = np.sign(corr[::4]) * (1 - 10 ** rng.uniform(-6, -1, 50))
    var_v[::5] = var_u[::5] * 10 ** rng.uniform(-2, 2, 40)
    if isinstance(activation, Exp):  # its kernels overflow beyond
        var_u, var_v = np.minimum(var_u, 300), np.minimum(var_v, 300)
    return var_u, var_v, corr * np.sqrt(var_u) * np.sqrt(var_v)


def root_product(moment, var_u, var_v):
    return np.sqrt(moment(var_u)) * np.sqrt(moment(var_v))


def polar_expectation(function, a, d, corr):
    """Return ``E[f(u) f(v)]``, by quadrature in the sectors between the kinks."""
    angle = np.arccos(corr)
    x, w = np.polynomial.legendre.leggauss(80)
    radius, radial = 7 * (x + 1), 7 * w
    edges = np.sort(np.r_[-1, 1, 3, 2 * angle / np.pi - 1, 2 * angle / np.pi + 1])
    total = 0.0
    for low, high in pairwise(edges):
        phi = np.pi / 2 * (low + (high - low) * (x + 1) / 2)
        u = np.sqrt(a) * radius[:, None] * np.cos(phi)
        v = np.sqrt(d) * radius[:, None] * np.cos(phi - angle)
        weight = radial * radius * np.exp(-(radius**2) / 2) / (2 * np.pi)
        values = function(u) * function(v)
        total += weight @ values @ (w * np.pi * (high - low) / 4)
    return total


@pytest.mark.parametrize("activation", ALL)
@pytest.mark.parametrize(
    ("a", "d", "corr"), [(1, 1, 0.5), (0.3, 2, -0.8), (1.5, 0.1, 0.97), (1, 0.5, 0)]
)
def test_duals_are_gaussian_expectations(activation, a, d, corr):
    cov = np.array([[corr * np.sqrt(a * d)]])
    var = np.array([[1.0 * a]]), np.array([[1.0 * d]])
    functions = (activation, activation.derivative)[: 1 + activation.has_ntk]
    for function, dual in zip(functions, activation.duals(*var, cov), strict=False):
        expected = polar_expectation(lambda z, f=function: f(z) * 1.0, a, d, corr)
        assert_allclose(dual[0, 0], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("activation", ALL)
def test_duals_are_precise_at_all_scales(activation):
    var_u, var_v, cov = points(activation)
    size = root_product(activation.second_moment, var_u, var_v)
    expected = as_array(PRECISE[activation], var_u, var_v, cov)
    sine2 = as_array(lambda a, d, c: 1 - c**2 / (a * d), var_u, var_v, cov)
    for dual in (
        activation.duals(var_u, var_v, cov)[0],
        activation.duals_at_angle(var_u, var_v, cov, sine2)[0],
    ):
        assert np.max(np.abs(dual - expected) / size) < 1e-11


@pytest.mark.parametrize("activation", WITH_DERIVATIVE)
def test_derivative_duals_follow_from_prices_theorem_at_all_scales(activation):
    var_u, var_v, cov = points(activation)
    size = root_product(lambda v: activation.duals(v, v, v)[1], var_u, var_v)
    expected = as_array(derivative_dual(PRECISE[activation]), var_u, var_v, cov)
    sine2 = as_array(lambda a, d, c: 1 - c**2 / (a * d), var_u, var_v, cov)
    for dual in (
        activation.duals(var_u, var_v, cov)[1],
        activation.duals_at_angle(var_u, var_v, cov, sine2)[1],
    ):
        assert np.max(np.abs(dual - expected) / size) < 1e-10


@pytest.mark.parametrize("activation", ALL)
def test_close_variables_keep_their_angle(activation):
    # of large variance; the covariance rounds what the squared sine still tells
    sine2 = np.geomspace(1e-14, 1e-8, 7)
    var = np.full(7, 100.0 if isinstance(activation, Exp) else 1e6)
    cov = var * np.sqrt(1 - sine2)
    got = activation.duals_at_angle(var, var, cov, sine2)
    for i in range(1 + activation.has_ntk):
        dual = PRECISE[activation]
        dual = derivative_dual(dual) if i else dual
        expected = as_array(
            lambda a, s, f=dual: f(a, a, a * (1 - s) ** 0.5), var, sine2
        )
        assert_allclose(got[i], expected, rtol=1e-7)


@pytest.mark.parametrize("activation", ALL)
def test_angles_of_outputs_are_those_of_their_kernels(activation):
    sine2, var = np.geomspace(1e-12, 1, 13), np.full(13, 0.7)
    for sign in (1, -1):
        cov = sign * var * np.sqrt(1 - sine2)
        got = activation.output_sine2(var, var, cov, sine2)
        if got is None:
            continue

        def output(a, s, sign=sign):
            dual = PRECISE[activation](a, a, sign * a * (1 - s) ** 0.5)
            itself = PRECISE[activation](a, a, a)
            return 1 - (dual / itself) ** 2

        assert_allclose(got, as_array(output, var, sine2), rtol=1e-9)


@pytest.mark.parametrize("activation", ALL)
def test_second_moment_is_the_dual_with_itself(activation):
    degree = getattr(activation, "degree", 1)
    top = np.log10(300) if isinstance(activation, Exp) else 300 / degree
    var = 10 ** np.linspace(-300 / degree, top, 61)
    dual = activation.duals(var, var, var)[0]
    assert_allclose(activation.second_moment(var), dual, rtol=1e-13)


@pytest.mark.parametrize("activation", ALL)
def test_arrays_broadcast_and_keep_single_precision(activation):
    var_u, var_v = np.float32([[0.5], [1.0], [2.0]]), np.float32([[1.0, 0.3]])
    cov = np.float32(0.4) * np.sqrt(var_u) * np.sqrt(var_v)
    whole = [array.astype(float) for array in (var_u, var_v, cov)]
    before = [array.copy() for array in (var_u, var_v, cov)]
    duals = activation.duals(var_u, var_v, cov)
    expected = activation.duals(*whole)
    for dual, wide in list(zip(duals, expected, strict=True))[: 1 + activation.has_ntk]:
        assert dual.dtype == np.float32
        assert dual.shape == cov.shape
        assert_allclose(dual, wide, rtol=2e-5)
    assert not np.shares_memory(*duals) if activation.has_ntk else duals[1] is None
    for array, copied in zip((var_u, var_v, cov), before, strict=True):
        assert_array_equal(array, copied)
    assert activation.second_moment(var_u).dtype == np.float32


@pytest.mark.parametrize("activation", ALL)
def test_functions_and_what_is_said_of_them(activation):
    z = np.linspace(-3, 3, 14, dtype=np.float32)
    values = activation(z)
    assert values.dtype == np.float32
    if activation.parity:
        assert_allclose(activation(-z), activation.parity * values, rtol=1e-5)
    scaled = np.allclose(activation(2 * z), 2 * values)
    assert activation.homogeneous == scaled
    if activation.has_ntk:
        assert activation.derivative(z).dtype in (np.float32, bool)
        wide = z.astype(float)
        slope = (activation(wide + 1e-6) - activation(wide - 1e-6)) / 2e-6
        assert_allclose(activation.derivative(wide), slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("activation", ALL)
@pytest.mark.parametrize("bias", [0.0, 0.4])
def test_kernels_are_positive(activation, bias):
    # the sizes at which high degrees stay in range, and exp of two layers
    rows = rows_and_repeats() / 2
    for kernel in (nngp_kernel, ntk_kernel)[: 1 + activation.has_ntk]:
        K = kernel(rows, activation=activation, depth=2, bias=bias)
        assert_allclose(K, K.T, rtol=1e-12)
        values = np.linalg.eigvalsh(K)
        assert values[0] > -1e-13 * values[-1]
        assert_allclose(K[:3], K[12:15], rtol=1e-13, atol=1e-15 * values[-1])


@pytest.mark.parametrize("activation", WITH_NTK, ids=str)
def test_estimators_of_every_activation_meet_their_equilibrium(activation):
    options = {"T": 0.1, "sigma": 0.5, "sigma0": 0.6, "bias": 0.1}
    model = NDKRegressor(activation=activation, **options).fit(X, Y)
    late, rest = model.predict_path(X[:3] + 0.1, [1e6, np.inf]).T
    assert_allclose(late, rest, atol=1e-3)
    assert np.all(np.isfinite(model.predict(X[:3], t=1.0, return_std=True)))


def test_exp_that_overflows_is_told():
    for kernel in (nngp_kernel, ntk_kernel):
        with pytest.raises(ValueError, match="kernels overflow float64"):
            kernel(100 * X, activation="exp")
        with pytest.raises(ValueError, match="kernels overflow float64"):
            kernel(10 * X, activation="exp", depth=3)
    with pytest.raises(ValueError, match="kernels overflow float32"):
        nngp_kernel(np.float32(10) * X.astype(np.float32), activation="exp")
    with pytest.raises(ValueError, match="kernels overflow float64"):
        NDKRegressor(activation="exp", t=1.0).fit(100 * X, Y)


# Those that jump


@pytest.mark.parametrize("activation", JUMPS, ids=str)
def test_no_ntk_is_told(activation):
    message = rf'{type(activation).__name__}\(\) has no NTK.*not a function.*"nngp"'
    options = {"activation": activation}
    for call in (
        lambda: ntk_kernel(X, **options),
        lambda: ntk_kernel(X, **options, return_nngp=True),
        lambda: ndk_kernel(X, t=2.0, t_prime=1.0, **options),
        lambda: NDKRegressor(limit="ntk", **options).fit(X, Y),
        lambda: NDKRegressor(t=1.0, **options).fit(X, Y),
        lambda: NDKRegressor(T=0, **options).fit(X, Y),
        lambda: NDKClassifierCV(**options).fit(X, Y > 0),
        lambda: NDKRegressor(**options).fit(X, Y).predict(X, t=1.0),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match="cannot be trained with"):
        simulate_langevin(X, Y, X, [1.0], **options, width=2, n_networks=1)


def test_no_ntk_is_told_before_the_work(monkeypatch):
    def work(*args):
        raise AssertionError("decomposed a kernel of dynamics that do not exist")

    options = {"activation": "step"}
    at_rest = [NDKRegressor(sigma0=s, **options).fit(X, Y) for s in (1.0, 2.0)]
    monkeypatch.setattr(Modes, "__init__", work)
    for call in (
        lambda: NDKRegressor(t=1.0, **options).fit(X, Y),
        lambda: NDKClassifierCV(**options).fit(X, Y > 0),
        lambda: NDKClassifierCV(times=[1.0], **options).fit(X, Y > 0),
        lambda: at_rest[0].predict(X, t=1.0),
        *(partial(model.sample_y, X, t=1.0) for model in at_rest),
    ):
        with pytest.raises(ValueError, match="has no NTK"):
            call()


@pytest.mark.parametrize("activation", JUMPS, ids=str)
def test_equilibrium_needs_no_ntk(activation):
    shared = {"activation": activation, "depth": 2, "bias": 0.3}
    K = nngp_kernel(X, **shared)
    rest = {"t": np.inf, "t_prime": np.inf}
    assert_allclose(two_time_nngp_kernel(X, **rest, **shared) + 0.3**2, K, rtol=1e-12)
    far = two_time_nngp_kernel(X, t=1e5, t_prime=1e4, **shared)
    mean = mean_kernel(X, **shared)
    assert_allclose(far, mean, atol=1e-12)
    dual = np.linalg.solve(K + 0.01 * np.eye(len(X)), Y)
    for limit, t in ((None, np.inf), ("nngp", np.inf), ("nngp", 1.0)):
        model = NDKRegressor(limit=limit, t=t, **shared).fit(X, Y)
        predicted, std = model.predict(X, return_std=True)
        assert_allclose(predicted, K @ dual, rtol=1e-8)
        assert np.all(std > 0)
        drifted = model.predict_drift(X, np.inf, t0=np.inf)
        assert_allclose(drifted, (mean + 0.3**2) @ dual, rtol=1e-8)


@pytest.mark.parametrize("activation", ["step", "sign"])
def test_classifiers_of_a_jump_vote_at_equilibrium(activation):
    model = NDKClassifierCV(activation=activation, limit="nngp", cv=2).fit(X, Y > 0)
    assert model.t_ == np.inf
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert NDKClassifier(activation=activation).fit(X, Y > 0).score(X, Y > 0) > 0.9


def test_nearly_parallel_rows_keep_their_angle_below_a_jump():
    near = X[:1] + np.r_[0.0, 1e-12, 2e-12][:, None] * X[1]
    K = nngp_kernel(1e6 + near * 1e6, activation="step")
    turn = 0.5 - K[0]
    assert_allclose(turn[2] / turn[1], 2, rtol=1e-3)


# Objects


def test_all_that_is_shipped_is_tested():
    numerical = {kind for kind in SHIPPED if issubclass(kind, Numerical)}
    assert {type(activation) for activation in DUALS} == SHIPPED - numerical
    others = {a for a in ACTIVATIONS.values() if type(a) not in numerical}
    assert others <= set(DUALS)


@pytest.mark.parametrize("activation", ALL)
def test_copies_are_equal(activation):
    for other in (
        clone(activation, safe=False),
        copy.copy(activation),
        pickle.loads(pickle.dumps(activation)),
        eval(repr(activation), {type(activation).__name__: type(activation)}),
        clone(NDKRegressor(activation=activation)).activation,
    ):
        assert other == activation
        assert hash(other) == hash(activation)


def test_activations_are_what_their_class_and_parameters_are():
    assert LeakyReLU(0.1) == LeakyReLU(slope=np.float64(0.1)) != LeakyReLU(0.2)
    assert hash(Sin(2)) == hash(Sin(2.0))
    assert Sin(2.0) != Cos(2.0)
    assert Monomial(2) != RectifiedMonomial(2) != Hermite(2)
    assert ReLU() != RectifiedMonomial(1)
    assert repr(LeakyReLU(np.float64(0.1))) == "LeakyReLU(slope=0.1)"
    assert repr(Hermite(np.int64(3))) == "Hermite(degree=3)"
    assert repr(Erf()) == "Erf()"
    assert get_activation("leaky_relu") == LeakyReLU(0.01)
    with pytest.raises(AttributeError):
        LeakyReLU().slope = 3.0


@pytest.mark.parametrize(
    ("make", "value", "error", "message"),
    [
        (LeakyReLU, np.nan, ValueError, "slope must be finite"),
        (LeakyReLU, "0.1", TypeError, "slope must be a real number; got '0.1'"),
        (LeakyReLU, 1e200, ValueError, "slope=1e.200 is too large"),
        (LeakyReLU, 10**400, ValueError, "slope must be in the range of double"),
        (Sin, 0.0, ValueError, "frequency must not be zero"),
        (Cos, np.inf, ValueError, "frequency must be finite"),
        (Sin, True, TypeError, "frequency must be a real number; got True"),
        (Monomial, 0, ValueError, "degree must be between 1 and 100; got 0"),
        (Monomial, 2.0, TypeError, "degree must be an integer; got 2.0"),
        (Hermite, 101, ValueError, "degree must be between 1 and 100; got 101"),
        (RectifiedMonomial, 0, ValueError, r"got 0. That of degree 0 is Step\(\)"),
    ],
)
def test_bad_parameters_are_told(make, value, error, message):
    with pytest.raises(error, match=message):
        make(value)


@pytest.mark.parametrize("kind", [Monomial, RectifiedMonomial, Hermite])
def test_the_highest_degree_is_finite(kind):
    for degree in (99, 100):
        var = np.array([1.0])
        dual, derivative = kind(degree).duals(var, var, np.array([0.3]))
        assert np.all(np.isfinite([dual, derivative]))
        assert_allclose(
            kind(degree).second_moment(var), kind(degree).duals(var, var, var)[0]
        )


def test_names_are_those_of_the_objects():
    for name, activation in ACTIVATIONS.items():
        if name != "exp" and activation.has_ntk:
            assert_array_equal(
                ntk_kernel(X, activation=name, depth=2),
                ntk_kernel(X, activation=activation, depth=2),
            )
    assert_array_equal(
        nngp_kernel(X, activation="abs"), nngp_kernel(X, activation=Abs())
    )


def test_an_activation_is_one_small_object():
    class Shifted(Activation):
        name, homogeneous = "half relu", True

        def duals(self, var_u, var_v, cov):
            return tuple(d / 4 for d in ACTIVATIONS["relu"].duals(var_u, var_v, cov))

    assert_allclose(nngp_kernel(X, activation=Shifted()), nngp_kernel(X) / 4)
    assert Shifted() != Shifted()  # unless it says so itself


def test_one_from_outside_may_have_no_derivative_dual():
    class Outside(Activation):
        has_ntk = False

        def duals(self, var_u, var_v, cov):
            return Step().duals(var_u, var_v, cov)

    K = nngp_kernel(X, activation=Outside(), depth=2)
    assert_allclose(K, nngp_kernel(X, activation="step", depth=2), rtol=1e-12)
    with pytest.raises(ValueError, match=r"Outside\(\) has no NTK"):
        ntk_kernel(X, activation=Outside())
