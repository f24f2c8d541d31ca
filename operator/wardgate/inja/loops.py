"""``for`` loops, with all their lasting effects.

The library keeps the loop's own data in the ordinary variable ``loop``, and its changes are visible. An inner loop over
an array inherits the outer loop's members and adds ``parent``; one over an object starts afresh. After the outermost
loop ``loop`` keeps its last state; the loop variable is emptied but stays. Templates that never look at ``loop`` are
spared the bookkeeping.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from wardgate.inja.errors import render_error_at
from wardgate.inja.expressions import Evaluation
from wardgate.inja.nodes import For
from wardgate.inja.state import RenderState
from wardgate.inja.values import JsonValue, cleared, is_empty, sorted_keys

Action: TypeAlias = Callable[[RenderState], None]
_STEPS: Final = 1
_STEPS_OF_LOOP: Final = 4


def compile_loop(node: For, subject: Evaluation, *, body: Action, keeps_loop: bool, trace: bool) -> Action:
    """Compile one loop; ``subject`` and ``body`` are compiled already."""
    names = [node.value] if node.key is None else [node.key, node.value]
    steps = _STEPS + (_STEPS_OF_LOOP if keeps_loop else 0)

    def run(state: RenderState) -> None:
        rounds = _rounds(node, subject(state), state=state)
        state.let_out()
        if trace:
            for name in (*names, "loop"):
                state.taint_variable(name, keep=name == "loop")
        if keeps_loop:
            _begin(state, len(rounds), inherits=node.key is None)
        for index, values in enumerate(rounds):
            state.charge(steps)
            for name, value in zip(names, values, strict=True):
                state.variables[name] = value
            if keeps_loop:
                _advance(state, index, len(rounds))
            body(state)
        for name in names:
            state.variables[name] = cleared(state.variables.get(name))
        if keeps_loop:
            _end(state)

    return run


def _rounds(node: For, subject: JsonValue, *, state: RenderState) -> list[tuple[JsonValue, ...]]:
    """Return the values of the loop's variables, round by round."""
    if node.key is None:
        if type(subject) is not list:
            raise render_error_at("object must be an array", node.position)
        state.charge(len(subject) >> 2)
        return [(value,) for value in subject]
    if type(subject) is not dict:
        raise render_error_at("object must be an object", node.position)
    return [(key, subject[key]) for key in sorted_keys(subject, state)]


def _begin(state: RenderState, rounds: int, *, inherits: bool) -> None:
    outer = state.variables["loop"]
    if is_empty(outer):
        loop = state.loop_variable()
    elif inherits:
        loop = state.loop_variable() | {"parent": outer}
    else:
        loop = {"parent": outer}
    state.variables["loop"] = loop | {"is_first": True, "is_last": rounds <= 1}


def _advance(state: RenderState, index: int, rounds: int) -> None:
    loop = state.loop_variable()
    loop["index"] = index
    loop["index1"] = index + 1
    if index == 1:
        loop["is_first"] = False
    if index == rounds - 1:
        loop["is_last"] = True
    state.variables["loop"] = loop


def _end(state: RenderState) -> None:
    loop = state.loop_variable()
    parent: JsonValue = loop.setdefault("parent", None)
    state.variables["loop"] = loop if is_empty(parent) else parent
