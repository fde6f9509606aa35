"""Eigenvalues of kernels: the largest, and how exact they are."""

import numpy as np

_N_POWERS = 20


def rounding(eigenvalues):
    """Return the size of rounding errors in increasing eigenvalues."""
    return len(eigenvalues) * np.finfo(float).eps * max(eigenvalues[-1], 0)


def largest_eigenvalue(kernel):
    """Return the largest eigenvalue of a kernel, to a tenth.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        The kernel.

    Returns
    -------
    float
        The eigenvalue, by power iteration.
    """
    # random, lest symmetric inputs keep the start orthogonal to all that is sought
    vector = np.diag(kernel) * np.random.default_rng(0).random(len(kernel))
    value = 0.0
    for _ in range(_N_POWERS):
        norm = np.linalg.norm(vector)
        if norm == 0:
            return 0.0
        image = kernel @ vector / norm
        value, vector = np.linalg.norm(image), image
    return value
