"""What a fitted estimator predicts: shapes, times, weights, scales and classes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge

from sklearn_ndk import NDKClassifier, NDKRegressor
from sklearn_ndk.kernels import nngp_kernel

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 3))
Y = X @ RNG.standard_normal((3, 2)) + 0.5
y = Y[:, 0]
X_TEST = RNG.standard_normal((5, 3))
TIMES = [0.5, np.inf, 0.1, 0.0, 0.5]  # unsorted, repeated
TOL = 1e-4
#: The roads to a prediction.
ROADS = {
    "langevin": {"T": 0.3, "t": 0.5, "tol": TOL},
    "equilibrium": {"T": 0.3, "limit": "nngp"},
    "gradient flow": {"T": 0.0, "t": 0.5},
}
FINITE = ROADS["langevin"]


@pytest.fixture(params=ROADS.values(), ids=ROADS)
def road(request):
    return request.param


@pytest.fixture(scope="module", params=[y, Y[:, :1], Y], ids=["1-D", "column", "2-D"])
def fitted(request):
    return NDKRegressor(**FINITE).fit(X, request.param), request.param


@pytest.fixture(scope="module", params=[2, 3], ids=["binary", "multiclass"])
def fitted_classifier(request):
    labels = np.array(["ant", "bee", "cat"])[np.arange(12) % request.param]
    return NDKClassifier(**FINITE).fit(X, labels)


def predict(road, X, y, sample_weight=None, **params):
    model = NDKRegressor(**{**road, **params}).fit(X, y, sample_weight=sample_weight)
    return model.predict(X_TEST)


def assert_close(actual, desired, rtol=TOL):
    """Compare, relative to the largest value, which must be finite."""
    assert np.all(np.isfinite(desired))
    assert_allclose(actual, desired, rtol=0, atol=rtol * np.abs(desired).max())


# Shapes and times


def test_prediction_has_the_shape_of_the_targets(fitted):
    model, targets = fitted
    outputs = targets.shape[1:] if targets.size > len(targets) else ()
    assert model.predict(X_TEST).shape == (5, *outputs)
    assert model.predict_path(X_TEST, TIMES).shape == (5, *outputs, 5)
    assert model.score(X, targets) > 0


@pytest.mark.parametrize("targets", [y, y[:, None], Y], ids=["1-D", "column", "2-D"])
def test_prediction_has_the_shape_of_a_gaussian_process(targets):
    process = GaussianProcessRegressor(optimizer=None).fit(X, targets)
    shape = NDKRegressor().fit(X, targets).predict(X_TEST).shape
    assert shape == process.predict(X_TEST).shape


def test_path_is_the_prediction_at_each_time(fitted):
    model, _ = fitted
    path = model.predict_path(X_TEST, TIMES)
    for column, t in zip(np.moveaxis(path, -1, 0), TIMES, strict=True):
        assert_close(column, model.predict(X_TEST, t=t))


def test_path_does_not_depend_on_the_order_of_times(fitted):
    model, _ = fitted
    path = model.predict_path(X_TEST, TIMES)
    assert_allclose(model.predict_path(X_TEST, TIMES[::-1]), path[..., ::-1])
    assert_array_equal(path[..., 0], path[..., 4])


def test_prediction_of_a_row_does_not_depend_on_other_rows(fitted):
    model, _ = fitted
    alone = np.concatenate([model.predict(row[None]) for row in X_TEST])
    assert_close(alone, model.predict(X_TEST))


def test_prediction_does_not_depend_on_what_was_solved_before():
    model = NDKRegressor(**FINITE).fit(X, y).set_params(t=np.inf)
    early = model.predict(X_TEST, t=0.2)
    model.predict(X_TEST, t=4.0)
    assert_close(model.predict(X_TEST, t=0.2), early)
    later = NDKRegressor(**{**FINITE, "t": 4.0}).fit(X, y)
    assert_close(model.predict(X_TEST, t=4.0), later.predict(X_TEST))


@pytest.mark.parametrize("normalize_y", [False, True])
def test_untrained_networks_predict_zero_or_the_mean(road, normalize_y):
    model = NDKRegressor(**{**road, "limit": None}, normalize_y=normalize_y)
    expected = np.mean(y) if normalize_y else 0.0
    assert_allclose(model.fit(X, y).predict(X_TEST, t=0), np.full(5, expected))


def test_long_training_reaches_the_equilibrium():
    model = NDKRegressor(T=0.3, tol=TOL).fit(X, y)
    assert_close(model.predict(X_TEST, t=1e6), model.predict(X_TEST, t=np.inf))


def test_default_time_is_the_parameter_t(road):
    model = NDKRegressor(**road).fit(X, y)
    assert_array_equal(model.predict(X_TEST), model.predict(X_TEST, t=model.t))


def test_changing_t_after_fit_needs_no_refit():
    model = NDKRegressor(**FINITE).fit(X, y)
    at_half, at_end = model.predict_path(X_TEST, [0.5, np.inf]).T
    assert_close(model.set_params(t=0.5).predict(X_TEST), at_half)
    assert_close(model.set_params(t=np.inf).predict(X_TEST), at_end)


# Limits


def test_equilibrium_is_kernel_ridge_with_the_nngp_kernel():
    network = {"depth": 2, "activation": "erf", "sigma": 1.3, "bias": 0.4}
    weights = np.linspace(0.5, 2, 12)
    ridge = KernelRidge(kernel="precomputed", alpha=0.2 / 1.3**2)
    ridge.fit(nngp_kernel(X, **network), Y, sample_weight=weights)
    expected = ridge.predict(nngp_kernel(X_TEST, X, **network))
    actual = predict({}, X, Y, weights, T=0.2, sigma0=0.7, **network)
    assert_close(actual, expected, rtol=1e-10)


def test_nngp_limit_is_the_equilibrium_at_any_time():
    model = NDKRegressor(T=0.3, limit="nngp").fit(X, y)
    path = model.predict_path(X_TEST, [0.1, 3.0, np.inf])
    assert_array_equal(path, np.repeat(path[:, :1], 3, axis=1))
    assert_array_equal(path[:, 0], predict({}, X, y, T=0.3))


def test_ntk_limit_is_zero_temperature():
    ntk = NDKRegressor(T=5.0, sigma=3.0, limit="ntk").fit(X, y)
    cold = NDKRegressor(T=0).fit(X, y)
    times = [0, 0.1, 4.0, np.inf]
    assert_close(ntk.predict_path(X_TEST, times), cold.predict_path(X_TEST, times))


def test_gradient_flow_ends_in_interpolation():
    assert_close(NDKRegressor(T=0).fit(X, y).predict(X), y, rtol=1e-8)


# Samples, weights and targets


def test_weights_are_numbers_of_copies(road):
    weights = np.arange(12) % 4
    copies = np.repeat(np.arange(12), weights)
    by_weight = predict(road, X, Y, weights)
    assert_allclose(by_weight, predict(road, X[copies], Y[copies]), rtol=1e-7)


def test_fractional_weights_split_a_sample(road):
    halves = np.repeat([0.25, 0.75], 12)
    assert_close(
        predict(road, np.tile(X, (2, 1)), np.tile(Y, (2, 1)), halves),
        predict(road, X, Y),
    )


def test_equal_samples_are_kept_once():
    model = NDKRegressor().fit(np.vstack([X, X[:4]]), np.append(y, y[:4]))
    assert_array_equal(model.X_fit_, X)


def test_samples_of_zero_weight_are_not_kept():
    weights = np.arange(12) % 2
    model = NDKRegressor().fit(X, y, sample_weight=weights)
    assert_array_equal(model.X_fit_, X[1::2])


@pytest.mark.parametrize("road", [FINITE, ROADS["equilibrium"]])
def test_equal_samples_act_as_nearly_equal_ones(road):
    noise = 1e-7 * np.random.default_rng(1).standard_normal(X.shape)
    weights = np.linspace(0.5, 2, 24)
    targets = np.append(y, y + 1)  # a conflict that only the ridge can settle
    equal = predict(road, np.vstack([X, X]), targets, weights)
    assert_close(predict(road, np.vstack([X, X + noise]), targets, weights), equal)


def test_order_of_samples_does_not_matter(road):
    weights = np.linspace(0.5, 2, 12)
    order = np.random.default_rng(1).permutation(12)
    shuffled = predict(road, X[order], Y[order], weights[order])
    assert_close(shuffled, predict(road, X, Y, weights))


def test_outputs_do_not_see_each_other(road):
    targets = Y * [1, 1e4]
    together = predict(road, X, targets)
    for column, target in zip(together.T, targets.T, strict=True):
        assert_close(column, predict(road, X, target))


@pytest.mark.parametrize("scale", [-3.0, 1e150, 1e-150])
def test_predictions_scale_with_the_targets(road, scale):
    assert_close(predict(road, X, scale * y), scale * predict(road, X, y))


@pytest.mark.parametrize("weighted", [False, True])
def test_normalize_y_is_scaling_by_hand(road, weighted):
    weights = np.linspace(0.5, 2, 12) if weighted else np.ones(12)
    mean = np.average(Y, axis=0, weights=weights)
    std = np.sqrt(np.average((Y - mean) ** 2, axis=0, weights=weights))
    by_hand = mean + std * predict(road, X, (Y - mean) / std, weights)
    assert_close(predict(road, X, Y, weights, normalize_y=True), by_hand)


def test_zero_targets_give_zero(road):
    assert_array_equal(predict(road, X, np.zeros(12)), np.zeros(5))


def test_constant_targets_are_kept_when_normalized(road):
    assert_allclose(predict(road, X, np.full(12, 7.3), normalize_y=True), 7.3)


def test_one_sample_is_fitted(road):
    network = {"depth": 2, "bias": 0.3}
    model = NDKRegressor(**road, **network).fit(X[:1], y[:1])
    at_end = model.predict(X_TEST, t=np.inf)
    if road["T"] > 0:
        kernel = nngp_kernel(np.vstack([X[:1], X_TEST]), X[:1], **network)
        assert_close(at_end, kernel[1:, 0] * y[0] / (kernel[0, 0] + road["T"]))
    assert np.all(np.abs(model.predict(X[:1])) < np.abs(y[:1]) * (1 + TOL))


@pytest.mark.parametrize("activation", ["relu", "erf", "linear"])
def test_inputs_of_zero_without_bias_teach_nothing(road, activation):
    model = NDKRegressor(**road, activation=activation).fit(np.zeros((12, 3)), y)
    path = model.predict_path(X_TEST, [0.0, 0.5, np.inf])
    assert_array_equal(path, np.zeros((5, 3)))


def test_inputs_of_zero_with_bias_teach_the_mean(road):
    model = NDKRegressor(**road, bias=1.0).fit(np.zeros((12, 3)), y)
    zero = np.zeros((1, 3))
    assert_close(model.predict(zero, t=1e3), [np.mean(y)], rtol=0.1)
    assert np.abs(model.predict(zero)) < np.abs(np.mean(y)) * (1 + TOL)


# Classes


def test_decision_values_have_a_column_per_class_or_none(fitted_classifier):
    outputs = (3,) if len(fitted_classifier.classes_) == 3 else ()
    assert fitted_classifier.decision_function(X_TEST).shape == (5, *outputs)
    path = fitted_classifier.decision_function_path(X_TEST, TIMES)
    assert path.shape == (5, *outputs, 5)
    assert fitted_classifier.predict_path(X_TEST, TIMES).shape == (5, 5)


@pytest.mark.parametrize("t", [None, 0.1, np.inf])
def test_class_has_the_largest_decision_value(fitted_classifier, t):
    values = fitted_classifier.decision_function(X, t=t)
    codes = values.argmax(axis=1) if values.ndim == 2 else (values > 0).astype(int)
    labels = fitted_classifier.predict(X, t=t)
    assert_array_equal(labels, fitted_classifier.classes_[codes])


def test_paths_of_classifier_are_its_predictions_at_each_time(fitted_classifier):
    values = fitted_classifier.decision_function_path(X, TIMES)
    labels = fitted_classifier.predict_path(X, TIMES)
    for i, t in enumerate(TIMES):
        assert_allclose(
            values[..., i], fitted_classifier.decision_function(X, t=t), atol=TOL
        )
        assert_array_equal(labels[:, i], fitted_classifier.predict(X, t=t))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_flow_learns_the_labels(n_classes):
    labels = np.array(["ant", "bee", "cat"])[np.arange(12) % n_classes]
    predicted = NDKClassifier(T=0).fit(X, labels).predict(X)
    assert_array_equal(predicted, labels)
    assert predicted.dtype == labels.dtype


@pytest.mark.parametrize("normalize_y", [False, True])
def test_classifier_regresses_on_signs(road, normalize_y):
    codes = np.arange(12) % 3
    params = {**road, "normalize_y": normalize_y}
    for labels, signs in [
        (codes > 0, np.where(codes > 0, 1, -1)),
        (codes, 2 * np.eye(3)[codes] - 1),
    ]:
        values = NDKClassifier(**params).fit(X, labels).decision_function(X_TEST)
        assert_close(values, predict(params, X, signs))


def test_classes_of_zero_weight_are_dropped():
    codes = np.arange(12) % 3
    model = NDKClassifier().fit(X, codes, sample_weight=codes != 1)
    assert_array_equal(model.classes_, [0, 2])
    assert model.decision_function(X).shape == (12,)


# No fit, failed fits: test_refit


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (NDKRegressor(), "predict"),
        (NDKRegressor(), "predict_path"),
        (NDKClassifier(), "predict"),
        (NDKClassifier(), "predict_path"),
        (NDKClassifier(), "decision_function"),
        (NDKClassifier(), "decision_function_path"),
    ],
)
def test_prediction_needs_a_fit(model, method):
    times = ([1.0],) if method.endswith("_path") else ()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(model, method)(X, *times)
