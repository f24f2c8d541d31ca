"""Routes on which little decides what becomes of a request: the key, a few fields, and perhaps the body.

Rule 1: one step authenticates, by an API key alone, and takes the key off.
Rule 2: what is transformed reads no dynamic part of the request, and of its headers only those that the key's Secret
        sets, and ``read`` ones: fields of the caller's whose names speak of no secret.
Rule 3: one plan, the first of all, may make a new body of the old one, if nothing else in it reads the body.
Rule 4: of a response its plans read and set fields only (``plain_answers``).
Rule 5: a tenant's plans read and do less: they come after authentication, and read what the Secret sets.

On such a route a caller's other fields pass untouched, but for those that the route names: ``held`` ones may count for
its outcome, and ``dropped`` ones are taken off. A request with a held one is left to the exchange.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wardgate.inja.template import Template
from wardgate.proxy.core.auth.authentication import CompiledAuth
from wardgate.proxy.core.fast_path.copying import only_copies
from wardgate.proxy.core.fast_path.line_memory import may_hold_secret
from wardgate.proxy.core.fast_path.plain_answers import PlainAnswer, plain_answer
from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.fields.forwarded import NAMES
from wardgate.proxy.core.fields.key_copies import WATCHED
from wardgate.proxy.core.fields.pseudo import FIXED
from wardgate.proxy.core.fields.trace_context import TRACEPARENT
from wardgate.proxy.core.http1.request_head import SPECIAL
from wardgate.proxy.core.routing.plans import CompiledRoute, ForwardPlan
from wardgate.proxy.core.transform.parts import Parts
from wardgate.proxy.core.transform.surroundings import header_key
from wardgate.proxy.core.transform.transformation import CompiledMessage, CompiledTransformation
from wardgate.proxy.core.upstream.destinations import Destinations

REQUEST_ID = b"x-request-id"
_UNTOUCHED = FIXED | NAMES
"""Parts of a request line, and the gateway's words about its way: a plan that sets them is for the exchange."""
_CONTENT_TYPE = b"content-type"
_NO_KEYS = SPECIAL | {REQUEST_ID, TRACEPARENT}
"""Headers that the exchange never sees, where a key would always be missing, and those that the access log tells."""
_UNREADABLE = _NO_KEYS | _UNTOUCHED | {_CONTENT_TYPE}
"""Headers that are no lines of the request as it is sent on, or not always."""


@dataclass(frozen=True, slots=True)
class PlainFields:
    """The treatment of a caller's fields on a route; ``key`` is that of the key. All names are folded.

    Most routes of a config do the same, and know each other's lines.
    """

    key: bytes
    held: frozenset[bytes]
    dropped: frozenset[bytes]
    read: frozenset[bytes]


@dataclass(frozen=True, slots=True, eq=False)
class PlainRoute:
    """``auth`` reads its key as ``fields`` say.

    ``body``: makes the new body; None: it passes. ``answer`` None: nothing is done to responses. ``refuses``: a key
    that is not good is refused, whatever else the request holds. ``copies``: what the key's Secret gives is put in its
    places as it is (``copying``).
    """

    auth: CompiledAuth
    fields: PlainFields
    body: CompiledMessage | None
    answer: PlainAnswer | None
    destinations: Destinations
    refuses: bool
    copies: bool


def plain_route(route: CompiledRoute, *, has_body: bool) -> PlainRoute | None:
    """Tell how a route treats a plain request, with a body or without; None: requests on it are not plain."""
    auth, action, responses = route.auth, route.action, route.pre_responses + route.post_responses
    if auth is None or auth.lone_key is None or auth.lone_key in _NO_KEYS or route.closed is not None:
        return None
    if not isinstance(action, ForwardPlan) or action.destinations.lead_nowhere or action.asks_identity:
        return None
    answer = plain_answer(responses, metadata_headers=auth.metadata_headers)
    if responses and answer is None:
        return None
    plans = _Plans(route, auth, has_body=has_body)
    if not plans.are_plain():
        return None
    return PlainRoute(
        auth,
        PlainFields(auth.lone_key, held=plans.held, dropped=plans.dropped - plans.held, read=plans.read),
        body=plans.body,
        answer=answer,
        destinations=action.destinations,
        refuses=not route.pre,
        copies=plans.body is None and only_copies(route, auth.given),
    )


class PlainRoutes:
    """The plain routes of a table, each found once. Those that do the same with fields share their ``PlainFields``."""

    __slots__ = ("_fields", "_found")

    def __init__(self) -> None:
        self._found: dict[tuple[CompiledRoute, bool], PlainRoute | None] = {}
        self._fields: dict[PlainFields, PlainFields] = {}

    def of(self, route: CompiledRoute, *, has_body: bool) -> PlainRoute | None:
        """Return what ``plain_route`` does."""
        which = (route, has_body)
        if which not in self._found:
            found = plain_route(route, has_body=has_body)
            if found is not None:
                found = replace(found, fields=self._fields.setdefault(found.fields, found.fields))
            self._found[which] = found
        return self._found[which]


class _Plans:
    """Reads what the plans of a route do to requests, one plan after the other."""

    def __init__(self, route: CompiledRoute, auth: CompiledAuth, *, has_body: bool) -> None:
        self._route = route
        self._auth = auth
        self._has_body = has_body
        self._guarded = route.strip | auth.consumed | WATCHED
        self.held = self._guarded
        self.dropped: frozenset[bytes] = frozenset()
        self.read: frozenset[bytes] = frozenset()
        self.body: CompiledMessage | None = None

    def are_plain(self) -> bool:
        """Whether all of them are; what they do is known then."""
        route = self._route
        if route.pre and route.veil_on_arrival is not None:
            return False
        plans = route.pre + route.post
        if not all(self._take(plan, is_first=number == 0) for number, plan in enumerate(plans)):
            return False
        touched = self.held | self.dropped
        if REQUEST_ID in touched or not _UNTOUCHED.isdisjoint(touched):
            return False
        return self.read.isdisjoint(touched | _UNREADABLE) and not any(map(may_hold_secret, self.read))

    def _take(self, plan: CompiledTransformation, *, is_first: bool) -> bool:
        message = plan.request
        if plan.recalculate or (message is None and plan.response is None):
            return False
        if message is None:
            return True
        is_early, parts = plan.phase == "pre", message.parts
        if message.needs_body and not (is_first and not plan.owner and self._takes_body(message)):
            return False
        if plan.owner and is_early:
            return False
        sees_given = not (is_early or message.needs_body)
        if not self._reads(parts, sees_given=sees_given, sees_callers=not plan.owner):
            return False
        return self._writes(parts, is_early=is_early)

    def _takes_body(self, message: CompiledMessage) -> bool:
        """Let a message make the new body; False: more than that depends on the old one."""
        parts = message.parts
        if parts.body is None or parts.body.reads().metadata or not self._has_body:
            return False
        defined = frozenset[str]() if parts.spec.advanced else frozenset(each.name for each in parts.extractions)
        if any(template.may_read_body(defined) for template in _templates(parts)):
            return False
        self.body = message
        return True

    def _reads(self, parts: Parts, *, sees_given: bool, sees_callers: bool) -> bool:
        """Note what is read; False: it is more than fields of these kinds."""
        names = _read_by([*_templates(parts), *([] if parts.body is None else [parts.body])])
        if names is None:
            return False
        for extraction in parts.extractions:
            if extraction.header is None:
                return False
            names.add(extraction.header)
        for name in map(fold, names):
            if not (sees_given and name in self._auth.given):
                if not sees_callers:
                    return False
                self.read |= {name}
        return True

    def _writes(self, parts: Parts, *, is_early: bool) -> bool:
        """Note what is set and taken off; False: authentication would see it."""
        named = {fold(setting.name) for setting in (*parts.headers, *parts.append)}
        removed = {fold(name) for name in parts.remove}
        if is_early and not self._guarded.isdisjoint(named | removed):
            return False
        self.held |= named
        self.dropped |= removed
        if not self._has_body and parts.spec.body_mode != "passthrough":
            self.dropped |= {_CONTENT_TYPE}
        return True


def _templates(parts: Parts) -> list[Template]:
    """List the templates beside the body's."""
    settings = [each.template for each in (*parts.headers, *parts.append) if each.template is not None]
    return [*settings, *(each.template for each in parts.metadata)]


def _read_by(templates: Iterable[Template]) -> set[bytes] | None:
    """Return the names of the headers that templates read; None: any."""
    names: set[bytes] = set()
    for template in templates:
        reads = template.reads()
        if reads.headers is None or reads.request_headers is None:
            return None
        names.update(map(header_key, reads.headers | reads.request_headers))
    return names
