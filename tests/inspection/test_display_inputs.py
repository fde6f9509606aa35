"""Every display checks the targets it is given, in the same words."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_ndk import NDKClassifier, NDKRegressor
from sklearn_ndk.inspection import DriftDisplay, PredictionPathDisplay

NAN = np.nan


def path(quantity):
    def draw(model, X, y):
        return PredictionPathDisplay.from_estimator(model, X, y, quantity=quantity)

    return draw


def values(display):
    return display.scores if isinstance(display, DriftDisplay) else display.values


@pytest.fixture(
    params=[DriftDisplay.from_estimator, *map(path, ("residual", "score"))],
    ids=["drift", "residual", "score"],
)
def draw(request):
    return request.param


@pytest.fixture(scope="module")
def regressor(targets):
    return NDKRegressor(T=0.1).fit(*targets)


@pytest.fixture(scope="module")
def classifier(classes):
    return NDKClassifier(T=0.1).fit(*classes)


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: y[:, None],
        lambda y: y.tolist(),
        lambda y: y.astype(object),
        lambda y: pd.Series(y, index=np.arange(len(y)) + 7),
        lambda y: pd.DataFrame({"target": y}),
        lambda y: pd.DataFrame({"target": y}).convert_dtypes(),
    ],
    ids=["column", "list", "object", "series", "frame", "nullable"],
)
@pytest.mark.parametrize("kind", ["targets", "classes"])
def test_containers_of_targets_are_all_the_same(request, draw, kind, convert):
    X, y = (array[:8] for array in request.getfixturevalue(kind))
    model = request.getfixturevalue(
        {"targets": "regressor", "classes": "classifier"}[kind]
    )
    plain = values(draw(model, X, y))
    assert_array_equal(values(draw(model, X, convert(y))), plain)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda y: np.column_stack([y, y, y]), "y has 3 targets.* was fitted to 1"),
        (lambda y: y[:, None, None], "dim 3"),
        (lambda y: y[:-1], "inconsistent numbers of samples"),
        (lambda y: np.append(NAN, y[1:]), "Input y contains NaN"),
        (lambda y: np.append(np.inf, y[1:]), "Input y contains infinity"),
        (lambda y: pd.Series([pd.NA, *y[1:]], dtype="Float64"), "Input y contains NaN"),
        (lambda y: y.astype("M8[s]"), "y must hold real numbers; got dates"),
        (lambda y: y.astype("m8[s]"), "y must hold real numbers; got dates"),
        (lambda y: ["ant"] * len(y), "could not convert string to float"),
    ],
)
def test_wrong_targets_are_refused(draw, regressor, targets, spoil, message):
    X, y = (array[:8] for array in targets)
    with pytest.raises((ValueError, TypeError), match=message):
        draw(regressor, X, spoil(y))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda y: np.column_stack([y, y]), "y has 2 targets.* was fitted to 1"),
        (lambda y: y[:-1], "inconsistent numbers of samples"),
        (lambda y: np.append(7, y[1:]), "y has labels that are not in .* got 7 among"),
        (lambda y: np.append(NAN, y[1:]), "y has labels that are not in .* got nan"),
        (lambda y: y.astype(str), "y has labels that are not in .* got '0' among"),
        (lambda y: [None, *y[1:]], "y has labels that are not in .* got None among"),
        (lambda y: pd.Series([pd.NA, *y[1:]], dtype="Int64"), "y has labels that"),
    ],
)
def test_wrong_labels_are_refused(draw, classifier, classes, spoil, message):
    X, y = (array[:8] for array in classes)
    with pytest.raises(ValueError, match=message):
        draw(classifier, X, spoil(y))


def test_residuals_of_several_targets_are_one_line_each(targets):
    X, y = targets
    y = np.column_stack([y, 1 - y])
    model = NDKRegressor(T=0.1).fit(X, y)
    display = path("residual")(model, X[:4], pd.DataFrame(y[:4]))
    assert len(display.lines_) == 4 * 2
    assert_array_equal(
        display.values.reshape(4, 2, -1)[:, :, -1], y[:4] - model.predict(X[:4])
    )
    with pytest.raises(ValueError, match=r"y has 1 targets, but .* fitted to 2"):
        path("residual")(model, X[:4], y[:4, 0])


def test_too_many_lines_are_refused_before_the_work(regressor, targets, monkeypatch):
    def work(*args):
        raise AssertionError("computed outputs that cannot be drawn")

    monkeypatch.setattr(NDKRegressor, "_mean_path", work)
    with pytest.raises(ValueError, match="too many lines"):
        path("residual")(regressor, *targets)
