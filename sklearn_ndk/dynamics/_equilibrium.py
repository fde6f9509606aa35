"""The equilibrium, in closed form: Eq. (18)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from sklearn_ndk.dynamics._accuracy import Duals, rounding_errors, spectral_errors
from sklearn_ndk.dynamics._graded import GradedSpectrum


def ridge_duals(
    kernel: NDArray[np.float64],
    ridge: float,
    targets: NDArray[np.float64],
    *,
    tol: float = 1e-6,
    rank: Callable[[], int] | None = None,
) -> Duals:
    """Solve ``(K + ridge) a = y``, the kernel regression of Eq. (18).

    By Cholesky factors, if rounding errors of the kernel leave predictions accurate
    to `tol`; else by its eigenvectors above rounding. Then predictions at the
    training inputs never exceed the targets, in the 2-norm.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        Kernel of the training inputs; overwritten.
    ridge : float
        Non-negative; at zero, the least-squares solution of least norm.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    tol : float
        Relative accuracy wanted.
    rank : callable, default=None
        Returns the largest rank that the exact kernel can have, the number of
        samples if None. Eigenvalues beyond it are zero, not hidden by rounding.

    Returns
    -------
    Duals
        With values of shape (n_outputs, n_samples). Its error exceeds `tol` if the
        kernel is too ill-conditioned.
    """
    diagonal = np.diag(kernel).copy()
    kernel[np.diag_indices_from(kernel)] += ridge
    try:
        values = cho_solve(cho_factor(kernel, lower=True), targets.T).T
    except LinAlgError:  # singular to rounding
        pass
    else:
        error = np.max(rounding_errors(diagonal, values[:, None], targets))
        if error <= tol:
            return Duals(values, float(error))
    kernel[np.diag_indices_from(kernel)] = diagonal
    with np.errstate(divide="ignore"):
        horizon = 1 / np.array([float(ridge)])
    spectrum = GradedSpectrum(kernel, rank)
    solved = spectrum.solve(targets, lambda s: _ridge_gain(s, ridge)[None], horizon)
    return solved._replace(values=solved.values[:, 0])


def ridge_duals_of_modes(
    eigenvalues: NDArray[np.float64],
    vectors: NDArray[np.float64],
    ridge: float,
    targets: NDArray[np.float64],
    kernel: Callable[[], NDArray[np.float64]],
    *,
    tol: float = 1e-6,
    rank: Callable[[], int] | None = None,
) -> Duals:
    """Solve ``(K + ridge) a = y`` with the eigenvectors of K, if they are exact enough.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_samples,)
        Those of the kernel of the training inputs, increasing.
    vectors : ndarray of shape (n_samples, n_samples)
        Its eigenvectors, as columns.
    ridge, targets, tol, rank
        See :func:`ridge_duals`.
    kernel : callable
        Returns the kernel, for :func:`ridge_duals`, where eigenvectors do not serve.

    Returns
    -------
    Duals
        As :func:`ridge_duals` returns them.
    """
    values = np.maximum(eigenvalues, 0)
    with np.errstate(all="ignore"):  # what overflows is not exact enough
        duals = (targets @ vectors / (values + ridge)) @ vectors.T
        error = np.max(spectral_errors(values[-1], duals[:, None], targets))
    if error <= tol:
        return Duals(duals, float(error))
    return ridge_duals(kernel(), ridge, targets, tol=tol, rank=rank)


def _ridge_gain(roots, ridge):
    """Return ``s / (s^2 + ridge)`` without squares that leave the range of numbers."""
    return 1 / (roots + ridge / roots)
