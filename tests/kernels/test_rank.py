"""The largest rank of kernels: what rounding can hide, and what is not there."""

import numpy as np
import pytest

from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import make_network
from sklearn_ndk.kernels._rank import rank_bound

X = np.random.default_rng(0).standard_normal((12, 3))
LINE = X[:, :1]
CASES = {
    "linear": ("linear", 0.0, X, 3),
    "linear with a bias": ("linear", 0.3, X, 4),
    "linear, collinear columns": ("linear", 0.3, np.c_[X, X[:, :1] + X[:, 1:2]], 4),
    "linear, columns of all scales": ("linear", 0.0, X * [1e-12, 1, 1e12], 3),
    "relu on a line": ("relu", 0.0, LINE, 2),
    "relu": ("relu", 0.0, X, 12),
    "relu with a bias": ("relu", 0.3, LINE, 12),
    "relu with a row of zero": ("relu", 0.0, np.r_[X, 0 * X[:1]], 12),
    "erf": ("erf", 0.0, X, 12),
    "erf, opposite rows": ("erf", 0.0, np.r_[X, -X, 0 * X[:1]], 12),
    "erf, opposite rows with a bias": ("erf", 0.3, np.r_[X, -X], 24),
    "abs, opposite rows": ("abs", 0.0, np.r_[X, -2 * X, 0 * X[:1]], 12),
    "cos, opposite rows and zero": ("cos", 0.0, np.r_[X, -X, 0 * X[:1]], 13),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_rank_bound(case):
    activation, bias, inputs, expected = case
    network = make_network(activation=activation, depth=2, bias=bias)
    assert rank_bound(network, inputs) == expected
    kernel = network.nngp(gram_matrix(inputs))
    values = np.linalg.eigvalsh(kernel / np.abs(kernel).max())
    assert np.count_nonzero(values > 1e-13) <= expected
