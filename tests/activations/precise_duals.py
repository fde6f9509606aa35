"""Duals of activations to sixty digits, as functions of variances and covariance."""

from math import comb, factorial

import numpy as np
from mpmath import mp, mpf

from sklearn_ndk.activations import (
    GELU,
    RBF,
    Abs,
    Cos,
    Erf,
    Exp,
    Hermite,
    LeakyReLU,
    Linear,
    Monomial,
    RectifiedMonomial,
    ReLU,
    Sign,
    Sin,
    Step,
)

mp.dps = 60


def _angle(a, d, c):
    return mp.acos(c / mp.sqrt(a * d))


def _rectified(n):
    def dual(a, d, c):
        t = _angle(a, d, c)
        s, x, rest = mp.sin(t), mp.cos(t), mp.pi - t
        arc_cosine = (  # of Cho and Saul (2009)
            rest,
            s + rest * x,
            3 * s * x + rest * (1 + 2 * x**2),
            15 * s - 11 * s**3 + rest * (9 * x + 6 * x**3),
        )[n]
        return mp.sqrt(a * d) ** n * arc_cosine / (2 * mp.pi)

    return dual


def _leaky(slope):
    s = mpf(slope)
    return lambda a, d, c: (1 - s) ** 2 * _rectified(1)(a, d, c) + s * c


def _gelu(a, d, c):
    det = (1 + a) * (1 + d) - c**2
    first = (c**2 + a * d * det) / ((1 + a) * (1 + d) * mp.sqrt(det))
    angle = mp.asin(c / mp.sqrt((1 + a) * (1 + d)))
    return (first + c * angle) / (2 * mp.pi) + c / 4


def _wave(frequency, function):
    w2 = mpf(frequency) ** 2
    return lambda a, d, c: mp.exp(-w2 * (a + d) / 2) * function(w2 * c)


def _moment(p, q, a, d, c):
    """Return ``E[u^p v^q]`` by integration by parts."""
    if p == 0:
        return mpf(0) if q % 2 else mp.fac2(q - 1) * d ** (q // 2)
    value = q * c * _moment(p - 1, q - 1, a, d, c) if q else mpf(0)
    return value + ((p - 1) * a * _moment(p - 2, q, a, d, c) if p > 1 else 0)


def _hermite(n):
    terms = {
        n - 2 * m: mpf((-1) ** m * comb(n, 2 * m) * factorial(2 * m))
        / (factorial(m) * 2**m)
        for m in range(n // 2 + 1)
    }

    def dual(a, d, c):
        pairs = [(p, q) for p in terms for q in terms]
        total = mp.fsum(terms[p] * terms[q] * _moment(p, q, a, d, c) for p, q in pairs)
        return total / factorial(n)

    return dual


DUALS = {
    ReLU(): _rectified(1),
    LeakyReLU(): _leaky(0.01),
    LeakyReLU(-3.0): _leaky(-3),
    Abs(): _leaky(-1),
    Step(): _rectified(0),
    Sign(): lambda a, d, c: 1 - 2 * _angle(a, d, c) / mp.pi,
    RectifiedMonomial(1): _rectified(1),
    RectifiedMonomial(2): _rectified(2),
    RectifiedMonomial(3): _rectified(3),
    Erf(): lambda a, d, c: (
        2 / mp.pi * mp.asin(2 * c / mp.sqrt((1 + 2 * a) * (1 + 2 * d)))
    ),
    Linear(): lambda a, d, c: c,
    GELU(): _gelu,
    Sin(): _wave(1, mp.sinh),
    Sin(3.0): _wave(3, mp.sinh),
    Cos(): _wave(1, mp.cosh),
    Cos(0.1): _wave(0.1, mp.cosh),
    RBF(): lambda a, d, c: 1 / mp.sqrt((1 + 2 * a) * (1 + 2 * d) - 4 * c**2),
    Exp(): lambda a, d, c: mp.exp((a + d) / 2 + c),
    Monomial(1): lambda a, d, c: c,
    Monomial(2): lambda a, d, c: _moment(2, 2, a, d, c),
    Monomial(5): lambda a, d, c: _moment(5, 5, a, d, c),
    Hermite(1): lambda a, d, c: c,
    Hermite(2): _hermite(2),
    Hermite(3): _hermite(3),
    Hermite(6): _hermite(6),
}


def derivative_dual(dual):
    """Return the derivative dual that belongs to a dual, by Price's theorem."""

    def derivative(a, d, c):
        # differences of a step far below the covariance, and far above its last digit
        step = mp.sqrt(a * d - c**2) * mpf(10) ** -18
        return (dual(a, d, c + step) - dual(a, d, c - step)) / (2 * step)

    return derivative


def as_array(function, *arguments):
    """Return the values of a precise function at floats."""
    rows = zip(*arguments, strict=True)
    return np.array([float(function(*map(mpf, map(float, row)))) for row in rows])
