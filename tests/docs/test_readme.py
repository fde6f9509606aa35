"""The README holds on a code host, and on a package index that has no other file."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def on_an_index(monkeypatch):
    pytest.importorskip("hatchling")
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    from hatch_build import without_relative_links

    return without_relative_links((ROOT / "README.md").read_text(encoding="utf-8"))


def test_a_package_index_gets_no_relative_link(on_an_index):
    targets = re.findall(r"\]\(([^)]*)\)", on_an_index)
    assert targets
    assert all(target.startswith("https://") for target in targets)


def test_a_package_index_gets_text_and_path_of_each_link(on_an_index):
    assert "when to stop (`docs/when_to_stop.md` in the source)" in on_an_index
    assert "training time (`docs/ndk_digits.png` in the source)" in on_an_index
    assert "[Avidan, Li and Sompolinsky](https://arxiv.org" in on_an_index
