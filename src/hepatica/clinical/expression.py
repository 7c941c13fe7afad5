"""Expression: arithmetic and comparisons of arrays, written as text, with no way to run anything else."""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: getattr(np, name) for name in ("log", "log10", "sqrt", "exp", "floor", "maximum", "clip", "where")
}
"""What an expression may call."""

_OPERATORS: Mapping[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.Invert: operator.invert,
    ast.USub: operator.neg, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


@lru_cache(maxsize=1024)
def parsed(expression: str) -> ast.expr:
    """The tree of an expression; ValueError where it is none."""
    try:
        return ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"got {expression!r}, wanted arithmetic and comparisons ({error.msg})") from None


def names_in(expression: str) -> list[str]:
    """Names of the columns and functions in an expression."""
    return [node.id for node in ast.walk(parsed(expression)) if isinstance(node, ast.Name)]


def value(expression: str, scope: Mapping[str, Any]) -> Any:
    """What an expression of the names in `scope` gives; ValueError for anything but arithmetic and comparisons."""
    return _value(parsed(expression), scope)


def _value(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in scope:
            return scope[name]
        case ast.UnaryOp(op=sign, operand=part) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_value(part, scope))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_value(left, scope), _value(right, scope))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_value(left, scope), _value(right, scope))
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(part, scope) for part in parts))
    raise ValueError(f"got {ast.unparse(node)!r}, wanted arithmetic and comparisons of known names")
