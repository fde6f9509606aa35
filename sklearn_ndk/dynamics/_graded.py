"""Eigenvectors of a kernel whose rows may differ by orders of magnitude."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, svd
from scipy.linalg.lapack import dgejsv

from sklearn_ndk.dynamics._accuracy import ENTRY_ERROR, Duals, norms, rounding_errors
from sklearn_ndk.dynamics._spectrum import rounding

# Ratio of row sizes up to which the errors of a standard SVD, relative to the largest
# singular value, spoil none of those kept (1e-7 of it at the least).
_EVEN = 1e3
_F, _U, _V = 2, 0, 0  # of dgejsv: rows and columns both graded; vectors wanted


class GradedSpectrum:
    """Eigenvalues and eigenvectors of a kernel, as exact as its entries make them.

    With ``D = diag(K)``, ``K = D^(1/2) C D^(1/2)``. Rounding errors of the entries of
    C are of one size, so eigenvalues of C below that are left out: ``C = U S U^T``.
    The singular value decomposition ``D^(1/2) U S^(1/2) = P Sigma V^T`` then has the
    eigenvectors P of K and the roots of its eigenvalues, small ones included.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        The kernel; overwritten.
    rank : callable, default=None
        Returns the largest rank that the exact kernel can have.
    """

    def __init__(
        self, kernel: NDArray[np.float64], rank: Callable[[], int] | None = None
    ) -> None:
        self._diagonal = np.maximum(np.diag(kernel), 0)
        self._root = np.sqrt(self._diagonal)
        size = np.where(self._root > 0, self._root, 1)
        kernel /= size
        kernel /= size[:, None]
        values, vectors = eigh(kernel, driver="evd", overwrite_a=True)
        self._cutoff = rounding(values)
        kept = values > self._cutoff
        n_kept = np.count_nonzero(kept)
        # eigenvalues left out are known to be zero once the rank is reached
        self._complete = n_kept == np.count_nonzero(self._root) or (
            rank is not None and n_kept >= rank()
        )
        root_values, vectors = np.sqrt(values[kept]), vectors[:, kept]
        left, roots, right = _svd(self._root, vectors * root_values)
        self._vectors, self._roots = left, roots
        to_duals = (vectors / root_values) @ right
        self._to_duals = to_duals / size[:, None]
        # of predictions, in units of what is learned of each mode
        self._noise = (
            ENTRY_ERROR * np.linalg.norm(self._root) * np.linalg.norm(to_duals, axis=0)
        )

    def solve(
        self,
        targets: NDArray[np.float64],
        learned: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        horizon: NDArray[np.float64],
        importance: NDArray[np.float64] | float = 1.0,
    ) -> Duals:
        """Return duals that are a function of the kernel, times targets.

        Parameters
        ----------
        targets : ndarray of shape (n_outputs, n_samples)
            Targets.
        learned : callable
            Maps roots s of eigenvalues, shape (n_modes,), to s times the function,
            shape (n_times, n_modes).
        horizon : ndarray of shape (n_times,)
            The function at eigenvalue zero; may be infinite.
        importance : ndarray of shape (n_samples,) or float
            Factors of the samples in norms of errors.

        Returns
        -------
        Duals
            With values of shape (n_outputs, n_times, n_samples).
        """
        modal = targets @ self._vectors
        gain = learned(self._roots)
        noisy = gain * self._noise > 1  # nearer to the answer without them
        gain = np.where(noisy, 0, gain)
        values = (modal[:, None] * gain) @ self._to_duals.T
        errors = rounding_errors(self._diagonal, values, targets, importance)
        size, norm = norms(targets * importance)
        if np.any(noisy):
            left_out = (modal[:, None] / size[:, None, None] * noisy) @ self._vectors.T
            errors += np.linalg.norm(left_out * importance, axis=-1) / norm[:, None]
        if not self._complete:
            errors += self._hidden(targets, modal, horizon, importance)
        return Duals(values, float(np.max(errors, initial=0)))

    def _hidden(self, targets, modal, horizon, importance):
        """Bound what eigenvalues below rounding could add to predictions."""
        size, norm = norms(targets * importance)
        rest = (targets - modal @ self._vectors.T) / size[:, None] * (self._root > 0)
        all_of_it = np.linalg.norm(rest * importance, axis=1)[:, None]
        root = np.max(self._root * importance) * self._root
        rate = np.linalg.norm(rest * root, axis=1)[:, None] * self._cutoff
        with np.errstate(over="ignore", invalid="ignore"):
            return np.fmin(all_of_it, rate * horizon) / norm[:, None]


def _svd(scale, matrix):
    """Return the thin SVD of a matrix whose rows are scaled, right vectors as columns.

    Parameters
    ----------
    scale : ndarray of shape (n,)
        Factors of the rows, not negative.
    matrix : ndarray of shape (n, m)
        Rows of one size, ``m <= n``.

    Returns
    -------
    left : ndarray of shape (n, m)
        Left singular vectors.
    values : ndarray of shape (m,)
        Singular values; accurate one by one if the columns are independent.
    right : ndarray of shape (m, m)
        Right singular vectors.
    """
    if matrix.shape[1] == 0:
        return matrix, np.empty(0), np.empty((0, 0))
    largest = scale.max()
    scaled = matrix * (scale / largest)[:, None]
    if largest <= _EVEN * scale.min():
        left, values, right = svd(scaled, full_matrices=False)
        return left, largest * values, right.T
    values, left, right, work, _, info = dgejsv(scaled, joba=_F, jobu=_U, jobv=_V)
    if info != 0:
        raise np.linalg.LinAlgError(f"dgejsv returned {info}.")
    return left, largest * (values * (work[0] / work[1])), right
