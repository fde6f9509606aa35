"""Second moments of functions of a Gaussian variable, at any variance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebval, chebvander

from sklearn_ndk.activations._breaks import Broken
from sklearn_ndk.activations._cells import Array, Cell, by_cell
from sklearn_ndk.activations._expansion import chebyshev_nodes, to_coefficients
from sklearn_ndk.activations._polar import second_moments

_N_NODES = 72
_NEGLIGIBLE = 1e-14  # coefficient
_NEAR = 0.1  # coefficient of logarithms of scales, beside those of roots
_UNSEEN = 1e-24  # moment of a break, as a share, below which it is not seen
_AT_ONCE = 2**13  # variances, whose terms stay in cache


class _Series(NamedTuple):
    """Chebyshev coefficients on a cell, those of each function in a column."""

    log_moment: Array  # of the first function alone
    log_roots: Array
    log_scales: Array


class Moments:
    """Second moments of functions, from expansions on cells of variance.

    Parameters
    ----------
    functions : sequence of Broken
        The functions f, whose ``E[f(u)^2]`` are wanted.
    """

    def __init__(self, functions: Sequence[Broken]) -> None:
        self._functions = tuple(functions)
        self._series: dict[Cell, _Series] = {}

    def of_first(self, log_var: Array) -> Array:
        """Return those of the first function, of the shape of variances."""
        flat = log_var.ravel()
        out = np.empty(len(flat))
        for cell, (here,) in by_cell(flat):
            x, log_moment = cell.position(flat[here]), self._of(cell).log_moment
            parts = np.array_split(x, 1 + len(x) // _AT_ONCE)
            out[here] = np.exp(np.concatenate([chebval(a, log_moment) for a in parts]))
        return out.reshape(log_var.shape)

    def roots(self, cell: Cell, log_var: Array) -> Array:
        """Return roots of moments on a cell, (n_functions, *shape).

        They do not vanish where the variable hardly ever meets a break.
        """
        return np.exp(chebval(cell.position(log_var), self._of(cell).log_roots))

    def scales(self, cell: Cell, log_var: Array) -> Array:
        """Return what is within a tenth of the roots, (n_functions, *shape).

        Roots may have branch points at complex variances nearby. These exponentials of
        polynomials have none: beside them, expectations are as smooth as by themselves.
        """
        return np.array([scale[..., 0] for scale in self.scaled(cell, log_var, 1)])

    def scaled(self, cell: Cell, log_var: Array, n: int) -> list[Array]:
        """Return Chebyshev's polynomials on a cell times scales.

        Parameters
        ----------
        cell : Cell
            The cell.
        log_var : ndarray
            Logarithms of variances in it.
        n : int
            Number of polynomials.

        Returns
        -------
        list of ndarray of shape (*shape, n)
            For each function.
        """
        log_scales = self._of(cell).log_scales
        n_scales = len(log_scales)
        basis = chebvander(cell.position(log_var), max(n, n_scales) - 1)
        scales = np.exp(basis[..., :n_scales] @ log_scales)
        return [scales[..., i, None] * basis[..., :n] for i in range(scales.shape[-1])]

    def _of(self, cell: Cell) -> _Series:
        if cell not in self._series:
            to_series = to_coefficients(_N_NODES)
            log_var = cell.log_variance(chebyshev_nodes(_N_NODES))
            moments = self._at(np.exp(log_var))
            first = to_series @ _log(moments[0])
            for moment, function in zip(moments, self._functions, strict=True):
                for some in function.breaks:
                    size = some.jump**2 + some.slope**2 * np.exp(log_var)
                    moment += _UNSEEN * size
            log_roots = to_series @ _log(moments.T) / 2
            self._series[cell] = _Series(
                without_tail(first, _NEGLIGIBLE),
                log_roots,
                without_tail(log_roots, _NEAR),
            )
        return self._series[cell]

    def _at(self, variances: Array) -> Array:
        """Return moments by quadrature, (n_functions, n_variances)."""
        points = [some.at for f in self._functions for some in f.breaks]
        return np.array(
            [second_moments(self._functions, var, points) for var in variances]
        ).T


def without_tail(series: Array, size: float) -> Array:
    """Return the first terms of series, up to the last that is not small.

    Parameters
    ----------
    series : ndarray of shape (n_terms, ...)
        Coefficients.
    size : float
        Of the largest that may be left out.

    Returns
    -------
    ndarray
        The first of them, at least one.
    """
    large = np.any(np.abs(series).reshape(len(series), -1) > size, axis=1)
    return series[: 1 + max(np.flatnonzero(large), default=0)]


def _log(moments: Array) -> Array:
    return np.log(np.maximum(moments, np.finfo(float).tiny))
