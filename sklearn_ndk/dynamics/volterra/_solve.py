"""The residual of training at the nodes of a mesh, to a relative accuracy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk.dynamics._accuracy import importance_of
from sklearn_ndk.dynamics.volterra._galerkin import MeshEquation, solve_mesh
from sklearn_ndk.dynamics.volterra._modes import Modes
from sklearn_ndk.dynamics.volterra._representation import Representation

_DEFECT_SHARE = 0.1  # of the tolerance


@dataclass(frozen=True)
class Solution:
    """The residual at the nodes of a mesh, and what predictions from it need.

    It holds no matrix of size n_samples x n_samples.

    Attributes
    ----------
    representation : Representation
        The mesh, and the kernel over its times.
    residual : ndarray of shape (n_outputs, n_panels * n_nodes, n_samples)
        The residual at the nodes, over `scale`.
    scale : ndarray of shape (n_outputs,)
        Sizes of the targets.
    defect : float
        The largest defect of the equation, relative to the target.
    rounding : float
        What rounding errors of the kernel may do to predictions, likewise.
    status : str
        A sentence that tells what was not reached; empty if all was.
    """

    representation: Representation
    residual: NDArray[np.float64]
    scale: NDArray[np.float64]
    defect: float = np.inf
    rounding: float = 0.0
    status: str = ""


def solve(
    targets: NDArray[np.float64],
    kernel: Any,
    modes: Modes,
    representation: Representation,
    kappa: float,
    tol: float,
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
        ``kernel.mixtures`` computes matrices.
    modes : Modes
        Eigenvectors of the kernel of their equilibrium.
    representation : Representation
        The mesh and the time basis, of these inputs or of more.
    kappa : float
        Diffusion rate, positive.
    tol : float
        Relative accuracy.
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
    if check_size is not None:
        sizes = [np.dtype(dtype).itemsize for dtype in representation.basis.dtypes]
        check_size(sum(sizes) / 8 + 4)
    edges, resolved = representation.edges, modes.project(targets)
    scale = np.abs(resolved).max(axis=1)
    scale[scale == 0] = 1
    solution = Solution(representation, np.empty((len(targets), 0, 0)), scale)

    def report(panel: int, residual: Callable[[], NDArray[np.float64]]) -> None:
        if progress is not None:
            progress(edges[panel + 1], lambda: replace(solution, residual=residual()))

    horizon = min(1 / kappa, edges[-1])
    importance = importance_of(kernel.row_scale, kernel.diagonal() * horizon)
    equation = _on_mesh(resolved / scale[:, None], kernel, representation, importance)
    residual, defect = solve_mesh(equation, modes, horizon, _DEFECT_SHARE * tol, report)
    solution = replace(solution, residual=residual, defect=defect)
    rounding = _rounding(solution, kappa, kernel)
    rounding *= np.max(_norms(resolved) / _norms(resolved * importance))
    if not modes.complete:
        left_out = np.linalg.norm(targets - resolved) / (np.linalg.norm(targets) or 1.0)
        rounding = max(rounding, left_out)
    return replace(
        solution,
        representation=representation.bare(),
        rounding=rounding,
        status=_status(solution, tol),
    )


def _on_mesh(
    targets: NDArray[np.float64],
    kernel: Any,
    representation: Representation,
    importance: NDArray[np.float64],
) -> MeshEquation:
    """Return the equation at the nodes, in units in which kernels are of order one."""
    basis, size = representation.basis, kernel.mean_diagonal()
    scaled = kernel.scaled(1 / size)
    matrices = basis.matrices(scaled, transposed=True, overwrite=True)
    return MeshEquation(
        targets=np.repeat(targets[:, None], representation.node_times.size, axis=1),
        matrices=matrices,
        sizes=1 / basis.precision,
        weights=size * representation.node_weights,
        n_nodes=len(representation.nodes),
        importance=importance,
    )


def _norms(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the norm of each output, one where it vanishes."""
    norms = np.linalg.norm(targets, axis=1)
    return np.where(norms > 0, norms, 1.0)


def _status(solution: Solution, tol: float) -> str:
    """Tell in a sentence what was not reached, if anything."""
    if solution.defect <= tol:
        return ""
    end = solution.representation.edges[-1]
    return (
        f"The iteration for the dynamics up to t={end:.3g} stopped at a relative "
        f"defect of {solution.defect:.1g}; predictions may miss tol={tol:g}."
    )


def _rounding(solution: Solution, kappa: float, kernel: Any) -> float:
    """Estimate what rounding errors of the kernel do to predictions.

    An entry at (t, t') is as large as the diagonals at both times, and its errors add
    up with the residual over the memory ``1 / kappa``.
    """
    edges = solution.representation.edges
    norms = np.linalg.norm(solution.residual, axis=2).max(axis=0)
    norms = norms.reshape(len(edges) - 1, -1).max(axis=1)
    steps, roots = np.diff(edges), np.sqrt(kernel.rate(edges) / kernel.n_rows)
    total, largest = 0.0, 0.0
    for i, (step, norm) in enumerate(zip(steps, norms, strict=True)):
        gained = norm * max(roots[i : i + 2]) * -np.expm1(-kappa * step) / kappa
        total = total * np.exp(-kappa * step) + gained
        largest = max(largest, total * roots[i + 1])
    # lags that count are those of gradient descent, the fastest
    unresolved = min(1.0, np.finfo(float).eps * kernel.rate(np.array(0.0)) / kappa)
    lost = unresolved * kernel.change_within_rounding()
    return max(np.finfo(float).eps * largest, lost)
