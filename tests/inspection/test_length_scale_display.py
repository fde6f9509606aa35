"""Bars of one over the length scales of features, sorted and named."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk.inspection import LengthScaleDisplay

plt = pytest.importorskip("matplotlib.pyplot")

SCALES = [2.0, 0.5, np.inf, 1.0]
SORTED = ["x1", "x3", "x0", "x2"]


@pytest.fixture(scope="module")
def table(targets):
    X, y = targets
    return X[:20, :4], y[:20]


@pytest.fixture(scope="module")
def model(table):
    return NDKRegressor(length_scale=SCALES, bias=0.3).fit(*table)


def names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def widths(display):
    return [bar.get_width() for bar in display.bars_]


def note(display):
    return display.ax_.get_title(loc="right")


def test_bars_are_one_over_the_scales_the_most_relevant_on_top(model):
    display = LengthScaleDisplay.from_estimator(model)
    assert names(display) == SORTED
    assert widths(display) == [2.0, 1.0, 0.5, 0.0]
    tops = [bar.get_window_extent().y1 for bar in display.bars_]
    assert tops == sorted(tops, reverse=True)
    assert note(display) == ""
    assert display.ax_.get_xlabel() == "relevance: 1 / length scale"
    assert display.figure_ is display.ax_.figure


@pytest.mark.parametrize("make", [NDKRegressorCV, NDKClassifierCV])
def test_scales_chosen_by_the_evidence_are_drawn(table, make):
    X, y = table
    y = y > 0 if make is NDKClassifierCV else y
    model = make(length_scale="auto", times=3, cv=2).fit(X, y)
    display = LengthScaleDisplay.from_estimator(model)
    assert_array_equal(widths(display), np.sort(1 / model.length_scale_)[::-1])
    expected = [f"x{i}" for i in np.argsort(model.length_scale_)]
    assert names(display) == expected


@pytest.mark.parametrize("container", [np.array, tuple, pd.Series])
def test_scales_given_to_any_estimator_are_drawn(table, container):
    X, y = table
    model = NDKClassifier(length_scale=container(SCALES)).fit(X, y > 0)
    assert names(LengthScaleDisplay.from_estimator(model)) == SORTED


def test_scales_are_those_of_the_fit(table):
    model = NDKRegressor(length_scale=SCALES).fit(*table)
    model.set_params(length_scale=1.0)
    assert names(LengthScaleDisplay.from_estimator(model)) == SORTED


def test_features_of_one_scale_are_in_the_order_of_columns():
    scales, columns = np.tile([3.0, 0.7, np.inf], 10), np.arange(30)
    display = LengthScaleDisplay(scales, columns.astype(str)).plot(max_features=30)
    order = np.concatenate([columns[1::3], columns[::3], columns[2::3]])
    assert names(display) == order.astype(str).tolist()


def test_one_feature_has_one_bar(table):
    X, y = table
    model = NDKRegressor(length_scale=[4.0]).fit(X[:, :1], y)
    display = LengthScaleDisplay.from_estimator(model)
    assert names(display) == ["x0"]
    assert widths(display) == [0.25]


@pytest.mark.parametrize(
    ("n_features", "max_features", "expected"),
    [
        (20, 20, ""),
        (21, 20, "not shown: 1 feature of at most 0.048"),
        (30, 20, "not shown: 10 features of at most 0.048"),
        (30, 1, "not shown: 29 features of at most 0.5"),
        (3, 5, ""),
    ],
)
def test_a_note_tells_of_features_that_are_not_shown(
    n_features, max_features, expected
):
    scales = np.arange(n_features, 0, -1.0)
    display = LengthScaleDisplay(scales, [f"a{scale:.0f}" for scale in scales])
    display.plot(max_features=max_features)
    n_shown = min(n_features, max_features)
    assert names(display) == [f"a{scale}" for scale in range(1, n_shown + 1)]
    assert note(display) == expected


# Names


def test_names_are_those_of_columns_or_given(table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = NDKRegressor(length_scale=SCALES).fit(frame, y)
    assert names(LengthScaleDisplay.from_estimator(model)) == list("bdac")
    for given in (list("stuv"), np.array(list("stuv")), pd.Index(list("stuv"))):
        display = LengthScaleDisplay.from_estimator(model, feature_names=given)
        assert display.feature_names == list("stuv")
        assert names(display) == list("tvsu")


@pytest.mark.parametrize(
    ("transformers", "expected"),
    [
        ([], SORTED),
        (["passthrough"], SORTED),
        ([FunctionTransformer()], SORTED),  # tells no names
        ([StandardScaler()], SORTED),
        ([StandardScaler(), PCA()], ["pca1", "pca3", "pca0", "pca2"]),
        (
            [make_column_transformer((PCA(), [2, 3]), ("passthrough", [0, 1]))],
            ["pca__pca1", "passthrough__x1", "pca__pca0", "passthrough__x0"],
        ),
    ],
    ids=str,
)
def test_names_are_those_after_the_transformers_of_a_pipeline(
    table, transformers, expected
):
    model = make_pipeline(*transformers, NDKRegressor(length_scale=SCALES)).fit(*table)
    assert names(LengthScaleDisplay.from_estimator(model)) == expected


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_names_of_columns_pass_through_a_pipeline(table, output):
    X, y = table
    scaler = StandardScaler().set_output(transform=output)
    model = make_pipeline(scaler, NDKRegressor(length_scale=SCALES))
    model.fit(pd.DataFrame(X, columns=list("abcd")), y)
    assert names(LengthScaleDisplay.from_estimator(model)) == list("bdac")


def test_long_names_and_dollars_are_drawn_as_they_are(model):
    long = "education__" + "z" * 200 + "__bachelor"
    given = [long, "y" * 40, r"from $ to $\frac", ""]
    display = LengthScaleDisplay.from_estimator(model, feature_names=given)
    display.figure_.canvas.draw()  # warns if names leave no room
    assert display.feature_names == given
    shown = dict(zip(SORTED, names(display), strict=True))
    assert shown["x0"] == f"{long[:19]}…{long[-20:]}"
    assert [shown[f"x{i}"] for i in (1, 2, 3)] == given[1:]
    extents = [label.get_window_extent() for label in display.ax_.get_yticklabels()]
    assert min(extent.x0 for extent in extents) >= 0


# Axes and style


def test_axes_may_be_given_more_than_once(model):
    ax = plt.subplots()[1]
    display = LengthScaleDisplay.from_estimator(model, ax=ax, color="k", height=0.5)
    assert display.ax_ is ax
    assert len(plt.get_fignums()) == 1
    assert display.bars_[0].get_facecolor() == (0, 0, 0, 1)
    assert display.bars_[0].get_height() == 0.5
    limits = ax.get_ylim()
    assert display.plot(ax).ax_.get_ylim() == limits
    part = plt.figure().subfigures(1, 2)[0]
    assert display.plot(part.subplots()).figure_ is part.figure


# What cannot be drawn


@pytest.mark.parametrize(
    "model",
    [NDKRegressor(length_scale=3.0), NDKRegressorCV(length_scale=2.0, times=3, cv=2)],
)
def test_one_scale_for_all_is_refused(table, model):
    with pytest.raises(ValueError, match=r'All features share.*length_scale="auto"'):
        LengthScaleDisplay.from_estimator(model.fit(*table))


@pytest.mark.parametrize("given", [["a", "b"], "abcd", list("abcde")])
def test_as_many_names_as_features_are_needed(model, given):
    with pytest.raises(ValueError, match=r"feature_names has .* fitted to 4 features"):
        LengthScaleDisplay.from_estimator(model, feature_names=given)


@pytest.mark.parametrize(
    ("wrong", "error"), [(0, ValueError), (2.5, TypeError), (None, TypeError)]
)
def test_the_number_of_bars_is_a_positive_integer(model, wrong, error):
    with pytest.raises(error, match="max_features"):
        LengthScaleDisplay.from_estimator(model, max_features=wrong)
    assert not plt.get_fignums()


def test_other_estimators_and_those_not_fitted_are_refused(table):
    for wrong in (Ridge(), make_pipeline(StandardScaler(), Ridge())):
        with pytest.raises(TypeError, match="got Ridge"):
            LengthScaleDisplay.from_estimator(wrong.fit(*table))
    for early in (NDKRegressor(length_scale=SCALES), make_pipeline(NDKRegressorCV())):
        with pytest.raises(NotFittedError):
            LengthScaleDisplay.from_estimator(early)
