"""Duals of any functions, tabulated over variances and the angle.

Beside ``sqrt(E[f(u)^2] E[f(v)^2])``, ``E[f(u) f(v)]`` is smooth in the logarithms of
the variances, and in the angle between u and v if that is stretched where f is nearly
a step. It is represented by Chebyshev polynomials in these, on cells of variance: the
values of a block of a matrix are then sums of products of small matrices.
"""

from collections.abc import Callable, Iterator, Sequence
from threading import RLock
from typing import NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from sklearn_ndk.activations._breaks import Broken, among_breaks
from sklearn_ndk.activations._polar import Array, products, second_moments

_ALL = (...,)  # index
_CELL = np.log(4.0)  # of the logarithm of variance
_N_VARIANCES = 10, 14  # Chebyshev nodes tried, on a cell
_N_ANGLES = 20, 32, 48, 72
_N_MOMENT = 20  # for second moments
_N_GAUSS = 8, 16  # nodes of quadrature tried
_FINER = 4  # more of them, to measure errors with
_FEW = 50  # pairs, for which no table is made
_AT_ONCE = 1024  # pairs, whose terms stay in cache
_CANCELS = 1e4  # smooth parts beside the function, in second moments
_UNSEEN = 1e-24  # moment of a break, as a share, below which it is not seen
_STEEPEST = 1e8  # of steps that can be told from a jump
_SHARE = 0.1  # of the tolerance, of coefficients that are left out


class Cell(NamedTuple):
    """Chebyshev coefficients on a pair of cells of variance.

    Parameters
    ----------
    coefficients : ndarray of shape (n_parts, n_angles, n_u, n_v)
        Of the even and the odd part of each function, one after the other.
    stretch : float
        Of the angle.
    """

    coefficients: Array
    stretch: float


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
        self._cells: dict[tuple[int, int], Cell] = {}
        self._moments: dict[int, Array] = {}
        self._splits: dict[int, bool] = {}
        self._lock = RLock()

    def second_moments(self, log_var: Array) -> Array:
        """Return ``E[f(u)^2]`` of each function, (n_functions, *shape)."""
        shape, log_var = log_var.shape, np.atleast_1d(log_var)
        out = np.empty((len(self._functions), *log_var.shape))
        for cell, here in _by_cell(_cell_of(log_var)):
            basis = chebvander(_at(cell, log_var[here]), _N_MOMENT - 1)
            out[(slice(None), *here)] = np.exp(
                np.tensordot(self._log_moments(cell), basis, axes=(1, -1))
            )
        return out.reshape(-1, *shape)

    def roots(self, log_var: Array) -> Array:
        """Return the roots of second moments, beside which values are given.

        They do not vanish where the variable hardly ever meets a break.
        """
        moments = self.second_moments(log_var)
        for moment, function in zip(moments, self._functions, strict=True):
            for some in function.breaks:
                size = some.jump**2 + some.slope**2 * np.exp(log_var)
                moment += _UNSEEN * size
        return np.sqrt(moments)

    def block(self, log_u: Array, log_v: Array, angle: Array, sign: Array) -> Array:
        """Return the expectations of all pairs of rows and columns.

        Parameters
        ----------
        log_u : ndarray of shape (n_rows,)
            Logarithms of the variances of rows.
        log_v : ndarray of shape (n_columns,)
            Of columns.
        angle : ndarray of shape (n_rows, n_columns)
            The angle between the variables or, if that is obtuse, its supplement.
        sign : ndarray of shape (n_rows, n_columns)
            That of the correlation.

        Returns
        -------
        ndarray of shape (n_functions, n_rows, n_columns)
            The expectations.
        """
        out = np.empty((len(self._functions), *angle.shape))
        cells_u, cells_v = _cell_of(log_u), _cell_of(log_v)
        for u, rows in _by_cell(cells_u):
            for v, columns in _by_cell(cells_v):
                some = _crossed(rows, columns)
                part = (
                    log_u[rows][:, None],
                    log_v[columns][None],
                    angle[some],
                    sign[some],
                )
                out[(slice(None), *some)] = self._of_cells(u, v, _block, *part)
        return out

    def scattered(self, log_u: Array, log_v: Array, angle: Array, sign: Array) -> Array:
        """Return the expectations of single pairs, all arrays of shape (n,)."""
        out = np.empty((len(self._functions), len(angle)))
        cells_u, cells_v = _cell_of(log_u), _cell_of(log_v)
        first, stop = cells_v.min(initial=0), cells_v.max(initial=0) + 1
        for pair, here in _by_cell(cells_u * (stop - first) + cells_v - first):
            u, v = divmod(pair, stop - first)
            v += first
            some = log_u[here], log_v[here], angle[here], sign[here]
            out[(slice(None), *here)] = self._of_cells(u, v, _scattered, *some)
        return out

    def _of_cells(
        self,
        u: int,
        v: int,
        read: Callable[..., Array],
        log_u: Array,
        log_v: Array,
        angle: Array,
        sign: Array,
    ) -> Array:
        """Return the expectations of pairs of one pair of cells, read off its table."""
        if angle.size <= _FEW:
            pairs = np.broadcast_arrays(log_u, log_v, angle, sign)
            values = self._directly(u, v, *(pair.ravel() for pair in pairs))
            values = values.reshape(-1, *angle.shape)
        else:
            at = _at(u, log_u).ravel(), _at(v, log_v).ravel()
            values = read(self._cell(u, v), *at, angle, sign)
        values *= self.roots(log_u)
        values *= self.roots(log_v)
        if self._split(u, v):
            roots = np.exp(log_u / 2), np.exp(log_v / 2)
            cosine, sine = sign * np.cos(angle), np.sin(angle)
            values += among_breaks(self._functions, *roots, cosine, sine)
        return values

    def _split(self, u: int, v: int) -> bool:
        """Tell whether breaks are apart on a pair of cells.

        The smooth part alone may grow where the function does not: then it would
        cancel, and breaks lie too near to zero to matter.
        """
        cell = max(u, v)
        if cell not in self._splits:
            self._splits[cell] = all(
                _is_split(function, np.exp((cell + 1) * _CELL))
                for function in self._functions
            )
        return self._splits[cell] and any(f.breaks for f in self._functions)

    def _directly(
        self, u: int, v: int, log_u: Array, log_v: Array, angle: Array, sign: Array
    ) -> Array:
        """Return expectations of pairs beside the roots, by quadrature."""
        out = np.empty((len(self._functions), len(angle)))
        n_gauss = _N_GAUSS[0] + _FINER
        for i, theta in enumerate(angle):
            at = log_u[i : i + 1], log_v[i : i + 1], [theta]
            parts = self._values(u, v, *at, n_gauss)[:, 0, 0, 0]
            out[:, i] = parts[::2] + sign[i] * parts[1::2]
        if any(function.breaks for function in self._functions):
            finer = self._values(u, v, *at, 2 * n_gauss)[:, 0, 0, 0]
            self._note(float(np.max(np.abs(parts - finer))))
        return out

    def _values(
        self,
        u: int,
        v: int,
        log_u: Array,
        log_v: Array,
        angles: Sequence[float],
        n_gauss: int,
    ) -> Array:
        """Return the parts on a grid, (n_parts, n_angles, n_u, n_v)."""
        roots = np.exp(log_u / 2), np.exp(log_v / 2)
        split = self._split(u, v)
        values = [self._products(*roots, angle, n_gauss, split) for angle in angles]
        of_u, of_v = self.roots(log_u), self.roots(log_v)
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

    def _log_moments(self, cell: int) -> Array:
        """Return Chebyshev coefficients of the logarithms of second moments."""
        if cell not in self._moments:
            variances = np.exp(_variance_of(cell, _chebyshev_nodes(_N_MOMENT)))
            points = [some.at for f in self._functions for some in f.breaks]
            moments = [second_moments(self._functions, a, points) for a in variances]
            logs = np.log(np.maximum(moments, np.finfo(float).tiny))
            self._moments[cell] = (_to_coefficients(_N_MOMENT) @ logs).T
        return self._moments[cell]

    def _cell(self, u: int, v: int) -> Cell:
        with self._lock:
            if (u, v) not in self._cells:
                found = self._find(u, v)
                exchanged = np.ascontiguousarray(found.coefficients.swapaxes(2, 3))
                self._cells[v, u] = found._replace(coefficients=exchanged)
                self._cells[u, v] = found
            return self._cells[u, v]

    def _find(self, u: int, v: int) -> Cell:
        """Return the representation on a pair of cells, as fine as it takes."""
        for n_gauss in _N_GAUSS:
            cell = self._represent(u, v, n_gauss)
            error = self._measured(u, v, cell, n_gauss + _FINER)
            if not np.isfinite(error):
                raise ValueError("it returns numbers that are not finite.")
            if error <= self._tol:
                break
        self._note(error)
        return cell

    def _note(self, error: float) -> None:
        """Keep the largest error, and report one that is larger than before."""
        if error > max(self._tol, self.error):
            self._report(error)
        self.error = max(self.error, error)

    def _represent(self, u: int, v: int, n_gauss: int) -> Cell:
        stretch = np.clip(np.exp((min(u, v) + 1) * _CELL / 2), 1.0, _STEEPEST)
        fine = sharp = 0
        while True:
            n_variances, n_angles = _N_VARIANCES[fine], _N_ANGLES[sharp]
            nodes = _chebyshev_nodes(n_variances)
            angles = _unstretched(_chebyshev_nodes(n_angles), stretch)
            variances = _variance_of(u, nodes), _variance_of(v, nodes)
            values = self._values(u, v, *variances, angles, n_gauss)
            of_variance = _to_coefficients(n_variances)
            of_angle = _to_coefficients(n_angles)
            coefficients = _on_grid(values, of_angle, of_variance, of_variance)
            sizes = np.abs(coefficients).max(axis=0)
            last = max(sizes[:, -2:].max(), sizes[:, :, -2:].max())
            finer = last > self._tol and fine + 1 < len(_N_VARIANCES)
            sharper = sizes[-3:].max() > self._tol and sharp + 1 < len(_N_ANGLES)
            if not finer and not sharper:
                break
            fine, sharp = fine + finer, sharp + sharper
        coefficients[np.abs(coefficients) < _SHARE * self._tol / n_angles] = 0.0
        sizes = np.abs(coefficients).sum(axis=(2, 3))
        rest = np.cumsum(sizes[:, ::-1], axis=1)[:, ::-1]  # of all higher degrees
        coefficients[rest < _SHARE * self._tol] = 0.0
        used = np.flatnonzero(np.any(coefficients, axis=(0, 2, 3)))
        return Cell(
            np.ascontiguousarray(coefficients[:, : 1 + max(used, default=0)]), stretch
        )

    def _measured(self, u: int, v: int, cell: Cell, n_gauss: int) -> float:
        """Return the error at points between the nodes, by finer rules."""
        x = np.array([-0.93, -0.2, 0.71])
        angles = np.array([0, 0.013, 0.21, 0.77, 1.31])
        at = _variance_of(u, x), _variance_of(v, x)
        exact = self._values(u, v, *at, angles, n_gauss)
        _, n_angles, n_u, n_v = cell.coefficients.shape
        powers = chebvander(_stretched(angles, cell.stretch), n_angles - 1)
        bases = chebvander(x, n_u - 1), chebvander(x, n_v - 1)
        off = np.abs(_on_grid(cell.coefficients, powers, *bases) - exact)
        off = off.max(axis=(1, 2, 3))
        return float(np.max(off[::2] + off[1::2]))


def _is_split(function: Broken, variance: float) -> bool:
    """Tell whether the smooth part of a function is not much larger than itself."""
    if not function.breaks:
        return True
    whole, smooth = second_moments([function, function.smooth], variance)
    return smooth <= _CANCELS * whole


def _block(cell: Cell, x_u: Array, x_v: Array, angle: Array, sign: Array) -> Array:
    """Return the values of a block of one cell, see :meth:`DualTable.block`."""
    n_parts, n_angles, n_u, n_v = cell.coefficients.shape
    basis_u, basis_v = chebvander(x_u, n_u - 1), chebvander(x_v, n_v - 1).T
    kept = np.any(cell.coefficients, axis=(2, 3))
    sums = {part: np.zeros(angle.shape) for part in np.flatnonzero(kept.any(axis=1))}
    x = _stretched(angle, cell.stretch)
    twice = 2 * x
    before, power = x, np.ones(angle.shape)  # T_1 = T_-1 and T_0
    for n in range(n_angles):
        for part in np.flatnonzero(kept[:, n]):
            term = (basis_u @ cell.coefficients[part, n]) @ basis_v
            term *= power
            sums[part] += term
        following = twice * power
        following -= before
        before, power = power, following
    out = np.zeros((n_parts // 2, *angle.shape))
    for part, total in sums.items():
        out[part // 2] += sign * total if part % 2 else total
    return out


def _scattered(cell: Cell, x_u: Array, x_v: Array, angle: Array, sign: Array) -> Array:
    """Return the values of single pairs of one cell."""
    n_parts, n_angles, n_u, n_v = cell.coefficients.shape
    flat = cell.coefficients.reshape(n_parts * n_angles, n_u * n_v)
    used = np.flatnonzero(np.any(flat, axis=0))
    matrix, (of_u, of_v) = flat[:, used].T, np.divmod(used, n_v)
    out = np.empty((n_parts // 2, len(angle)))
    for first in range(0, len(angle), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        basis = chebvander(x_u[some], n_u - 1)[:, of_u]
        basis *= chebvander(x_v[some], n_v - 1)[:, of_v]
        terms = (basis @ matrix).reshape(-1, n_parts, n_angles)
        powers = chebvander(_stretched(angle[some], cell.stretch), n_angles - 1)
        parts = np.matmul(terms, powers[:, :, None])[..., 0].T
        out[:, some] = parts[::2] + sign[some] * parts[1::2]
    return out


def _on_grid(values: Array, of_angle: Array, of_u: Array, of_v: Array) -> Array:
    """Apply a matrix to each axis but the first."""
    axes = "pnuv,an,iu,jv->paij"
    return np.einsum(axes, values, of_angle, of_u, of_v, optimize=True)


def _by_cell(cells: Array) -> Iterator[tuple[int, tuple]]:
    """Yield the cells that occur, and the indices of where they do."""
    first = cells.min(initial=0)
    if not cells.size or first == cells.max():
        yield int(first), _ALL
        return
    for cell in np.flatnonzero(np.bincount((cells - first).ravel())) + first:
        yield int(cell), np.nonzero(cells == cell)


def _crossed(rows: tuple, columns: tuple) -> tuple:
    """Return the index of all pairs of some rows and columns."""
    if rows is _ALL:
        return _ALL if columns is _ALL else (slice(None), *columns)
    return (*rows, slice(None)) if columns is _ALL else np.ix_(*rows, *columns)


def _chebyshev_nodes(n: int) -> Array:
    return np.cos(np.pi * (np.arange(n) + 0.5) / n)


def _to_coefficients(n: int) -> Array:
    """Return the matrix from values at Chebyshev nodes to coefficients."""
    matrix = 2 / n * chebvander(_chebyshev_nodes(n), n - 1).T
    matrix[0] /= 2
    return matrix


def _cell_of(log_var: Array) -> Array:
    return np.floor(log_var / _CELL).astype(int)


def _at(cell: int, log_var: Array) -> Array:
    """Return where in a cell a variance lies, in [-1, 1]."""
    return 2 * (log_var / _CELL - cell) - 1


def _variance_of(cell: int, x: Array) -> Array:
    """Return the logarithm of a variance, given where in a cell it lies."""
    return (cell + (x + 1) / 2) * _CELL


def _stretched(angle: Array, stretch: float) -> Array:
    """Map angles from 0 to pi / 2 to [-1, 1], with room for small ones."""
    return np.arcsinh(stretch * angle) * (2 / np.arcsinh(stretch * np.pi / 2)) - 1


def _unstretched(x: Array, stretch: float) -> Array:
    return np.sinh((x + 1) / 2 * np.arcsinh(stretch * np.pi / 2)) / stretch
