"""The response to targets at one time, where kernels depend on the lag alone.

Then the Volterra equation (14)-(15) is a convolution, and algebraic in Laplace space:
with ``N(s) = int_0^inf NDK(tau) exp(-s tau) dtau``, outputs are the response

    S(s; x) = N(s; x, X) (1 + N(s; X, X))^-1 / s

times the targets. It is inverted by Euler summation of the Bromwich integral, which
takes a few complex values of s (Abate and Whitt, INFORMS J. Computing 18, 2006).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.special import comb

from sklearn_ndk._compute._threads import n_blas_callers, spread
from sklearn_ndk.dynamics.volterra._representation import Representation
from sklearn_ndk.dynamics.volterra._time_basis import TimeBasis, precisions

_DIGITS = 0.65  # that each pair of points is worth
_MARGIN = 0.2  # in digits
_SINGLE_TOL = 1e-5  # above which single precision is enough, with four digits to spare
_N_POINTS = 16  # of Gauss rules over lags
_OCTAVES = 30  # of lags below a quarter of the time
_LONGEST = 6  # lag that counts, in units of the time


class Relaxation:
    """The map from targets to outputs, at any time.

    Parameters
    ----------
    cross : TwoTimeKernel
        Stationary kernel between other inputs and the training inputs.
    kernel : TwoTimeKernel
        That of the training inputs.
    representation : Representation
        Of `kernel` over all times.
    tol : float
        Accuracy of outputs, relative to the targets.
    """

    def __init__(
        self, cross: Any, kernel: Any, representation: Representation, tol: float
    ) -> None:
        self._dtype = np.complex64 if tol > _SINGLE_TOL else np.complex128
        self._rule = euler_rule(tol)
        end = representation.edges[-1]
        self._shape = cross.n_rows, kernel.n_rows
        self._own = _Transform(kernel, representation.basis, end)
        self._others = [
            (
                rows,
                _Transform(
                    cross.rows(rows), representation.basis_of_group(cross, group), end
                ),
            )
            for group, rows in cross.row_groups().items()
        ]

    def response(self, t: float) -> NDArray[np.float64]:
        """Return the map at a time, positive and finite.

        Returns
        -------
        ndarray of shape (n_rows, n_samples)
            Its matrix, over the roots of the sample weights.
        """
        points, weights = self._rule
        own = self._own.at(points, t)
        others = [(rows, transform.at(points, t)) for rows, transform in self._others]
        parts = [np.zeros(self._shape) for _ in points]

        def solve(i: int) -> None:
            system = own(i).astype(self._dtype, copy=False)
            system[np.diag_indices_from(system)] += 1
            for rows, at in others:
                start = at(i).T.astype(self._dtype, copy=False)
                solved = np.linalg.solve(system, start).T
                parts[i][rows] = (weights[i] / points[i] * solved).real

        spread(solve, range(len(points)), n_blas_callers())
        return np.sum(parts, axis=0)


def euler_rule(
    tol: float,
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return the points and weights of Euler summation.

    Parameters
    ----------
    tol : float
        Accuracy wanted of functions that relax.

    Returns
    -------
    points, weights : ndarray of shape (n_points,)
        A function of t is, nearly, the real part of the sum of weights times its
        transform at the points over t, over t.
    """
    n = max(1, int(np.ceil((_MARGIN - np.log10(tol)) / _DIGITS)))
    k = np.arange(2 * n + 1)
    tail = np.cumsum(comb(n, np.arange(n))) / 2.0**n
    weights = np.concatenate([[0.5], np.ones(n), tail[::-1]])
    points = n * np.log(10) / 3 + 1j * np.pi * k
    return points, 10 ** (n / 3) * (-1.0) ** k * weights


class _Transform:
    """The Laplace transform of a stationary kernel."""

    def __init__(self, kernel: Any, basis: TimeBasis, end: float) -> None:
        # NDK(t, t'; x, x') = NDK(t', t; x', x), and the lag alone matters
        matrices = basis.matrices(kernel)
        self._basis, self._end = basis, end
        self._shape = matrices[0].shape
        self._stacks = []
        for some, _ in precisions(matrices):
            stack = np.stack([matrices[i].ravel() for i in some])
            self._stacks.append((some, stack))

    def at(
        self, points: NDArray[np.complex128], t: float
    ) -> Callable[[int], NDArray[np.complex128]]:
        """Return a function that returns the transform at each point over a time."""
        coefficients = _transformed(self._basis, points / t, t, self._end)

        def transform(i: int) -> NDArray[np.complex128]:
            out = np.zeros(self._shape, complex)
            for some, stack in self._stacks:
                here = coefficients[some, i]
                for part, factors in ((out.real, here.real), (out.imag, here.imag)):
                    part += (factors.astype(stack.dtype) @ stack).reshape(self._shape)
            return out

        return transform


def _transformed(
    basis: TimeBasis, rates: NDArray[np.complex128], t: float, end: float
) -> NDArray[np.complex128]:
    """Return the transforms of the coefficients of a basis, (rank, n_rates)."""
    short = t / 4 * 2.0 ** np.arange(-_OCTAVES, 1)
    long = t / 4 * np.arange(2, 4 * _LONGEST + 1)
    edges = np.unique(np.minimum(np.concatenate([[0], short, long]), end))
    points, weights = leggauss(_N_POINTS)
    lengths = np.diff(edges)[:, None]
    lags = (edges[:-1, None] + lengths * (points + 1) / 2).ravel()
    rule = (lengths * weights / 2).ravel()
    values = basis.coefficients(lags, np.zeros_like(lags))
    return (values * rule) @ np.exp(-lags[:, None] * rates)
