"""The share of an ensemble's networks that vote for each class."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp, ndtr

_REACH = 9.0  # of the quadrature, in standard deviations
_STEP = 0.25  # likewise, of the smallest; the integrands are smooth over one
_HOPELESS = 50.0  # standard deviations below the largest mean
_MAX_ENTRIES = 2**22  # handled at once


def vote(
    means: NDArray[np.float64], variances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of networks whose largest output is that of each class.

    Parameters
    ----------
    means : ndarray of shape (n_samples, n_outputs)
        Mean outputs; one output, positive for the second class, if there are two.
    variances : ndarray of shape (n_samples, n_outputs)
        Variances of the outputs, which are independent Gaussians; those of a sample
        are all positive or all zero.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Rows sum to one. Classes that are tied share alike.
    """
    spread = variances[:, 0] > 0
    std = np.sqrt(np.where(spread[:, None], variances, 1))
    if means.shape[1] == 1:
        certain = 0.5 + np.sign(means) / 2
        second = np.where(spread[:, None], ndtr(means / std), certain)
        return np.hstack([1 - second, second])
    gaps = means - means.max(axis=1, keepdims=True)
    gaps = np.maximum(gaps, -_HOPELESS * std.max(axis=1, keepdims=True))
    out = np.empty(means.shape)
    largest = means[~spread] == means[~spread].max(axis=1, keepdims=True)
    out[~spread] = largest / largest.sum(axis=1, keepdims=True)
    rows = np.flatnonzero(spread)
    ratio = np.max(std.max(axis=1) / std.min(axis=1))
    n_points = int(np.ceil(2 * _REACH / _STEP * ratio)) + 1
    step = max(1, _MAX_ENTRIES // (n_points * means.shape[1]))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        out[some] = _shares(gaps[some], std[some], n_points)
    return out


def _shares(
    means: NDArray[np.float64], std: NDArray[np.float64], n_points: int
) -> NDArray[np.float64]:
    """Return the probability that each of independent Gaussians is the largest.

    By the trapezoidal rule, it is
    ``int phi_c(u) prod_{j != c} Phi_j(u) du`` with their densities and distributions.
    """
    lowest = np.max(means - _REACH * std, axis=1)
    highest = np.max(means + _REACH * std, axis=1)
    points = np.linspace(lowest, highest, n_points, axis=1)[:, None]
    scores = (points - means[:, :, None]) / std[:, :, None]
    below = log_ndtr(scores)
    log_density = -(scores**2) / 2 - np.log(std)[:, :, None]
    others = below.sum(axis=1, keepdims=True) - below
    shares = np.exp(logsumexp(log_density + others, axis=2))
    return shares / shares.sum(axis=1, keepdims=True)
