"""The displays: what they draw, where, and what they refuse."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk.inspection import (
    DriftDisplay,
    EarlyStoppingDisplay,
    PredictionPathDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def no_window():
    backend = plt.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


@pytest.fixture(scope="module")
def classes():
    X, y = load_wine(return_X_y=True)
    return scale(X)[::2], y[::2]


@pytest.fixture(scope="module")
def targets():
    X, y = load_diabetes(return_X_y=True)
    return scale(X)[:60], scale(y)[:60]


def texts(ax):
    return [text.get_text() for text in ax.texts]


# Scores of times


def test_scores_are_drawn_with_their_error_and_the_chosen_time(classes):
    model = NDKClassifierCV(times=8, cv=4).fit(*classes)
    display = EarlyStoppingDisplay.from_estimator(model)
    results = model.cv_results_
    x, y = display.line_.get_data()
    assert_array_equal(y, results["mean_test_score"])
    assert_array_equal(x[:-1], model.times_[:-1])
    assert x[-2] < x[-1] < np.inf  # infinity has a place
    assert "$\\infty$" in [tick.get_text() for tick in display.ax_.get_xticklabels()]
    folds = [results[f"split{i}_test_score"] for i in range(4)]
    assert_allclose(display.standard_errors, np.std(folds, axis=0, ddof=1) / 2)
    assert display.chosen_.get_ydata() == [model.best_score_]
    assert texts(display.ax_) == ["$1/\\lambda_{max}$", "$\\sigma^2/T$"]
    assert display.ax_.get_ylabel() == "cross-validated accuracy"
    assert display.figure_ is display.ax_.figure


def test_flow_has_no_diffusive_phase_to_mark(targets):
    model = NDKRegressorCV(times=4, limit="ntk", scoring="r2").fit(*targets)
    display = EarlyStoppingDisplay.from_estimator(model)
    assert texts(display.ax_) == ["$1/\\lambda_{max}$"]
    assert display.ax_.get_ylabel() == "cross-validated $R^2$"


def test_results_of_a_grid_search_in_any_order(classes):
    grid = {"ndkclassifier__t": [np.inf, 0.0, 10.0, 0.1]}
    pipeline = make_pipeline(StandardScaler(), NDKClassifier(bias=0.3))
    search = GridSearchCV(pipeline, grid, cv=3).fit(*classes)
    display = EarlyStoppingDisplay.from_cv_results(search.cv_results_)
    assert_array_equal(display.times, [0.0, 0.1, 10.0, np.inf])
    chosen = display.times[display.best_index]
    assert chosen == search.best_params_["ndkclassifier__t"]
    assert np.all(np.diff(display.line_.get_xdata()) > 0)


def test_results_over_other_parameters_are_refused(classes):
    grid = {"t": [1.0], "T": [0.1, 1.0]}
    search = GridSearchCV(NDKClassifier(), grid, cv=3).fit(*classes)
    with pytest.raises(ValueError, match="time t alone"):
        EarlyStoppingDisplay.from_cv_results(search.cv_results_)
    with pytest.raises(TypeError, match="from_cv_results"):
        EarlyStoppingDisplay.from_estimator(NDKClassifier().fit(*classes))
    with pytest.raises(NotFittedError):
        EarlyStoppingDisplay.from_estimator(NDKClassifierCV())


@pytest.mark.parametrize(
    ("times", "ticks", "marked"),
    [
        ([0.0, 1.0, 5.0, np.inf], ["1", "5", "0", "$\\infty$"], []),
        ([2.0, 3.0, 5.0], ["2", "3", "5"], []),
        ([0.0, np.inf], ["0", "$\\infty$"], []),
        ([0.0, 2e3, np.inf], ["2e+03", "0", "$\\infty$"], []),
        ([0.5, 100.0, 2e3], ["$10^{0}$", "$10^{1}$", "$10^{2}$", "$10^{3}$"], ["a"]),
    ],
    ids=str,
)
def test_axis_has_numbers_and_marks_within_its_times(times, ticks, marked):
    display = EarlyStoppingDisplay(
        np.array(times), np.ones(len(times)), np.zeros(len(times)), 0,
        boundaries={"a": 100.0},
    ).plot()  # fmt: skip
    ax, places = display.ax_, display.line_.get_xdata()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ticks
    assert texts(ax) == marked
    assert np.all(np.diff(places) > 0)
    assert np.all(np.isfinite(places) & (places > 0))


# Paths


def test_predictions_are_drawn_between_their_limits(targets):
    X, y = targets
    model = NDKRegressor(T=0.5, bias=0.3, depth=2).fit(X, y)
    display = PredictionPathDisplay.from_estimator(model, X[:3])
    assert_allclose(display.values, model.predict_path(X[:3], display.times))
    assert_allclose(display.nngp, model.predict(X[:3]))
    ntk = NDKRegressor(limit="ntk", bias=0.3, depth=2).fit(X, y)
    assert_allclose(display.ntk, ntk.predict(X[:3]), atol=1e-9)
    assert len(display.lines_) == 3
    assert display.ax_.get_ylabel() == "mean output"


def test_residuals_and_scores_of_a_pipeline(classes):
    X, y = classes
    model = make_pipeline(StandardScaler(), NDKClassifierCV(times=5)).fit(X, y)
    times = [1.0, 0.1, np.inf]
    scores = PredictionPathDisplay.from_estimator(model, X, y, times)
    inner, scaled = model[-1], model[:-1].transform(X)
    expected = (inner.predict_path(scaled, np.sort(times)) == y[:, None]).mean(axis=0)
    assert_array_equal(scores.values, [expected])
    assert scores.nngp == [expected[-1]]
    residuals = PredictionPathDisplay.from_estimator(
        model, X[:4], y[:4], times, quantity="residual"
    )
    assert len(residuals.lines_) == 4 * 3
    target = np.where(y[:4, None] == np.arange(3), 1.0, -1.0)[:, :, None]
    outputs = inner.decision_function_path(scaled[:4], np.sort(times))
    assert_allclose(residuals.values, (target - outputs).reshape(12, 3))


def test_axes_may_be_given(targets):
    X, y = targets
    ax = plt.subplots()[1]
    model = NDKRegressor(T=0).fit(X, y)
    assert PredictionPathDisplay.from_estimator(model, X[:2], ax=ax).ax_ is ax
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize(
    ("n_rows", "with_y", "quantity", "message"),
    [
        (3, True, "loss", "must be in"),
        (3, False, "residual", "needs y"),
        (51, False, None, "51 samples with 1 outputs are too many"),
    ],
)
def test_what_cannot_be_drawn_is_refused(targets, n_rows, with_y, quantity, message):
    X, y = targets
    model = NDKRegressor().fit(X, y)
    y = y[:n_rows] if with_y else None
    with pytest.raises(ValueError, match=message):
        PredictionPathDisplay.from_estimator(model, X[:n_rows], y, quantity=quantity)


def test_residuals_need_known_labels_and_as_many_as_rows(classes):
    X, y = classes
    model = NDKClassifier().fit(X, y)
    with pytest.raises(ValueError, match="labels that are not in"):
        PredictionPathDisplay.from_estimator(
            model, X[:2], np.array([0, 7]), quantity="residual"
        )
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PredictionPathDisplay.from_estimator(model, X[:3], y[:1], quantity="residual")


def test_pipelines_of_one_step_and_what_is_not_ours(targets):
    X, y = targets
    pipeline = make_pipeline(NDKRegressor()).fit(X, y)
    assert len(PredictionPathDisplay.from_estimator(pipeline, X[:2]).lines_) == 2
    with pytest.raises(TypeError, match="got Ridge"):
        PredictionPathDisplay.from_estimator(Ridge().fit(X, y), X)


def test_boundaries_are_those_of_the_fit(targets):
    X, y = targets
    model = NDKRegressor(T=0.5).fit(X, y)
    before = PredictionPathDisplay.from_estimator(model, X[:2]).boundaries
    model.set_params(T=100.0, sigma=3.0)
    after = PredictionPathDisplay.from_estimator(model, X[:2]).boundaries
    assert after == before
    assert before["$\\sigma^2/T$"] == 2.0


def test_several_scores_are_refused_and_lines_can_be_styled(classes):
    search = GridSearchCV(
        NDKClassifier(),
        {"t": [1.0, 2.0]},
        scoring=["accuracy", "f1_macro"],
        refit="accuracy",
    ).fit(*classes)
    with pytest.raises(ValueError, match="mean_test_f1_macro"):
        EarlyStoppingDisplay.from_cv_results(search.cv_results_)
    model = NDKClassifierCV(times=4).fit(*classes)
    display = EarlyStoppingDisplay.from_estimator(model).plot(line_kw={"color": "k"})
    assert display.line_.get_color() == "k"


@pytest.mark.parametrize("t0", [np.inf, 3.0])
def test_drift_shows_scores_and_outputs_of_the_frozen_readout(targets, t0):
    X, y = targets
    model = NDKRegressor(T=0.1).fit(X, y)
    delays = [np.inf, 0.0, 20.0]
    display = DriftDisplay.from_estimator(model, X, y, delays, t0=t0)
    assert list(display.delays) == [0.0, 20.0, np.inf]
    drifted = [model.predict_drift(X, d, t0) for d in display.delays]
    assert_allclose(display.scores, [r2_score(y, f) for f in drifted])
    assert_allclose(display.outputs["all"], np.transpose(drifted))
    assert display.axes_[0].get_ylabel() == "$R^2$"
    assert display.boundaries == {"$\\sigma^2/T$": 10.0}


def test_drift_of_classes_has_a_histogram_each_or_margins():
    X, y = load_digits(return_X_y=True)
    X, y, names = X[:80] / 16, y[:80], np.array(list("abcdefghij"))
    two = y < 2
    model = make_pipeline(StandardScaler(), NDKClassifier(T=0.1))
    model.fit(X[two], names[y[two]])
    display = DriftDisplay.from_estimator(model, X[two], names[y[two]])
    assert display.scores[0] == 1.0
    assert list(display.outputs) == ["class a", "class b"]
    assert (display.outputs["class b"][:, 0] > 0).all()
    counts = [sum(bar.get_height() for bar in ax.patches) for ax in display.axes_[1:]]
    assert counts == [two.sum()] * 4
    many = NDKClassifier(T=0.1).fit(X, y)
    margins = DriftDisplay.from_estimator(many, X, y, [0.0, 1.0]).outputs["all"]
    right = many.predict(X) == y
    assert_array_equal(margins[:, 0] > 0, right)


def test_drift_of_several_targets_has_a_histogram_each(targets):
    X, y = targets
    y = np.column_stack([y, 1 + y])
    model = NDKRegressor(T=0.1).fit(X, y)
    display = DriftDisplay.from_estimator(model, X, y, [0.0, 3.0, np.inf], t0=4.0)
    assert list(display.outputs) == ["target 0", "target 1"]
    drifted = model.predict_drift(X, 3.0, 4.0)
    assert_allclose(display.outputs["target 1"][:, 1], drifted[:, 1])
    assert "froze at t = 4 " in display.axes_[0].get_xlabel()


def test_drift_can_be_drawn_on_axes_of_ones_own(targets):
    X, y = targets
    model = NDKRegressor(T=0.1).fit(X, y)
    display = DriftDisplay.from_estimator(model, X, y)
    axes = plt.subplots(3)[1]
    display.plot(axes, line_kw={"color": "k"})
    assert display.figure_ is axes[0].figure
    assert display.line_.get_color() == "k"
    assert [ax.get_title() for ax in axes[1:]] == ["delay 0", "delay $\\infty$"]
    display.plot(axes[:1])


def test_drift_shows_each_delay_once_and_every_group(targets):
    X, y = targets
    model = NDKRegressor(T=0.1).fit(X, y)
    display = DriftDisplay.from_estimator(model, X, y, [0.0, np.inf])
    titles = [ax.get_title() for ax in display.axes_[1:]]
    assert titles == ["delay 0", "delay $\\infty$"]
    groups = {name: np.ones((3, 2)) for name in "abcde"}
    display = DriftDisplay(display.delays, display.scores, groups).plot()
    assert len(display.axes_[1].containers) == 5
    alone = display.plot(plt.subplots()[1])
    assert len(alone.axes_) == 1
    for wrong in ([], plt.subplots(4)[1]):
        with pytest.raises(ValueError, match="axes must be one for the scores"):
            display.plot(wrong)


def test_drift_checks_labels_and_targets(targets):
    X, y = targets
    regressor = NDKRegressor(T=0.1).fit(X, y)
    column = DriftDisplay.from_estimator(regressor, X, y[:, None], [1.0])
    assert_array_equal(
        column.scores, DriftDisplay.from_estimator(regressor, X, y, [1.0]).scores
    )
    classifier = NDKClassifier(T=0.1).fit(X, y > 0)
    with pytest.raises(ValueError, match="y has labels that are not in"):
        DriftDisplay.from_estimator(classifier, X, np.where(y > 0, "yes", "no"))
    with pytest.raises(ValueError, match="delays must be in"):
        DriftDisplay.from_estimator(regressor, X, y, [-1.0, 2.0])
    for model in (regressor, classifier):
        with pytest.raises(ValueError, match="it needs y"):
            DriftDisplay.from_estimator(model, X, None)
    with pytest.raises(ValueError, match=r"y has 2 targets, but .* fitted to 1"):
        DriftDisplay.from_estimator(regressor, X, np.column_stack([y, y]))


def test_drift_needs_noise_matching_rows_and_times(targets):
    X, y = targets
    for parameters in ({"T": 0.0}, {"limit": "ntk"}):
        with pytest.raises(ValueError, match="Nothing drifts without noise"):
            DriftDisplay.from_estimator(NDKRegressor(**parameters).fit(X, y), X, y)
    model = NDKRegressor().fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        DriftDisplay.from_estimator(model, X, y[:3])
    with pytest.raises(ValueError, match="t0 must be a time"):
        DriftDisplay.from_estimator(model, X, y, t0=-1.0)
