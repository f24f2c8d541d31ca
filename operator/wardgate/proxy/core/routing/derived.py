"""Traces of a token behind a route's transformations, known from the templates before any request.

Authentication puts the token into headers; a platform's transformation may print it, or a part of it, into others, into
the body, the path or dynamic metadata, and the next one may go on from there. Whatever a template could have taken from
something hidden is hidden as well. A tenant's transformation passes nothing on, because it sees nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from wardgate.field_names import CREDENTIAL_HEADERS
from wardgate.inja.template import Template
from wardgate.proxy.core.auth.authentication import CompiledAuth
from wardgate.proxy.core.fields.folded import fold, folded_names
from wardgate.proxy.core.transform.surroundings import header_key
from wardgate.proxy.core.transform.transformation import CompiledMessage, CompiledTransformation
from wardgate.proxy.core.transform.veil import Hidden, Veil, names_of

_CREDENTIALS = folded_names(CREDENTIAL_HEADERS)


def veil_over(auth: CompiledAuth, plans: Iterable[CompiledTransformation], *, owner: str) -> Veil:
    """Return the veil before transformations of ``owner`` on a route with this authentication and these plans.

    Under another owner's authentication that is every credential of the caller's too, wherever it may stand.
    """
    names = auth.secret_headers if auth.owner == owner else auth.secret_headers | _CREDENTIALS
    return spread(Veil(Hidden(names)), plans)


def veil_on_arrival(
    auth: CompiledAuth, plans: Iterable[CompiledTransformation], *, owner: str, foreign: frozenset[bytes]
) -> Veil | None:
    """Return the veil before transformations of ``owner`` ahead of authentication. ``foreign``: others' key headers."""
    if auth.owner != owner:
        return veil_over(auth, plans, owner=owner)
    contested = foreign & auth.keys
    return Veil(Hidden(contested)) if contested else None


def unseen(auth: CompiledAuth | None, *, owner: str, foreign: frozenset[bytes]) -> frozenset[bytes]:
    """Return the headers that matchers of ``owner`` may not tell apart requests by; folded names."""
    if not owner or auth is None or auth.owner == owner:
        return foreign
    return foreign | auth.secret_headers | _CREDENTIALS


def spread(veil: Veil, plans: Iterable[CompiledTransformation]) -> Veil:
    """Return a veil that also hides all that these plans, in the order of requests, may make of hidden parts."""
    trusted = [plan for plan in plans if not plan.owner]
    request, response = _Message(veil.request), _Message(veil.response)
    metadata = set(veil.metadata)
    for plan in trusted:
        if plan.request is not None:
            request.pass_through(plan.request, request_names=request.names, metadata=metadata)
    for plan in reversed(trusted):
        if plan.response is not None:
            response.pass_through(plan.response, request_names=request.names, metadata=metadata)
    return Veil(request.hidden, response.hidden, frozenset(metadata))


class _Message:
    """A request or a response on its way; ``names`` and ``body`` are the parts that are hidden so far."""

    def __init__(self, hidden: Hidden) -> None:
        self.names = set(hidden.names)
        self.body = hidden.body

    @property
    def hidden(self) -> Hidden:
        return Hidden(frozenset(self.names), self.body)

    def pass_through(
        self, message: CompiledMessage, *, request_names: set[bytes], metadata: set[tuple[str, str]]
    ) -> None:
        """Hide all that one transformation makes of hidden parts, in the order of its steps; add to ``metadata``."""
        parts = message.parts
        headers = [each.header for each in parts.extractions if each.header is not None]
        data = self.body or any(fold(header) in self.names for header in headers)

        def is_derived(template: Template | None) -> bool:
            if template is None:
                return False
            reads = template.reads()
            return (
                _meet(reads.headers, self.names)
                or _meet(reads.request_headers, request_names)
                or (reads.data and data)
                or (reads.metadata and bool(metadata))
            )

        body = is_derived(parts.body) if parts.body is not None else data if message.merges else self.body
        for value in parts.metadata:
            if is_derived(value.template):
                metadata.add((value.namespace, value.key))
        for setting in (*parts.headers, *parts.append):
            if is_derived(setting.template):
                self.names |= names_of(setting.name)
        self.body = body


def _meet(read: frozenset[str] | None, names: set[bytes]) -> bool:
    """Whether one of the headers that are read, None for any, is among the hidden ones."""
    if read is None:
        return bool(names)
    return any(fold(header_key(name)) in names for name in read)
