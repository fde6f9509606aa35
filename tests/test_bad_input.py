"""Bad input gets one clear sentence, before any heavy work."""

import re
from datetime import datetime
from fractions import Fraction
from inspect import signature

import numpy as np
import pytest
from pandas import NA
from scipy import sparse

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk._compute import _memory
from sklearn_ndk.kernels import (
    Activation,
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
    two_time_nngp_kernel,
)
from sklearn_ndk.simulation import simulate_langevin

RNG = np.random.default_rng(0)
X = RNG.standard_normal((10, 3))
y = np.arange(10) % 2
NAN, INF = np.nan, np.inf
PATHS = [
    (NDKRegressor, "predict_path"),
    (NDKClassifier, "predict_path"),
    (NDKClassifier, "decision_function_path"),
]


@pytest.fixture(params=[NDKRegressor, NDKClassifier])
def make(request):
    return request.param


def spoiled(values, bad):
    """Return a copy in floating point with one bad entry."""
    values = np.array(values, dtype=float)
    values.flat[1] = bad
    return values


# Parameters: what was given, and what is allowed

PARAMETERS = [
    ("depth", [0, -1, 1.5, 2.0, "2"], r"an int in the range \[1, inf\)"),
    ("activation", ["tanhh", None, 3], "a str among .*'erf'"),
    ("T", [-0.1, NAN, INF, "hot", None], r"a float in the range \[0.0, inf\)"),
    ("sigma", [0.0, -1, NAN, INF], r"a float in the range \(0.0, inf\)"),
    ("sigma0", [0.0, -1, NAN, INF], r"a float in the range \(0.0, inf\)"),
    ("bias", [-0.1, NAN, INF], r"a float in the range \[0.0, inf\)"),
    ("length_scale", [0.0, -1, NAN, "2"], r"a float in the range \(0.0, inf\]"),
]
ESTIMATOR_PARAMETERS = [
    *PARAMETERS,
    ("t", [-1, NAN, -INF, None, [1, 2]], r"a float in the range \[0.0, inf\]"),
    ("limit", ["krr", 0], "a str among .*'ntk'"),
    ("tol", [0, -1e-3, 1e-11, 0.5, NAN], r"in the range \[1e-10, 0.1\]"),
    ("normalize_y", ["yes", 1], "'bool'"),
]
TIMES = [
    (name, [-1.0, NAN, [1, 2]], r"a float in the range \[0.0, inf\]")
    for name in ("t", "t_prime")
]
KERNELS = [nngp_kernel, ntk_kernel, mean_kernel, ndk_kernel, two_time_nngp_kernel]


def sentence(name, value, allowed, owner):
    given = re.escape(repr(value))
    return f"The '{name}' parameter of {owner} must be .*{allowed}.* Got {given} inst"


def call(kernel, *args, **params):
    """Call a kernel, at times of one if it has times."""
    if "t" in signature(kernel).parameters:
        params = {"t": 1.0, "t_prime": 1.0} | params
    return kernel(*args, **params)


@pytest.mark.parametrize(("name", "values", "allowed"), ESTIMATOR_PARAMETERS)
def test_estimators_tell_which_parameter_is_bad(make, name, values, allowed):
    for value in values:
        message = sentence(name, value, allowed, make.__name__)
        with pytest.raises(ValueError, match=message):
            make(**{name: value}).fit(X, y)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("name", "values", "allowed"), PARAMETERS + TIMES)
def test_kernels_tell_which_parameter_is_bad(kernel, name, values, allowed):
    for value in values if name in signature(kernel).parameters else []:
        message = sentence(name, value, allowed, kernel.__name__)
        with pytest.raises(ValueError, match=message):
            call(kernel, X, **{name: value})


@pytest.mark.parametrize("name", ["depth", "T", "sigma", "t"])
def test_durations_are_no_numbers(make, name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of .* must be"):
        make(**{name: np.timedelta64(3, "s")}).fit(X, y)


def test_parameters_may_be_fractions(make):
    fractions = {
        name: Fraction(1, 3)
        for name in ("T", "sigma", "sigma0", "bias", "length_scale", "t")
    }
    model = make(**fractions).fit(X, y)
    floats = make(**dict.fromkeys(fractions, 1 / 3)).fit(X, y)
    assert np.array_equal(model.predict(X), floats.predict(X))


def test_networks_too_deep_are_refused(make):
    with pytest.raises(ValueError, match=r"depth=1e\+09 is too deep: .* 1000 layers"):
        make(depth=10**9).fit(X, y)


@pytest.mark.parametrize("kernel", [ndk_kernel, two_time_nngp_kernel])
def test_two_time_kernels_need_both_times(kernel):
    with pytest.raises(TypeError, match="missing a required argument: 't_prime'"):
        kernel(X, t=1.0)


# Data


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (spoiled(X, NAN), "Input X contains NaN"),
        (spoiled(X, INF), "Input X contains infinity"),
        (X[0], "Expected 2D array, got 1D array"),
        (X[:0], "0 sample"),
        (X[:, :0], "0 feature"),
        (X * 1j, "Complex data not supported"),
    ],
    ids=["nan", "inf", "1-D", "no samples", "no features", "complex"],
)
def test_bad_inputs_are_told(make, inputs, message):
    with pytest.raises(ValueError, match=message):
        make().fit(inputs, y[: len(inputs)])
    fitted = make().fit(X, y)
    with pytest.raises(ValueError, match=message):
        fitted.predict(inputs)


def test_sparse_inputs_are_told(make):
    with pytest.raises(TypeError, match="Sparse data was passed for X"):
        make().fit(sparse.csr_array(X), y)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (spoiled(y, NAN), "Input y contains NaN"),
        (spoiled(y, INF), "Input y contains infinity"),
        (y[:4], r"inconsistent numbers of samples: \[10, 4\]"),
        (None, "requires y to be passed, but the target y is None"),
    ],
    ids=["nan", "inf", "short", "none"],
)
def test_bad_targets_are_told(make, targets, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, targets)


@pytest.mark.parametrize("dtype", [str, object])
def test_targets_of_a_regression_are_numbers(dtype):
    labels = np.array(["ant", "bee"], dtype=dtype)[y]
    with pytest.raises(ValueError, match=r"could not convert string to float"):
        NDKRegressor().fit(X, labels)


def test_targets_of_a_classification_are_labels():
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        NDKClassifier().fit(X, X[:, 0])


@pytest.mark.parametrize("label", ["ant", 7])
def test_one_class_is_too_few(label):
    message = f"at least two classes with positive weight; got one class, {label!r}"
    with pytest.raises(ValueError, match=message):
        NDKClassifier().fit(X, np.full(10, label))
    two = np.where(y, np.array(label), np.array("bee" if label == "ant" else 8))
    with pytest.raises(ValueError, match=message):
        NDKClassifier().fit(X, two, sample_weight=y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(10), "ample.weights? .*zero"),
        (spoiled(np.ones(10), -1.0), "Negative values in data passed to `sample_w"),
        (spoiled(np.ones(10), NAN), "Input sample_weight contains NaN"),
        (spoiled(np.ones(10), INF), "Input sample_weight contains infinity"),
        (np.ones(4), r"sample_weight.shape == \(4,\), expected \(10,\)"),
        (np.ones((10, 2)), "Sample weights must be 1D array or scalar"),
    ],
    ids=["all zero", "negative", "nan", "inf", "short", "2-D"],
)
def test_bad_weights_are_told(make, weights, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, y, sample_weight=weights)


def test_features_of_fit_and_prediction_agree(make):
    fitted = make().fit(X, y)
    message = f"X has 2 features, but {make.__name__} is expecting 3 features"
    with pytest.raises(ValueError, match=message):
        fitted.predict(X[:, :2])
    with pytest.raises(ValueError, match=message):
        fitted.predict_path(X[:, :2], [1.0])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (spoiled(X, NAN), None, "contains NaN"),
        (X, spoiled(X, INF), "contains infinity"),
        (X, X[:, :2], r"X.shape\[1\] == 3 while Y.shape\[1\] == 2"),
        (X[0], None, "Expected 2D array, got 1D array"),
    ],
    ids=["nan", "inf", "features", "1-D"],
)
def test_kernels_tell_bad_inputs(kernel, left, right, message):
    with pytest.raises(ValueError, match=message):
        call(kernel, left, right)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("rows", "error"),
    [
        (np.array([[NA, 1.0]], dtype=object), ValueError),
        (np.array([["2020-01-01"]], dtype="M8[s]"), TypeError),
        (np.array([[3]], dtype="m8[s]"), TypeError),
        ([[datetime(2020, 1, 1)]], TypeError),
        ([[{}]], TypeError),
    ],
    ids=["NA", "datetime64", "timedelta64", "datetime", "dict"],
)
def test_kernels_of_what_is_no_number_are_told(kernel, rows, error):
    for given in ((rows,), (np.ones((1, len(rows[0]))), rows)):
        with pytest.raises(error, match=r"Input . contains NaN|. must hold real num"):
            call(kernel, *given)


# Times of predictions


@pytest.mark.parametrize("t", [[1, 2], np.array([1.0]), np.array(3.0), "1", 1j])
def test_prediction_at_several_times_names_predict_path(make, t):
    message = rf"t must be a single time.* got {re.escape(repr(t))} .*Use predict_path"
    with pytest.raises(TypeError, match=message):
        make().fit(X, y).predict(X, t=t)
    if make is NDKClassifier:
        with pytest.raises(TypeError, match=r"t must be a single time.*_path"):
            make().fit(X, y).decision_function(X, t=t)


@pytest.mark.parametrize("t", [-1, -1e-9, NAN, -INF])
def test_time_of_a_prediction_is_not_negative(make, t):
    message = rf"t must be a time in \[0, inf\]; got {t}"
    with pytest.raises(ValueError, match=message):
        make().fit(X, y).predict(X, t=t)
    with pytest.raises(ValueError, match=message):
        make().fit(X, y).set_params(t=t).predict(X)


def test_time_set_after_fit_is_a_single_one(make):
    with pytest.raises(TypeError, match="t must be a single time"):
        make().fit(X, y).set_params(t=[1.0, 2.0]).predict(X)


@pytest.mark.parametrize(("make", "method"), PATHS)
@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, -2.0], r"times must be in \[0, inf\]; got -2.0 among them"),
        ([1.0, NAN], r"times must be in \[0, inf\]; got nan among them"),
        ([[1.0, 2.0]], r"times must be a 1-D array.* got shape \(1, 2\)"),
        (np.ones((1, 1, 1)), r"times must be a 1-D array.* got shape \(1, 1, 1\)"),
        (3.0, r"times must be a 1-D array.* got"),
        ([], "times"),
    ],
    ids=["negative", "nan", "2-D", "3-D", "scalar", "empty"],
)
def test_times_of_a_path_are_a_list_of_times(make, method, times, message):
    fitted = make().fit(X, y)
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(X, times)


BEYOND = [10**400, Fraction(10**400, 3)]
NO_TIMES = ["1", None, 1j, True, NA, datetime(2020, 1, 1), np.timedelta64(1, "s")]


@pytest.mark.parametrize("t", BEYOND, ids=["int", "fraction"])
def test_times_beyond_floating_point_are_told(make, t):
    message = "in the range of double precision"
    fitted = make().fit(X, y)
    for call in (
        lambda: fitted.predict(X, t=t),
        lambda: fitted.predict_path(X, [1, t]),
        lambda: fitted.predict_drift(X, t),
        lambda: fitted.predict_drift(X, 1.0, t0=t),
        lambda: simulate_langevin(X, y, X, [t]),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("make", [NDKRegressor, NDKClassifier, *KERNELS[3:]])
def test_time_parameters_beyond_floating_point_are_told(make):
    def give():
        if make in KERNELS:
            return make(X, t=1.0, t_prime=10**400)
        return make(t=10**400).fit(X, y)

    with pytest.raises(ValueError, match="in the range of double precision"):
        give()


@pytest.mark.parametrize("t", NO_TIMES, ids=repr)
def test_times_of_a_path_are_numbers(make, t):
    fitted = make().fit(X, y)
    with pytest.raises(TypeError, match="times must be numbers; got"):
        fitted.predict_path(X, [t])
    if t is not None:
        with pytest.raises(TypeError, match="t must be a single time, a number; got"):
            fitted.predict(X, t=t)


def test_times_in_nested_lists_are_told(make):
    with pytest.raises(ValueError, match=r"times must be a 1-D array .* nested lists"):
        make().fit(X, y).predict_path(X, [[1.0], [1.0, 2.0]])


def test_times_of_any_real_type_are_times(make):
    fitted = make().fit(X, y)
    path = fitted.predict_path(X, [Fraction(1, 2), 2])
    np.testing.assert_array_equal(path, fitted.predict_path(X, [0.5, 2.0]))


# Memory


class Spied(Activation):
    """The linear activation, counting the entries it is asked for."""

    name = "spied"
    homogeneous = True

    def __init__(self):
        self.n_entries = 0

    def duals(self, var_u, var_v, cov):
        self.n_entries += np.size(cov)
        return np.copy(cov), np.ones_like(cov)


@pytest.fixture
def memory(monkeypatch):
    """Return a function that sets the memory of the machine, in kernel matrices."""

    def set_memory(n_matrices):
        size = n_matrices * len(X) ** 2 * 8
        monkeypatch.setattr(_memory, "total_memory", lambda: size)

    return set_memory


TOO_LARGE = r"needs \d.* kernel matrices of 10 samples.*machine has.*n_landmarks"


@pytest.mark.parametrize(
    "params",
    [{}, {"t": 1.0}, {"T": 0}, {"limit": "ntk"}, {"limit": "nngp"}],
    ids=str,
)
def test_fit_too_large_for_memory_is_refused_at_once(make, params, memory):
    memory(0.5)
    activation = Spied()
    with pytest.raises(ValueError, match=TOO_LARGE):
        make(activation=activation, **params).fit(X, y)
    assert activation.n_entries == 0


@pytest.mark.parametrize("make_cv", [NDKRegressorCV, NDKClassifierCV])
def test_table_too_large_for_memory_is_refused_at_once(make_cv, memory):
    memory(0.5)
    activation = Spied()
    with pytest.raises(ValueError, match=TOO_LARGE):
        make_cv(activation=activation, cv=2).fit(X, y)
    assert activation.n_entries == 0


def test_trajectory_too_large_for_memory_leaves_the_equilibrium(make, memory):
    memory(4)
    with pytest.raises(ValueError, match=TOO_LARGE):
        make(t=1.0).fit(X, y)
    fitted = make().fit(X, y)
    expected = fitted.predict(X)
    with pytest.raises(ValueError, match=TOO_LARGE):
        fitted.predict(X, t=1.0)
    np.testing.assert_array_equal(fitted.predict(X), expected)


def test_memory_needed_is_told(memory):
    memory(1)
    message = "needs 20.1 GiB for 3 kernel matrices of 30000 samples"
    with pytest.raises(ValueError, match=message):
        _memory.check_matrices_fit(3, 30_000)
