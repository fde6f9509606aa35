"""The response to targets at some times, where kernels depend on the lag alone.

Then the Volterra equation (14)-(15) is a convolution, and algebraic in Laplace space:
with ``N(s) = int_0^inf NDK(tau) exp(-s tau) dtau``, outputs are the response

    S(s; x) = F(s; x) / s ,   F(s; x) = N(s; x, X) (1 + N(s; X, X))^-1

times the targets. It mixes exponential functions of time that all decay, so that few
real points s invert the transform to three digits, and several times share them. To
more digits, complex points are needed: Euler summation of the Bromwich integral (Abate
and Whitt, INFORMS J. Computing 18, 2006).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import comb

from sklearn_ndk._compute._threads import n_blas_callers, spread
from sklearn_ndk.dynamics.volterra._representation import Representation
from sklearn_ndk.dynamics.volterra._time_basis import TimeBasis

_REAL_TOL = 5e-5  # to which real points suffice
_SPACING, _N_REAL = 0.4, 14  # of real points, in the logarithm
_CENTRE = 1.5  # of the logarithms of real points times t
_RATES = np.concatenate([[0], np.geomspace(1e-4, 1e6, 200)])  # times t, of decays
_DAMPING = 1e-6  # of the weights of real points
_DIGITS = 0.65  # that each pair of complex points is worth
_MARGIN = 0.2  # in digits
_SINGLE_TOL = 1e-5  # above which single precision is enough, with four digits to spare
_N_LAGS = 16  # of Gauss rules over lags
_OCTAVES = 30  # of lags below the scale of the fastest point
_OSCILLATION = 8.0  # phase over a rule
_REACH = 25.0  # of lags, in exponents

#: The points at which to take the transform for a time, and the weights of their F.
Rule = Callable[[float], tuple[NDArray[Any], NDArray[np.float64]]]


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
        if tol > _REAL_TOL:
            self._rule, self._dtype = real_rule, float
        else:
            self._rule = euler_rule(tol)
            self._dtype = np.complex64 if tol > _SINGLE_TOL else complex
        self._shape = cross.n_rows, kernel.n_rows
        end = representation.edges[-1]
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

    def responses(
        self, times: NDArray[np.float64]
    ) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield the maps at some times, positive and finite.

        Parameters
        ----------
        times : ndarray of shape (n_times,)
            The times.

        Yields
        ------
        tuple of int and ndarray of shape (n_rows, n_samples)
            The index of a time, in their order, and the matrix of its map, over the
            roots of the sample weights.
        """
        known: dict[Any, NDArray] = {}
        for i in np.argsort(times):
            points, weights = self._rule(times[i])
            known = {s: known[s] for s in points if s in known}
            self._find([s for s in points if s not in known], known)
            out = np.zeros(self._shape)
            for s, weight in zip(points, weights, strict=True):
                out += (weight * known[s]).real
            yield i, out

    def _find(self, points: list, known: dict[Any, NDArray]) -> None:
        """Add F at some points to what is known."""
        if not points:
            return
        own = self._own.at(points)
        others = [(rows, transform.at(points)) for rows, transform in self._others]

        def find(i: int) -> None:
            out = np.empty(self._shape, self._dtype)
            solve = _solver(own(i).astype(self._dtype, copy=False))
            for rows, at in others:
                out[rows] = solve(at(i).T.astype(self._dtype, copy=False)).T
            known[points[i]] = out

        spread(find, range(len(points)), n_blas_callers())


def _solver(system: NDArray) -> Callable[[NDArray], NDArray]:
    """Return a function that solves 1 + a symmetric matrix, which it overwrites."""
    system[np.diag_indices_from(system)] += 1
    if np.iscomplexobj(system):
        return partial(np.linalg.solve, system)
    factor = cho_factor(system, overwrite_a=True, check_finite=False)
    return partial(cho_solve, factor, check_finite=False)


def real_rule(t: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points for a time from a grid that serves all times, and their weights.

    With the points ``s`` and the weights ``w``, ``sum w s / (s + r)`` is ``exp(-r t)``,
    nearly, for all rates ``r >= 0`` of decay: the weights are fitted to that.
    """
    first = round((_CENTRE - np.log(t)) / _SPACING - (_N_REAL - 1) / 2)
    points = np.exp(_SPACING * np.arange(first, first + _N_REAL))
    decays = 1 / (1 + _RATES[:, None] / (points * t))
    damped = np.vstack([decays, _DAMPING * np.eye(_N_REAL)])
    wanted = np.concatenate([np.exp(-_RATES), np.zeros(_N_REAL)])
    return points, np.linalg.lstsq(damped, wanted)[0]


def euler_rule(tol: float) -> Rule:
    """Return complex points for any time, and their weights, to a tolerance.

    With the points ``s`` and the weights ``w``, ``Re sum w r / (s + r)`` is
    ``1 - exp(-r t)``, nearly.
    """
    n = max(1, int(np.ceil((_MARGIN - np.log10(tol)) / _DIGITS)))
    k = np.arange(2 * n + 1)
    tail = np.cumsum(comb(n, np.arange(n))) / 2.0**n
    weights = np.concatenate([[0.5], np.ones(n), tail[::-1]])
    points = n * np.log(10) / 3 + 1j * np.pi * k
    weights = 10 ** (n / 3) * (-1.0) ** k * weights / points
    return lambda t: (points / t, weights)


class _Transform:
    """The Laplace transform of a stationary kernel."""

    def __init__(self, kernel: Any, basis: TimeBasis, end: float) -> None:
        # NDK(t, t'; x, x') = NDK(t', t; x', x), and the lag alone matters
        # rounding of each is amplified by the weights of points
        self._matrices = np.stack(basis.matrices(kernel, double=True))
        self._basis, self._end = basis, end

    def at(self, points: list) -> Callable[[int], NDArray]:
        """Return a function that returns the transform at each of some points."""
        coefficients = _transformed(self._basis, np.array(points), self._end)

        def transform(i: int) -> NDArray:
            here = coefficients[:, i]
            if not np.iscomplexobj(here):
                return self._mixed(here)
            return self._mixed(here.real) + 1j * self._mixed(here.imag)

        return transform

    def _mixed(self, factors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the matrices times factors."""
        _, *shape = self._matrices.shape
        return (factors @ self._matrices.reshape(len(factors), -1)).reshape(shape)


def _transformed(basis: TimeBasis, points: NDArray, end: float) -> NDArray:
    """Return the transforms of the coefficients of a basis, (rank, n_points)."""
    shortest = 1 / np.max(np.abs(points))
    longest = min(end, _REACH / np.min(points.real))
    n_octaves = _OCTAVES + int(np.ceil(np.log2(longest / shortest)))
    edges = longest * 2.0 ** np.arange(-n_octaves, 1)
    if np.iscomplexobj(points):
        step = _OSCILLATION / np.max(points.imag)
        edges = np.union1d(edges, np.arange(0, longest, step))
    edges = np.append(0, edges[edges > 0])
    nodes, weights = leggauss(_N_LAGS)
    lengths = np.diff(edges)[:, None]
    lags = (edges[:-1, None] + lengths * (nodes + 1) / 2).ravel()
    rule = (lengths * weights / 2).ravel()
    values = basis.coefficients(lags, np.zeros_like(lags))
    return (values * rule) @ np.exp(-lags[:, None] * points)
