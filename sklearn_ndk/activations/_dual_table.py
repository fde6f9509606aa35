"""Duals of any functions, tabulated over variances and the angle.

Beside ``sqrt(E[f(u)^2] E[f(v)^2])``, ``E[f(u) f(v)]`` is smooth in the logarithms of
the variances, and in the angle between u and v if that is stretched where f is nearly
a step. On cells of variance, it is represented by polynomials in these.
"""

from collections.abc import Callable, Sequence
from itertools import product
from threading import RLock

import numpy as np
from numpy.polynomial.chebyshev import chebval, chebvander

from sklearn_ndk.activations._breaks import Broken, among_breaks
from sklearn_ndk.activations._cells import Array, Cell, both, by_cell, crossed
from sklearn_ndk.activations._expansion import (
    Angles,
    InAngle,
    Part,
    block,
    chebyshev_nodes,
    expanded,
    n_polynomials,
    scattered,
    to_coefficients,
)
from sklearn_ndk.activations._moments import Moments, without_tail
from sklearn_ndk.activations._polar import products, second_moments

_N_VARIANCES = 16, 24, 40  # Chebyshev nodes tried, on a cell
_N_ANGLES = 20, 32, 48, 72
_STRETCHED = 4.0, 256.0  # angles, for which more nodes are tried at first
_N_GAUSS = 10, 16  # nodes of quadrature tried
_FINER = 4  # more of them, to measure errors with
_N_DIAGONAL = 64  # nodes in the variance of one variable
_ROUNDING = 1e-14  # coefficient
_AT_ONCE = 512  # single pairs, whose terms stay in cache
_FEW = 50  # pairs, for which no table is made
_CANCELS = 1e4  # smooth parts beside the function, in second moments
_STEEPEST = 1e8  # of steps that can be told from a jump
_RESOLVED = 0.1  # share of the tolerance, that the last coefficients may have
_SHARE = 0.03  # and those that are left out


class DualTable:
    """Expectations of products of functions of two Gaussian variables.

    Parameters
    ----------
    functions : sequence of Broken
        The functions f, whose ``E[f(u) f(v)]`` are wanted.
    tol : float
        Accuracy wanted, beside ``sqrt(E[f(u)^2] E[f(v)^2])``.
    report : callable
        Called with the error of a pair of cells that misses `tol`.

    Attributes
    ----------
    moments : Moments
        Second moments of the functions.
    error : float
        The largest error measured so far.
    """

    def __init__(
        self,
        functions: Sequence[Broken],
        tol: float,
        report: Callable[[float], None],
    ) -> None:
        self._functions, self._tol = tuple(functions), tol
        self._report, self.error = report, 0.0
        self.moments = Moments(functions)
        self._tables: dict[tuple[Cell, Cell], list[Part]] = {}
        self._corrections: dict[Cell, Array] = {}
        self._splits: dict[float, bool] = {}
        self._lock = RLock()

    def block(self, log_u: Array, log_v: Array, angles: Angles) -> Array:
        """Return the expectations of all pairs of rows and columns, in each matrix.

        Parameters
        ----------
        log_u : ndarray of shape (..., n_rows)
            Logarithms of the variances of rows.
        log_v : ndarray of shape (..., n_columns)
            Of columns.
        angles : Angles
            Between the variables, of shape (..., n_rows, n_columns).

        Returns
        -------
        ndarray of shape (n_functions, ..., n_rows, n_columns)
            The expectations.
        """
        cells = list(by_cell(log_u, log_v))
        if len(cells) == 1:
            u, at = cells[0][0], (log_u[..., None], log_v[..., None, :])
            return self._of_cells(block, u, u, *at, angles)
        out = np.empty((len(self._functions), *angles.cosine.shape))
        if log_u.ndim > 1:
            for i, logs in enumerate(zip(log_u, log_v, strict=True)):
                out[:, i] = self.block(*logs, angles.some(i))
            return out
        for (u, (rows, _)), (v, (_, columns)) in product(cells, repeat=2):
            some = crossed(rows, columns)
            at = log_u[rows][:, None], log_v[columns][None], angles.some(some)
            out[:, *some] = self._of_cells(block, u, v, *at)
        return out

    def scattered(self, log_u: Array, log_v: Array, angles: Angles) -> Array:
        """Return the expectations of single pairs, all arrays of shape (n,)."""
        out = np.empty((len(self._functions), len(log_u)))
        for (u, (of_u, _)), (v, (_, of_v)) in product(by_cell(log_u, log_v), repeat=2):
            here = np.arange(len(log_u))[both(of_u, of_v)]
            for some in np.array_split(here, max(1, len(here) // _AT_ONCE)):
                at = log_u[some], log_v[some], angles.some(some)
                out[:, some] = self._of_cells(scattered, u, v, *at)
        return out

    def _of_cells(
        self,
        read: Callable[..., Array],
        u: Cell,
        v: Cell,
        log_u: Array,
        log_v: Array,
        angles: Angles,
    ) -> Array:
        """Return the expectations of pairs of one pair of cells."""
        if angles.cosine.size <= _FEW:
            return self._directly(u, v, log_u, log_v, angles)
        factors = None
        if u == v:
            factors = self._correction(u, log_u), self._correction(v, log_v)
        return self._tabulated(read, u, v, log_u, log_v, angles, factors)

    def _tabulated(
        self,
        read: Callable[..., Array],
        u: Cell,
        v: Cell,
        log_u: Array,
        log_v: Array,
        angles: Angles,
        factors: tuple[Array, Array] | None,
    ) -> Array:
        """Return expectations from a table; factors are those of the first function."""
        parts = self._table(u, v)
        n, split = n_polynomials(parts), self._split(u, v)
        of_u = self.moments.scaled(u, log_u, n)
        of_v = self.moments.scaled(v, log_v, n)
        if factors and not split:
            for basis, factor in zip((of_u[0], of_v[0]), factors, strict=True):
                basis *= factor[..., None]
        values = read(parts, of_u, of_v, angles)
        if split:
            self._add_breaks(values, log_u, log_v, angles)
            for factor in factors or ():
                values[0] *= factor
        return values

    def _add_breaks(
        self, values: Array, log_u: Array, log_v: Array, angles: Angles
    ) -> None:
        """Add expectations of products of breaks with each other."""
        roots = np.exp(log_u / 2), np.exp(log_v / 2)
        values += among_breaks(self._functions, *roots, angles.cosine, angles.sine())

    def _correction(self, cell: Cell, log_var: Array) -> Array:
        """Return factors that make the dual of a variable with itself its moment.

        Angles in deeper layers are roots of such errors.
        """
        if cell not in self._corrections:
            x = chebyshev_nodes(_N_DIAGONAL)
            log_vars = cell.log_variance(x)
            same = Angles(np.ones_like(x), np.zeros_like(x))
            at = cell, cell, log_vars, log_vars, same
            dual = self._tabulated(scattered, *at, factors=None)[0]
            factors = np.sqrt(self.moments.of_first(log_vars) / dual)
            series = to_coefficients(_N_DIAGONAL) @ factors
            self._corrections[cell] = without_tail(series, _ROUNDING)
        return chebval(cell.position(log_var), self._corrections[cell])

    def _split(self, u: Cell, v: Cell) -> bool:
        """Tell whether breaks are apart on a pair of cells.

        The smooth part alone may grow where the function does not: then it would
        cancel, and breaks lie too near to zero to matter.
        """
        end = max(u.end, v.end)
        if end not in self._splits:
            self._splits[end] = any(f.breaks for f in self._functions) and all(
                _is_split(function, np.exp(end)) for function in self._functions
            )
        return self._splits[end]

    def _directly(
        self, u: Cell, v: Cell, log_u: Array, log_v: Array, angles: Angles
    ) -> Array:
        """Return expectations of pairs by quadrature, breaks apart."""
        out = np.empty((len(self._functions), *angles.cosine.shape))
        n_gauss = _N_GAUSS[0] + _FINER
        logs = np.broadcast_arrays(log_u, log_v)
        acute = angles.acute()
        for i in np.ndindex(acute.shape):
            at = *(log[i][None] for log in logs), [acute[i]]
            parts = self._values(u, v, *at, n_gauss)[:, 0, 0, 0]
            out[:, *i] = parts[::2] + np.sign(angles.cosine[i]) * parts[1::2]
        if acute.size and any(function.breaks for function in self._functions):
            finer = self._values(u, v, *at, 2 * n_gauss)[:, 0, 0, 0]
            self._note(float(np.max(np.abs(parts - finer))))
        for cell, log in ((u, logs[0]), (v, logs[1])):
            out *= self.moments.scales(cell, log)
        if self._split(u, v):
            self._add_breaks(out, log_u, log_v, angles)
        return out

    def _values(
        self,
        u: Cell,
        v: Cell,
        log_u: Array,
        log_v: Array,
        angles: Sequence[float],
        n_gauss: int,
    ) -> Array:
        """Return the parts on a grid, (n_parts, n_angles, n_u, n_v)."""
        roots = np.exp(log_u / 2), np.exp(log_v / 2)
        split = self._split(u, v)
        values = [self._products(*roots, angle, n_gauss, split) for angle in angles]
        of_u, of_v = self.moments.scales(u, log_u), self.moments.scales(v, log_v)
        scale = np.repeat(of_u[:, :, None] * of_v[:, None, :], 2, axis=0)
        return np.array(values).swapaxes(0, 1) / scale[:, None]

    def _products(
        self, roots_u: Array, roots_v: Array, angle: float, n_gauss: int, split: bool
    ) -> Array:
        """Return the parts at an angle, (n_parts, n_u, n_v)."""
        if not split:
            return products(self._functions, roots_u, roots_v, angle, n_gauss)
        smooth = [function.smooth for function in self._functions]
        parts = products(smooth, roots_u, roots_v, angle, n_gauss)
        broken = [f.with_smooth(roots_u, roots_v, angle) for f in self._functions]
        return parts + np.concatenate(broken)

    def _table(self, u: Cell, v: Cell) -> list[Part]:
        with self._lock:
            if (u, v) not in self._tables:
                found = self._find(u, v)
                self._tables[v, u] = [part.exchanged() for part in found]
                self._tables[u, v] = found
            return self._tables[u, v]

    def _find(self, u: Cell, v: Cell) -> list[Part]:
        """Return the representation on a pair of cells, as fine as it takes."""
        root = np.exp(min(u.end, v.end) / 2)
        in_angle = InAngle(float(np.clip(root, 1.0, _STEEPEST)))
        nodes = (
            _N_VARIANCES[0],
            _N_ANGLES[np.searchsorted(_STRETCHED, in_angle.stretch)],
        )
        for n_gauss in _N_GAUSS:
            values, nodes = self._resolved(u, v, in_angle, nodes, n_gauss)
            of_functions = values.reshape(-1, 2, *values.shape[1:])
            parts = [
                part
                for number, two in enumerate(of_functions)
                for part in expanded(number, two, in_angle, _SHARE * self._tol)
            ]
            error = self._measured(u, v, parts, n_gauss + _FINER)
            if not np.isfinite(error):
                raise ValueError("it returns numbers that are not finite.")
            if error <= self._tol:
                break
        self._note(error)
        return parts

    def _resolved(
        self, u: Cell, v: Cell, in_angle: InAngle, nodes: tuple[int, int], n_gauss: int
    ) -> tuple[Array, tuple[int, int]]:
        """Return the parts, with coefficients in variances, on nodes that suffice.

        From given numbers of nodes on, for variances and for angles.
        """
        n_variances, n_angles = nodes
        logs = (cell.log_variance(chebyshev_nodes(n_variances)) for cell in (u, v))
        values = self._values(u, v, *logs, in_angle.nodes(n_angles), n_gauss)
        of_variance, of_angle = to_coefficients(n_variances), to_coefficients(n_angles)
        values = of_variance @ values @ of_variance.T
        last_of_angle = np.tensordot(of_angle[-3:], values, (1, 1))
        size = max(np.abs(values[..., -2:]).max(), np.abs(values[..., -2:, :]).max())
        size_of_angle = np.abs(last_of_angle).max()
        small = _RESOLVED * self._tol
        more = (
            _more(n_variances, _N_VARIANCES, size > small),
            _more(n_angles, _N_ANGLES, size_of_angle > small),
        )
        if more == nodes:
            return values, nodes
        return self._resolved(u, v, in_angle, more, n_gauss)

    def _note(self, error: float) -> None:
        """Keep the largest error, and report one that is larger than before."""
        if error > max(self._tol, self.error):
            self._report(error)
        self.error = max(self.error, error)

    def _measured(self, u: Cell, v: Cell, parts: list[Part], n_gauss: int) -> float:
        """Return the error at points between the nodes, by finer rules."""
        x, angles = (
            np.array([-0.93, -0.2, 0.71]),
            np.array([0, 0.013, 0.21, 0.77, 1.31]),
        )
        at = u.log_variance(x), v.log_variance(x)
        exact = self._values(u, v, *at, angles, n_gauss)
        bases = [chebvander(x, n_polynomials(parts) - 1)] * len(self._functions)
        every = np.ones((len(x), len(x)))
        off = []
        for sign in (1, -1):
            values = exact[::2] + sign * exact[1::2]
            for angle, expected in zip(angles, values.swapaxes(0, 1), strict=True):
                pairs = Angles(sign * np.cos(angle) * every, np.sin(angle) ** 2 * every)
                off.append(block(parts, bases, bases, pairs) - expected)
        scales, roots = self.moments.scales, self.moments.roots
        of_u, of_v = (scales(*c) / roots(*c) for c in ((u, at[0]), (v, at[1])))
        return float(np.max(np.abs(off) * of_u[:, :, None] * of_v[:, None, :]))


def _more(n: int, choices: tuple[int, ...], wanted: bool) -> int:
    """Return the next number of nodes if one is wanted, and there is one."""
    return min((c for c in choices if c > n), default=n) if wanted else n


def _is_split(function: Broken, variance: float) -> bool:
    """Tell whether the smooth part of a function is not much larger than itself."""
    if not function.breaks:
        return True
    whole, smooth = second_moments([function, function.smooth], variance)
    return smooth <= _CANCELS * whole
