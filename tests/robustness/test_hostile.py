"""Hostile inputs: an answer within its promise, a warning, or an error of a sentence.

Each runs in a process of its own with 30 s and 4 GiB.
"""

import sys
from itertools import product

import numpy as np
import pytest

if sys.platform == "win32":
    pytest.skip("limits on resources are those of Unix", allow_module_level=True)

from robustness.sandbox import Sandbox

pytest.importorskip("matplotlib")

ESTIMATORS = ("NDKRegressor", "NDKClassifier", "NDKRegressorCV", "NDKClassifierCV")
COLUMNS = ("near 1e8", 1e4, 1e6, 1e8, "near 1e9", "dates")

#: What is tried: a function of `hostile`, and its arguments.
CASES = [
    # F3
    *product(["at_equilibrium"], COLUMNS),
    *product(["drift_at_equilibrium"], COLUMNS),
    *product(["at_finite_time"], COLUMNS, [30], [0.01, 3.0]),
    *product(["cv_at_large_column"], ["near 1e9", 1e6]),
    # F6
    *product(["many_classes"], [False, True]),
    *product(["hardly_any_noise"], [1e-30, 1e-50]),
    ("many_times",),
    # F7
    *product(["scaled_weights"], [1e40, 1e-45, 1e60], ["regressor", "classifier"]),
    *product(["one_weight"], [1e-45, 1e-30, 1e40]),
    *product(["scaled_inputs"], [1e20, 1e-21, 1e80, 1e-100]),
    *product(["learned_with_weights"], [1e39, 1e60, 1e-45, 1e-60], [0.1, 5.0]),
    *product(["learned_with_inputs"], [1e20, 1e80, 1e-23, 1e-80], [0.1, 5.0]),
    *product(["automatic_times"], [1e-100, 1e80]),
    # F9
    *product(["large_targets"], [1e160, 1e-160], [np.inf, 2.0]),
    *product(["rows_of_norms"], [1e-9, 1e9], ["relu", "erf", "linear"]),
    *product(["spread_weights"], [4, 8]),
    *product(["far_from_origin"], [1e6, 1e9], [0.0, 1.0]),
    # F10
    *product(["failed_refit"], ESTIMATORS, ["2-D weights", "nan in X", "parameter"]),
    *product(["failed_refit"], ESTIMATORS[::2], ["nan in y", "negative weights"]),
    *product(["unknown_keyword"], ESTIMATORS),
    *product(["one_distinct_sample"], ESTIMATORS),
    *product(["raw_wine"], ["NDKClassifier", "NDKClassifierCV"]),
    ("demo", "--sigma0", "1e6"),
    ("demo", "--sigma0", "1e-6"),
    *product(
        ["demo_output"], ["/proc/figure.png", "/no/folder.png", "n" * 300 + ".png"]
    ),
    ("demo_phases",),
]
MOST_GIB = {"many_times": 0.5}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as server:
        yield server


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case))[:60])
def test_hostile_input_is_answered_or_told(sandbox, case):
    outcome = sandbox.call("robustness.hostile", *case)
    told = [f"{w.kind}: {w.message}" for w in outcome.warnings]
    if outcome.error:
        assert outcome.error.one_sentence, outcome.error
        return
    assert np.isfinite(outcome.value)
    assert outcome.warned or outcome.value <= 1, told
    assert not outcome.stray
    assert outcome.peak_gib < MOST_GIB.get(case[0], 4)


def test_raw_columns_are_told_to_be_standardised(sandbox):
    outcome = sandbox.call("robustness.hostile", "raw_wine", "NDKClassifierCV")
    assert any("tandardi" in told.message for told in outcome.warnings)
