"""Why a kernel matrix is ill-conditioned, and what to do, in words for the user."""

import numpy as np
from numpy.typing import NDArray

# Kernels square what columns hold: at this ratio six of sixteen digits are lost.
_UNEVEN = 1e3


def cause_of_rounding(X: NDArray[np.float64]) -> str:
    """Name what makes the kernel matrix of inputs ill-conditioned.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training inputs.

    Returns
    -------
    str
        Sentences that end a warning: the cause, and what to do.
    """
    size = np.abs(X).max(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = X.max(axis=0) - X.min(axis=0)
    varying = np.flatnonzero(spread > 0)
    if len(varying):
        small = varying[np.argmin(spread[varying])]
        large = np.argmax(size)
        if size[large] > _UNEVEN * spread[small]:
            return (
                f"Columns of X have very different scales: column {large} has entries "
                f"up to {size[large]:.1e}, column {small} varies by "
                f"{spread[small]:.1e}. Standardise the columns, with StandardScaler "
                "for instance, or raise T."
            )
    return (
        "Some rows of X, or their kernels, are nearly dependent or of very different "
        "sizes. Standardise the columns, or raise T."
    )
