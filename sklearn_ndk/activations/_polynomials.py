"""Gaussian moments of monomials, exactly, and polynomials of arrays."""

import math
from collections.abc import Sequence

import numpy as np


def monomial_moment(degree: int) -> list[int]:
    """Return ``E[u^n v^n]`` of unit variances, as a polynomial in the correlation.

    Parameters
    ----------
    degree : int
        The power `n`.

    Returns
    -------
    list of int
        Its coefficients, of rising powers.
    """
    coefficients = [0] * (degree + 1)
    for k in range(degree % 2, degree + 1, 2):  # the part in the Hermite polynomial k
        pairs = (degree - k) // 2
        part = math.factorial(degree) // (2**pairs * math.factorial(pairs))
        coefficients[k] = part**2 // math.factorial(k)
    return coefficients


def horner(coefficients: Sequence[float], x: np.ndarray) -> np.ndarray:
    """Return a polynomial that is even or odd.

    Parameters
    ----------
    coefficients : list of float
        Of rising powers.
    x : ndarray
        Where.

    Returns
    -------
    ndarray
        Of the same shape and type.
    """
    degree = len(coefficients) - 1
    out, square = np.full_like(x, coefficients[-1]), x * x
    for coefficient in coefficients[degree - 2 :: -2] if degree >= 2 else ():
        out *= square
        out += coefficient
    if degree % 2:
        out *= x
    return out
