"""The estimators inside scikit-learn: search, pipelines, copies, threads, callbacks."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.callback import ProgressBar
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ndk import NDKClassifier, NDKRegressor
from sklearn_ndk.activations._registry import get_activation
from sklearn_ndk.kernels import Activation

RNG = np.random.default_rng(0)
X = 0.5 + RNG.standard_normal((16, 3))
y = np.where(np.arange(16) % 3 > 0, 1, -1)  # targets of either estimator
WEIGHT = RNG.uniform(0.2, 3, 16)
FINITE = {"T": 0.3, "t": 0.5, "tol": 1e-2}
CV = KFold(2)


@pytest.fixture(params=[NDKRegressor, NDKClassifier])
def make(request):
    return request.param


def decision(model, X, **params):
    """Return the mean outputs that a model predicts with."""
    return getattr(model, "decision_function", model.predict)(X, **params)


def negative_loss(model, X, y):
    return -np.mean((decision(model, X) - y) ** 2)


# Search


@pytest.mark.parametrize(
    ("values", "base"),
    [
        ({"depth": [1, 3]}, {}),
        ({"activation": ["relu", "erf", "linear"]}, {}),
        ({"T": [0.0, 0.1, 1]}, {}),
        ({"sigma": [0.5, 1]}, {}),
        ({"sigma0": [0.5, 1]}, FINITE),
        ({"bias": [0, 0.5]}, {}),
        ({"length_scale": [0.5, 1.0, [1.0, 2.0, np.inf]]}, {}),
        ({"t": [0, 0.5, np.inf]}, FINITE),
        ({"limit": [None, "ntk"]}, {}),
        ({"limit": [None, "nngp"]}, FINITE),
        ({"normalize_y": [False, True]}, {}),
        ({"tol": [1e-1, 1e-2]}, FINITE),
    ],
    ids=lambda grid: "-".join(grid),
)
def test_grid_search_tries_each_value(make, values, base):
    cv = [(np.arange(8), np.arange(8, 16))]
    search = GridSearchCV(make(**base), values, scoring=negative_loss, cv=cv)
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert len(set(scores)) == len(scores)
    best = make(**(base | search.best_params_)).fit(X[:8], y[:8])
    assert_allclose(search.best_score_, negative_loss(best, X[8:], y[8:]))
    assert_array_equal(search.predict(X), best.fit(X, y).predict(X))


# Pipelines


@pytest.mark.parametrize("t", [None, 0.2, np.inf])
def test_pipeline_is_its_steps_at_any_time(make, t):
    pipeline = make_pipeline(StandardScaler(), make(**FINITE)).fit(X, y)
    Z = StandardScaler().fit_transform(X)
    model = make(**FINITE).fit(Z, y)
    assert_array_equal(pipeline.predict(X, t=t), model.predict(Z, t=t))


def test_parameters_are_set_through_a_pipeline(make):
    pipeline = make_pipeline(StandardScaler(), make())
    name = make.__name__.lower()
    pipeline.set_params(**{f"{name}__depth": 3, f"{name}__t": 0.0})
    assert pipeline[-1].get_params() == make(depth=3, t=0.0).get_params()


def test_target_transformer_is_normalize_y():
    wrapped = TransformedTargetRegressor(
        NDKRegressor(**FINITE), transformer=StandardScaler()
    )
    model = NDKRegressor(**FINITE, normalize_y=True).fit(X, y)
    for t in (0.2, np.inf):
        assert_allclose(
            wrapped.fit(X, y).predict(X, t=t), model.predict(X, t=t), rtol=1e-6
        )


@pytest.mark.parametrize(
    ("bagging", "make_base"),
    [(BaggingRegressor, NDKRegressor), (BaggingClassifier, NDKClassifier)],
)
def test_bag_of_full_samples_is_the_estimator(bagging, make_base):
    bag = bagging(make_base(**FINITE), n_estimators=2, bootstrap=False).fit(X, y)
    assert_allclose(bag.predict(X), make_base(**FINITE).fit(X, y).predict(X))
    bootstrapped = bagging(make_base(), n_estimators=5, random_state=0).fit(X, y)
    assert bootstrapped.score(X, y) > 0.5


# Weights and times through meta-estimators


def scores_by_hand(model):
    return [
        negative_loss(clone(model).fit(X[a], y[a], sample_weight=WEIGHT[a]), X[b], y[b])
        for a, b in CV.split(X)
    ]


def test_weights_reach_the_fit_without_routing(make):
    model = make(T=1.0)
    expected = scores_by_hand(model)
    search = GridSearchCV(model, {"T": [1.0]}, cv=CV).fit(X, y, sample_weight=WEIGHT)
    weighted = clone(model).fit(X, y, sample_weight=WEIGHT)
    assert_array_equal(search.predict(X), weighted.predict(X))
    pipeline = make_pipeline(None, model)
    params = {f"{make.__name__.lower()}__sample_weight": WEIGHT}
    scores = cross_val_score(
        pipeline, X, y, cv=CV, scoring=negative_loss, params=params
    )
    assert_allclose(scores, expected)


@config_context(enable_metadata_routing=True)
def test_requested_weights_are_routed_to_the_fit(make):
    model = make(T=1.0).set_fit_request(sample_weight=True)
    expected = scores_by_hand(model)
    pipeline = make_pipeline(None, model)
    params = {"sample_weight": WEIGHT}
    search = GridSearchCV(pipeline, {}, cv=CV, scoring=negative_loss)
    assert_allclose(search.fit(X, y, **params).best_score_, np.mean(expected))
    results = cross_validate(
        pipeline, X, y, cv=CV, scoring=negative_loss, params=params
    )
    assert_allclose(results["test_score"], expected)
    assert_array_equal(
        pipeline.fit(X, y, **params).predict(X),
        clone(model).fit(X, y, **params).predict(X),
    )


@config_context(enable_metadata_routing=True)
def test_weights_without_a_request_are_refused(make):
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        GridSearchCV(make(), {"T": [1.0]}, cv=CV).fit(X, y, sample_weight=WEIGHT)


@config_context(enable_metadata_routing=True)
def test_requested_time_is_routed_to_the_prediction(make):
    model = make(**FINITE).set_predict_request(t=True)
    pipeline = make_pipeline(StandardScaler(), model).fit(X, y)
    expected = pipeline[-1].predict(pipeline[0].transform(X), t=0.0)
    assert_array_equal(pipeline.predict(X, t=0.0), expected)
    assert np.any(expected != pipeline.predict(X))


@pytest.mark.parametrize("estimator", [NDKRegressor(), NDKClassifier(**FINITE)])
def test_cross_validation_in_processes_is_that_in_series(estimator):
    scores = cross_val_score(estimator, X, y, cv=CV, n_jobs=2)
    assert_allclose(scores, cross_val_score(estimator, X, y, cv=CV))


def test_estimators_have_their_kind():
    assert is_regressor(NDKRegressor())
    assert is_classifier(NDKClassifier())


# Copies


def by_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib")


@pytest.mark.parametrize("params", [FINITE, {**FINITE, "t": np.inf}, {"T": 0}])
def test_copy_predicts_as_the_original(make, params, tmp_path):
    model = make(**params).fit(X, y)
    copies = [pickle.loads(pickle.dumps(model)), by_joblib(model, tmp_path)]
    for t in (0.2, 1.0, np.inf):  # solved before, and later than solved
        for restored in copies:
            assert_allclose(
                decision(restored, X, t=t), decision(model, X, t=t), rtol=1e-12
            )


def test_clone_has_the_parameters_and_no_fit(make):
    model = make(**FINITE, depth=2, activation="erf").fit(X, y)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(X)


@pytest.mark.parametrize("params", [FINITE, {}, {"T": 0}, {"limit": "ntk", "t": 1.0}])
def test_pickle_holds_no_kernel_matrix(params):
    n = 400
    inputs = np.random.default_rng(0).standard_normal((n, 2))
    model = NDKRegressor(**params).fit(inputs, inputs[:, 0])
    model.predict(inputs[:1], t=np.inf)
    assert len(pickle.dumps(model)) < n * n * 8 / 3


# Threads


@pytest.mark.parametrize("params", [FINITE, {"T": 0}], ids=["langevin", "flow"])
def test_threads_that_all_ask_first_agree_with_one_that_asks_alone(params):
    fresh = NDKRegressor(**{**params, "t": np.inf}).fit(X, y)
    with ThreadPoolExecutor(8) as executor:
        results = list(executor.map(fresh.predict, [X] * 8, [0.5] * 8))
    alone = NDKRegressor(**{**params, "t": np.inf}).fit(X, y).predict(X, t=0.5)
    assert_allclose(results, np.tile(alone, (8, 1)), rtol=1e-12)


class Interrupted(Activation):
    """The relu, that runs a task in the midst of a prediction from four samples."""

    name = "interrupted relu"
    homogeneous = False
    task = None

    def duals(self, var_u, var_v, cov):
        if self.task is not None and np.shape(cov)[-1:] == (4,):
            task, self.task = self.task, None
            with ThreadPoolExecutor(1) as executor:
                executor.submit(task).result(timeout=60)
        return get_activation("relu").duals(var_u, var_v, cov)


def test_prediction_may_run_while_later_times_are_solved():
    activation = Interrupted()
    model = NDKRegressor(activation=activation, **FINITE).fit(X[:4], y[:4])
    expected = model.predict(X[:7], t=0.1)
    activation.task = lambda: model.predict(X, t=5.0)
    assert_allclose(model.predict(X[:7], t=0.1), expected, rtol=1e-9)
    assert activation.task is None


# Data frames


@pytest.mark.parametrize("library", [pd, pl])
def test_data_frames_are_arrays_with_names(make, library):
    names = ["width", "height", "depth"]
    frame = library.DataFrame(dict(zip(names, X.T, strict=True)))
    target, weight = library.Series(y), library.Series(WEIGHT)
    model = make().fit(frame, target, sample_weight=weight)
    assert list(model.feature_names_in_) == names
    plain = make().fit(X, y, sample_weight=WEIGHT)
    assert_allclose(decision(model, frame), decision(plain, X))
    assert_allclose(model.predict_path(frame, [np.inf])[:, 0], plain.predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[names[::-1]])


# Callbacks


class Recorder:
    """A callback that records the names and numbers of tasks."""

    def __init__(self):
        self.events = []
        self.unpicklable = lambda: None

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.task_name, context.task_id))


def panels(make, **params):
    """Return the tasks of a fit, and check that each begins and ends in its turn."""
    recorder = Recorder()
    make(**params).set_callbacks(recorder).fit(X, y)
    setup, begin, *tasks, end, teardown = recorder.events
    assert (setup, teardown) == ("setup", "teardown")
    assert (begin, end) == (("begin", "fit", 0), ("end", "fit", 0))
    assert [task[0] for task in tasks] == ["begin", "end"] * (len(tasks) // 2)
    assert [task[1:] for task in tasks[::2]] == [task[1:] for task in tasks[1::2]]
    assert [task[2] for task in tasks[::2]] == list(range(len(tasks) // 2))
    return [name for _, name, _ in tasks[::2]]


def test_callbacks_see_a_task_per_panel_of_the_march(make):
    names = panels(make, **FINITE)
    times = [float(name.removeprefix("t = ")) for name in names]
    assert times == sorted(times)
    assert times[-1] >= 5 / FINITE["T"]
    assert panels(make, **{**FINITE, "t": 2.0}) == names


def test_callbacks_see_no_more_than_was_asked_for_where_diffusion_is_slow(make):
    slow = {**FINITE, "T": 1e-9}
    short, long = panels(make, **slow), panels(make, **{**slow, "t": 2.0})
    assert 0 < len(short) < len(long)
    assert long[: len(short)] == short
    times = [float(name.removeprefix("t = ")) for name in long]
    assert times == sorted(times)
    assert times[len(short) - 1] >= 0.5
    assert times[-1] >= 2.0


@pytest.mark.parametrize("params", [{}, {"T": 0, "t": 1.0}, {"limit": "nngp"}])
def test_callbacks_see_no_panel_where_nothing_marches(make, params):
    assert panels(make, **params) == []


def test_no_callback_is_left_behind(make):
    recorder = Recorder()
    model = make(**FINITE).set_callbacks(recorder).fit(X, y)
    n_events = len(recorder.events)
    model.predict(X, t=2.0)
    assert len(recorder.events) == n_events
    restored = pickle.loads(pickle.dumps(model.set_callbacks()))
    assert not [name for name in vars(restored) if "callback" in name]


def test_callbacks_of_a_failed_fit_are_torn_down(make):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("on purpose")

    callback = Failing()
    model = make(**FINITE).set_callbacks(callback)
    with pytest.raises(RuntimeError, match="on purpose"):
        model.fit(X, y)
    assert callback.events[-1] == "teardown"
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_callback_that_fails_at_the_end_leaves_no_fit(make):
    class FailingAtEnd(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.parent is None:
                raise RuntimeError("on purpose")

    model = make().set_callbacks(FailingAtEnd())
    with pytest.raises(RuntimeError, match="on purpose"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("wrap", ["estimator", "pipeline", "search"])
def test_progress_bar_names_the_estimator(wrap, capsys):
    pytest.importorskip("rich")
    model = NDKRegressor(**FINITE)
    if wrap == "pipeline":
        model = make_pipeline(StandardScaler(), model)
    elif wrap == "search":
        model = GridSearchCV(model, {"T": [0.3]}, cv=CV)
    model.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    assert "NDKRegressor" in capsys.readouterr().out
