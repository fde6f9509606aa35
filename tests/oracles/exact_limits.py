"""The closed limits (16) and (18) in 60 digits, from kernels that are exact.

Kernels are Gram matrices ``G G^T`` of rows given as doubles, so that they are exact in
mpmath, whatever their condition. For a dozen rows.
"""

import numpy as np
from mpmath import mp, mpf

_DIGITS = 60
_NULL = mpf(10) ** -45  # relative size of eigenvalues that are zero but for rounding

_exact = np.frompyfunc(mpf, 1, 1)


def gram(rows):
    """Return the Gram matrix of rows, rounded once, entry by entry."""
    with mp.workdps(_DIGITS):
        rows = _exact(rows)
        return rows.dot(rows.T).astype(float)


def ridge_fit(rows, ridge, targets):
    """Return ``K (K + ridge)^+ y`` for ``K = G G^T``; targets as rows."""
    return _filtered(rows, targets, lambda value: value / (value + mpf(ridge)))


def flow_fit(rows, t, targets):
    """Return ``(1 - exp(-K t)) y`` for ``K = G G^T``; targets as rows."""
    return _filtered(
        rows, targets, lambda value: 1 if t == np.inf else 1 - mp.exp(-value * mpf(t))
    )


def _filtered(rows, targets, learned):
    with mp.workdps(_DIGITS):
        rows = _exact(rows)
        values, vectors = mp.eigsy(mp.matrix(rows.dot(rows.T).tolist()))
        values = np.array(list(values), dtype=object)
        vectors = np.array(vectors.tolist(), dtype=object)
        null = values <= _NULL * values.max()
        gains = [mpf(0) if n else learned(v) for v, n in zip(values, null, strict=True)]
        modal = _exact(np.atleast_2d(targets)).dot(vectors)
        return (modal * np.array(gains, dtype=object)).dot(vectors.T).astype(float)
