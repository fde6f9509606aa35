"""A short form of the fuzz; ``python -m robustness.fuzz`` is the long one."""

import sys

import numpy as np
import pytest
from oracles.exact import Network, Problem
from oracles.extremes import CASES, FILE, problem
from oracles.refined import refined

if sys.platform == "win32":
    pytest.skip("limits on resources are those of Unix", allow_module_level=True)

from robustness.cases import draw
from robustness.fuzz import BOUNDED, RIGHT, WARNED, excess, judge
from robustness.sandbox import Sandbox

N_CASES, BUDGET = 40, 2e7


@pytest.fixture(scope="module")
def verdicts():
    with Sandbox() as server:
        return [judge(server, seed, BUDGET) for seed in range(N_CASES)]


def test_no_case_is_wrong_in_silence(verdicts):
    silent = [f"{verdict} ({draw(verdict.seed)})" for verdict in verdicts]
    silent = [line for v, line in zip(verdicts, silent, strict=True) if v.silent]
    assert not silent, "\n".join(silent)


def test_most_cases_are_answered(verdicts):
    names = [verdict.name for verdict in verdicts]
    assert names.count(RIGHT) >= N_CASES // 2
    assert sum(name in (RIGHT, BOUNDED, *WARNED) for name in names) > 0.8 * N_CASES


def test_wrong_answers_are_found_out(verdicts):
    with Sandbox() as server:
        for verdict in [v for v in verdicts if v.name == RIGHT][:5]:
            given = server.call("robustness.fuzz", "answer", verdict.seed).value
            assert excess(verdict.seed, given, BUDGET)[0] <= 1
            size = np.abs(draw(verdict.seed).targets()).max()
            spoiled = (1.01 * np.array(given) + 0.01 * size).tolist()
            assert excess(verdict.seed, spoiled, BUDGET)[0] > 1


@pytest.mark.parametrize("i", [0, 4, 8, 13])
def test_refined_oracle_agrees_with_brute_force_over_other_kernels(i):
    _, X, y, Xs, times = problem(CASES[i])
    activation, depth, T, sigma0, _ = CASES[i]
    network = Network(depth, activation, T, 1.0, sigma0)
    right = Problem(network, X, y[:, None], np.ones(len(X)))
    solved = refined(right, np.vstack([X, Xs]), times, np.inf)
    assert solved is not None
    values, error = solved[0][:, 0], solved[1][:, 0]
    assert np.all(np.abs(values - np.load(FILE)[str(i)]) <= 1e-7 + error)
    assert error.max() < 1e-5


def test_cases_are_functions_of_their_seeds():
    case, again = draw(5), draw(5)
    assert str(case) == str(again)
    assert np.array_equal(case.rows, again.rows)
    assert str(case) != str(draw(6))
