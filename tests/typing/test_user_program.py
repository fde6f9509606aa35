"""The sample program that mypy and pyright check does run."""

import runpy
from pathlib import Path

PROGRAM = Path(__file__).with_name("user_program.py")


def test_user_program_runs(tmp_path):
    runpy.run_path(str(PROGRAM))["main"](tmp_path)
    assert {file.stem for file in tmp_path.iterdir()} == {
        "drift",
        "paths",
        "scores",
        "scales",
        "search",
    }
