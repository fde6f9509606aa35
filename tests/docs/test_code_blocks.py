"""The Python examples of README.md and of docs/ run as they are printed."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = "```"


def code_blocks(page):
    """Return the Python blocks of a page, each on the line where the page has it."""
    blocks, lines = [], page.read_text(encoding="utf-8").splitlines()
    inside = False
    for number, line in enumerate(lines):
        if not inside and line == f"{FENCE}python":
            blocks.append("\n" * (number + 1))
            inside = True
        elif line == FENCE:
            inside = False
        elif inside:
            blocks[-1] += f"{line}\n"
    return blocks


PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if code_blocks(page)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_blocks_of_a_page_run_in_one_namespace(page):
    namespace = {"__name__": "__main__"}
    for block in code_blocks(page):
        exec(compile(block, str(page), "exec"), namespace)


def test_readme_and_docs_have_examples():
    assert {"README", "index", "when_to_stop"} <= {page.stem for page in PAGES}
