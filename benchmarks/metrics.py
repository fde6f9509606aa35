"""Scores of probabilities and of intervals."""

import numpy as np
from scipy.stats import norm

LEVELS = (0.5, 0.9, 0.95)


def log_losses(codes, shares, least=1e-15):
    """Return the loss of each sample, of shares of at least so much."""
    return -np.log(np.maximum(shares[np.arange(len(codes)), codes], least))


def bins(codes, shares, n_bins=10):
    """Return numbers, sums of confidences and of hits in bins of confidence."""
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == codes
    index = np.minimum((sure * n_bins).astype(int), n_bins - 1)
    return np.array([np.bincount(index, w, n_bins) for w in (None, sure, right)])


def class_scores(codes, shares, n_bins=10, least=1e-15):
    counts, sure, right = bins(codes, shares, n_bins)
    truth = codes[:, None] == np.arange(shares.shape[1])
    return {
        "log loss": np.mean(log_losses(codes, shares, least)),
        "Brier": np.mean(np.sum((shares - truth) ** 2, axis=1)),
        "accuracy": right.sum() / counts.sum(),
        "ECE": np.sum(np.abs(sure - right)) / counts.sum(),
        "sure - right": np.sum(sure - right) / counts.sum(),
    }


def interval_scores(y, found):
    """Return scores of means and standard deviations, the columns of an array."""
    mean, std = found.T
    scores = {}
    for level in LEVELS:
        inside = np.abs(y - mean) <= norm.ppf(0.5 + level / 2) * std
        scores[f"{level:.0%}"] = inside.mean()
    return scores | {
        "90% off by": abs(scores["90%"] - 0.9),
        "width": 2 * norm.ppf(0.95) * std.mean() / y.std(),
        "neg. log density": -np.mean(norm.logpdf(y, mean, std)),
    }
