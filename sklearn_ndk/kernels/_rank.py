"""The largest rank that a kernel can have, in exact arithmetic."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svdvals

from sklearn_ndk.activations import Linear
from sklearn_ndk.kernels._network import InfiniteNetwork


def rank_bound(network: InfiniteNetwork, X: NDArray[np.float64]) -> int:
    """Return the largest rank of the kernels of a network at some inputs.

    Parameters
    ----------
    network : InfiniteNetwork
        The network.
    X : ndarray of shape (n_samples, n_features)
        The inputs.

    Returns
    -------
    int
        That of the inputs if the network is linear, the number of their directions
        if it is homogeneous, of those not opposite to others if it is odd or even,
        otherwise the number of samples.
    """
    if isinstance(network.activation, Linear):
        return _rank(X, constant=network.bias > 0)
    parity = network.activation.parity if network.bias == 0 else 0
    zero = np.all(X == 0, axis=1)
    if network.homogeneous:
        X = X[~zero] / np.abs(X[~zero]).max(axis=1, keepdims=True)
        return _n_up_to_sign(X) if parity else len(np.unique(X, axis=0))
    if parity:  # networks that are even may answer to the zero row
        return _n_up_to_sign(X[~zero]) + bool(parity > 0 and zero.any())
    return len(X)


def _rank(X: NDArray[np.float64], constant: bool) -> int:
    """Return the rank of inputs, with a column of ones if there is a constant."""
    if constant:
        X = np.column_stack([X, np.ones(len(X))])
    # of columns of one size, so that large ones do not hide small ones
    size = np.abs(X).max(axis=0)
    values = svdvals(X[:, size > 0] / size[size > 0])
    cutoff = max(X.shape) * np.finfo(float).eps * values.max(initial=0)
    return np.count_nonzero(values > cutoff)


def _n_up_to_sign(X: NDArray[np.float64]) -> int:
    """Return the number of rows, none of them zero, that are not opposite to others."""
    first = X[np.arange(len(X)), np.argmax(X != 0, axis=1)]
    return len(np.unique(X * np.sign(first)[:, None] + 0.0, axis=0))
