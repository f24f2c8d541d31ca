"""The state of one rendering: variables, output, and the budget of its message.

``variables`` is the library's second data object: loop variables, ``set`` variables and ``loop``. Values are shared,
never copied. A container may be changed in place only while this rendering owns it: it made the container, and no
second reference to it exists since.

For invariant 4 a traced rendering also knows the headers that an expression read and found empty (``taint``), and the
variables that hold a value derived from such a reading (``taints``).
"""

from __future__ import annotations

from typing import Final

from wardgate.inja.context import Context
from wardgate.inja.errors import LimitError, RenderError
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.pointer import Path, member_index, unresolved
from wardgate.inja.values import JsonValue, byte_length, type_error, type_name

_NOTHING: Final[frozenset[str]] = frozenset()
_APPEND: Final = "-"


class RenderState:
    """One rendering of one template."""

    __slots__ = (
        "_owned",
        "_pieces",
        "_room",
        "charge",
        "charge_text",
        "context",
        "data",
        "hollow",
        "limits",
        "printed",
        "taint",
        "taints",
        "variables",
    )

    def __init__(self, context: Context, limits: TemplateLimits) -> None:
        data = context.data
        self.context = context
        self.charge = context.budget.charge
        self.charge_text = context.budget.charge_text
        self.limits = limits
        self.data: dict[str, JsonValue] = data if type(data) is dict else {}
        self.variables: dict[str, JsonValue] = {"loop": None}
        self.hollow: list[tuple[Path, str]] = []
        self.taint: set[str] = set()
        self.taints: dict[str, frozenset[str]] = {}
        self.printed: set[str] = set()
        self._room = limits.output_bytes
        self._pieces: list[str] = []
        self._owned: dict[int, JsonValue] = {}

    # -- output

    def emit(self, text: str) -> None:
        """Print a text. Raises ``LimitError``."""
        self.charge_text(text)
        self._room -= byte_length(text)
        if self._room < 0:
            msg = f"The template printed more than {self.limits.output_bytes} bytes."
            raise LimitError(msg)
        self._pieces.append(text)

    def output(self) -> str:
        """Return all printed text."""
        return "".join(self._pieces)

    # -- variables

    def let_out(self) -> None:
        """Give up ownership of all containers: one is about to get a second reference, so none may change in place."""
        self._owned.clear()

    def store(self, path: Path, value: JsonValue) -> None:
        """Carry out ``set``; as in the library, missing containers on the path are created."""
        if isinstance(value, list | dict):
            # The value gets a second reference: the variable.
            self.let_out()
            if len(path) > 1:
                self._measure(value, len(path))
        if len(path) > self.limits.nesting:
            msg = f"A variable's name has more than {self.limits.nesting} parts."
            raise LimitError(msg)
        self.variables[path[0]] = self._changed(self.variables.get(path[0]), path[1:], value=value)

    def _changed(self, current: JsonValue, path: Path, *, value: JsonValue) -> JsonValue:
        """Return ``current`` with ``value`` at ``path``, changed in place where this rendering owns it."""
        if not path:
            return value
        token = path[0]
        if current is None:
            is_index = _means_index(token)
            current = self._own([] if is_index else {})
        elif isinstance(current, list | dict) and id(current) not in self._owned:
            self.charge(1 + (len(current) >> 3))
            current = self._own(current.copy())
        if type(current) is dict:
            current[token] = self._changed(current.get(token), path[1:], value=value)
        elif type(current) is list:
            index = self._make_room(current, token)
            current[index] = self._changed(current[index], path[1:], value=value)
        else:
            raise unresolved(token)
        return current

    def _own(self, container: list[JsonValue] | dict[str, JsonValue]) -> list[JsonValue] | dict[str, JsonValue]:
        self._owned[id(container)] = container
        return container

    def _make_room(self, members: list[JsonValue], token: str) -> int:
        """Return the index that a token means, after filling the array with nulls up to it."""
        if token == _APPEND:
            index = len(members)
        elif len(token) > 1 and token[0] == "0" and token.isdigit():
            raise RenderError(_leading_zero(token))
        else:
            found = member_index(token)
            if found is None:
                raise unresolved(token)
            index = found
        missing = index + 1 - len(members)
        if missing > 0:
            self.charge(1 + (missing >> 3))
            members.extend([None] * missing)
        return index

    def _measure(self, value: list[JsonValue] | dict[str, JsonValue], depth: int) -> None:
        """Refuse a container that would become too deep. Walking over shared parts is charged like any other work."""
        level = [value]
        while level:
            depth += 1
            if depth > self.limits.value_depth:
                msg = f"A variable is nested more than {self.limits.value_depth} levels deep."
                raise LimitError(msg)
            level = [child for container in level for child in self._containers_in(container)]

    def _containers_in(
        self, container: list[JsonValue] | dict[str, JsonValue]
    ) -> list[list[JsonValue] | dict[str, JsonValue]]:
        self.charge(1 + (len(container) >> 2))
        members = container.values() if isinstance(container, dict) else container
        return [member for member in members if isinstance(member, list | dict)]

    # -- the variable ``loop``

    def loop_variable(self) -> dict[str, JsonValue]:
        """Return a copy of ``loop`` for the caller to change and store; it must be an object or null."""
        loop = self.variables["loop"]
        if loop is None:
            return {}
        if type(loop) is dict:
            return dict(loop)
        text = f"cannot use operator[] with a string argument with {type_name(loop)}"
        raise type_error(305, text)

    # -- tracing

    def start_tracing(self, *, advanced: bool) -> None:
        """Learn which extractors are hollow; with ``advancedTemplates`` the data holds none of them."""
        if advanced:
            return
        self.hollow = [(tuple(name.split(".")), header) for name, header in self.context.hollow.items()]

    def read_data(self, path: Path) -> None:
        """Record the reading of a path of the data: extractors on it, above it and below it."""
        self.charge(len(self.hollow))
        for extractor, header in self.hollow:
            common = min(len(extractor), len(path))
            if extractor[:common] == path[:common]:
                self.taint.add(header)

    def read_variable(self, name: str) -> None:
        """Record the reading of a loop or ``set`` variable."""
        self.taint |= self.taints.get(name, _NOTHING)

    def taint_variable(self, name: str, *, keep: bool = False) -> None:
        """Record that the variable now holds a value derived from the readings of this statement."""
        before = self.taints.get(name, _NOTHING) if keep else _NOTHING
        self.taints[name] = before | self.taint


def _means_index(token: str) -> bool:
    """Tell whether a token makes an array out of null; the empty token does, and then fails."""
    return token in ("", _APPEND) or (token.isascii() and token.isdigit())


def _leading_zero(token: str) -> str:
    return f"[json.exception.parse_error.106] parse error: array index '{token}' must not begin with '0'"
