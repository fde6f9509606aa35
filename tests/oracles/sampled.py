"""The covariance of outputs from the equation sampled in time, as an oracle.

The Volterra equation and the prior are written out at many times, by the trapezoidal
rule, and two resolutions extrapolated. It shares with the package only kernels of
single pairs of inputs, and knows no adjoint, mesh or time basis.
"""

import numpy as np

from sklearn_ndk.kernels._families import NDK, PriorCovariance


def sampled_covariance(network, X, Xs, t, n_times=240):
    """Return the covariance of outputs at rows `Xs` at time `t`."""
    coarse, fine = (_at(network, X, Xs, t, n) for n in (n_times, 2 * n_times))
    return fine + (fine - coarse) / 3


def _at(network, X, Xs, t, n_times):
    u = np.linspace(0, 1, n_times + 1)
    times = t * u**2 * (3 - 2 * u)
    rule = 6 * t * u * (1 - u) / n_times
    rows = np.vstack([Xs, X])
    prior = _matrix(PriorCovariance(network), rows, rows, times)
    ndk = _matrix(NDK(network), rows, X, times) * np.tri(n_times + 1)
    step = ndk * rule
    here = np.arange(n_times)  # a half of the last point of each integral
    step[:, :, here, here] /= 2
    n_rows, n_samples = len(Xs), len(X)
    size = n_samples * (n_times + 1)
    own = step[n_rows:].transpose(0, 2, 1, 3).reshape(size, size)
    last = step[:n_rows, :, -1].reshape(n_rows, size)
    before = prior[n_rows:, n_rows:].transpose(0, 2, 1, 3).reshape(size, size)
    crossed = prior[:n_rows, n_rows:, -1].reshape(n_rows, size)
    omega = np.linalg.solve(np.eye(size) + own.T, last.T).T
    once = crossed @ omega.T
    return prior[:n_rows, :n_rows, -1, -1] - once - once.T + omega @ before @ omega.T


def _matrix(family, X, Y, times):
    """Return a kernel at all pairs of inputs and times, (n_X, n_Y, n_t, n_t)."""
    n_features = X.shape[1]
    return family.entries(
        (X**2).sum(axis=1)[:, None, None, None] / n_features,
        (Y**2).sum(axis=1)[:, None, None] / n_features,
        (X @ Y.T)[:, :, None, None] / n_features,
        times[:, None],
        times,
    )
