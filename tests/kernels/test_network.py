"""Kernel matrices of a network: symmetry, tiles and threads change nothing."""

import numpy as np
import pytest
from named_activations import DEEP_WITH_NTK
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_limits

from sklearn_ndk.kernels import ndk_kernel
from sklearn_ndk.kernels._families import NDK
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import make_network


def rows(n=12, d=5, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("activation", DEEP_WITH_NTK)
@pytest.mark.parametrize("times", [(0.0, 0.0), (50.0, 50.0), (80.0, 20.0)])
@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_symmetric_evaluation_is_the_full_one(activation, times, bias):
    X = rows(40)
    shared = {"depth": 2, "activation": activation, "sigma0": 1.5, "bias": bias}
    ndk = NDK(make_network(T=0.01, **shared))
    tiles = {"n_entries": 49}  # many, ragged at the end
    one = ndk.matrix(gram_matrix(X, **tiles), *times, **tiles)
    full = ndk.matrix(gram_matrix(X, X.copy(), **tiles), *times, **tiles)
    assert_allclose(one, full, rtol=1e-9)
    shared |= dict(zip(("t", "t_prime"), times, strict=True))
    assert_allclose(ndk_kernel(X, **shared), one, rtol=1e-9)
    alone = [ndk_kernel(x[None], **shared).item() for x in X]
    assert_allclose(np.diag(one), alone, rtol=1e-12)


def test_number_of_threads_does_not_matter():
    gram = gram_matrix(rows(50))
    ndk = NDK(make_network(depth=2, activation="relu", T=0.01))
    with threadpool_limits(1):
        one = ndk.matrix(gram, 3.0, 1.0, n_entries=100)
    assert np.array_equal(one, ndk.matrix(gram, 3.0, 1.0, n_entries=100))
