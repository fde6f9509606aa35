"""The pipelines of docs/messy_tables.md do what the page says of them."""

from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
from fixed_numbers import fixed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_code_blocks import ROOT, code_blocks

from sklearn_ndk import NDKClassifierCV, NDKRegressorCV

PIPELINES = ["plain", "model"]
COLUMNS = ["area", "distance", "built", "heating", "street", "pool", "sauna"]
COLUMNS += ["listed", "note"]
of_pandas_2 = pytest.mark.filterwarnings("ignore:Downcasting:FutureWarning")  # in skrub


@pytest.fixture(scope="module")
def page():
    """Return what the page defines, as far as the second of its pipelines."""
    path = ROOT / "docs" / "messy_tables.md"
    namespace = {"__name__": "__main__"}
    for block in code_blocks(path):
        exec(compile(block, str(path), "exec"), namespace)
        if "model" in namespace:
            return namespace
    raise AssertionError("the page fits no model")


@pytest.fixture(params=PIPELINES)
def pipeline(request, page):
    """Return a fitted pipeline, and what brings a frame to it."""
    prepare = page["tidy"] if request.param == "plain" else lambda frame: frame
    return page[request.param], prepare


def shuffled(frame):
    return frame[np.random.default_rng(0).permutation(frame.columns)]


def test_table_has_the_columns_that_are_tested(page):
    assert list(page["X"]) == COLUMNS


@of_pandas_2
@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_value_is_predicted(page, pipeline, column):
    model, prepare = pipeline
    rows = page["X_test"].iloc[:5]
    rows = rows.assign(**{column: rows[column].mask(rows.index >= 0)})
    assert rows[column].isna().all()
    assert np.isfinite(model.predict(prepare(rows))).all()


@of_pandas_2
def test_a_row_of_missing_values_is_predicted(page, pipeline):
    model, prepare = pipeline
    row = page["X_test"].iloc[:1].reindex([-1])
    assert row.isna().all(axis=None)
    assert np.isfinite(model.predict(prepare(row))).all()


def test_new_levels_are_those_of_few_rows(page, pipeline):
    model, prepare = pipeline
    rows, count = page["X_test"].iloc[:5], page["X"]["street"].value_counts()
    new, other, rare, known = (
        model.predict(prepare(rows.assign(street=street)))
        for street in ("a new street", "another", count.index[-1], count.index[0])
    )
    assert count.iloc[-1] < 5 <= count.iloc[0]
    assert_array_equal(new, other)
    assert_array_equal(new, rare)
    assert np.all(new != known)


def test_new_levels_of_a_category_without_rare_ones_are_predicted(page, pipeline):
    model, prepare = pipeline
    rows = page["X_test"].iloc[:5].assign(heating="coal", note="by the sea")
    assert np.isfinite(model.predict(prepare(rows))).all()


def test_column_transformer_goes_by_names(page):
    tidy, plain = page["tidy"], page["plain"]
    X, X_test = tidy(page["X"]), tidy(page["X_test"])
    expected = plain.predict(X_test)
    assert_array_equal(plain.predict(shuffled(X_test)), expected)
    assert_array_equal(plain.predict(X_test.assign(more=1)), expected)
    again = clone(plain).fit(shuffled(X), page["y"])
    assert_array_equal(again.predict(X_test), expected)


def test_skrub_wants_the_order_of_the_fit_which_may_be_any(page):
    X, X_test, model = page["X"], page["X_test"], page["model"]
    with pytest.raises(ValueError, match=r"Columns of dataframes .* differ"):
        model.predict(shuffled(X_test))
    again = clone(model).fit(shuffled(X), page["y"])
    # features in another order: predictions are the same up to `tol`
    assert_allclose(
        again.predict(shuffled(X_test)), model.predict(X_test), atol=1e-3, rtol=0
    )


def test_prices_are_predicted(page, pipeline):
    model, prepare = pipeline
    X, y, X_test, y_test = (page[name] for name in ("X", "y", "X_test", "y_test"))
    assert DummyRegressor().fit(X, y).score(X_test, y_test) < 0.01
    assert model.score(prepare(X_test), y_test) > 0.65


def test_classes_of_prices_are_predicted(page, pipeline):
    model, prepare = pipeline
    band = partial(pd.cut, bins=[0, 8.4, 8.9, np.inf], labels=["low", "middle", "high"])
    labels, labels_test = band(page["y"]), band(page["y_test"])
    dummy = DummyClassifier().fit(page["X"], labels)
    classifier = make_pipeline(clone(model[0]), NDKClassifierCV())
    classifier.fit(prepare(page["X"]), labels)
    score = classifier.score(prepare(page["X_test"]), labels_test)
    assert score > dummy.score(page["X_test"], labels_test) + 0.2


def test_indicators_and_one_hot_columns_are_not_scaled(page):
    transform = page["plain"][:-1]
    columns = pd.DataFrame(
        transform.transform(page["tidy"](page["X"])),
        columns=transform.get_feature_names_out(),
    )
    binary = columns.filter(regex="onehotencoder|missingindicator")
    assert binary.shape[1] > 20
    assert np.isin(binary, [0, 1]).all()
    for name in ("pool", "sauna"):
        assert_allclose(np.ptp(columns[f"pipeline-1__{name}"]), 2)


def test_booleans_and_none_are_taken_by_the_table_scaler(page):
    X, X_test = (page["tidy"](page[name]) for name in ("X", "X_test"))
    flags = {
        "pool": X["pool"].astype(bool),
        "sauna": X["sauna"].astype(bool).astype(object).where(X.index % 9 > 0, None),
    }
    assert any(flag is None for flag in flags["sauna"])
    model = clone(page["plain"]).set_params(ndkregressorcv__times=4)
    assert np.isfinite(model.fit(X.assign(**flags), page["y"]).predict(X_test)).all()


def test_skrub_squashes_binary_columns_and_scales_no_level(page):
    columns = page["model"][0].transform(page["X"])
    binary = columns.filter(regex="street|heating|missingindicator")
    assert binary.shape[1] > 20
    assert np.isin(binary, [0, 1]).all()
    for name in ("pool", "sauna"):
        assert_allclose(np.unique(columns[name]), [0, 1.7], atol=0.05)


def test_with_numbers_given_columns_standardised_at_the_end_tell_less(page, pipeline):
    model, prepare = pipeline
    as_they_are, scaled = (
        make_pipeline(*map(clone, steps), fixed(NDKRegressorCV, normalize_y=True))
        .fit(prepare(page["X"]), page["y"])
        .score(prepare(page["X_test"]), page["y_test"])
        for steps in ([model[0]], [model[0], StandardScaler()])
    )
    assert scaled < as_they_are - 0.02


def test_another_time_goes_through_the_pipeline(page, pipeline):
    model, prepare = pipeline
    rows = prepare(page["X_test"].iloc[:5])
    path = model[-1].predict_path(model[:-1].transform(rows), [0.1, np.inf])
    assert_allclose(model.predict(rows, t=0.1), path[:, 0])
    assert not np.allclose(path[:, 0], path[:, 1])


def test_saved_pipeline_predicts_as_the_one_that_was_fitted(page, pipeline, tmp_path):
    model, prepare = pipeline
    joblib.dump(model, tmp_path / "homes.joblib")
    loaded = joblib.load(tmp_path / "homes.joblib")
    rows = prepare(page["X_test"])
    assert_array_equal(loaded.predict(rows), model.predict(rows))
