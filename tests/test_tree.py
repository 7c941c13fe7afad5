"""Tree: every folder says what it is for and what it holds, and none outgrows what a reader can survey."""

import ast
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "hepatica"
MODULES = sorted(SOURCE.rglob("*.py"))
PACKAGES = sorted(path for path in MODULES if path.name == "__init__.py" and path.parent != SOURCE)


def listed(path: Path) -> list[str] | None:
    """What a file gives as `__all__`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def bound(path: Path) -> set[str]:
    """Names that a file imports or defines at its top level, or there under a condition."""
    names: set[str] = set()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node in chain(body, *(each.body for each in body if isinstance(each, ast.If))):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names |= {each.asname or each.name for each in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {each.id for each in targets if isinstance(each, ast.Name)}
    return names


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: str(path.parent.relative_to(SOURCE)))
def test_a_package_says_what_it_is_for_and_lists_what_it_has(path: Path) -> None:
    assert (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition(":")[2].strip()
    names = listed(path)
    if names is not None:
        inside = {each.stem for each in path.parent.iterdir() if each.suffix == ".py" or each.is_dir()}
        assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
        assert set(names) <= bound(path) | inside


def test_no_folder_is_crowded() -> None:
    counts = Counter(str(path.parent.relative_to(SOURCE)) for path in MODULES if path.parent.name != "systems")
    assert {folder: count for folder, count in counts.items() if count > 25} == {}


def test_no_file_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc", "base"}
    assert [path for path in MODULES if path.stem in drawers or path.parent.name in drawers] == []


def test_each_module_begins_with_what_it_does() -> None:
    texts = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in MODULES}
    assert [str(path) for path, text in texts.items() if not text.partition("\n")[0].partition(":")[2].strip()] == []
