"""The two ends of time in closed form: gradient flow (16) and equilibrium (18)."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

_N_POWERS = 20


class GradientFlow:
    """Noiseless gradient flow with a fixed kernel, the NTK: Eq. (16).

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_samples,)
        Those of the kernel of the training inputs, increasing.
    vectors : ndarray of shape (n_samples, n_samples)
        Its eigenvectors, as columns.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    """

    def __init__(self, eigenvalues, vectors, targets):
        self._eigenvalues, self._vectors = eigenvalues, vectors
        self._modal_targets = targets @ self._vectors

    def duals(self, times):
        """Return ``(1 - exp(-NTK t)) / NTK y``.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            Gradient-flow times; may be infinite.

        Returns
        -------
        ndarray of shape (n_outputs, n_times, n_samples)
            What multiplies the kernel between other inputs and the training inputs.
        """
        learned = np.array([_learned(self._eigenvalues, t) for t in times])
        modal = self._modal_targets[:, None] * learned
        return modal @ self._vectors.T


def _learned(eigenvalues, t):
    """Return ``(1 - exp(-lambda t)) / lambda``, which is t for vanishing lambda.

    Directions whose eigenvalue is rounding error have no component in any
    prediction; once t has amplified their error they are left out.
    """
    cutoff = _rounding(eigenvalues)
    null = eigenvalues <= cutoff
    rest = np.where(null, 1, eigenvalues)
    with np.errstate(over="ignore"):
        learned = -np.expm1(-rest * t) / rest
        return np.where(null, t if t < np.inf and cutoff * t < 1e-8 else 0, learned)


def _rounding(eigenvalues):
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
    kept = eigenvalues > (_rounding(eigenvalues) if ridge == 0 else -np.inf)
    shrunk = targets @ vectors[:, kept]
    shrunk /= np.maximum(eigenvalues[kept], 0) + ridge
    return shrunk @ vectors[:, kept].T
