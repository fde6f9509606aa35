"""Kernels by their definition in 60 digits, pair by pair."""

import mpmath
import numpy as np


def precise_ntk(X, Y, *, depth, activation, sigma0, bias):
    """Return the NTK of rows that are taken as they are, rounded at the end."""
    with mpmath.workdps(60):
        return np.array(
            [[_ntk(x, y, depth, activation, sigma0, bias) for y in Y] for x in X]
        )


def _ntk(x, y, depth, activation, sigma0, bias):
    x, y = ([mpmath.mpf(float(value)) for value in row] for row in (x, y))
    variance, bias2 = mpmath.mpf(sigma0) ** 2, mpmath.mpf(bias) ** 2
    duals = {"erf": _erf_duals, "relu": _relu_duals}[activation]
    k_xx, k_yy, k_xy = (mpmath.fdot(u, v) / len(x) for u, v in ((x, x), (y, y), (x, y)))
    ntk = k_xy + bias2
    for _ in range(depth):
        a, d, c = (variance * (k + bias2) for k in (k_xx, k_yy, k_xy))
        k_xx, k_yy = duals(a, a, a)[0], duals(d, d, d)[0]
        k_xy, derivative_dual = duals(a, d, c)
        ntk = ntk * variance * derivative_dual + k_xy + bias2
    return float(ntk)


def _erf_duals(a, d, c):
    root = mpmath.sqrt((1 + 2 * a) * (1 + 2 * d))
    cosine = mpmath.sqrt((1 + 2 * a) * (1 + 2 * d) - 4 * c**2)
    return 2 / mpmath.pi * mpmath.asin(2 * c / root), 4 / mpmath.pi / cosine


def _relu_duals(a, d, c):
    corr = max(min(c / mpmath.sqrt(a * d), mpmath.mpf(1)), mpmath.mpf(-1))
    angle = mpmath.acos(corr)
    dual = mpmath.sin(angle) + (mpmath.pi - angle) * corr
    scale = mpmath.sqrt(a * d) / (2 * mpmath.pi)
    return scale * dual, (mpmath.pi - angle) / (2 * mpmath.pi)
