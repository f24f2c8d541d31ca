"""Whether a template may read the body, known before any request.

The answer decides whether a request's body must be buffered and parsed for a template, so every doubt is answered with
yes. A variable is harmless only if it is certain to be found before the body is searched: an extractor of the same
transformation defines it, or a ``set`` or a loop that must have run before. A path *below* a variable is not certain: a
member that the variable's value lacks is looked up in the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wardgate.inja.nodes import Call, Constant, Expression, For, If, Set, Statement, Variable
from wardgate.inja.pointer import Path, PointerError, dotted_path, pointer_path
from wardgate.inja.tree import bodies_of, expression_of, parts_of

_BODY_FUNCTIONS: Final = frozenset({"body", "context"})
_LOOP_MEMBERS: Final = frozenset({"index", "index1", "is_first", "is_last"})


def may_read_body(statements: Sequence[Statement], defined: frozenset[str], *, advanced: bool) -> bool:
    """Tell whether a rendering may depend on the body. ``defined`` are the names of the transformation's extractors."""
    extractors = frozenset() if advanced else frozenset(tuple(name.split(".")) for name in defined)
    return _BodyAnalysis(extractors).reads(statements, set(), in_loop=False)


class _BodyAnalysis:
    def __init__(self, extractors: frozenset[Path]) -> None:
        self._extractors = extractors

    def reads(self, statements: Sequence[Statement], known: set[Path], *, in_loop: bool) -> bool:
        """Tell whether these statements may read the body; add the paths that they certainly define to ``known``."""
        for statement in statements:
            if self._expression_reads(expression_of(statement), known, in_loop=in_loop):
                return True
            if isinstance(statement, Set):
                _define(known, statement.name)
            elif isinstance(statement, If):
                if any(self.reads(body, set(known), in_loop=in_loop) for body in bodies_of(statement)):
                    return True
            elif isinstance(statement, For):
                known |= {(name,) for name in (statement.key, statement.value) if name}
                if self.reads(statement.body, set(known), in_loop=True):
                    return True
            elif any(self.reads(body, known, in_loop=in_loop) for body in bodies_of(statement)):
                return True
        return False

    def _expression_reads(self, expression: Expression | None, known: set[Path], *, in_loop: bool) -> bool:
        return any(
            (isinstance(part, Variable) and not self._is_certain(part.path, known, in_loop=in_loop))
            or (isinstance(part, Call) and self._call_reads(part))
            for part in parts_of(expression)
        )

    def _is_certain(self, path: Path, known: set[Path], *, in_loop: bool) -> bool:
        if path in known or self._is_extracted(path):
            return True
        is_loop_member = len(path) == 2 and path[1] in _LOOP_MEMBERS
        return path[0] == "loop" and (len(path) == 1 or (in_loop and is_loop_member))

    def _is_extracted(self, path: Path) -> bool:
        """A path through an extractor's value ends at that value, whatever the body's content."""
        return any(path[:end] in self._extractors for end in range(1, len(path) + 1))

    def _call_reads(self, call: Call) -> bool:
        if call.name in _BODY_FUNCTIONS:
            return True
        if call.name != "exists":
            return False
        argument = call.arguments[0]
        if not isinstance(argument, Constant) or not isinstance(argument.value, str):
            return True
        try:
            return not self._exists_is_certain(dotted_path(argument.value))
        except PointerError:
            return False  # an error of the rendering, with every body

    def _exists_is_certain(self, path: Path) -> bool:
        """Extractors always exist, and so does everything on the way to them."""
        return self._is_extracted(path) or any(name[: len(path)] == path for name in self._extractors)


def _define(known: set[Path], name: str) -> None:
    """A ``set`` defines its path and all above it, and forgets what an older one defined below it."""
    try:
        path = pointer_path(name.replace(".", "/"))
    except PointerError:
        return
    known -= {other for other in known if other[: len(path)] == path}
    known |= {path[:end] for end in range(1, len(path) + 1)}
