"""Plans of responses whose work depends on the status and a few fields.

Rule 1: such a plan reads fields of the response and sets or takes off others; it reads no body, nothing of the request,
        and no field of the connection.
Rule 2: what it makes is found by running it on the fields that it reads, among others, which must come out untouched.
Rule 3: what was made is remembered only where all fields that are read may be (``line_memory``), and are short; once
        for all callers of the route, who have no say in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.proxy.core.fast_path.line_memory import LONGEST, may_be_remembered, write_line
from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.fields.pseudo import FIXED
from wardgate.proxy.core.http1.response_reader import NOT_THE_UPSTREAMS
from wardgate.proxy.core.messages import Header, HeaderList, Incoming, Request
from wardgate.proxy.core.transform.message_view import RequestView, ResponseView
from wardgate.proxy.core.transform.surroundings import Surroundings, header_key
from wardgate.proxy.core.transform.transformation import CompiledMessage, CompiledTransformation, in_response_order

_OTHERS: Final[tuple[Header, ...]] = ((b"wardgate-other", b"untouched"),) * 8
_MOST: Final = 64
"""Combinations of a status and fields that are remembered."""
_STATUS: Final = b":status"


@dataclass(frozen=True, slots=True)
class AnswerFields:
    """Fields of a response that its plans ``read``, and that they take off or replace; folded names."""

    read: frozenset[bytes]
    dropped: frozenset[bytes]


def plain_answer(plans: Sequence[CompiledTransformation], *, metadata_headers: frozenset[str]) -> PlainAnswer | None:
    """Return what carries out a route's ``plans`` of responses; None: there are none, or they do more than rule 1 says.

    ``metadata_headers``: as ``Surroundings`` has them.
    """
    fields = _answer_fields(plans)
    return None if fields is None else PlainAnswer(plans, fields, metadata_headers=metadata_headers)


def _answer_fields(plans: Sequence[CompiledTransformation]) -> AnswerFields | None:
    read: set[bytes] = set()
    dropped: set[bytes] = set()
    found = in_response_order(plans)
    for plan, message in found:
        names = _read_by(message)
        if plan.owner or names is None:
            return None
        read |= names
        parts = message.parts
        dropped.update(fold(name) for name in (*(setting.name for setting in parts.headers), *parts.remove))
        if not FIXED.isdisjoint({*dropped, *(setting.name for setting in parts.append)}):
            return None
    if not found or not read.isdisjoint(FIXED | NOT_THE_UPSTREAMS):
        return None
    return AnswerFields(frozenset(read), frozenset(dropped))


def _read_by(message: CompiledMessage) -> set[bytes] | None:
    """Return the folded names of the fields that a message reads; None: it reads more than fields."""
    parts = message.parts
    if message.needs_body or parts.body is not None:
        return None
    names = {b"" if each.header is None else each.header for each in parts.extractions}
    settings = [each.template for each in (*parts.headers, *parts.append) if each.template is not None]
    for template in (*settings, *(each.template for each in parts.metadata)):
        reads = template.reads()
        if reads.headers is None or reads.request_headers is None or reads.request_headers or reads.metadata:
            return None
        names.update(map(header_key, reads.headers))
    return None if b"" in names else {fold(name) for name in names - {_STATUS}}


class PlainAnswer:
    """Writes what the plans of a route's responses add to each of them. ``fields``: those that they touch."""

    __slots__ = ("_known", "_metadata_headers", "_plans", "_remembers", "fields")

    def __init__(
        self,
        plans: Sequence[CompiledTransformation],
        fields: AnswerFields,
        *,
        metadata_headers: frozenset[str],
    ) -> None:
        self._plans = in_response_order(plans)
        self.fields = fields
        self._metadata_headers = metadata_headers
        self._remembers = all(map(may_be_remembered, fields.read))
        self._known: dict[tuple[int, tuple[Header, ...]], bytes] = {}

    def given(self, status: int, reading: HeaderList) -> bytes | None:
        """Return the lines that are added to a response with these fields; None: the exchange has to say."""
        which = (status, tuple(reading))
        lines = self._known.get(which)
        if lines is None:
            lines = self._find(status, reading)
            if lines is not None and self._remembers and sum([len(value) for _, value in reading]) <= LONGEST:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[which] = lines
        return lines

    def _find(self, status: int, reading: HeaderList) -> bytes | None:
        around = Surroundings(RequestView(Request(b"", b"", None, b"", [])))
        around.metadata_headers = self._metadata_headers
        incoming = Incoming(status, [*_OTHERS, *reading])
        view = ResponseView(incoming)
        for _, message in self._plans:
            if message.run(view, around) is not None:
                return None
        kept = [*_OTHERS, *(field for field in reading if fold(field[0]) not in self.fields.dropped)]
        if incoming.status != status or incoming.body is not None or incoming.headers[: len(kept)] != kept:
            return None
        return b"".join([write_line(name, value) for name, value in incoming.headers[len(kept) :]])
