"""The residual at all times in a small subspace of the samples, found as it is solved.

Over the whole of training the residual ``r(t)`` moves in a space of a few dozen
dimensions. In that space the Volterra equation is small, and the products with
kernel matrices that it takes to leave the space and measure the defect of a
solution are known once each direction has been multiplied, once. Directions
along which the preconditioner would correct the defect are added until it is
small at all times (a Galerkin method with the preconditioned defects as basis).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_ndk._compute._threads import (
    n_threads,
    product,
    single_threaded_blas,
    spread,
)
from sklearn_ndk.dynamics.volterra._march import march
from sklearn_ndk.dynamics.volterra._time_basis import precisions

_MAX_ROUNDS = 40
_KEPT = 0.01  # corrections this small beside the largest are left out
_FINEST = 0.3  # and those below this share of the threshold
_MARCH_SHARE = 0.01  # of the defect, for the solution in the subspace
_MARCH_SHARE_FINEST = 0.1  # of the threshold, likewise
_NEGLIGIBLE = 0.1  # of what a matrix may add
# So few modes are the subspace of all outputs, rather than one for each: up to the
# first number, the second for each output, and the last.
_FEW_MODES = 150, 40, 400
_NEW = 1e-3  # part of a direction that must lie outside the subspace
_FLOOR = 1e-14  # of the norm of the target, where rounding ends the iteration
_TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class MeshEquation:
    """The Volterra equation at the nodes of a mesh.

    Attributes
    ----------
    targets : ndarray of shape (n_outputs, n_times, n_samples)
        Targets at the nodes; the modes span them.
    matrices : list of ndarray of shape (n_samples, n_samples)
        The matrices of the time basis, transposed.
    sizes : ndarray of shape (rank,)
        What each matrix adds to the integrals, in units of what can be neglected.
    weights : ndarray of shape (rank, n_times, n_times)
        Weights of the integrals up to each node.
    n_nodes : int
        Number of nodes of a panel.
    importance : ndarray of shape (n_samples,) or float
        Factors of the entries of targets and defects in their norms, at most one.
    scale : ndarray of shape (n_outputs,) or None
        What defects are relative to; if None, the norms of the targets, the largest of
        all times.
    """

    targets: np.ndarray
    matrices: list
    sizes: np.ndarray
    weights: np.ndarray
    n_nodes: int
    importance: np.ndarray | float = 1.0
    scale: np.ndarray | None = None

    @cached_property
    def norms(self):
        """What defects are relative to, of shape (n_outputs,)."""
        if self.scale is not None:
            return self.scale
        return np.linalg.norm(self.targets * self.importance, axis=2).max(axis=1)

    def thresholds(self, tol):
        """Return the largest defects of shape (n_outputs,), given relative ones."""
        floor = _FLOOR * np.linalg.norm(self.targets, axis=2).max(axis=1)
        return np.maximum(tol * self.norms, floor)


def solve_mesh(equation, modes, horizon, tol, report=None):
    """Solve for the residual at all nodes of a mesh.

    Parameters
    ----------
    equation : MeshEquation
        The equation.
    modes : Modes
        Makes the preconditioner.
    horizon : float
        Time over which the kernel adds up, at most.
    tol : float
        Largest defect at a node, relative to the norm of the target.
    report : callable, default=None
        Called with each panel that is solved for all outputs, and with a function
        that returns the residual found so far.

    Returns
    -------
    residual : ndarray of shape (n_outputs, n_times, n_samples)
        The residual at the nodes.
    defect : float
        The largest defect, relative to the norm of the target.
    """
    base, each, most = _FEW_MODES
    if len(modes.vectors) <= min(base + each * len(equation.targets), most):
        return _solve_in_modes(equation, modes, tol, report)
    thresholds = equation.thresholds(tol)
    problems = [
        _Subspace(equation, output, modes, horizon, threshold)
        for output, threshold in enumerate(thresholds)
    ]
    _extend(problems, equation, modes)
    diagonals = np.mean([problem.diagonals() for problem in problems], axis=0)
    precondition = modes.preconditioner(diagonals, equation.weights, equation.n_nodes)
    n_solved = 0

    def residual():
        return np.array([problem.residual() for problem in problems])

    for _ in range(_MAX_ROUNDS):
        _for_each(_Subspace.solve, problems)
        n_before, n_solved = n_solved, min(problem.n_solved for problem in problems)
        for panel in range(n_before // equation.n_nodes, n_solved // equation.n_nodes):
            if report is not None:
                report(panel, residual)
        if all(problem.finished for problem in problems):
            break
        _for_each(lambda problem: problem.correct(precondition), problems)
        _extend(problems, equation, modes)
    return residual(), max(problem.defect for problem in problems)


def _solve_in_modes(equation, modes, tol, report):
    """Solve for all outputs at once, with the modes as the subspace of all."""
    # modes in single precision are not quite orthonormal
    vectors = np.linalg.qr(modes.vectors.T.astype(float))[0].T
    in_modes = []
    for terms, dtype in precisions(equation.matrices):
        v = vectors.astype(dtype)
        in_modes.append(np.stack([v @ equation.matrices[i] @ v.T for i in terms]))
    components = equation.targets @ vectors.T

    def report_panel(end, residual):
        if report is not None:
            report(end // equation.n_nodes - 1, lambda: residual @ vectors)

    with single_threaded_blas():
        residual, defect = march(
            in_modes,
            equation.weights,
            components,
            None,
            0,
            equation.n_nodes,
            equation.thresholds(tol),
            report_panel,
        )
    return residual @ vectors, np.max(defect / np.maximum(equation.norms, _TINY))


def _for_each(function, problems):
    """Call a function of each problem that is not finished, on all threads."""
    left = [problem for problem in problems if not problem.finished]
    if len(left) == 1:
        return function(left[0])
    with single_threaded_blas():
        spread(function, left, n_threads())


def _extend(problems, equation, modes):
    """Multiply the new directions of all problems at once, and add them.

    Matrices that add too little, as small as the new corrections are, are left out.
    """
    new = np.concatenate([problem.new for problem in problems])
    share = max(problem.new_share for problem in problems)
    n_terms = max(1, np.count_nonzero(equation.sizes * share > _NEGLIGIBLE))
    images = _images(new, equation.matrices[:n_terms], modes)
    first = 0
    for problem in problems:
        some = slice(first, first + len(problem.new))
        problem.extend({terms: block[some] for terms, block in images.items()})
        first += len(problem.new)


def _images(directions, matrices, modes):
    """Return products of directions with matrices, in the precision of the matrices.

    Returns
    -------
    dict of range to ndarray of shape (n_directions, n_terms, n_samples)
        Which matrices have one precision, and the products with those.
    """
    n_rows, n_samples = directions.shape
    images = {
        terms: np.empty((n_rows, len(terms), n_samples), dtype)
        for terms, dtype in precisions(matrices)
    }

    def multiply(term):
        for terms, block in images.items():
            if term in terms:
                some = directions.astype(block.dtype, copy=False)
                block[:, term - terms.start] = some @ matrices[term]

    with single_threaded_blas():
        spread(multiply, range(len(matrices)), n_threads())
    return {terms: modes.project(block) for terms, block in images.items()}


def _project(images, rows, rank):
    """Return inner products of images with rows, shape (n_images, rank, n_rows)."""
    n_images = len(next(iter(images.values())))
    out = np.zeros((n_images, rank, len(rows)))
    for terms, block in images.items():
        flat = block.reshape(-1, block.shape[-1])
        products = product(flat, rows.T.astype(block.dtype, copy=False))
        out[:, terms.start : terms.stop] = products.reshape(n_images, len(terms), -1)
    return out


class _Subspace:
    """The problem of one output, projected on directions found so far."""

    def __init__(self, equation, output, modes, horizon, threshold):
        self._equation, self._modes = equation, modes
        self._target = target = equation.targets[output]
        self._norm, self._threshold = equation.norms[output], threshold
        n_samples = target.shape[1]
        # corrections count by what they change in the equation
        self._stiffness = 1 + horizon * modes.eigenvalues
        self.new, self.new_share = modes.split(target[-1]), 1.0
        self._directions = np.empty((0, n_samples))
        self._in_modes = np.empty((0, len(modes.vectors)), modes.vectors.dtype)
        self._images = []  # products of the directions with the matrices, see `_images`
        self._matrices = None
        self._coefficients = None  # of the residual, until it is solved for once
        self._defect = target
        self.defect = 1.0
        self.n_solved = 0
        self.finished = False

    def extend(self, images):
        """Add the new directions, given their products with the matrices."""
        directions = self.new
        if not len(directions):
            return
        self._directions = np.vstack([self._directions, directions])
        rank = len(self._equation.weights)
        above = [_project(images, directions, rank) for images in self._images]
        below = _project(images, self._directions, rank)
        if above:
            above = np.concatenate([self._matrices, np.concatenate(above)], axis=2)
            below = np.concatenate([above, below])
        self._matrices = below
        self._images.append(images)
        self._in_modes = np.vstack([self._in_modes, self._modes.to_modes(directions)])
        if self._coefficients is not None:
            unknown = np.zeros((len(self._target), len(directions)))
            self._coefficients = np.hstack([self._coefficients, unknown])

    def diagonals(self):
        """Return ``v R_j v`` for each direction v, of shape (rank, n_directions)."""
        return np.einsum("vjv->jv", self._matrices)

    def residual(self):
        """Return the residual at all nodes."""
        return self._coefficients @ self._directions

    def solve(self):
        """Solve in the subspace, and measure the defect outside."""
        first = self.n_solved
        finest = _MARCH_SHARE_FINEST * self._threshold
        threshold = max(finest, _MARCH_SHARE * self.defect * self._norm)
        # many small products: threads of BLAS would wait for each other, and for
        # long when other processes are at work
        with single_threaded_blas():
            self._march(first, threshold)
        self._measure(first)
        self.finished = not len(self._defect)
        self._exact = threshold == finest
        self.new, self.new_share = self.new[:0], 0.0

    def _march(self, first, threshold):
        """Solve in the subspace from node `first` on."""
        # eigenvectors of the latest kernel make all matrices nearly diagonal
        matrices = self._matrices.transpose(1, 0, 2)
        latest = self._equation.weights[:, -1, -self._equation.n_nodes :].sum(axis=1)
        latest = np.tensordot(latest, matrices, axes=1)
        _, vectors = np.linalg.eigh(latest + latest.T)
        guess = self._coefficients
        if guess is not None:
            guess = (guess @ vectors)[None]
        solution, _ = march(
            [vectors.T @ matrices @ vectors],
            self._equation.weights,
            (self._target @ self._directions.T @ vectors)[None],
            guess,
            first,
            self._equation.n_nodes,
            np.array([threshold]),
        )
        self._coefficients = solution[0] @ vectors.T

    def _measure(self, first):
        """Compute the defect from node `first` on, and how far it meets the bound."""
        terms = self._equation.weights[:, first:] @ self._coefficients
        n_times = terms.shape[1]
        defect = self._target[first:] - self._coefficients[first:] @ self._directions
        terms = terms.transpose(1, 2, 0)  # (n_times, n_directions, rank)
        first_row = 0
        for images in self._images:
            for which, block in images.items():
                last_row = first_row + len(block)
                some = terms[:, first_row:last_row, which.start : which.stop]
                some = some.reshape(n_times, -1).astype(block.dtype, copy=False)
                defect -= product(some, block.reshape(-1, block.shape[-1]))
            first_row = last_row
        norms = np.linalg.norm(defect * self._equation.importance, axis=1)
        (left,) = np.nonzero(norms > self._threshold)
        solved = (
            (left[0] if len(left) else n_times)
            // self._equation.n_nodes
            * self._equation.n_nodes
        )
        self._defect = defect[solved:]
        self.n_solved = first + solved
        self.defect = norms.max() / (self._norm or 1)

    def correct(self, precondition):
        """Find new directions, orthonormal, along which to correct the defect."""
        room = len(self._modes.vectors) - len(self._directions)
        if room:
            self._find_directions(precondition, room)
        if not len(self.new) and self._exact:
            self.finished = True  # nothing is left to try

    def _find_directions(self, precondition, room):
        change = precondition(self._modes.to_modes(self._defect))
        change -= (change @ self._in_modes.T) @ self._in_modes
        solution = np.linalg.norm(self._coefficients[-len(change) :], axis=1)
        share = np.linalg.norm(change, axis=1) / np.maximum(solution, _TINY)
        self.new_share = np.max(share)
        scaled = change * self._stiffness.astype(change.dtype)
        squares, profiles = np.linalg.eigh((scaled @ scaled.T).astype(float))
        sizes = np.sqrt(np.maximum(squares, 0))
        kept = sizes > max(_KEPT * sizes[-1], _FINEST * self._threshold)
        kept[: max(0, len(kept) - room)] = False
        profiles = (profiles[:, kept] / sizes[kept]).astype(change.dtype)
        new = self._modes.from_modes(profiles.T @ change).astype(float)
        new /= np.maximum(np.linalg.norm(new, axis=1), _TINY)[:, None]
        new -= (new @ self._directions.T) @ self._directions
        new = new[np.linalg.norm(new, axis=1) > _NEW]
        for _ in range(2):
            new = np.linalg.qr(new.T)[0].T
            new -= (new @ self._directions.T) @ self._directions
        self.new = new
