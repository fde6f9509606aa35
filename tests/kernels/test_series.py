"""Chebyshev series of kernels in the angle."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ndk.activations._registry import get_activation
from sklearn_ndk.kernels._families import NDK
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._series import angular_series


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("precision", [1e-4, 1e-8, 1e-11])
@pytest.mark.parametrize("lowest", [1.0, 0.0, -0.95, -1.0])
def test_series_in_the_angle_are_as_precise_as_asked(depth, precision, lowest):
    network = InfiniteNetwork(depth, get_activation("relu"), T=0.1, sigma0=1.4)
    t, lag = np.array([1e-3, 1.0, 10.0, 10.0]), np.array([1e-3, 1e-2, 0.0, 9.0])

    def kernels(cosine):
        return NDK(network).entries(1.0, 1.0, cosine[:, None], t, t - lag)

    series = angular_series(kernels, lowest, np.full(4, precision))
    if series is None:  # kernels bend sharply at short lags and antiparallel inputs
        assert precision < 1e-8 or lowest == -1
        return
    cosine = np.concatenate([np.linspace(lowest, 1, 300), 1 - np.geomspace(1e-15, 0.1)])
    cosine = np.maximum(cosine, min(lowest, 0))
    assert_allclose(series(cosine).T, kernels(cosine), atol=precision)


def test_series_keep_the_shape_and_give_way_where_they_would_be_long():
    series = angular_series(lambda c: np.stack([c, c**2], 1), -1.0, np.full(2, 1e-12))
    cosine = np.linspace(-1, 1, 6).reshape(2, 3)
    assert_allclose(series(cosine), [cosine, cosine**2], atol=1e-12)
    rough = angular_series(lambda c: np.abs(c[:, None] + 0.3), -1.0, np.array([1e-6]))
    assert rough is None
