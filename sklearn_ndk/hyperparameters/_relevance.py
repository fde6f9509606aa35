"""How much each feature matters to what networks have learned.

The diagonal of the average gradient outer product, of which recursive feature machines
learn the metric of their kernel: Radhakrishnan, Beaglehole, Pandit and Belkin,
"Mechanism for feature learning in neural networks and backpropagation-free machine
learning models", Science 383, 1461 (2024).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from sklearn_ndk.gaussian_process._dual_rates import ratio
from sklearn_ndk.gaussian_process._gradient import TILE_ENTRIES
from sklearn_ndk.gaussian_process._kernel_rates import INPUTS, tile_rates
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.training._samples import TrainingSet

_LEAST = 1e-3  # relevance beside the largest: a feature may come back


def relevance(
    samples: TrainingSet, network: InfiniteNetwork, T: float
) -> NDArray[np.float64]:
    """Return how much each feature matters at equilibrium, Eq. (18), of mean square 1.

    Parameters
    ----------
    samples : TrainingSet
        Inputs as the networks see them, targets and weights.
    network : InfiniteNetwork
        The network.
    T : float
        Temperature of the noise.

    Returns
    -------
    ndarray of shape (n_features,)
        The square root of the root mean square, over samples and outputs, of the
        derivative of mean outputs.
    """
    found = mean_square_slopes(samples, network, T) ** 0.25
    found = np.maximum(found, _LEAST * found.max()) if np.any(found) else found + 1
    return found / np.sqrt(np.mean(found**2))


def mean_square_slopes(
    samples: TrainingSet, network: InfiniteNetwork, T: float
) -> NDArray[np.float64]:
    """Return mean squares of the derivatives of mean outputs, at the samples.

    Parameters
    ----------
    samples, network, T
        As in `relevance`.

    Returns
    -------
    ndarray of shape (n_features,)
        Over samples, by their weights, and outputs.
    """
    X, scale, prior = samples.X, samples.scale, network.sigma**2
    gram, n_features = gram_matrix(X), X.shape[1]
    covariance = prior * np.outer(scale, scale) * network.nngp(gram)
    covariance[np.diag_indices(len(X))] += T
    duals = cho_solve(cho_factor(covariance, lower=True), samples.targets.T).T
    duals *= prior * scale
    norms = np.einsum("ij,ij->i", X, X)[:, None]
    total, every = np.zeros(n_features), slice(None)
    step = max(1, TILE_ENTRIES // len(X))
    for first in range(0, len(X), step):
        rows = slice(first, first + step)
        directions = [INPUTS[0], INPUTS[2]]
        rates, _ = tile_rates(gram, rows, every, network, directions, tangent=False)
        for dual in duals:
            slopes = (rates[1] * dual) @ X / n_features
            slopes += ratio(2 * (rates[0] @ dual)[:, None], norms[rows]) * X[rows]
            total += scale[rows] ** 2 @ slopes**2
    return total / (len(duals) * np.sum(scale**2))
