"""Families of two-time kernels: their relations, and their ends."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ndk.kernels import ndk_kernel, nngp_kernel, two_time_nngp_kernel
from sklearn_ndk.kernels._families import NDK, DriftedNDK, PriorCovariance
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import make_network
from sklearn_ndk.kernels._range import check_range

X = np.random.default_rng(0).standard_normal((6, 3))
SHARED = {"depth": 2, "T": 0.1, "sigma": 0.9, "sigma0": 1.4, "bias": 0.3}


@pytest.fixture(params=["relu", "erf", "linear"])
def network(request):
    return make_network(activation=request.param, **SHARED)


def test_prior_covariance_is_that_of_the_prior_at_both_ends(network):
    shared = {"depth": 2, "activation": network.activation, "bias": 0.3}
    family = PriorCovariance(network)
    for t, sigma in ((0.0, 1.4), (np.inf, 0.9)):
        expected = sigma**2 * nngp_kernel(X, sigma=sigma, **shared)
        assert_allclose(family.matrix(gram_matrix(X), t, t), expected, rtol=1e-12)


def test_prior_covariance_is_that_of_simulated_networks(network):
    rng = np.random.default_rng(1)
    x = X[:3] / np.sqrt(X.shape[1])
    width, n_networks, kappa = 300, 400, network.kappa
    t_prime, t = 2.0, 6.0
    decay, size = np.exp(-kappa * (t - t_prime)), network.moments(t_prime, t_prime).var
    size_later = network.moments(t, t).var
    fresh = np.sqrt(size_later - decay**2 * size)
    outputs = []
    for _ in range(n_networks):
        early, late, scale = x, x, 1.0
        for layer in range(3):
            n_out = width if layer < 2 else 1
            shape = (early.shape[1] + 1, n_out)
            before = np.sqrt(size) * rng.standard_normal(shape)
            after = decay * before + fresh * rng.standard_normal(shape)
            ones = np.full((len(x), 1), 0.3)
            early = np.hstack([early * scale, ones]) @ before
            late = np.hstack([late * scale, ones]) @ after
            if layer < 2:
                early, late = map(network.activation, (early, late))
            scale = 1 / np.sqrt(width)
        outputs.append((late.ravel(), early.ravel()))
    late, early = np.array(outputs).transpose(1, 0, 2)
    expected = PriorCovariance(network).matrix(gram_matrix(X[:3]), t, t_prime)
    products = late[:, :, None] * early[:, None]
    error = products.std(axis=0) / np.sqrt(n_networks)
    assert np.all(np.abs(products.mean(axis=0) - expected) < 4 * error + 0.02)


def test_two_time_kernels_without_delay_are_the_public_ones(network):
    gram, times = gram_matrix(X), {"t": 7.0, "t_prime": 2.0}
    public = dict(SHARED, activation=network.activation, **times)
    drifted = DriftedNDK(network, delay=0.0).matrix(gram, 7.0, 2.0)
    assert_allclose(drifted, ndk_kernel(X, **public), rtol=1e-12)
    covariance = PriorCovariance(network).matrix(gram, 7.0, 2.0)
    nngp = two_time_nngp_kernel(X, **public) + 0.3**2
    assert_allclose(covariance, network.moments(7.0, 2.0).cov * nngp, rtol=1e-12)


@pytest.mark.parametrize("family", [NDK, PriorCovariance])
def test_entries_are_those_of_the_matrix(network, family):
    gram = gram_matrix(X)
    check_range(network, gram)
    k = np.mean(X**2, axis=1)
    entries = family(network).entries(k[:, None], k, X @ X.T / 3, 5.0, 1.0)
    assert_allclose(family(network).matrix(gram, 5.0, 1.0), entries, rtol=1e-9)
