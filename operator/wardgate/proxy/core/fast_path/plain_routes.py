"""Routes on which nothing but the key decides what becomes of a request.

Rule 1: one step authenticates, by an API key alone, and takes the key off.
Rule 2: nothing is transformed before that, nor any response; what is transformed after it reads no body, no dynamic
        part of the request, and of its headers only those that the key's Secret sets.
Rule 3: there is one destination.

On such a route a caller's other fields pass untouched, but for those that the route names: ``held`` ones may count for
its outcome, and ``dropped`` ones are taken off. A request with a held one is left to the exchange.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wardgate.inja import Template
from wardgate.proxy.core.auth.authentication import CompiledAuth
from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.fields.forwarded import NAMES
from wardgate.proxy.core.fields.key_copies import WATCHED
from wardgate.proxy.core.fields.pseudo import FIXED
from wardgate.proxy.core.fields.trace_context import TRACEPARENT
from wardgate.proxy.core.http1.request_head import SPECIAL
from wardgate.proxy.core.routing.plans import CompiledRoute, ForwardPlan
from wardgate.proxy.core.transform.surroundings import header_key
from wardgate.proxy.core.transform.transformation import CompiledMessage

REQUEST_ID = b"x-request-id"
_UNTOUCHED = FIXED | NAMES
"""Parts of a request line, and the gateway's words about its way: a plan that sets them is for the exchange."""
_CONTENT_TYPE = b"content-type"
_NO_KEYS = SPECIAL | {REQUEST_ID, TRACEPARENT}
"""Headers that the exchange never sees, where a key would always be missing, and those that the access log tells."""


@dataclass(frozen=True, slots=True)
class PlainRoute:
    """``auth`` reads its key from the header ``key``. All names are folded."""

    auth: CompiledAuth
    key: bytes
    held: frozenset[bytes]
    dropped: frozenset[bytes]


def plain_route(route: CompiledRoute, *, has_body: bool) -> PlainRoute | None:
    """Tell how a route treats a plain request, with a body or without; None: requests on it are not plain."""
    auth = route.auth
    if auth is None or auth.lone_key is None or route.pre or route.post_responses or not _leads_to_one(route):
        return None
    if auth.lone_key in _NO_KEYS:
        return None
    held = route.strip | auth.consumed | WATCHED
    dropped = frozenset[bytes]()
    for plan in route.post:
        message = plan.request
        if plan.recalculate or message is None or not _is_plain(message, auth):
            return None
        parts = message.parts
        held |= {fold(setting.name) for setting in (*parts.headers, *parts.append)}
        dropped |= {fold(name) for name in parts.remove}
        if not has_body and parts.spec.body_mode != "passthrough":
            dropped |= {_CONTENT_TYPE}
    if REQUEST_ID in held or REQUEST_ID in dropped or not _UNTOUCHED.isdisjoint(held | dropped):
        return None
    return PlainRoute(auth, auth.lone_key, held, dropped - held)


def _leads_to_one(route: CompiledRoute) -> bool:
    action = route.action
    return route.closed is None and isinstance(action, ForwardPlan) and action.destinations.only is not None


def _is_plain(message: CompiledMessage, auth: CompiledAuth) -> bool:
    """Whether a message reads nothing of a caller's; it runs behind authentication."""
    parts = message.parts
    if message.needs_body or parts.body is not None or any(each.header is None for each in parts.extractions):
        return False
    extracted = {each.header for each in parts.extractions if each.header is not None}
    templates = (
        *(each.template for each in (*parts.headers, *parts.append)),
        *(each.template for each in parts.metadata),
    )
    return _all_given(extracted, auth) and all(_reads_given(template, auth) for template in templates)


def _reads_given(template: Template | None, auth: CompiledAuth) -> bool:
    if template is None:
        return True
    reads = template.reads()
    if reads.headers is None or reads.request_headers is None:
        return False
    return _all_given(map(header_key, reads.headers | reads.request_headers), auth)


def _all_given(names: Iterable[bytes], auth: CompiledAuth) -> bool:
    """Whether these are headers that authentication takes off, whoever sent them, and only the key's Secret sets."""
    return all(fold(name) in auth.given for name in names)
