"""Settings: how the settings of a system are changed, written, read and described."""

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from hepatica.cohort.errors import SettingsError

S = TypeVar("S")
"""A frozen dataclass of settings."""
_LISTED = {"tuple_type": """; write a list in brackets, such as --set "columns=['a', 'b']\""""}


def override(settings: S, changes: Mapping[str, Any]) -> S:
    """The settings with some values changed, each checked against its type; SettingsError names the fault."""
    known = {field.name for field in fields(settings)}  # type: ignore[arg-type]
    for name in changes.keys() - known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; settings are {', '.join(sorted(known))}"
        raise SettingsError(f"got the unknown setting {name!r}{hint}")
    try:
        return TypeAdapter(type(settings)).validate_python(asdict(settings) | dict(changes))  # type: ignore[call-overload]
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))} = {fault['input']!r}: {fault['msg']}{_LISTED.get(fault['type'], '')}"
            for fault in error.errors()
        )
        raise SettingsError(f"got invalid settings: {faults}") from None


def as_plain(settings: Any) -> dict[str, Any]:
    """The settings as values TOML can hold: fractions as text, tuples as lists, None left out."""
    plain = {name: _plain(value) for name, value in asdict(settings).items()}
    return {name: value for name, value in plain.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def from_plain(settings: S, plain: Mapping[str, Any]) -> S:
    """The inverse of `as_plain`: `settings` gives the type, `plain` every value that is not None.

    SettingsError when a value is missing that cannot be None: the file was written by another version.
    """
    hints = get_type_hints(type(settings))
    absent = {name for name in hints if name not in plain}
    missing = sorted(name for name in absent if type(None) not in get_args(hints[name]))
    if missing:
        raise SettingsError(f"got settings without {', '.join(missing)}; use the version they were written with")
    return override(settings, dict.fromkeys(absent) | dict(plain))


def meanings(settings: Any) -> dict[str, str]:
    """What each setting means, by its name: the docstring under the field, or else the comment behind it.

    That of the class in which the field was last given one; empty where there is none. The comment `ours`, or
    `ours: WHY`, is added to what is known of the field.
    """
    found = {field.name: "" for field in fields(settings)}
    for kind in reversed(type(settings).__mro__[:-1]):
        source = textwrap.dedent(inspect.getsource(kind))
        lines, body = source.splitlines(), ast.parse(source).body[0].body  # type: ignore[attr-defined]
        for node, after in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                comment = lines[(node.end_lineno or 1) - 1][node.end_col_offset or 0 :].partition("#")[2].strip()
                documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                before = str(after.value.value) if documented else found.get(node.target.id, "")
                found[node.target.id] = _meaning(comment, before=" ".join(before.split()), documented=documented)
    return found


def _meaning(comment: str, *, before: str, documented: bool) -> str:
    """A comment as a sentence, or what was known `before`, with the remark that the value is ours."""
    ours = re.fullmatch(r"ours(?:[:;] (.*))?", comment)
    if ours and before:
        return f"{before} Ours{f': {ours[1]}' if ours[1] else ''}."
    text = f"{ours[1]}. Ours" if ours else comment
    if documented or comment in ("", "ours", "fmt: skip"):
        return before
    return f"{text[0].upper()}{text[1:].removesuffix('.')}."
