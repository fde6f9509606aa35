"""Files, names, tests and sections that the documentation names exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from public_api import public_objects

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAP = ROOT / "docs" / "theory" / "index.md"
FILE = r"`([\w/]+\.py)`"
NAMES = r"(?:`[\w.]+(?:\([^`]*\))?`(?:, | and )?)+"
PUBLIC = {path.rpartition(".")[2] for path in public_objects()}


@cache
def definitions(path):
    """Return the names that a file defines; methods and fields with their class."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names |= _names(node)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{name}" for part in node.body for name in _names(part)
            }
    return names


def _names(node):
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    if isinstance(node, ast.AnnAssign):
        return {ast.unparse(node.target)}
    if isinstance(node, ast.Assign):
        return {ast.unparse(target) for target in node.targets}
    return set()


def names_of_tests():
    """Return the names of all tests."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for path in files for name in definitions(path)}


def locate(file):
    """Return the path of a file that is named from the package or from the project."""
    found = [folder / file for folder in (ROOT / "sklearn_ndk", ROOT)]
    found = [path for path in found if path.is_file()]
    assert found, f"{file} does not exist"
    return found[0]


def quoted(text):
    """Return what stands between backquotes."""
    return re.findall(r"`([^`]+)`", text)


def rows():
    """Return the cells of each row of the map of equations."""
    _, _, table = MAP.read_text(encoding="utf-8").partition("## Map")
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_exist(page):
    for file in re.findall(
        r"`(?:python )?([\w/]+/[\w.]+\.(?:py|json))\b", page.read_text(encoding="utf-8")
    ):
        locate(file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tests_exist(page):
    named = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
    assert named <= names_of_tests(), named - names_of_tests()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_names_are_defined_in_the_file_behind_them(page):
    # as in: `Trajectory` (`dynamics/_trajectory.py`), or `Trajectory` in `...`
    for names, file in re.findall(
        rf"({NAMES})\s(?:in |\(){FILE}", page.read_text(encoding="utf-8")
    ):
        missing = {name.split("(")[0] for name in quoted(names)}
        missing -= definitions(locate(file))
        assert not missing, (file, missing)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].split("]")[0][1:])
def test_code_of_the_map_exists(row):
    # as in: `file.py`, `name`, `Class.method`; `file.py`, `name`; public: `name`
    for part in row[2].split(";"):
        words = quoted(part)
        if "public:" in part:
            assert set(words) <= PUBLIC, words
        elif words:
            file, *names = words
            missing = set(names) - definitions(locate(file))
            assert not missing, (file, missing)


def test_every_equation_of_the_map_has_a_test():
    for equation, _, code, test in rows():
        assert quoted(test) or not quoted(code), equation


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_pages_and_sections(page):
    for target in re.findall(
        r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")
    ):
        file, _, section = target.partition("#")
        path = page.parent / file if file else page
        if file.startswith("auto_examples"):  # made by sphinx
            continue
        assert path.exists(), target
        if section:
            headings = re.findall(
                r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE
            )
            assert section in map(slug, headings), target


def slug(heading):
    """Return the anchor of a heading, as code hosts and myst make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_api_page_lists_what_is_public():
    listed, module = set(), None
    for line in (ROOT / "docs" / "api.rst").read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            listed.add(f"{module}.{line.strip()}")
    assert listed == set(public_objects())
