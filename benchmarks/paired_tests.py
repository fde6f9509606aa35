"""Tests of models on the same tables, corrected for their number."""

from itertools import combinations

import numpy as np
from scipy.stats import rankdata, wilcoxon

TIE = 1e-9


def gaps(scores, others):
    """Return the differences between scores, those of rounding set to zero."""
    gap = scores - others
    return np.where(np.abs(gap) < TIE, 0.0, gap)


def wilcoxon_p(gap):
    """Return the p value of a two-sided signed-rank test; 1 if all are tied."""
    return wilcoxon(gap).pvalue if np.any(gap) else 1.0


def holm(p):
    """Return p values corrected for the number of tests by Holm's method."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    corrected = np.empty_like(p)
    steps = np.arange(len(p), 0, -1) * p[order]
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return corrected


def mean_ranks(scores):
    """Return mean ranks of models, the columns, of which the highest scores best."""
    return rankdata(-scores.round(6), axis=1).mean(axis=0)


def pairwise_p(scores):
    """Return the corrected p values of all pairs of columns, a symmetric matrix."""
    n_models = scores.shape[1]
    p = np.ones((n_models, n_models))
    pairs = list(combinations(range(n_models), 2))
    found = holm([wilcoxon_p(gaps(scores[:, i], scores[:, j])) for i, j in pairs])
    for (i, j), value in zip(pairs, found, strict=True):
        p[i, j] = p[j, i] = value
    return p


def not_told_apart(p, level):
    """Return ranges of consecutive models of which no pair differs, none in another."""
    found = []
    for first in range(len(p)):
        last = first
        while last + 1 < len(p) and np.all(p[first : last + 1, last + 1] >= level):
            last += 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found
