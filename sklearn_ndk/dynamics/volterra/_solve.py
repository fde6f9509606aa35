"""The residual of training at the nodes of a mesh, to a relative accuracy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk._compute._threads import single_threaded_blas
from sklearn_ndk.dynamics._accuracy import importance_of
from sklearn_ndk.dynamics.volterra._galerkin import MeshEquation, solve_mesh
from sklearn_ndk.dynamics.volterra._march import integral_weights
from sklearn_ndk.dynamics.volterra._mesh import (
    graded_edges,
    n_nodes_for,
    radau_nodes,
    representative_times,
)
from sklearn_ndk.dynamics.volterra._modes import Modes
from sklearn_ndk.dynamics.volterra._time_basis import Relevance, TimeBasis

# Shares of the tolerance; the rest is the mesh's.
_BASIS_SHARE, _DEFECT_SHARE, _END_SHARE = 0.1, 0.1, 0.01
_ONSET = 1.0  # of predictions that matter, in units of 1 / rate
_LATE = 10  # in units of the memory: the residual has come to rest
_N_RELEVANCE = 100  # times at which the size of the residual is guessed


@dataclass(frozen=True)
class Solution:
    """The residual at the nodes of a mesh, and what predictions from it need.

    It holds no matrix of size n_samples x n_samples.

    Attributes
    ----------
    edges : ndarray of shape (n_panels + 1,)
        Ends of the panels.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.
    residual : ndarray of shape (n_outputs, n_panels * n_nodes, n_samples)
        The residual at the nodes, over `scale`.
    scale : ndarray of shape (n_outputs,)
        Sizes of the targets.
    basis : TimeBasis
        Basis of the kernel of the training inputs.
    times : ndarray of shape (n_times,)
        Times that represent all others for the kernel.
    relevance : Relevance
        What errors of the kernel add to predictions.
    basis_tol : float
        Tolerance of a time basis.
    equilibrated : bool
        Whether the dynamics have come to rest, to the tolerance, at the last edge.
    defect : float
        The largest defect of the equation, relative to the target.
    rounding : float
        What rounding errors of the kernel may do to predictions, likewise.
    status : str
        A sentence that tells what was not reached; empty if all was.
    """

    edges: NDArray[np.float64]
    nodes: NDArray[np.float64]
    residual: NDArray[np.float64]
    scale: NDArray[np.float64]
    basis: TimeBasis
    times: NDArray[np.float64]
    relevance: Relevance
    basis_tol: float
    equilibrated: bool
    defect: float = np.inf
    rounding: float = 0.0
    status: str = ""

    def basis_for(self, probe: Any, times: NDArray[np.float64]) -> TimeBasis:
        """Return the basis of another kernel, predicted from at some times."""
        return TimeBasis(probe, times, self.times, self.relevance, self.basis_tol)

    def weights(
        self, basis: TimeBasis, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the weights of the residual in integrals up to some times."""
        with single_threaded_blas():  # the products are small
            return integral_weights(basis, times, self.edges, self.nodes)


def solve(
    targets: NDArray[np.float64],
    kernel: Any,
    modes: Modes,
    kappa: float,
    tol: float,
    t_end: float,
    progress: Callable[[float, Callable[[], Solution]], None] | None = None,
    check_size: Callable[[float], None] | None = None,
) -> Solution:
    """Solve the Volterra equation (14)-(15).

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    kernel : TwoTimeKernel
        Kernel of the training inputs, whose Gram matrix is used up:
        ``kernel.mixtures`` computes matrices, ``kernel.probe`` represents it, and
        ``kernel.rate`` bounds its eigenvalues.
    modes : Modes
        Eigenvectors of the kernel of their equilibrium.
    kappa : float
        Diffusion rate, positive.
    tol : float
        Relative accuracy.
    t_end : float
        Time up to which to solve, or infinity.
    progress : callable, default=None
        Called with the time up to which the equation is solved, and with a function
        that returns the solution as it is then.
    check_size : callable, default=None
        Called with the number of kernel matrices to be held in memory.

    Returns
    -------
    Solution
        With a status, if it may miss `tol`.
    """
    diagonal = kernel.diagonal()
    size = diagonal.mean() or 1.0
    resolved = modes.project(targets)
    solution = _represent(resolved, kernel, modes, kappa, tol, t_end, size)
    basis, edges = solution.basis, solution.edges
    if check_size is not None:
        sizes = [np.dtype(dtype).itemsize for dtype in basis.dtypes]
        check_size(sum(sizes) / 8 + 4)
    # of order one, for single precision; NDK(t, t'; x, x') = NDK(t', t; x', x) gives
    # the transposes
    matrices = kernel.scaled(1 / size).mixtures(
        basis.t_prime,
        basis.t,
        basis.mixing,
        basis.dtypes,
        basis.precision,
        overwrite=True,
    )
    times = edges[:-1, None] + np.diff(edges)[:, None] * solution.nodes

    def report(panel: int, residual: Callable[[], NDArray[np.float64]]) -> None:
        if progress is not None:
            progress(edges[panel + 1], lambda: replace(solution, residual=residual()))

    horizon = min(1 / kappa, edges[-1])
    importance = importance_of(kernel.row_scale, diagonal * horizon)
    equation = MeshEquation(
        targets=np.repeat(
            (resolved / solution.scale[:, None])[:, None], times.size, axis=1
        ),
        matrices=matrices,
        sizes=1 / basis.precision,
        weights=size * solution.weights(basis, times.ravel()),
        n_nodes=len(solution.nodes),
        importance=importance,
    )
    residual, defect = solve_mesh(equation, modes, horizon, _DEFECT_SHARE * tol, report)
    solution = replace(solution, residual=residual, defect=defect)
    rounding = _rounding(solution, kappa, kernel.rate(edges) / targets.shape[1])
    rounding *= np.max(_norms(resolved) / _norms(resolved * importance))
    # lags that count are those of gradient descent, the fastest
    unresolved = min(1.0, np.finfo(float).eps * kernel.rate(np.array(0.0)) / kappa)
    rounding = max(rounding, unresolved * kernel.change_within_rounding())
    if not modes.complete:
        size = np.linalg.norm(targets) or 1.0
        left_out = np.linalg.norm(targets - resolved) / size
        rounding = max(rounding, left_out)
    return replace(solution, rounding=rounding, status=_status(solution, tol))


def _norms(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the norm of each output, one where it vanishes."""
    norms = np.linalg.norm(targets, axis=1)
    return np.where(norms > 0, norms, 1.0)


def _status(solution: Solution, tol: float) -> str:
    """Tell in a sentence what was not reached, if anything."""
    if solution.defect <= tol:
        return ""
    return (
        f"The iteration for the dynamics up to t={solution.edges[-1]:.3g} stopped at a "
        f"relative defect of {solution.defect:.1g}; predictions may miss tol={tol:g}."
    )


def _rounding(solution: Solution, kappa: float, diagonal: NDArray[np.float64]) -> float:
    """Estimate what rounding errors of the kernel do to predictions.

    An entry at (t, t') is as large as the diagonals at both times, and its errors add
    up with the residual over the memory ``1 / kappa``.
    """
    norms = np.linalg.norm(solution.residual, axis=2).max(axis=0)
    norms = norms.reshape(-1, len(solution.nodes)).max(axis=1)
    steps, roots = np.diff(solution.edges), np.sqrt(diagonal)
    total, largest = 0.0, 0.0
    for i, (step, norm) in enumerate(zip(steps, norms, strict=True)):
        gained = norm * max(roots[i : i + 2]) * -np.expm1(-kappa * step) / kappa
        total = total * np.exp(-kappa * step) + gained
        largest = max(largest, total * roots[i + 1])
    return np.finfo(float).eps * largest


def _represent(
    targets: NDArray[np.float64],
    kernel: Any,
    modes: Modes,
    kappa: float,
    tol: float,
    t_end: float,
    size: float,
) -> Solution:
    """Return the mesh and the time basis, as a solution without a residual."""
    scale = np.abs(targets).max(axis=1)
    scale[scale == 0] = 1
    relevance = _relevance(targets / scale[:, None], modes, kernel.rate, kappa)
    # what is left of the past decays as exp(-tau) at the slowest
    last = relevance.residual[-1] * size / kappa
    longest = np.log(max(1, last) / (_END_SHARE * tol)) / kappa
    edges = graded_edges(kernel.rate, kappa, min(t_end, longest))
    times = representative_times(edges, kernel.weight_variance)
    basis_tol = _BASIS_SHARE * tol / size
    return Solution(
        edges=edges,
        nodes=radau_nodes(n_nodes_for(tol)),
        residual=np.empty((len(targets), 0, targets.shape[1])),
        scale=scale,
        basis=TimeBasis(kernel.probe, times, times, relevance, basis_tol),
        times=times,
        relevance=relevance,
        basis_tol=basis_tol,
        equilibrated=bool(edges[-1] >= longest),
    )


def _relevance(
    targets: NDArray[np.float64],
    modes: Modes,
    rate: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    kappa: float,
) -> Relevance:
    """Guess the size of the residual at all times from the equilibrium kernel.

    A mode of eigenvalue lambda is left with ``1 / (1 + lambda phi)`` of its target
    if the kernel has been that of the equilibrium for a time phi. Its memory
    ``1 / kappa`` is the most; where it is larger or smaller, time counts by it.
    """
    memory = 1 / kappa
    times = np.concatenate([[0], np.geomspace(1e-16 * memory, memory, _N_RELEVANCE)])
    rates = rate(times)
    gains = (rates[1:] + rates[:-1]) / 2 * np.diff(times)
    final = max(rate(np.array(np.inf)), np.finfo(float).tiny)
    phi = np.concatenate([[0], np.cumsum(gains / final), [memory]])
    left = 1 / (1 + phi[:, None] * modes.eigenvalues)
    components = modes.to_modes(targets).astype(float)
    sizes = np.linalg.norm(left * components[:, None], axis=2).max(axis=0)
    onset = _ONSET / max(rates[0], kappa)
    return Relevance(kappa, np.append(times, _LATE * memory), sizes, onset)
