"""Orthogonal inputs with random labels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_ndk.datasets import make_orthogonal


@pytest.mark.parametrize("overlap", [0.3, -0.6, 0.0, 1.0, -1.0, 1 - 1e-12])
@pytest.mark.parametrize("n_features", [31, None])
def test_overlaps_are_exact(overlap, n_features):
    X, y, X_test, y_test = make_orthogonal(30, n_features, overlap, random_state=0)
    n_features = n_features or 60
    assert X.shape == X_test.shape == (30, n_features)
    assert_allclose(X @ X.T / n_features, np.eye(30), atol=1e-13)
    assert_allclose(X_test @ X.T / n_features, overlap * np.eye(30), atol=1e-13)
    assert_allclose((X_test**2).sum(axis=1), n_features)
    assert_array_equal(y_test, y)
    assert y_test is not y


def test_directions_and_labels_are_random_and_reproducible():
    first, again, other = (make_orthogonal(200, random_state=i) for i in (0, 0, 1))
    for one, two in zip(first, again, strict=True):
        assert_array_equal(one, two)
    X, y, X_test, _ = first
    assert not np.array_equal(y, other[1])
    assert set(y) == {-1.0, 1.0}
    assert abs(y.sum()) < 4 * np.sqrt(200)
    # Cosines between inputs of two independent rotations have variance 1/n_features
    assert_allclose(np.mean((X @ other[0].T) ** 2) / 400, 1.0, rtol=0.05)
    rest = X_test - 0.5 * X
    cosines = (rest @ rest.T / (0.75 * 400))[np.triu_indices(200, 1)]
    assert_allclose(np.mean(cosines**2) * 200, 1.0, rtol=0.05)  # 200 dimensions left


def test_as_many_features_as_samples_are_enough_without_a_rest():
    X, _, X_test, _ = make_orthogonal(5, 5, overlap=1, random_state=0)
    assert_allclose(X_test, X)
    with pytest.raises(ValueError, match="at least 6 for 5 orthogonal samples"):
        make_orthogonal(5, 5, overlap=0.9)


@pytest.mark.parametrize("wrong", [{"n_samples": 0}, {"overlap": 1.5}])
def test_bad_parameters_of_the_orthogonal_task(wrong):
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
        make_orthogonal(**wrong)
