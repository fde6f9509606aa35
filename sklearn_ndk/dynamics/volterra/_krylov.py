"""A Krylov solver for several right-hand sides at once."""

import numpy as np


def gcr(apply, precondition, rhs, threshold, max_iter):
    """Solve ``apply(z) = rhs`` by the generalised conjugate residual method.

    In exact arithmetic it is right-preconditioned GMRES without restart
    (Eisenstat, Elman and Schultz, 1983). It keeps the solution and the residual
    itself instead of a Hessenberg matrix.

    Parameters
    ----------
    apply, precondition : callable
        Linear maps of arrays of the shape of `rhs`; they act on each system alone.
    rhs : ndarray of shape (n_systems, n_nodes, n_samples)
        Right-hand sides.
    threshold : ndarray of shape (n_systems,)
        2-norms which the residuals must not exceed.
    max_iter : int
        Largest number of iterations.

    Returns
    -------
    z : ndarray of shape (n_systems, n_nodes, n_samples)
        The solutions.
    norms : ndarray of shape (n_systems,)
        2-norms of the residuals; they exceed the thresholds only after `max_iter`
        iterations.
    """
    z, residual = np.zeros_like(rhs), rhs.copy()
    directions, images = [], []
    norms = _norms(residual)
    while np.any(norms > threshold) and len(images) < max_iter:
        direction = precondition(residual)
        image = apply(direction)
        for old_direction, old_image in zip(directions, images, strict=True):
            overlap = _dot(old_image, image)
            image -= overlap * old_image
            direction -= overlap * old_direction
        norm = np.sqrt(_dot(image, image))
        norm[norm == 0] = 1  # a system already solved exactly stays as it is
        directions.append(direction / norm)
        images.append(image / norm)
        overlap = _dot(images[-1], residual)
        z += overlap * directions[-1]
        residual -= overlap * images[-1]
        norms = _norms(residual)
    return z, norms


def _norms(residual):
    return np.sqrt(_dot(residual, residual)).ravel()


def _dot(a, b):
    """Inner product of each system, shaped to broadcast against the systems."""
    return np.einsum("snp,snp->s", a, b)[:, None, None]
