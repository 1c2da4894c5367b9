"""Metric math, as far as arithmetic goes: `errors / requests * 100`, with the ids of other queries as
variables.

An operation on two series is done where both have a value; a number goes with every value. Python's own
parser reads the expression, and nothing but arithmetic on known names is evaluated.
"""

import ast
import operator
from collections.abc import Callable, Mapping

from clary.services.cloudwatch.errors import bad_value

Points = dict[float, float]
"""Start of period → value."""

Operate = Callable[[float, float], float]

_OPERATORS: dict[type[ast.operator], Operate] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


class _NotBuilt(Exception):
    """Why an expression cannot be evaluated."""


def variables(expression: str) -> set[str]:
    """The ids that an expression needs."""
    nodes = list(ast.walk(_parse(expression)))
    if any(isinstance(node, ast.Call) for node in nodes):
        raise _refused(expression, "it calls a function")
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def evaluate(expression: str, known: Mapping[str, Points]) -> Points:
    """The value of an expression whose variables are all known."""
    try:
        value = _evaluate(_parse(expression), known)
    except RecursionError:
        raise _refused(expression, "it is nested too deeply") from None
    except _NotBuilt as error:
        raise _refused(expression, str(error)) from None
    if isinstance(value, float):
        raise _refused(expression, "its result is a single number, not a time series")
    return value


def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip().replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refused(expression, "it cannot be read") from None


def _evaluate(node: ast.expr, known: Mapping[str, Points]) -> Points | float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name):
            return known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combine(operator.mul, -1.0, _evaluate(operand, known))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _combine(_OPERATORS[type(op)], _evaluate(left, known), _evaluate(right, known))
    raise _NotBuilt(f"{ast.unparse(node)} is not arithmetic on the ids of other queries")


def _combine(operate: Operate, left: Points | float, right: Points | float) -> Points | float:
    if isinstance(left, float) and isinstance(right, float):
        value = _apply(operate, left, right)
        if value is None:
            raise _NotBuilt("a part of it has no value")
        return value
    times = [side.keys() for side in (left, right) if not isinstance(side, float)]
    values = {at: _apply(operate, _at(left, at), _at(right, at)) for at in set.intersection(*map(set, times))}
    return {at: value for at, value in values.items() if value is not None}


def _at(side: Points | float, at: float) -> float:
    return side if isinstance(side, float) else side[at]


def _apply(operate: Operate, left: float, right: float) -> float | None:
    """None where there is no result, such as for a division by zero or the root of a negative number."""
    try:
        value = operate(left, right)
    except (ArithmeticError, ValueError):
        return None
    return value if isinstance(value, float) else None


def _refused(expression: str, why: str) -> Exception:
    return bad_value(
        f"The expression {expression!r} is not valid, or not built in Clary yet: {why}. Clary knows + - * / ^ and "
        "parentheses, but no functions, SEARCH or Metrics Insights queries."
    )
