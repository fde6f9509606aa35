"""The Krylov solver."""

import numpy as np

from sklearn_ndk.dynamics.volterra._krylov import gcr


def test_gcr_solves_every_system_to_its_threshold():
    rng = np.random.default_rng(0)
    A = np.eye(24) + rng.standard_normal((24, 24)) / 10
    rhs = rng.standard_normal((3, 2, 12))
    rhs[1] = 0  # a system already solved
    threshold = 1e-9 * np.linalg.norm(rhs, axis=(1, 2))

    def apply(z):
        return (z.reshape(3, 24) @ A.T).reshape(z.shape)

    z, norms = gcr(apply, lambda r: r.copy(), rhs, threshold, 24)
    assert np.all(norms <= threshold)
    assert np.all(np.linalg.norm(rhs - apply(z), axis=(1, 2)) <= 1.01 * threshold)
    _, norms = gcr(apply, lambda r: r.copy(), rhs, threshold, 2)
    assert np.any(norms > threshold)
