"""The equilibrium, in closed form: Eq. (18)."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

from sklearn_ndk.dynamics._spectrum import rounding


def ridge_duals(kernel, ridge, targets):
    """Solve ``(K + ridge) a = y``, the kernel regression of Eq. (18).

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        Kernel of the training inputs; overwritten.
    ridge : float
        Non-negative; at zero, the solution of least norm.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.

    Returns
    -------
    ndarray of shape (n_outputs, n_samples)
        The dual coefficients.
    """
    if ridge > 0:
        kernel[np.diag_indices_from(kernel)] += ridge
        try:
            return cho_solve(cho_factor(kernel, lower=True), targets.T).T
        except LinAlgError:  # singular to rounding
            kernel[np.diag_indices_from(kernel)] -= ridge
    eigenvectors = eigh(kernel, driver="evd", overwrite_a=True)
    return ridge_duals_of_modes(*eigenvectors, ridge, targets)


def ridge_duals_of_modes(eigenvalues, vectors, ridge, targets):
    """Solve ``(K + ridge) a = y`` with the eigenvectors of K.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_samples,)
        Those of the kernel of the training inputs, increasing.
    vectors : ndarray of shape (n_samples, n_samples)
        Its eigenvectors, as columns.
    ridge : float
        Non-negative; at zero, the solution of least norm.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.

    Returns
    -------
    ndarray of shape (n_outputs, n_samples)
        The dual coefficients.
    """
    kept = eigenvalues > (rounding(eigenvalues) if ridge == 0 else -np.inf)
    shrunk = targets @ vectors[:, kept]
    shrunk /= np.maximum(eigenvalues[kept], 0) + ridge
    return shrunk @ vectors[:, kept].T
