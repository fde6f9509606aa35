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
    n_iter : int
        Number of iterations.
    converged : bool
        Whether each residual meets its threshold.
    """
    z, residual = np.zeros_like(rhs), rhs.copy()
    directions, images = [], []
    while np.any(np.sqrt(_dot(residual, residual)).ravel() > threshold):
        if len(images) == max_iter:
            return z, max_iter, False
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
    return z, len(images), True


def _dot(a, b):
    """Inner product of each system, shaped to broadcast against the systems."""
    return np.einsum("snp,snp->s", a, b)[:, None, None]
