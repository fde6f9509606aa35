"""Kernels of small problems, for tests of the parts of the solver."""

import numpy as np

from sklearn_ndk.activations._registry import get_activation
from sklearn_ndk.kernels._families import NDK
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._two_time import TwoTimeKernel


def make_kernel(X, activation="relu", depth=2, T=0.1, sigma0=1.3, bias=0.0):
    network = InfiniteNetwork(depth, get_activation(activation), T, 1.0, sigma0, bias)
    return TwoTimeKernel(NDK(network), gram_matrix(X))


def ndk(kernel, t, t_prime):
    return kernel.matrix(t, t_prime)


def unit_relevance(t, t_prime):
    return np.ones_like(t)


def basis_matrices(basis, kernel):
    """Compute the basis functions, transposed, in double precision."""
    doubles = [np.float64] * len(basis.t)
    return np.array(
        kernel.mixtures(basis.t_prime, basis.t, basis.mixing, doubles, basis.precision)
    )


def rows(n, d=4, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def geometric_edges(ratio, first, last):
    n = round(np.log(last / first) / np.log(ratio))
    return np.r_[0, first * (last / first) ** (np.arange(n + 1) / n)]
