"""Systems: the gallery of published systems, one file each, and those that other packages bring by entry points.

A system is found by the file whose name begins its own, which alone is imported; the gallery is listed by reading the
files, without importing any.
"""

import ast
import difflib
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from hepatica.cohort.errors import SettingsError
from hepatica.protocol import System, as_plain, from_plain

__all__ = ["GROUP", "Listed", "all_systems", "find_system", "listed", "reference"]

GROUP = "hepatica.systems"
"""Entry points of other packages: NAME = "package.module:RECORD"."""

ROOMS = {
    "SLIDES": "slide",
    "FEATURES": "slide",
    "MULTIPHOTON": "slide",
    "CT": "ct",
    "LESIONS_CT": "ct",
    "LESIONS_CT_AND_TABLE": "ct",
    "ABLATION": "ct",
    "LESIONS_MR": "mr",
    "SEGMENT_CT": "ct",
    "SEGMENT_MR": "mr",
    "MR": "mr",
    "ULTRASOUND": "ultrasound",
    "SPECTRA": "spectrum",
    "TABLES": "table",
    "GENES": "genes",
    "VISITS": "visits",
    "CLAIMS": "claims",
}
"""Modalities by the name of their room's record."""

TASKS = {
    "Binary": "binary",
    "MultiClass": "multi_class",
    "Survival": "survival",
    "Quantities": "quantities",
    "Segmentation": "segmentation",
    "Subtypes": "subtypes",
    "Margin": "margin",
}  # fmt: skip


N = TypeVar("N", bound=ast.expr)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a system's file says of it: `reference` ("module:RECORD") finds its record, `paper` has plain values."""

    name: str
    question: str
    modality: str
    tasks: tuple[str, ...]
    paper: dict[str, Any]
    reference: str


@cache
def listed() -> dict[str, Listed]:
    """Every system of the gallery and of entry points, by name, in alphabetical order; nothing is imported."""
    own = [f"{__name__}.{found.name}" for found in pkgutil.iter_modules(__path__)]
    others = [each.value.partition(":")[0] for each in entry_points(group=GROUP)]
    found = [each for module in own for each in _read(module)]
    ours = {each.name for each in found}
    for module in dict.fromkeys(others):
        try:
            found += [each for each in _read(module) if each.name not in ours]
        except Exception as error:  # what is wrong with another package must not hide our own systems
            warnings.warn(f"the systems of {module} are left out: {error}", stacklevel=2)
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def _read(module: str) -> Iterator[Listed]:
    """The records of a module, from its text: literals of `System(...)`, and what `replace(RECORD, ...)` changes."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        return
    known: dict[str, dict[str, ast.expr]] = {}
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
    defined: dict[str, ast.AST] = {each.name: each for each in body if isinstance(each, ast.FunctionDef)}
    defined |= dict(_assigned(body, ast.Dict))
    for record, call in _assigned(body, ast.Call):
        words = {each.arg: each.value for each in call.keywords if each.arg}
        changed = next((each.id for each in call.args if isinstance(each, ast.Name)), "")
        if ast.unparse(call.func) == "System":
            known[record] = words
        elif ast.unparse(call.func) == "replace" and changed in known:
            known[record] = known[changed] | words
            if ast.unparse(getattr(words.get("paper"), "func", ast.Name(""))) == "replace":
                known[record]["paper"] = _joined(known[changed]["paper"], words["paper"])
    for record, words in known.items():
        yield _listed(words, defined, reference=f"{module}:{record}")


def _joined(call: Any, changed: Any) -> ast.Call:
    """A call with the keywords of another instead of its own of the same names."""
    keywords = {each.arg: each for each in (*call.keywords, *changed.keywords)}
    return ast.Call(func=call.func, args=[], keywords=list(keywords.values()))


def _assigned(body: list[ast.stmt], kind: type[N]) -> Iterator[tuple[str, N]]:
    """What is assigned at the top level from calls, or as dictionaries, by name."""
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, kind):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                yield target.id, node.value


def _listed(words: dict[str, ast.expr], defined: dict[str, ast.AST], *, reference: str) -> Listed:
    paper, task = words["paper"], words["task"]
    asked = [name for each in _names(task) for name in (_names(defined[each]) if each in defined else [each])]
    given = [words[key] for key in ("room", "inputs") if key in words]
    rooms = [_room(each) for one in given for each in (one.values if isinstance(one, ast.Dict) else [one])]
    return Listed(
        name=_literal(words["name"]),
        question=_literal(words["question"]),
        modality="+".join(ROOMS.get(room, room.lower()) for room in rooms),
        tasks=tuple(dict.fromkeys(TASKS[name] for name in asked if name in TASKS)),
        paper={each.arg: _literal(each.value) for each in getattr(paper, "keywords", []) if each.arg},
        reference=reference,
    )


def _room(node: ast.expr) -> str:
    """The room that is named, or changed by `replace`."""
    names = _names(node)
    return next((each for each in names if each in ROOMS), names[0])


def _names(node: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def all_systems() -> dict[str, System[Any, Any]]:
    """Every System record by name, in alphabetical order; imports every file."""
    return {name: find_system(name) for name in listed()}


def find_system(name: str) -> System[Any, Any]:
    """The system of that name, or the record of a "module:RECORD"; only its own file is imported.

    SettingsError with the nearest names when there is none, or with what its room needs to be installed.
    """
    known = listed()
    wanted = known[name].reference if name in known else name
    module, colon, record = wanted.partition(":")
    if not colon:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or list(known)
        raise SettingsError(
            f"got the unknown system {name!r}, wanted one such as {', '.join(near)}, or module:RECORD; see hepatica"
            " systems"
        )
    found = getattr(_imported(module), record, None)
    if not isinstance(found, System):
        raise SettingsError(f"got {name!r}, but {module} has no System called {record}; see CONTRIBUTING.md")
    return found


def _imported(module: str) -> Any:
    if not all(each.isidentifier() for each in module.split(".")):
        raise SettingsError(f"got {module!r} as a module; name a record as module:RECORD, such as my.file:SYSTEM")
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{module} cannot be imported: {error.name} is neither installed nor on PYTHONPATH; install the package"
            " that has it, or the extra of this instrument, such as pip install 'hepatica[pathology]'"
        ) from None


def reference(system: System[Any, Any], *, settings: Any) -> str:
    """By what a run finds this system again: its name, or "module:RECORD".

    SettingsError where it could not be found again, or its settings could not be read again: before training.
    """
    found = next((each for each in chain([system.name], _records(system)) if _finds(each, system)), None)
    if found is None:
        raise SettingsError(
            f"{system.name} could not be found again when its run is opened: define its record at the top level of a"
            " module that is installed, and name it by an entry point or as module:RECORD"
        )
    if as_plain(from_plain(settings, plain := as_plain(settings))) != plain:
        raise SettingsError(f"settings of {system.name} do not come back from a file; use plain values and tuples")
    return found


def _records(system: System[Any, Any]) -> Iterator[str]:
    modules = {name: module for name, module in sys.modules.items() if name != "__main__" and module is not None}
    for module in sorted(modules):
        yield from (f"{module}:{name}" for name, each in list(vars(modules[module]).items()) if each is system)


def _finds(name: str, system: System[Any, Any]) -> bool:
    try:
        return find_system(name) is system
    except SettingsError:
        return False
