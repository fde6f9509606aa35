"""Eigenvalues of kernels: the largest, and how exact they are."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

# Twenty products leave an error of a few hundredths where eigenvalues are spread
# evenly, the worst of spectra that kernels have; half of them, twice that.
_N_POWERS = 20
# Entries have errors of several units in the last place, so that in small matrices
# rounding is larger than the usual bound, the number of rows.
_FEWEST_ULPS = 16


def rounding(eigenvalues: NDArray[np.float64]) -> float:
    """Return the size of rounding errors in increasing eigenvalues."""
    ulps = max(len(eigenvalues), _FEWEST_ULPS)
    return ulps * np.finfo(float).eps * max(eigenvalues[-1], 0)


def largest_eigenvalue(kernel: NDArray[np.float64]) -> float:
    """Return the largest eigenvalue of a kernel, to a tenth.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        The kernel, of any scale.

    Returns
    -------
    float
        The eigenvalue, by power iteration.
    """
    diagonal = np.diag(kernel)
    scale = np.max(diagonal, initial=0)
    if scale == 0:
        return 0.0
    # random, lest symmetric inputs keep the start orthogonal to all that is sought
    vector = diagonal / scale * np.random.default_rng(0).random(len(kernel))
    value = 0.0
    for _ in range(_N_POWERS):
        # of unit length, lest powers of the eigenvalue leave the range of numbers
        vector = vector / np.linalg.norm(vector)
        vector = kernel @ vector / scale
        value = np.linalg.norm(vector)
    return float(scale * value)


def nearest_positive(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a symmetric matrix without its negative eigenvalues, which are errors."""
    matrix = (matrix + matrix.T) / 2
    eigenvalues, vectors = eigh(matrix, driver="evd")
    root = vectors[:, eigenvalues < 0] * np.sqrt(-eigenvalues[eigenvalues < 0])
    return matrix + root @ root.T  # symmetric to the last digit
