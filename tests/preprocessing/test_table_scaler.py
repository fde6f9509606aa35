"""Columns brought to one scale."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_ndk.preprocessing import TableScaler

X, _ = load_breast_cancer(return_X_y=True)


@parametrize_with_checks([TableScaler(), TableScaler(tail=np.inf)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_numbers_are_standardised_and_their_tails_drawn_in():
    z = StandardScaler().fit_transform(X)
    found = TableScaler().fit_transform(X)
    assert_allclose(found, 3 * np.arcsinh(z / 3), rtol=1e-12)
    small = np.abs(z) < 0.3
    assert_allclose(found[small], z[small], rtol=2e-3)
    assert np.abs(found).max() < 0.6 * np.abs(z).max()
    assert_allclose(TableScaler(tail=np.inf).fit_transform(X), z, rtol=1e-12)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5])
def test_two_values_are_two_apart_however_rare(share):
    flag = (np.arange(1000) < 1000 * share).astype(float)[:, None]
    found = TableScaler().fit_transform(7 * flag - 3)
    assert_allclose(np.ptp(found), 2)
    assert_allclose(found.mean(), 0, atol=1e-12)
    if share == 0.5:
        assert_allclose(found, StandardScaler().fit_transform(flag), atol=1e-12)


def test_missing_values_stay_missing():
    holes = X.copy()
    holes[::7, 3] = np.nan
    holes[:, 4] = np.where(np.arange(len(X)) % 3 == 0, np.nan, np.arange(len(X)) % 2)
    scaler = TableScaler().fit(holes)
    found = scaler.transform(holes)
    assert_array_equal(np.isnan(found), np.isnan(holes))
    assert_array_equal(np.flatnonzero(scaler.binary_), [4])
    alone = TableScaler().fit_transform(holes[~np.isnan(holes[:, 3]), 3:4])
    assert_allclose(found[~np.isnan(holes[:, 3]), 3], alone[:, 0])


def test_constant_and_empty_columns():
    table = np.column_stack([X[:, 0], np.full(len(X), 5.0)])
    scaler = TableScaler().fit(table)
    assert_array_equal(scaler.transform(table)[:, 1], 0)
    assert not scaler.binary_[1]


def test_it_has_an_inverse():
    table = np.column_stack([X, X[:, 0] > 14])
    scaler = TableScaler().fit(table)
    back = scaler.inverse_transform(scaler.transform(table))
    assert_allclose(back, table, atol=1e-12)


def test_names_are_kept():
    frame = pd.DataFrame(X[:, :2], columns=["radius", "texture"])
    scaler = make_pipeline(TableScaler()).set_output(transform="pandas")
    assert list(scaler.fit_transform(frame)) == ["radius", "texture"]


@pytest.mark.parametrize("tail", [0.0, -1.0, np.nan, "far"])
def test_bad_tails(tail):
    with pytest.raises(ValueError, match="'tail' parameter of TableScaler"):
        TableScaler(tail=tail).fit(X)
