"""Scores and outputs of a frozen readout against the delay."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ndk import NDKClassifier, NDKRegressor
from sklearn_ndk.inspection import (
    DriftDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot")


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
