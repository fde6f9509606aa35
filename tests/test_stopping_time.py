"""The CV estimators: the slow way, the folds, the choice of a time, bad input."""

import pickle
from typing import ClassVar

import joblib
import numpy as np
import pytest
from fixed_numbers import fixed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, make_scorer, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import scale

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk.kernels import ntk_kernel

TIMES = [0.0, 0.01, 0.1, 1.0, 10.0, 300.0, np.inf]


def classes(n=90):
    X, y = load_wine(return_X_y=True)
    some = np.random.default_rng(0).permutation(len(y))[:n]
    return scale(X)[some], np.array(["a", "b", "c"])[y][some]


def targets(n=90):
    X, y = load_diabetes(return_X_y=True)
    return scale(X)[:n], scale(y)[:n]


# The slow way


def assert_same_as_grid_search(fast, slow, X, y):
    grid = {"t": fast.times}
    slow = GridSearchCV(slow, grid, cv=fast.cv, scoring=fast.scoring).fit(X, y)
    fast.fit(X, y)
    if fast.scoring is None:  # of times that tie it need not be the earliest
        scores = slow.cv_results_["mean_test_score"]
        assert scores[fast.best_index_] == pytest.approx(scores.max(), abs=fast.tol)
    else:
        assert fast.best_index_ == slow.best_index_
    assert fast.t_ == fast.times[fast.best_index_]
    assert set(fast.cv_results_) <= set(slow.cv_results_)
    for name, values in fast.cv_results_.items():
        if name == "rank_test_score":  # ties within tol aside
            means = fast.cv_results_["mean_test_score"]
            ranked = means[np.argsort(slow.cv_results_[name], kind="stable")]
            assert np.all(np.diff(ranked) <= fast.tol)
        elif name != "params":
            expected = slow.cv_results_[name].astype(float)
            assert_allclose(values.astype(float), expected, atol=fast.tol)
    assert_allclose(fast.best_score_, slow.best_score_, atol=fast.tol)
    return fast, slow.best_estimator_.set_params(t=fast.t_)


NETWORKS = [
    {"depth": 1, "T": 0.1, "bias": 0.3},
    {"depth": 2, "sigma0": 1.5, "T": 1.0, "bias": 1.0},
    {"depth": 2, "sigma0": 1.5, "T": 1.0, "bias": 1.0, "tol": 1e-7},
    {"depth": 1, "activation": "erf", "sigma": 0.8, "T": 0.05, "bias": 0.5},
    {"depth": 1, "limit": "ntk", "bias": 0.3},
    {"depth": 1, "limit": "nngp", "bias": 0.3},
    {"depth": 1, "T": 0, "bias": 0.3},
]


@pytest.mark.parametrize("network", NETWORKS)
def test_regression_scores_are_those_of_a_grid_search(network):
    X, y = targets()
    fast, slow = assert_same_as_grid_search(
        fixed(NDKRegressorCV, times=TIMES, cv=KFold(4), **network),
        NDKRegressor(**network),
        X,
        y,
    )
    assert_allclose(fast.predict(X), slow.predict(X), atol=fast.tol)


@pytest.mark.parametrize(
    "scoring", [None, "f1_macro", "balanced_accuracy", make_scorer(accuracy_score)]
)
def test_classification_scores_are_those_of_a_grid_search(scoring):
    X, y = classes()
    network = {"depth": 1, "T": 0.1, "bias": 0.3}
    fast, slow = assert_same_as_grid_search(
        fixed(NDKClassifierCV, times=TIMES, scoring=scoring, cv=3, **network),
        NDKClassifier(**network),
        X,
        y,
    )
    assert_array_equal(fast.predict(X), slow.predict(X))


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision"])
def test_scores_of_decision_values_are_those_of_a_grid_search(scoring):
    X, y = classes()
    network = {"T": 0.1, "bias": 0.3, "depth": 2}
    assert_same_as_grid_search(
        fixed(NDKClassifierCV, times=TIMES[1:], scoring=scoring, cv=3, **network),
        NDKClassifier(**network),
        X,
        y == "a",
    )


def test_scorers_that_predict_at_other_inputs_are_right():
    X, y = targets()
    shifted = fixed(
        NDKRegressorCV,
        1,
        bias=0.0,
        times=TIMES,
        scoring=lambda est, X, y: est.predict(X[:5] + 1).sum(),
    )
    assert_same_as_grid_search(shifted, NDKRegressor(), X, y)


def test_folds_in_parallel_are_the_same():
    X, y = classes()
    model = fixed(NDKClassifierCV, times=5, cv=3, bias=0.3)
    one = clone(model).fit(X, y)
    two = clone(model).set_params(n_jobs=2).fit(X, y)
    with joblib.parallel_config("threading", n_jobs=2):
        three = clone(model).fit(X, y)
    for other in (two, three):
        assert_array_equal(
            other.cv_results_["mean_test_score"], one.cv_results_["mean_test_score"]
        )


# Weights and metadata


def test_weights_count_in_fits_and_scores():
    X, y = targets()
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    folds = list(KFold(3).split(X))
    copies = np.repeat(np.arange(len(y)), weight.astype(int))
    repeated = [[np.flatnonzero(np.isin(copies, i)) for i in fold] for fold in folds]
    model = fixed(NDKRegressorCV, times=TIMES, bias=1.0)
    weighted = clone(model).set_params(cv=folds).fit(X, y, sample_weight=weight)
    plain = clone(model).set_params(cv=repeated).fit(X[copies], y[copies])
    for name in ("mean_test_score", "split1_test_score"):
        assert_allclose(weighted.cv_results_[name], plain.cv_results_[name], atol=1e-8)
    assert weighted.t_ == plain.t_


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("make", "scoring", "data"),
    [
        (NDKClassifierCV, "accuracy", classes()),
        (NDKRegressorCV, "r2", targets()),
        (NDKRegressorCV, "r2", (targets()[0], targets()[0][:, :2])),
    ],
)
def test_default_scores_are_those_of_the_named_scorer(make, scoring, data, weighted):
    X, y = data
    weights = np.linspace(0.5, 2, len(X)) if weighted else None
    named = make(cv=3, scoring=scoring).fit(X, y, sample_weight=weights)
    default = make(cv=3).fit(X, y, sample_weight=weights)
    for name, values in named.cv_results_.items():
        if name != "params":
            assert_allclose(
                default.cv_results_[name].astype(float), values.astype(float)
            )


def test_scorers_without_weights_score_without_them():
    X, y = targets()
    weight = np.random.default_rng(0).random(len(y))
    scored = fixed(NDKRegressorCV, times=[1.0, 9.0], scoring="neg_max_error")
    assert np.all(scored.fit(X, y, weight).cv_results_["mean_test_score"] < 0)


def test_groups_are_routed_to_the_splitter():
    X, y = targets()
    groups = np.arange(len(y)) % 7
    with config_context(enable_metadata_routing=True):
        model = fixed(NDKRegressorCV, times=[1.0], cv=GroupKFold(3), scoring="r2")
        model.fit(X, y, groups=groups)
    folds = list(GroupKFold(3).split(X, y, groups))
    expected = fixed(NDKRegressorCV, times=[1.0], cv=folds).fit(X, y)
    assert_array_equal(
        model.cv_results_["split2_test_score"],
        expected.cv_results_["split2_test_score"],
    )
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        fixed(NDKRegressorCV, cv=GroupKFold(3)).fit(X, y, groups=groups)


def test_weights_are_routed_to_the_scorer_that_asks():
    X, y = targets()
    weight = np.random.default_rng(0).random(len(y)) + 0.1

    def score(y_true, y_pred, sample_weight=None):
        assert sample_weight is not None
        return -np.average((y_true - y_pred) ** 2, weights=sample_weight)

    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(score).set_score_request(sample_weight=True)
        fixed(NDKRegressorCV, times=[1.0], scoring=scorer).fit(
            X, y, sample_weight=weight
        )


class Recorder(TransformerMixin, BaseEstimator):
    """A transformer that records the rows it is fitted on."""

    seen: ClassVar[list] = []

    def fit(self, X, y=None):
        self.seen.append(set(X[:, -1]))
        return self

    def transform(self, X):
        return X[:, :-1]


def test_a_transformer_around_it_sees_training_rows_only():
    X, y = classes()
    X = np.column_stack([X, np.arange(len(X))])  # a row knows its number
    Recorder.seen.clear()
    folds = list(StratifiedKFold(3).split(X, y))
    cross_val_score(
        make_pipeline(Recorder(), fixed(NDKClassifierCV, times=3)), X, y, cv=folds
    )
    assert Recorder.seen == [set(train.astype(float)) for train, _ in folds]


def test_training_parts_never_meet_their_test_parts():
    X, y = targets()
    seen = []

    def record(estimator, X, y):
        seen.append({row.tobytes() for row in estimator.X_fit_})
        return estimator.score(X, y)

    folds = list(KFold(3).split(X))
    fixed(NDKRegressorCV, times=[1.0, 5.0], cv=folds, scoring=record).fit(X, y)
    parts = [{row.tobytes() for row in X[train]} for train, _ in folds]
    assert seen == np.repeat(parts, 2).tolist()


# The choice


def test_earliest_of_equal_times_is_chosen():
    X, y = targets()
    model = fixed(NDKRegressorCV, times=TIMES, scoring=lambda est, X, y: 1.0).fit(X, y)
    assert model.t_ == 0
    assert_array_equal(model.cv_results_["rank_test_score"], 1)


def test_one_standard_error_stops_earlier():
    X, y = targets()
    best = fixed(NDKRegressorCV, bias=1.0).fit(X, y)
    early = fixed(NDKRegressorCV, bias=1.0, selection="1se").fit(X, y)
    mean = best.cv_results_["mean_test_score"]
    folds = [best.cv_results_[f"split{i}_test_score"] for i in range(5)]
    error = np.std(folds, axis=0, ddof=1)[best.best_index_] / np.sqrt(5)
    assert early.t_ < best.t_
    assert mean[early.best_index_] >= best.best_score_ - error
    assert np.all(mean[: early.best_index_] < best.best_score_ - error)
    assert early.best_score_ == mean[early.best_index_]


def test_one_fold_has_no_standard_error():
    X, y = targets()
    splitter = ShuffleSplit(1, random_state=0)
    best = fixed(NDKRegressorCV, times=5, cv=splitter).fit(X, y)
    early = fixed(NDKRegressorCV, times=5, cv=splitter, selection="1se").fit(X, y)
    assert early.t_ == best.t_


@pytest.mark.parametrize(
    ("t", "params", "phase"),
    [
        (0.5, {}, "gradient"),
        (5.0, {}, "diffusive"),
        (49.0, {}, "diffusive"),
        (51.0, {}, "equilibrium"),
        (np.inf, {}, "equilibrium"),
        (51.0, {"sigma": 2.0}, "diffusive"),
        (51.0, {"T": 0}, "gradient"),
        (51.0, {"limit": "ntk"}, "gradient"),
        (np.inf, {"limit": "ntk"}, "equilibrium"),
        (0.5, {"limit": "nngp"}, "equilibrium"),
    ],
)
def test_phase_of_the_chosen_time(t, params, phase):
    X, y = targets(30)
    model = fixed(NDKRegressorCV, times=[t], **{"T": 0.1} | params).fit(X, y)
    assert model.phase_ == phase


def test_the_last_automatic_time_is_not_yet_equilibrium():
    X, y = targets(20)

    def late_is_better(estimator, X, y):
        return estimator.t if np.isfinite(estimator.t) else 0.0

    for sigma in (0.7, 0.8, 0.9, 1.1, 1.3):
        model = fixed(
            NDKRegressorCV, T=0.1, sigma=sigma, times=3, scoring=late_is_better
        )
        model.fit(X, y)
        assert (model.best_index_, model.phase_) == (1, "diffusive")


def test_nan_at_some_times_ranks_last():
    X, y = targets(40)

    def sometimes_nan(estimator, X, y):
        return np.nan if estimator.t < 5 else -estimator.t

    model = fixed(
        NDKRegressorCV, times=[1.0, 2.0, 6.0, 8.0], scoring=sometimes_nan, cv=2
    )
    assert model.fit(X, y).t_ == 6.0
    assert_array_equal(model.cv_results_["rank_test_score"], [3, 3, 1, 2])


def test_infinite_scores_have_no_standard_error():
    X, y = targets(40)

    def infinite(estimator, X, y):
        return np.inf if estimator.t == 2 else 1.0

    model = fixed(
        NDKRegressorCV, times=[1.0, 2.0], scoring=infinite, cv=2, selection="1se"
    )
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert model.fit(X, y).t_ == 2.0


def test_predictions_are_those_of_the_chosen_time():
    X, y = classes()
    model = fixed(NDKClassifierCV, times=8, bias=0.3).fit(X, y)
    assert_array_equal(
        model.decision_function(X), model.decision_function(X, t=model.t_)
    )
    same = NDKClassifier(2, bias=0.3, t=model.t_).fit(X, y)
    assert_allclose(model.decision_function(X), same.decision_function(X), atol=1e-12)


# Times


def test_automatic_times_span_both_phases():
    X, y = targets()
    network = {"depth": 2, "bias": 0.0, "sigma0": 1.5}
    model = fixed(NDKRegressorCV, T=0.5, sigma=2.0, **network).fit(X, y)
    rate = np.linalg.eigvalsh(ntk_kernel(X, **network))[-1]
    assert len(model.times_) == 30
    assert_allclose(model.times_[0], 0.1 / rate, rtol=0.1)
    assert_allclose(model.times_[-2], 5 * 2.0**2 / 0.5)
    assert model.times_[-1] == np.inf
    ratios = model.times_[1:-1] / model.times_[:-2]
    assert_allclose(ratios, ratios[0])


@pytest.mark.parametrize("params", [{"T": 0}, {"limit": "ntk"}, {"T": 1e6}])
def test_automatic_times_without_a_diffusive_phase(params):
    X, y = targets(40)
    times = fixed(NDKRegressorCV, times=6, **params).fit(X, y).times_
    assert len(times) == len(np.unique(times)) == 6


def test_at_equilibrium_there_is_one_time():
    X, y = targets(40)
    assert_array_equal(fixed(NDKRegressorCV, limit="nngp").fit(X, y).times_, [np.inf])


def test_times_are_sorted_and_each_tried_once():
    X, y = targets(40)
    model = fixed(NDKRegressorCV, times=[np.inf, 1.0, 0.5, 1.0]).fit(X, y)
    assert_array_equal(model.times_, [0.5, 1.0, np.inf])


# Bad input


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([], "at least one time"),
        ([[1.0]], "1-D"),
        ([1.0, -2.0], "got -2.0"),
        ([np.nan], "got nan"),
        (1, "times"),
        ("all", "times"),
    ],
)
def test_bad_times_are_refused(times, message):
    X, y = targets(40)
    with pytest.raises(ValueError, match=message):
        fixed(NDKRegressorCV, times=times).fit(X, y)


def test_of_accuracies_that_tie_the_smallest_squared_error_is_chosen():
    X, y = classes(90)
    model = fixed(NDKClassifierCV, depth=1, times=TIMES, cv=3).fit(X, y)
    errors = []
    signs = 2.0 * (y[:, None] == np.unique(y)) - 1
    for train, test in StratifiedKFold(3).split(X, y):
        base = NDKClassifier(depth=1, bias=0.3).fit(X[train], y[train])
        outputs = base.decision_function_path(X[test], TIMES)
        errors.append(np.mean((outputs - signs[test, :, None]) ** 2, axis=(0, 1)))
    scores = model.cv_results_["mean_test_score"]
    ties = np.flatnonzero(np.isclose(scores, scores.max(), rtol=1e-12))
    assert len(ties) > 1
    best = ties[np.argmin(np.mean(errors, axis=0)[ties])]
    assert model.best_index_ == best > ties[0]
    assert model.set_params(scoring="accuracy").fit(X, y).best_index_ == ties[0]


def test_one_class_is_refused_in_all_samples_and_in_a_fold():
    X, y = classes(60)
    with pytest.raises(ValueError, match="at least two classes"):
        fixed(NDKClassifierCV, times=[1.0]).fit(X, np.ones(len(X)))
    y = np.arange(60) >= 30
    message = "training part of fold 0 of 2 has samples of one class only, True"
    with pytest.raises(ValueError, match=message):
        fixed(NDKClassifierCV, cv=KFold(2)).fit(X, y)


def test_samples_of_no_weight_do_not_make_a_class():
    X, y = classes(60)
    y = np.arange(60) % 2
    weight = np.where((np.arange(60) >= 30) & (y == 1), 0.0, 1.0)
    with pytest.raises(ValueError, match="fold 0 of 2 has samples of one class only"):
        fixed(NDKClassifierCV, cv=KFold(2)).fit(X, y, weight)
    weight = np.where(np.arange(60) >= 30, 0.0, 1.0)
    with pytest.raises(ValueError, match="fold 0 of 2 has samples of weight zero only"):
        fixed(NDKRegressorCV, cv=KFold(2)).fit(X, y, weight)


@pytest.mark.parametrize("routing", [False, True])
def test_folds_may_come_from_an_iterator_once(routing):
    X, y = targets(40)
    folds = list(KFold(2).split(X))
    model = fixed(
        NDKRegressorCV, times=[1.0], cv=((list(a), tuple(b)) for a, b in folds)
    )
    with config_context(enable_metadata_routing=routing):
        expected = fixed(NDKRegressorCV, times=[1.0], cv=folds).fit(X, y).best_score_
        assert model.fit(X, y).best_score_ == expected
        with pytest.raises(ValueError, match="no folds"):
            model.fit(X, y)


def test_weights_are_routed_to_the_default_score():
    X, y = targets(40)
    weight = np.random.default_rng(0).random(40)
    plain = fixed(NDKRegressorCV, times=[1.0]).fit(X, y, weight)
    with config_context(enable_metadata_routing=True):
        routed = fixed(NDKRegressorCV, times=[1.0]).fit(X, y, sample_weight=weight)
    assert routed.best_score_ == plain.best_score_


@pytest.mark.parametrize("score", [{"a": 1.0}, None, "good", [1.0, 2.0]])
def test_scores_that_are_no_numbers_are_refused(score):
    X, y = targets(40)
    with pytest.raises(ValueError, match="must return a number"):
        fixed(NDKRegressorCV, times=[1.0], scoring=lambda est, X, y: score).fit(X, y)


def test_fewer_samples_than_folds_are_refused():
    X, y = targets(4)
    with pytest.raises(ValueError, match="n_splits=5 greater than the number"):
        fixed(NDKRegressorCV).fit(X, y)
    X, y = classes(6)
    with pytest.raises(ValueError, match="n_splits=5 cannot be greater"):
        fixed(NDKClassifierCV).fit(X, y)


def test_scores_that_are_all_nan_are_refused():
    X, y = targets(6)
    with (
        pytest.warns(UndefinedMetricWarning),
        pytest.raises(ValueError, match="nan at every time"),
    ):
        fixed(NDKRegressorCV, times=[1.0], cv=6).fit(X, y)


# Progress


class TaskRecorder:
    """A callback that records the names of tasks."""

    def __init__(self):
        self.names = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.names.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.names.append("end of " + context.task_name)

    def teardown(self, estimator, context):
        pass


def test_callbacks_see_the_folds_and_the_refit():
    X, y = targets(40)
    recorder = TaskRecorder()
    fixed(NDKRegressorCV, times=[5.0], cv=3).set_callbacks(recorder).fit(X, y)
    names = [name for name in recorder.names if not name.startswith("t =")]
    assert names.count("fold") == names.count("end of fold") == 3
    assert names.count("refit") == names.count("end of refit") == 1
    assert names[0] == "fit"
    assert names[-1] == "end of fit"


def test_progress_bar_shows_the_folds_and_the_refit(capsys):
    X, y = targets(40)
    fixed(NDKRegressorCV, times=[5.0], cv=2).set_callbacks(ProgressBar()).fit(X, y)
    out = capsys.readouterr().out
    assert "fold" in out
    assert "refit" in out


def test_scoring_monitor_shows_the_folds_and_the_march():
    X, y = targets(40)
    monitor = ScoringMonitor(scoring="r2")
    model = (
        fixed(NDKRegressorCV, times=[0.5, 5.0], cv=2).set_callbacks(monitor).fit(X, y)
    )
    rows = monitor.get_logs().data
    folds = [row["r2"] for row in rows if row["task_name"] == "fold"]
    for (train, _), score in zip(KFold(2).split(X), folds, strict=True):
        part = NDKRegressor(2, bias=0.3, t=5.0).fit(X[train], y[train])
        scores = [part.score(X[train], y[train])]
        scores.append(part.set_params(t=0.5).score(X[train], y[train]))
        assert min(abs(score - s) for s in scores) < model.tol
    march = {
        float(row["task_name"].removeprefix("t = ")): row["r2"]
        for row in rows
        if row["task_name"].startswith("t = ")
    }
    assert len(march) > 10
    for t, score in list(march.items())[::7]:
        expected = r2_score(y, model.predict(X, t=t))
        assert score == pytest.approx(expected, abs=1e-2)  # t is printed to 3 digits
    assert rows[0]["task_name"] == "fit"
    assert rows[0]["r2"] == pytest.approx(model.score(X, y), abs=model.tol)


# Sharing


@pytest.mark.parametrize("limit", [None, "ntk", "nngp"])
@pytest.mark.parametrize("n", [10, 60])
@pytest.mark.parametrize(("activation", "sigma0"), [("relu", 1.0), ("erf", 1.5)])
def test_folds_that_share_kernels_are_fits_of_their_own(limit, n, activation, sigma0):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 4)) * np.exp(rng.standard_normal((n, 1)))
    X[n // 2], X[n // 3] = X[0], X[1]  # equal rows, in one fold or in two
    y, weight = X[:, 0] + rng.standard_normal(n), rng.uniform(0.1, 3, n)
    weight[[2, n - 1]] = 0
    times = np.array([0.01, 0.3, 3.0, 100.0, np.inf])
    network = {"activation": activation, "sigma0": sigma0, "T": 0.05, "bias": 0.1}
    network |= {"limit": limit, "normalize_y": True, "depth": 2}
    folds = KFold(3, shuffle=True, random_state=0)
    model = fixed(NDKRegressorCV, times=times, cv=folds, **network).fit(X, y, weight)
    for i, (train, test) in enumerate(folds.split(X)):
        alone = NDKRegressor(**network).fit(X[train], y[train], weight[train])
        scores = [
            r2_score(y[test], outputs, sample_weight=weight[test])
            for outputs in alone.predict_path(X[test], times).T
        ]
        got = model.cv_results_[f"split{i}_test_score"]
        # a score moves by a few times as much as the outputs
        assert_allclose(got, scores, rtol=5 * model.tol, atol=5 * model.tol)
    final = NDKRegressor(**network, t=model.t_).fit(X, y, weight)
    size = np.abs(y).max()
    assert_allclose(model.predict(X), final.predict(X), atol=model.tol * size)


def test_a_fitted_model_keeps_no_kernels_of_its_folds():
    X, y = targets(80)
    model = fixed(NDKRegressorCV, times=[1.0, 10.0], cv=3).fit(X, y)
    alone = NDKRegressor(2, bias=0.3, t=10.0).fit(X, y)
    assert len(pickle.dumps(model)) < 1.1 * len(pickle.dumps(alone)) + 2e3
