"""Compiles expressions to closures: functions of the rendering's state that return the value.

A variable that does not exist is no error in itself: ``default`` and ``.`` look at it first, and if several operands
are missing the library blames the last one. So operands are evaluated *leniently*, to ``MISSING``, and the error is
raised afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from wardgate.inja.errors import RenderError, render_error_at
from wardgate.inja.functions import Function, member
from wardgate.inja.nodes import Binary, Call, Constant, Expression, Not, Position, Variable
from wardgate.inja.operators import OPERATIONS
from wardgate.inja.pointer import MISSING, Missing, find
from wardgate.inja.state import RenderState
from wardgate.inja.values import JsonValue, to_int32, truthy

Evaluation: TypeAlias = Callable[[RenderState], JsonValue]
_Lenient: TypeAlias = Callable[[RenderState], "JsonValue | Missing"]
_Step: TypeAlias = Callable[[RenderState, "JsonValue | Missing"], JsonValue]

SUPER_ARITIES: Final = frozenset({0, 1})
DEFAULT_ARITY: Final = 2


def not_found(variable: Variable) -> RenderError:
    """Make the library's error for a variable that does not exist."""
    return render_error_at(f"variable '{variable.name}' not found", variable.position)


class ExpressionCompiler:
    """Compiles the expressions of one template. ``trace`` makes every reading record hollow headers (invariant 4)."""

    def __init__(self, functions: Mapping[str, Function], *, trace: bool) -> None:
        self._functions = functions
        self._trace = trace
        self.in_block = False

    def compile(self, node: Expression) -> Evaluation:
        """Compile an expression whose value is needed."""
        if isinstance(node, Constant):
            value = node.value
            return lambda state: value
        if isinstance(node, Variable):
            return self._strict(node)
        if isinstance(node, Not):
            operand = self.compile(node.operand)
            return lambda state: not truthy(operand(state))
        if isinstance(node, Binary):
            return self._chain(node)
        return self._call(node)

    # -- variables

    def _strict(self, node: Variable) -> Evaluation:
        read = self._lenient(node)

        def evaluate(state: RenderState) -> JsonValue:
            value = read(state)
            if isinstance(value, Missing):
                raise not_found(node)
            return value

        return evaluate

    def _lenient(self, node: Expression) -> _Lenient:
        if not isinstance(node, Variable):
            return self.compile(node)
        read = self._traced(node) if self._trace else self._untraced(node)
        fallback = self._functions.get(node.name)
        if fallback is None or 0 not in fallback.arities:
            return read
        call = fallback.call

        def evaluate(state: RenderState) -> JsonValue | Missing:
            value = read(state)
            return call(state, []) if isinstance(value, Missing) else value

        return evaluate

    @staticmethod
    def _untraced(node: Variable) -> _Lenient:
        path, root = node.path, node.path[0]
        if len(path) == 1:

            def evaluate_member(state: RenderState) -> JsonValue | Missing:
                if root in state.variables:
                    return state.variables[root]
                return state.data.get(root, MISSING)

            return evaluate_member

        def evaluate(state: RenderState) -> JsonValue | Missing:
            value = find(state.variables, path)
            return find(state.data, path) if isinstance(value, Missing) else value

        return evaluate

    @staticmethod
    def _traced(node: Variable) -> _Lenient:
        path = node.path

        def evaluate(state: RenderState) -> JsonValue | Missing:
            value = find(state.variables, path)
            if not isinstance(value, Missing):
                state.read_variable(path[0])
                return value
            state.read_data(path)
            return find(state.data, path)

        return evaluate

    # -- operators

    def _chain(self, node: Binary) -> Evaluation:
        """Compile a chain that leans to the left into a loop over its right-hand sides."""
        steps: list[_Step] = []
        first: Expression = node
        while isinstance(first, Binary):
            steps.append(self._step(first))
            first = first.left
        start, last = self._lenient(first), steps.pop(0)
        if not steps:
            return lambda state: last(state, start(state))
        steps.reverse()

        def evaluate(state: RenderState) -> JsonValue:
            value = start(state)
            for step in steps:
                value = step(state, value)
            return last(state, value)

        return evaluate

    def _step(self, node: Binary) -> _Step:
        blamed = node.left if isinstance(node.left, Variable) else None
        if node.operator == ".":
            return self._member_step(node, blamed)
        right = self.compile(node.right)
        if node.operator in ("and", "or"):
            return _logical_step(right, blamed, stops_at=node.operator == "or")
        operate, position = OPERATIONS[node.operator], node.position

        def step(state: RenderState, left: JsonValue | Missing) -> JsonValue:
            operand = right(state)
            return operate(state, _present(left, blamed), operand, position)

        return step

    def _member_step(self, node: Binary, blamed: Variable | None) -> _Step:
        """``container . name``: the name must not be a variable that exists."""
        right, position = node.right, node.position
        read = self._lenient(right)

        def step(state: RenderState, left: JsonValue | Missing) -> JsonValue:
            found = read(state)
            if not isinstance(right, Variable) or not isinstance(found, Missing):
                raise render_error_at("could not find element with given name", position)
            return member(_present(left, blamed), right.name)

        return step

    # -- calls

    def _call(self, node: Call) -> Evaluation:
        if node.name == "default":
            return self._default(node)
        if node.name == "super":
            return self._super(node)
        function = self._functions[node.name]
        call = function.call
        if len(node.arguments) == 1:
            only = self.compile(node.arguments[0])
            if not function.reads:
                return lambda state: call(state, [only(state)])
            return lambda state: call(state, _charged(state, [only(state)]))
        arguments = self._arguments(node)
        return lambda state: call(state, _charged(state, arguments(state)))

    def _arguments(self, node: Call) -> Callable[[RenderState], list[JsonValue]]:
        readers = [(self._lenient(argument), argument) for argument in node.arguments]

        def evaluate(state: RenderState) -> list[JsonValue]:
            values = [read(state) for read, _ in readers]
            checked = [
                _present(value, argument if isinstance(argument, Variable) else None)
                for value, (_, argument) in zip(reversed(values), reversed(readers), strict=True)
            ]
            checked.reverse()
            return checked

        return evaluate

    def _default(self, node: Call) -> Evaluation:
        read = self._lenient(node.arguments[0])
        otherwise = self.compile(node.arguments[1])

        def evaluate(state: RenderState) -> JsonValue:
            value = read(state)
            return otherwise(state) if isinstance(value, Missing) else value

        return evaluate

    def _super(self, node: Call) -> Evaluation:
        """Fail: nothing can be extended here, so a block has no parent."""
        arguments = self._arguments(node)
        message = (
            "level of super() call does not match parent templates (between 1 and 0)"
            if self.in_block
            else "super() call is not within a block"
        )
        position: Position = node.position

        def evaluate(state: RenderState) -> JsonValue:
            for argument in arguments(state):
                to_int32(argument)
            raise render_error_at(message, position)

        return evaluate


def _charged(state: RenderState, arguments: list[JsonValue]) -> list[JsonValue]:
    """Charge for the text arguments of a function, so that no function forgets to; further work it charges itself."""
    for argument in arguments:
        if type(argument) is str:
            state.charge_text(argument)
    return arguments


def _present(value: JsonValue | Missing, blamed: Variable | None) -> JsonValue:
    if isinstance(value, Missing):
        assert blamed is not None, "only a variable can be missing"
        raise not_found(blamed)
    return value


def _logical_step(right: Evaluation, blamed: Variable | None, *, stops_at: bool) -> _Step:
    def step(state: RenderState, left: JsonValue | Missing) -> JsonValue:
        if truthy(_present(left, blamed)) is stops_at:
            return stops_at
        return truthy(right(state))

    return step
