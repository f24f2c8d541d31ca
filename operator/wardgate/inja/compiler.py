"""Compiles a parsed template to closures, once; rendering interprets nothing.

Every statement becomes a function of ``RenderState``. A body charges its own size each time it runs, so that the budget
bounds the work done in loops, and not only the number of rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from wardgate.inja.errors import render_error_at
from wardgate.inja.expressions import Evaluation, ExpressionCompiler
from wardgate.inja.functions import Function
from wardgate.inja.jsontext import dump_within, quote
from wardgate.inja.loops import compile_loop
from wardgate.inja.nodes import Block, Expression, For, If, Inclusion, Position, Print, Set, Statement, Text
from wardgate.inja.pointer import PointerError, pointer_path
from wardgate.inja.state import RenderState
from wardgate.inja.tree import reads_loop, weight
from wardgate.inja.values import JsonValue, truthy, wrap_int64

Action: TypeAlias = Callable[[RenderState], None]
_NODES_PER_STEP = 2


def compile_statements(
    statements: Sequence[Statement], functions: Mapping[str, Function], *, escape: bool, trace: bool
) -> Action:
    """Compile a whole template."""
    return _TemplateCompiler(statements, functions, escape=escape, trace=trace).template()


class _TemplateCompiler:
    def __init__(
        self, statements: Sequence[Statement], functions: Mapping[str, Function], *, escape: bool, trace: bool
    ) -> None:
        self._statements = statements
        self._expressions = ExpressionCompiler(functions, trace=trace)
        self._escape = escape
        self._trace = trace
        self._keeps_loop = reads_loop(statements)

    def template(self) -> Action:
        return self._body(self._statements)

    def _body(self, statements: Sequence[Statement]) -> Action:
        actions = [self._statement(statement) for statement in statements]
        steps = 1 + sum(weight(statement) for statement in statements) // _NODES_PER_STEP

        def run(state: RenderState) -> None:
            state.charge(steps)
            for action in actions:
                action(state)

        return run

    def _statement(self, node: Statement) -> Action:  # noqa: PLR0911 - one line a kind
        if isinstance(node, Text):
            text = node.text
            return lambda state: state.emit(text)
        if isinstance(node, Print):
            return self._print(node)
        if isinstance(node, If):
            return self._if(node)
        if isinstance(node, For):
            return self._for(node)
        if isinstance(node, Set):
            return self._set(node)
        if isinstance(node, Block):
            return self._block(node)
        return _inclusion(node)

    def _evaluation(self, expression: Expression | None, position: Position) -> Evaluation:
        """Compile the expression of a statement. A traced one collects its readings anew for each statement."""
        if expression is None:

            def fail(_: RenderState) -> JsonValue:
                raise render_error_at("empty expression", position)

            return fail
        evaluate = self._expressions.compile(expression)
        if not self._trace:
            return evaluate

        def evaluate_traced(state: RenderState) -> JsonValue:
            state.taint = set()
            return evaluate(state)

        return evaluate_traced

    def _print(self, node: Print) -> Action:
        evaluate = self._evaluation(node.expression, node.position)
        to_text = _escaped_text if self._escape else _raw_text
        if not self._trace:
            return lambda state: state.emit(to_text(state, evaluate(state)))

        def run(state: RenderState) -> None:
            state.emit(to_text(state, evaluate(state)))
            state.printed |= state.taint

        return run

    def _if(self, node: If) -> Action:
        branches: list[tuple[Evaluation, Action]] = []
        while True:
            branches.append((self._evaluation(node.condition, (1, 1)), self._body(node.then)))
            chained = node.otherwise[0] if len(node.otherwise) == 1 else None
            if not (isinstance(chained, If) and chained.chained):
                break
            node = chained
        otherwise = self._body(node.otherwise)

        def run(state: RenderState) -> None:
            for condition, then in branches:
                if truthy(condition(state)):
                    then(state)
                    return
            otherwise(state)

        return run

    def _set(self, node: Set) -> Action:
        evaluate = self._evaluation(node.expression, (1, 1))
        try:
            path = pointer_path(node.name.replace(".", "/"))
        except PointerError as error:
            return _evaluate_and_raise(evaluate, str(error))
        if not self._trace:
            return lambda state: state.store(path, evaluate(state))

        def run(state: RenderState) -> None:
            state.store(path, evaluate(state))
            state.taint_variable(path[0], keep=len(path) > 1)

        return run

    def _block(self, node: Block) -> Action:
        outside, self._expressions.in_block = self._expressions.in_block, True
        run = self._body(node.body)
        self._expressions.in_block = outside
        return run

    def _for(self, node: For) -> Action:
        subject = self._evaluation(node.subject, (1, 1))
        body = self._body(node.body)
        return compile_loop(node, subject, body=body, keeps_loop=self._keeps_loop, trace=self._trace)


def _raw_text(state: RenderState, value: JsonValue) -> str:
    if type(value) is str:
        return value
    if type(value) is int:
        return str(wrap_int64(value))
    return "" if value is None else dump_within(value, state, max_bytes=state.limits.output_bytes)


def _escaped_text(state: RenderState, value: JsonValue) -> str:
    if type(value) is not str:
        return _raw_text(state, value)
    state.charge(len(value) >> 5)
    return quote(value)[1:-1]


def _evaluate_and_raise(evaluate: Evaluation, message: str) -> Action:
    """Fail for a name that is no legal path. As in the library, the error follows the evaluation of the expression."""

    def run(state: RenderState) -> None:
        evaluate(state)
        raise PointerError(message)

    return run


def _inclusion(node: Inclusion) -> Action:
    """Fail: templates reach no files, so nothing can be included."""
    message = f"{node.word} '{node.file}' not found"
    position = node.position

    def run(_: RenderState) -> None:
        raise render_error_at(message, position)

    return run
