"""Predictions, residuals and scores against training time."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk.inspection import (
    PredictionPathDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot")


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


@pytest.mark.parametrize("quantity", ["prediction", "residual", "score"])
@pytest.mark.parametrize(
    "make", [NDKRegressor, partial(NDKRegressorCV, cv=2)], ids=["one time", "CV"]
)
def test_networks_without_ntk_have_one_limit(targets, make, quantity):
    X, y = (array[:20] for array in targets)
    model = make(activation="step", limit="nngp").fit(X, y)
    display = PredictionPathDisplay.from_estimator(model, X, y, quantity=quantity)
    assert_array_equal(display.times, [np.inf])
    assert_allclose(display.values[:, 0], display.nngp)
    assert display.ntk is None
    assert display.boundaries == {}
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels[1:] == ["NNGP limit"]


def test_networks_without_ntk_have_no_path(targets):
    model = NDKRegressor(activation="sign").fit(*targets)
    PredictionPathDisplay.from_estimator(model, targets[0][:3], times=[np.inf])
    with pytest.raises(ValueError, match="has no NTK"):
        PredictionPathDisplay.from_estimator(model, targets[0][:3])


def edges(band, places):
    """Return the lower and upper edges of a band, of shape (n_places, 2)."""
    points = band.get_paths()[0].vertices
    return np.array(
        [(y.min(), y.max()) for y in (points[points[:, 0] == p, 1] for p in places)]
    )


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("convert", [lambda model: model, make_pipeline])
def test_bands_are_one_standard_deviation_over_networks(targets, n_outputs, convert):
    X, y = targets
    y = np.column_stack([10 * y, 1 - y])[:, :n_outputs]
    model = convert(NDKRegressor(T=0.5, normalize_y=True)).fit(X, y)
    times = [0.0, 0.1, 1.0, np.inf]
    display = PredictionPathDisplay.from_estimator(model, X[:3], times=times, std=True)
    inner = model if convert is not make_pipeline else model[-1]
    mean, std = inner.predict_path(X[:3], times, return_std=True)
    assert_allclose(display.std, std.reshape(3 * n_outputs, 4))
    assert len(display.bands_) == len(display.lines_) == 3 * n_outputs
    found = [
        edges(band, line.get_xdata())
        for band, line in zip(display.bands_, display.lines_, strict=True)
    ]
    expected = np.stack([mean - std, mean + std], axis=-1).reshape(-1, 4, 2)
    assert_allclose(found, expected)
    assert "one standard deviation" in [
        text.get_text() for text in display.ax_.get_legend().get_texts()
    ]


def test_bands_have_the_colour_of_their_lines(targets):
    X, y = targets
    model = NDKRegressor(T=0.5).fit(X, y)
    display = PredictionPathDisplay.from_estimator(model, X[:1], std=True)
    display.plot(line_kw={"color": "red"})
    assert_array_equal(display.bands_[0].get_facecolor()[0, :3], [1, 0, 0])


def test_variances_are_not_computed_for_nothing(targets, monkeypatch):
    def work(*args, **kwargs):
        raise AssertionError("computed variances that are not drawn")

    monkeypatch.setattr(NDKRegressor, "_covariances", work)
    X, y = targets
    display = PredictionPathDisplay.from_estimator(NDKRegressor().fit(X, y), X[:3])
    assert display.std is None
    assert display.bands_ == []
    assert len(display.ax_.collections) == 0


@pytest.mark.parametrize("quantity", ["residual", "score", None])
def test_bands_are_those_of_predictions(targets, quantity):
    X, y = targets
    model = NDKRegressor().fit(X, y)
    with pytest.raises(ValueError, match="std=True needs quantity='prediction'"):
        PredictionPathDisplay.from_estimator(
            model, X[:3], y[:3], quantity=quantity, std=True
        )


def test_bands_are_those_of_regressors(classes):
    X, y = classes
    model = make_pipeline(NDKClassifierCV(times=5)).fit(X, y)
    with pytest.raises(ValueError, match=r"needs a regressor.* got NDKClassifierCV"):
        PredictionPathDisplay.from_estimator(model, X[:3], std=True)
