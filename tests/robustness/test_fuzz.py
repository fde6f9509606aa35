"""A short form of the fuzz; ``python -m robustness.fuzz`` is the long one."""

import sys

import numpy as np
import pytest

if sys.platform == "win32":
    pytest.skip("limits on resources are those of Unix", allow_module_level=True)

from robustness.cases import draw
from robustness.fuzz import BOUNDED, RIGHT, WARNED, judge
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
    assert sum(name in (RIGHT, BOUNDED, WARNED) for name in names) > 0.8 * N_CASES


def test_cases_are_functions_of_their_seeds():
    case, again = draw(5), draw(5)
    assert str(case) == str(again)
    assert np.array_equal(case.rows, again.rows)
    assert str(case) != str(draw(6))
