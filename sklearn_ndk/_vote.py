"""The share of an ensemble's networks that vote for each class."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp, ndtr

_REACH = 9.0  # of the quadrature beyond the largest mean, in standard deviations
_STEP = 0.125  # likewise; the integrands are smooth over 1
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
    variances : ndarray of shape (n_samples,)
        Variances of each output. They are independent Gaussians.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Rows sum to one. Classes that are tied share alike.
    """
    spread = variances > 0
    std = np.sqrt(np.where(spread, variances, 1))[:, None]
    if means.shape[1] == 1:
        certain = 0.5 + np.sign(means) / 2
        second = np.where(spread[:, None], ndtr(means / std), certain)
        return np.hstack([1 - second, second])
    gaps = (means - means.max(axis=1, keepdims=True)) / std
    gaps = np.maximum(gaps, -_HOPELESS)
    out = np.empty(means.shape)
    largest = means[~spread] == means[~spread].max(axis=1, keepdims=True)
    out[~spread] = largest / largest.sum(axis=1, keepdims=True)
    rows = np.flatnonzero(spread)
    n_points = int(2 * _REACH / _STEP)
    step = max(1, _MAX_ENTRIES // (n_points * means.shape[1]))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        out[some] = _shares(gaps[some])
    return out


def _shares(gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability that each of independent unit Gaussians is the largest.

    Their means m are given relative to the largest. By the trapezoidal rule, it is
    ``int phi(u - m_c) prod_{j != c} Phi(u - m_j) du``.
    """
    u = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    below = log_ndtr(u - gaps[:, :, None])
    log_density = -((u - gaps[:, :, None]) ** 2) / 2
    others = below.sum(axis=1, keepdims=True) - below
    shares = np.exp(logsumexp(log_density + others, axis=2))
    return shares / shares.sum(axis=1, keepdims=True)
