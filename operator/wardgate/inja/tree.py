"""Walking over a parsed template: the expressions of a statement, the parts of an expression, all statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wardgate.inja.nodes import (
    Binary,
    Block,
    Call,
    Expression,
    For,
    If,
    Not,
    Print,
    Set,
    Statement,
    Variable,
)


def parts_of(expression: Expression | None) -> Iterator[Expression]:
    """Yield an expression and all below it, the left one first."""
    waiting = [] if expression is None else [expression]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Binary):
            waiting += (node.right, node.left)
        elif isinstance(node, Not):
            waiting.append(node.operand)
        elif isinstance(node, Call):
            waiting += reversed(node.arguments)


def expression_of(statement: Statement) -> Expression | None:
    """Return the expression that a statement evaluates itself."""
    if isinstance(statement, Print | Set):
        return statement.expression
    if isinstance(statement, If):
        return statement.condition
    if isinstance(statement, For):
        return statement.subject
    return None


def bodies_of(statement: Statement) -> tuple[list[Statement], ...]:
    """Return the bodies of a statement."""
    if isinstance(statement, If):
        return statement.then, statement.otherwise
    return (statement.body,) if isinstance(statement, For | Block) else ()


def all_statements(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield every statement of a template."""
    waiting = list(reversed(statements))
    while waiting:
        statement = waiting.pop()
        yield statement
        for body in reversed(bodies_of(statement)):
            waiting += reversed(body)


def weight(statement: Statement) -> int:
    """Return the cost of a statement and of the expression that it evaluates itself, in nodes."""
    return 1 + sum(map(_weight, parts_of(expression_of(statement))))


def _weight(part: Expression) -> int:
    if isinstance(part, Variable):
        return len(part.path)
    return 3 + len(part.arguments) if isinstance(part, Call) else 1


def reads_loop(statements: Sequence[Statement]) -> bool:
    """Tell whether a template can observe the variable ``loop``."""
    return any(_mentions_loop(statement) for statement in all_statements(statements))


def _mentions_loop(statement: Statement) -> bool:
    if isinstance(statement, Set) and statement.name.replace("/", ".").split(".")[0] == "loop":
        return True
    if isinstance(statement, For) and "loop" in (statement.key, statement.value):
        return True
    parts = parts_of(expression_of(statement))
    return any(isinstance(part, Variable) and part.path[0] == "loop" for part in parts)
