"""The right answer of a random problem, as far as an oracle knows it."""

from typing import NamedTuple

import numpy as np
from oracles import exact
from oracles.refined import refined

from robustness.cases import Case

MOST_ROWS = 12  # that oracles solve
_VAGUE = 1e-2  # an error, beside the targets, with which an oracle tells too little


class Right(NamedTuple):
    """The right answer at one time.

    `slack` is the error of the oracle, beside the largest target.
    """

    values: np.ndarray
    slack: float
    oracle: str


def right_answers(case: Case, budget: float) -> list[Right | None]:
    """Return the right outputs at each time of a case, None where no oracle knows.

    Parameters
    ----------
    case : Case
        The problem.
    budget : float
        The most kernel entries that brute force may compute.

    Returns
    -------
    list of Right or None
        Their values are of shape (n_rows, n_outputs).
    """
    if len(case.X) > MOST_ROWS:
        return [None] * len(case.times)
    mean, scale = case.scaling()
    found = _closed_forms(case)
    moving = [i for i, right in enumerate(found) if right is None]
    if moving and not case.delay:
        solved = _moving(case, case.times[moving], budget)
        for i, right in zip(moving, solved, strict=True):
            found[i] = right
    return [
        right and right._replace(values=right.values * scale + mean) for right in found
    ]


def right_kernels(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return the NNGP kernel and the NTK, and the norms of their pairs of rows."""
    net, rows, X = case.network, case.rows, case.X
    with exact.digits():
        kernels = [kernel(rows, X) for kernel in (net.nngp, net.ntk)]
        sizes = [
            np.sqrt(np.outer(_diagonal(kernel, rows), _diagonal(kernel, X)))
            for kernel in (net.nngp, net.ntk)
        ]
        values = [exact.as_floats(kernel) for kernel in kernels]
    return np.stack(values, axis=-1), np.stack(sizes, axis=-1)


def _diagonal(kernel, rows):
    return exact.as_floats(np.array([kernel(x, x)[0, 0] for x in rows[:, None]]))


def _closed_forms(case):
    problem, times = case.problem(), case.times
    found = [None] * len(times)
    if case.frozen:
        values = exact.gradient_flow(problem, case.rows, times)
        return [Right(v, 0.0, "flow") for v in np.moveaxis(values, -1, 0)]
    resting = [
        case.limit == "nngp" or t == np.inf or (t > 0 and exact.at_rest(problem, t))
        for t in times
    ]
    if any(resting):
        values = exact.equilibrium(problem, case.rows, case.delay or 0.0)
        right = Right(values, 0.0, "drift" if case.delay else "equilibrium")
        found = [right if rests else None for rests in resting]
    if times[0] == 0 and not resting[0]:
        shape = (len(case.rows), problem.y.shape[1])
        found[0] = Right(np.zeros(shape), 0.0, "start")
    return found


def _moving(case, times, budget):
    """Return answers on the way: brute force, or the flow where noise is late."""
    problem = case.problem()
    errors = [exact.flow_error(problem, case.rows, t) for t in times]
    late = np.array(errors) < min(case.tol, 1e-4)
    solved = [None] * len(times)
    if not np.all(late):
        brute = refined(problem, case.rows, times, budget)
        if brute is not None:
            values, slack = brute
            size = np.abs(problem.y).max()
            solved = [
                Right(values[..., i], 2 * slack[..., i].max() / size, "brute force")
                for i in range(len(times))
            ]
    if np.any(late) or solved[0] is None:
        flow = exact.gradient_flow(problem, case.rows, times)
        for i, error in enumerate(errors):
            if late[i] or solved[i] is None:
                solved[i] = Right(flow[..., i], error, "flow before the noise")
    return [right if right.slack < _VAGUE else None for right in solved]
