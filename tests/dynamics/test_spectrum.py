"""The largest eigenvalue of a kernel, of any scale."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ndk.dynamics import largest_eigenvalue


@pytest.mark.parametrize("scale", [1e-300, 1e-100, 1.0, 1e160, 1e300])
@pytest.mark.parametrize("n_features", [1, 3, 40])
def test_largest_eigenvalue_to_a_tenth(n_features, scale):
    X = np.random.default_rng(0).standard_normal((40, n_features))
    kernel = X @ X.T / n_features
    expected = np.linalg.eigvalsh(kernel)[-1]
    assert_allclose(largest_eigenvalue(kernel * scale) / scale, expected, rtol=0.1)


def test_largest_eigenvalue_of_a_kernel_of_zero():
    assert largest_eigenvalue(np.zeros((3, 3))) == 0
