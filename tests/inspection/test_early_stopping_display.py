"""Scores of training times, the time chosen, and the axis of time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressorCV
from sklearn_ndk.inspection import (
    EarlyStoppingDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot")


def texts(ax):
    return [text.get_text() for text in ax.texts]


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


def test_networks_without_ntk_have_no_phase_to_mark(targets):
    model = NDKRegressorCV(activation="step", limit="nngp", cv=2).fit(*targets)
    assert EarlyStoppingDisplay.from_estimator(model).boundaries == {}


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


@pytest.mark.parametrize("n_splits", [1, 3])
def test_one_fold_alone_has_no_standard_error_to_name(classes, n_splits):
    folds = ShuffleSplit(n_splits, test_size=0.5, random_state=0)
    model = NDKClassifierCV(times=4, cv=folds).fit(*classes)
    display = EarlyStoppingDisplay.from_estimator(model)
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert ("one standard error" in names) == (n_splits > 1)
