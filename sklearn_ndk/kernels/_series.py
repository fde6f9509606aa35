"""Many functions of an angle as short Chebyshev series, evaluated together.

The kernels of a homogeneous network at all times are functions of one variable. A
few dozen polynomials in a graded angle span them, and a matrix product turns those
into all the kernels, at a fraction of the price of the layers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.fft import dct

_GRADINGS = 1e-1, 1e-2, 1e-3  # angles around which a kernel may bend
_N_NODES = 128
_MAX_TERMS = 96  # more than that cost as much as the functions themselves
_SHARE = 0.02  # of the precision, that the series may miss


@dataclass(frozen=True)
class AngularSeries:
    """Functions of the angle as Chebyshev series in ``arsinh(angle / grading)``.

    Parameters
    ----------
    grading : float
        Angle below which the variable is linear, and above which logarithmic.
    end : float
        Largest value of the variable; the smallest is zero.
    coefficients : ndarray of shape (n_functions, n_terms)
        Those of the series.
    """

    grading: float
    end: float
    coefficients: np.ndarray

    def __call__(
        self, cosine: np.ndarray, sine2: np.ndarray | None = None
    ) -> np.ndarray:
        """Evaluate the functions.

        Parameters
        ----------
        cosine : ndarray
            Cosines of the angles.
        sine2 : ndarray, default=None
            Their squared sines, where cosines do not tell small angles.

        Returns
        -------
        ndarray of shape (n_functions, *cosine.shape)
            Their values.
        """
        angle = np.arccos(cosine.astype(float, copy=False))
        if sine2 is not None:
            angle = np.arctan2(np.sqrt(sine2), cosine)
        angle = angle.ravel()
        variable = 2 / self.end * np.arcsinh(angle / self.grading) - 1
        values = self.coefficients @ _chebyshev(variable, self.coefficients.shape[1])
        return values.reshape(-1, *cosine.shape)


def angular_series(
    functions: Callable[[np.ndarray], np.ndarray],
    lowest: float,
    precision: np.ndarray,
) -> AngularSeries | None:
    """Expand functions of an angle.

    Parameters
    ----------
    functions : callable
        Maps cosines, shape (n,), to values of shape (n, n_functions).
    lowest : float
        Smallest cosine wanted, at least -1.
    precision : ndarray of shape (n_functions,)
        Absolute error that each function may have.

    Returns
    -------
    AngularSeries or None
        The shortest one found, None if the precision takes too many terms.
    """
    nodes = np.cos(np.pi * (np.arange(_N_NODES) + 0.5) / _N_NODES)
    best = None
    for grading in _GRADINGS:
        end = np.arcsinh(np.arccos(min(lowest, 0.0)) / grading)
        values = functions(np.cos(grading * np.sinh(end / 2 * (nodes + 1))))
        coefficients = dct(values, axis=0) / _N_NODES
        coefficients[0] /= 2
        rest = np.cumsum(abs(coefficients[::-1]), axis=0)[::-1]
        n_terms = max(2, np.count_nonzero(np.any(rest > _SHARE * precision, axis=1)))
        if n_terms <= (_MAX_TERMS if best is None else best.coefficients.shape[1]):
            best = AngularSeries(grading, end, coefficients[:n_terms].T)
    return best


def _chebyshev(x: np.ndarray, n_terms: int) -> np.ndarray:
    """Return the first Chebyshev polynomials at x, shape (n_terms, len(x))."""
    out = np.empty((n_terms, len(x)))
    out[0], out[1] = 1, x
    n = 1  # T_(n+k) = 2 T_n T_k - T_(n-k) doubles their number
    while n + 1 < n_terms:
        new = out[n + 1 : 2 * n + 1]
        np.multiply(2 * out[n], out[1 : len(new) + 1], out=new)
        new -= out[n - len(new) : n][::-1]
        n *= 2
    return out
