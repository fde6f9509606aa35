"""What rounding errors of a kernel matrix do to predictions."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning

# Units in the last place of an entry of a kernel: the recursion over layers and the
# solver add a few. With half as many, one error in ten is larger than its estimate.
ENTRY_ERROR = 8 * np.finfo(float).eps


class Duals(NamedTuple):
    """Dual coefficients, and how exact predictions from them are.

    Attributes
    ----------
    values : ndarray of shape (n_outputs, ..., n_samples)
        What multiplies the kernel between other inputs and the training inputs.
    error : float
        Estimate of the error of predictions at the training inputs, relative to the
        targets, in the 2-norm over the samples; the largest over the outputs.
    """

    values: NDArray[np.float64]
    error: float


def importance_of(
    scale: NDArray[np.float64], learned: NDArray[np.float64] | float = np.inf
) -> NDArray[np.float64]:
    """Return how much an error in each row of the equations changes predictions.

    An error there is one of the output, times the root of the sample weight. Where a
    sample is too light to be learned, it changes the output by less.

    Parameters
    ----------
    scale : ndarray of shape (n_samples,)
        Square roots of the sample weights.
    learned : ndarray of shape (n_samples,) or float
        Diagonal of the kernel, times the time over which it adds up.

    Returns
    -------
    ndarray of shape (n_samples,)
        At most one.
    """
    importance = np.minimum(1, learned) / scale
    return importance / (importance.max() or 1.0)


def rounding_errors(
    diagonal: NDArray[np.float64],
    duals: NDArray[np.float64],
    targets: NDArray[np.float64],
    importance: NDArray[np.float64] | float = 1.0,
) -> NDArray[np.float64]:
    """Estimate the errors of predictions that rounding errors of the kernel cause.

    The entry of the rows i and j is exact to a few units in the last place of
    ``sqrt(K_ii K_jj)``. So are those of the kernel that makes predictions. An error E
    of the kernel moves predictions at the training inputs by less than ``E a``.

    Parameters
    ----------
    diagonal : ndarray of shape (n_samples,)
        That of the kernel.
    duals : ndarray of shape (n_outputs, n_times, n_samples)
        The duals a.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    importance : ndarray of shape (n_samples,) or float
        Factors of the samples in norms, see :func:`importance_of`.

    Returns
    -------
    ndarray of shape (n_outputs, n_times)
        Relative to the targets, in the 2-norm; infinite or nan if duals overflow.
    """
    root = np.sqrt(np.maximum(diagonal, 0))
    largest = root.max(initial=0) or 1.0
    factor = ENTRY_ERROR * np.linalg.norm(root / largest * importance)
    size, norm = norms(targets * importance)
    with np.errstate(over="ignore", invalid="ignore"):
        weighted = duals / size[:, None, None] * root * largest
        return factor * np.linalg.norm(weighted, axis=-1) / norm[:, None]


def spectral_errors(
    eigenvalues: NDArray[np.float64],
    vectors: NDArray[np.float64],
    duals: NDArray[np.float64],
    targets: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Estimate the errors of predictions from eigenvectors of the kernel.

    Their rounding errors are relative to the largest eigenvalue, in all rows, so that
    they count most in small rows, those of light samples: rows are weighed as they
    are, and by one over their size.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_samples,)
        Of the kernel, increasing and not negative.
    vectors : ndarray of shape (n_samples, n_samples)
        Its eigenvectors, as columns.
    duals, targets : ndarray
        As in :func:`rounding_errors`.

    Returns
    -------
    ndarray of shape (n_outputs, n_times)
        As in :func:`rounding_errors`.
    """
    root = np.sqrt(np.einsum("ij,j,ij->i", vectors, eigenvalues, vectors))
    rows = root > 0
    shrink = np.min(root, where=rows, initial=np.inf) / root[rows]
    size, norm = norms(targets)
    small_size, small_norm = norms(targets[:, rows] * shrink)
    # the norm of an error spread evenly over the rows, weighed, by that of targets
    weighed = np.linalg.norm(shrink) / np.sqrt(len(root)) / small_norm
    weighed = np.maximum(1 / norm, weighed * (size / small_size))
    with np.errstate(over="ignore", invalid="ignore"):
        moved = duals / size[:, None, None] * eigenvalues[-1]
        return ENTRY_ERROR * np.linalg.norm(moved, axis=-1) * weighed[:, None]


def norms(
    targets: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest entry of each row, and the norm of the rows divided by it.

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        Targets, of any scale.

    Returns
    -------
    size, norm : ndarray of shape (n_outputs,)
        One where a row vanishes: then nothing is learned, and nothing is off.
    """
    size = np.abs(targets).max(axis=1, initial=0)
    size[size == 0] = 1.0
    norm = np.linalg.norm(targets / size[:, None], axis=1)
    norm[norm == 0] = 1.0
    return size, norm


def warn_of_rounding(error: float, tol: float, cause: str, stacklevel: int = 2) -> None:
    """Warn if rounding errors make predictions miss their tolerance.

    Parameters
    ----------
    error : float
        That of :class:`Duals`.
    tol : float
        The relative accuracy promised.
    cause : str
        Sentences that name the cause and what to do.
    stacklevel : int
        As in `warnings.warn`.
    """
    if error <= tol:
        return
    warnings.warn(
        "The kernel matrix is ill-conditioned: its rounding errors may change "
        f"predictions by {error:.1g} times the size of the targets, more than "
        f"tol={tol:g}. {cause}",
        LinAlgWarning,
        stacklevel=stacklevel + 1,
    )
