"""Outcomes of plain requests, found by sending a bare one through the exchange.

The bare request carries as many other fields as a plain one may have, and a field of each name that the route drops.
The former must come out untouched, and the latter not at all: a plan that does anything to a field that it does not
name is found out by that, and its requests are not plain.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Final

from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.fast_path.line_memory import KnownLines, write_line
from wardgate.proxy.core.fast_path.moulds import Mould
from wardgate.proxy.core.fast_path.plain_answers import PlainAnswer
from wardgate.proxy.core.fast_path.plain_responses import PlainResponses
from wardgate.proxy.core.fast_path.plain_routes import PlainRoute
from wardgate.proxy.core.messages import Facts, Header, HeaderList, NeedBody, Outgoing, Reply, Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.redaction import is_long_enough, redact_escaped
from wardgate.proxy.core.routing.table import CompiledListener, Table
from wardgate.proxy.core.upstream.destinations import CompiledUpstream
from wardgate.text_codec import from_bytes, to_bytes

MOST_FIELDS: Final = 48
"""Of a plain request, Host included."""
_OTHERS: Final[tuple[Header, ...]] = ((b"wardgate-other", b"untouched"),) * MOST_FIELDS
_NOBODY: Final = Caller()
_MOST_READINGS: Final = 64
_PERCENT: Final = ord("%")


class Way:
    """The way of a request line and a Host, with a body or without.

    ``bare``: the request without a query, a key or any other field. ``route`` None: requests that go there are not
    plain. ``known``: lines that the route lets pass, with the bytes that are sent on for them. ``refusals``: of
    requests without a key, and of those with one that nobody has. ``responses``: reads the responses, where plans have
    a say in them.
    """

    __slots__ = ("_readings", "bare", "known", "refusals", "responses", "route")

    def __init__(
        self,
        bare: Request,
        *,
        route: PlainRoute | None,
        known: KnownLines,
        responses: PlainResponses | None = None,
    ) -> None:
        self.bare = bare
        self.route = route
        self.known = known
        self.responses = responses
        self.refusals: dict[ReplyReason, PlainRefusal] = {}
        self._readings: tuple[bytes, ...] = ()

    def takes(self, reading: bytes) -> bool:
        """Whether requests with the fields of this digest are worth an outcome.

        Where they differ with each request, to find it would cost more than the exchange does.
        """
        if reading not in self._readings:
            if len(self._readings) >= _MOST_READINGS:
                return False
            self._readings += (reading,)
        return True


@dataclass(frozen=True, slots=True)
class Asked:
    """All of a plain request that counts, beside its way.

    ``key``: the field that holds it; ``reading``: fields that plans read; ``body``: of which a plan has made another
    one, ``made``; None: it passes. ``drawn``: the number that chooses the destination.
    """

    key: Header
    reading: HeaderList
    body: bytes
    made: bytes | None
    drawn: int


class PlainRefusal:
    """The answer to plain requests without a good key, whatever they hold. ``written``: as it is in this ``second``.

    ``told``: as in ``PlainOutcome``.
    """

    __slots__ = ("facts", "reply", "second", "told", "written")

    def __init__(self, reply: Reply, facts: Facts) -> None:
        self.reply = reply
        self.facts = facts
        self.second = -1
        self.written = b""
        self.told = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """The part that the outcomes of many keys share; fields as in ``PlainOutcome``, ``facts`` without the key."""

    start: bytes
    end: bytes
    upstream: CompiledUpstream
    auto_host: bool
    drawn: int
    answer: PlainAnswer | None
    facts: Facts


class PlainOutcome:
    """The outcome of a key on a way, by ``credentials``, the index of keys that it was found in.

    ``start`` and ``end``: the request line and Host as they are sent on, before the query and behind it; with
    ``auto_host`` the dialled endpoint's name stands in the place of ``end``. ``given``: the lines that are added. The
    bare key stands behind ``key_at`` bytes of its field. ``path``: as the access log shows it. ``secrets``: what
    the provider knows, and no text may show. ``drawn``: a number that chooses this destination. ``answer``: what plans
    do to the response. ``searched``: the mould whose runs are known to hold no copy of the key. ``told``: what all
    its lines of the access log say, once there is one.
    """

    __slots__ = (
        "answer",
        "auto_host",
        "credential",
        "credentials",
        "drawn",
        "end",
        "facts",
        "given",
        "holder",
        "is_told",
        "key_at",
        "path",
        "searched",
        "secrets",
        "start",
        "told",
        "upstream",
    )

    def __init__(
        self,
        passage: Passage,
        *,
        given: bytes,
        facts: Facts,
        holder: Hashable,
        path: bytes,
        credential: CompiledCredential,
        credentials: CredentialIndex,
        key_at: int,
    ) -> None:
        self.start = passage.start
        self.end = passage.end
        self.given = given
        self.upstream = passage.upstream
        self.auto_host = passage.auto_host
        self.is_told = passage.upstream.send_forwarded
        self.drawn = passage.drawn
        self.answer = passage.answer
        self.facts = facts
        self.holder = holder
        self.path = path
        self.credential = credential
        self.credentials = credentials
        self.key_at = key_at
        self.secrets = tuple([secret for secret in credential.raw.values() if is_long_enough(secret)])
        self.searched: Mould | None = None
        self.told = ""

    def passage(self) -> Passage:
        """Return what it has in common with the outcomes of other keys."""
        return Passage(
            self.start,
            self.end,
            self.upstream,
            auto_host=self.auto_host,
            drawn=self.drawn,
            answer=self.answer,
            facts=self.facts.of_key(""),
        )

    def equals(self, other: PlainOutcome) -> bool:
        """Whether requests come to the same by another outcome."""
        return (
            (self.start, self.end, self.given, self.path, self.key_at, self.secrets)
            == (other.start, other.end, other.given, other.path, other.key_at, other.secrets)
            and (self.upstream, self.auto_host, self.drawn) == (other.upstream, other.auto_host, other.drawn)
            and (self.facts, self.holder) == (other.facts, other.holder)
            and (self.answer is None) == (other.answer is None)
            and self.credential is other.credential
            and self.credentials is other.credentials
        )


def end_of_line(host: bytes) -> bytes:
    """Write the end of a request line, and Host."""
    return b" HTTP/1.1\r\nhost: %b\r\n" % host


def refusal_of(
    way: Way,
    key: bytes,
    *,
    reason: ReplyReason,
    table: Table,
    listener: CompiledListener,
    credentials: CredentialIndex,
) -> PlainRefusal | None:
    """Send a bare request with this key, or without one, through the exchange; None: it is not refused for that."""
    route = way.route
    assert route is not None, "Asked only of plain routes."
    bare = replace(way.bare, headers=[(route.fields.key, key)] if key else [])
    exchange = Exchange(table, credentials, listener=listener, request=bare, caller=_NOBODY, now=0.0, pick=lambda _: 0)
    reply = exchange.start()
    if not isinstance(reply, Reply) or reply.reason != reason:
        return None
    return PlainRefusal(reply, exchange.facts)


def outcome_of(
    way: Way, asked: Asked, *, table: Table, listener: CompiledListener, credentials: CredentialIndex, now: float
) -> PlainOutcome | None:
    """Send a bare request with the same key and fields through the exchange.

    None: it is not sent on as a plain one would be.
    """
    route, key, drawn = way.route, asked.key, asked.drawn
    assert route is not None, "Asked only of plain routes."
    untouched = [*_OTHERS, *asked.reading]
    dropped = [(name, b"dropped") for name in sorted(route.fields.dropped)]
    bare = replace(way.bare, headers=[*untouched, *dropped, key])
    exchange = Exchange(
        table, credentials, listener=listener, request=bare, caller=_NOBODY, now=now, pick=lambda _: drawn
    )
    outgoing = exchange.start()
    if isinstance(outgoing, NeedBody) and asked.made is not None:
        outgoing = exchange.advance(asked.body)
    if not isinstance(outgoing, Outgoing) or outgoing.body != asked.made or len(exchange.credentials_used) != 1:
        return None
    size = 1 + len(untouched)
    others, given = outgoing.headers[1:size], outgoing.headers[size:]
    (proof,) = bare.hidden_keys
    if others != untouched or not key[1].endswith(proof) or any(name in route.fields.dropped for name, _ in given):
        return None
    # A new body may take half of the work that is allowed (``new_body``), so the rest has to do with the other half.
    if route.body is not None and exchange.around.spent > route.body.parts.limits.steps // 2:
        return None
    (credential,) = exchange.credentials_used
    passage = Passage(
        start=b"%b %b" % (outgoing.method, outgoing.target),
        end=end_of_line(outgoing.headers[0][1]),
        upstream=outgoing.upstream,
        auto_host=outgoing.auto_host,
        drawn=drawn,
        answer=route.answer,
        facts=exchange.facts,
    )
    return PlainOutcome(
        passage,
        given=b"".join([write_line(name, value) for name, value in given]),
        facts=exchange.facts,
        holder=exchange.holder,
        path=shown_path(way, proof),
        credential=credential,
        credentials=credentials,
        key_at=len(key[1]) - len(proof),
    )


def shown_path(way: Way, key: bytes) -> bytes:
    """Return the path as the access log shows it."""
    path = way.bare.path
    # Bare letters and digits that were escapes when they arrived may spell the key.
    if _PERCENT not in path and key not in path:
        return path
    return to_bytes(redact_escaped(from_bytes(path), (key,)))
