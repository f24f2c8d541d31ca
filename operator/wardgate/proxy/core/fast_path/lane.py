"""Plain requests of one listener: read in one pass, their outcomes remembered.

A request is plain if its head and body are here in one piece, its route is plain (``plain_routes``), and its fields
are none that the route asks for. All that the exchange decides about such a request depends on its request line, its
Host, its key, the fields that plans read, and a number that was drawn for its destination. So that is found once, by
sending a bare request through the exchange, and remembered: no rule of the exchange stands here a second time. A body
that a plan makes anew is made each time.

Rule 1: whatever is not plain, or not well-formed, gets None, and then the answer of the general way. A request without
        a key, or with one that nobody has, gets the exchange's refusal of a bare one.
Rule 2: an outcome counts for one table and one index of keys. Either is replaced as a whole; with it the outcomes go.
        A key's expiry is looked at each time.
Rule 3: keys are not kept: an outcome is found by a digest of the field that holds the key (BLAKE2s, which costs a
        third of SHA-256 for so few bytes). A key that comes to nothing leaves nothing.
        So are fields that plans read; of a new body nothing is kept.
Rule 4: a request that shows its key twice is not plain (invariant 3), nor is one with a value in percent-escapes or of
        basic authentication, which may hide the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2s
from typing import Final

from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.fast_path.bounded import Bounded
from wardgate.proxy.core.fast_path.known_outcomes import KnownOutcomes
from wardgate.proxy.core.fast_path.line_memory import LONGEST, LineMemory
from wardgate.proxy.core.fast_path.moulds import Mould
from wardgate.proxy.core.fast_path.outcomes import MOST_FIELDS, PlainOutcome, Way, refusal_of
from wardgate.proxy.core.fast_path.plain_request import PlainRequest
from wardgate.proxy.core.fast_path.plain_responses import PlainResponses
from wardgate.proxy.core.fast_path.plain_routes import PlainRoute, PlainRoutes
from wardgate.proxy.core.fields.key_copies import may_hide_key_in_query
from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.messages import Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.routing.table import CompiledListener, Table
from wardgate.proxy.core.transform.message_view import RequestView
from wardgate.proxy.core.transform.surroundings import Surroundings
from wardgate.proxy.core.transform.transformation import CompiledMessage
from wardgate.proxy.core.upstream.lots import Lots

HEAD_END: Final = b"\r\n\r\n"
_VERSION: Final = b" HTTP/1.1"
_HOST: Final = b"host:"
_QUERY: Final = re.compile(rb"\?[\x21\x22\x24-\x7e]*")
_QUESTION: Final = ord("?")
_WITH_BODY: Final = (b"POST ", b"PUT ", b"PATCH ")
"""A body may be on its way, although none of it is here."""
_MANY: Final = 4
"""Ways, and outcomes, for each line that may be remembered: there are more routes and keys than kinds of clients."""
_METHODS: Final = frozenset({b"GET", b"POST", b"PUT", b"PATCH", b"DELETE"})


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """``lines``: bounds the ways and the outcomes. ``head_bytes``, ``response_head_bytes`` and ``header_count``: of the
    longest heads; ``body_bytes``: of the longest body that a plan reads here.
    """

    lines: int
    head_bytes: int
    header_count: int
    body_bytes: int
    response_head_bytes: int


class Lane:
    """The plain requests of one listener of one table. ``known``: their outcomes.

    ``memory`` and ``limits`` bound what is remembered. ``mark``: the line by which the installation knows its own
    requests. ``lots``: choose among destinations.
    """

    __slots__ = (
        "_body_bytes",
        "_head_bytes",
        "_header_count",
        "_lots",
        "_mark",
        "_memory",
        "_next_id",
        "_response_head_bytes",
        "_responses",
        "_routes",
        "_ways",
        "known",
        "listener",
        "table",
    )

    def __init__(
        self,
        table: Table,
        listener: CompiledListener,
        *,
        memory: LineMemory,
        limits: LaneLimits,
        mark: bytes,
        next_id: Callable[[], bytes],
        lots: Lots,
    ) -> None:
        self.table = table
        self.listener = listener
        self.known = KnownOutcomes(table, listener, limit=_MANY * limits.lines, next_id=next_id)
        self._memory = memory
        self._mark = mark
        self._next_id = next_id
        self._lots = lots
        self._head_bytes = limits.head_bytes
        self._response_head_bytes = limits.response_head_bytes
        self._body_bytes = limits.body_bytes
        self._header_count = min(MOST_FIELDS, limits.header_count)
        self._ways: Bounded[tuple[bytes, bytes, bool], Way] = Bounded(_MANY * limits.lines)
        self._routes = PlainRoutes()
        self._responses: dict[PlainRoute, PlainResponses] = {}

    @property
    def credentials(self) -> CredentialIndex:
        """The index of keys that it goes by."""
        return self.known.credentials

    def renew(self, credentials: CredentialIndex) -> None:
        """Go by another index of keys (rule 2)."""
        self.known.renew(credentials)

    def read(self, data: bytes, *, now: float) -> PlainRequest | None:
        """Read a request. ``data``: all that has arrived, and nothing was before it; ``now`` in unix seconds.

        A request whose body is not all here is read too, as far as it is.
        """
        end = data.find(HEAD_END)
        if end < 0 or end > self._head_bytes:
            return None
        size = len(data) - end - len(HEAD_END)
        plain = self._read_head(data, end, has_body=size > 0 or data.startswith(_WITH_BODY))
        if plain is None or not plain.is_followed_by(size):
            return None
        if plain.missing and self._makes_body(plain):
            return plain if plain.length <= self._body_bytes and self._credential(plain) is not None else None
        return self._decided(plain, data, end=end, now=now)

    def _decided(self, plain: PlainRequest, data: bytes, *, end: int, now: float) -> PlainRequest | None:
        """Find the outcome of a request, whose head ends at ``end``."""
        outcome = self._outcome(plain, data, now=now)
        if outcome is None:
            return self._refused(plain)
        if _is_shown_twice(plain, outcome, data=data, end=end):
            self.put_back(plain)
            return None
        plain.outcome = outcome
        if plain.missing:
            self.put_back(plain)  # it is read again with its body
        else:
            plain.finish(outcome, fresh_id=b"" if plain.request_id else self._next_id(), mark=self._mark)
        return plain

    def put_back(self, plain: PlainRequest) -> None:
        """The request takes another way, on which it may draw a destination again."""
        route = plain.way.route
        if route is not None and route.destinations.only is None:
            self._lots.put_back(plain.drawn, below=route.destinations.total)

    def _make_body(self, plain: PlainRequest, message: CompiledMessage, *, data: bytes) -> bool:
        """Make the new body; False: the exchange has to say what comes of the request."""
        longest = message.longest_body
        if plain.length > self._body_bytes or (longest is not None and plain.length > longest):
            return False
        request = Request(b"", b"", None, b"", plain.reading, has_body=True)
        view = RequestView(request)
        view.body = data[-plain.length :]
        plain.body = message.new_body(view, Surroundings(view))
        return bool(plain.body)

    def _makes_body(self, plain: PlainRequest) -> bool:
        route = plain.way.route
        return route is not None and route.body is not None

    def _credential(self, plain: PlainRequest) -> CompiledCredential | None:
        """Return whose key it is; looked up once, for that takes its digest."""
        if not plain.is_looked_up:
            route = plain.way.route
            plain.is_looked_up = True
            if route is not None and plain.key:
                plain.credential = route.auth.found(plain.key, self.known.credentials)
        return plain.credential

    def _read_head(self, data: bytes, end: int, *, has_body: bool) -> PlainRequest | None:
        """Read it by the mould of another one, or line by line; None: it is not plain."""
        stop = data.find(b"\r\n")
        at = data.find(b"\r\n", stop + 2) + 2
        plain = self._begun(data[:stop], data[stop + 2 : at - 2], has_body=has_body)
        if plain is not None:
            if plain.way.route is None:
                return None
            known = plain.way.known
            for mould in known.moulds:
                if plain.fits(mould, data, at=at, end=end + 2, memory=self._memory):
                    # All are forgotten where a line was remembered for which there was no room.
                    if known.moulds and known.moulds[0] is not mould:
                        known.prefer(mould)
                    return plain
                plain = plain.anew()
        return self._read_lines(data[:end].split(b"\r\n"), has_body=has_body)

    def _begun(self, start: bytes, host: bytes, *, has_body: bool) -> PlainRequest | None:
        """Read the request line and Host; None: they are not plain, or the latter is none."""
        if not start.endswith(_VERSION):
            return None
        line, query = start[: -len(_VERSION)], b""
        if _QUESTION in line:
            at = line.index(b"?")
            line, query = line[:at], line[at:]
            if _QUERY.fullmatch(query) is None or may_hide_key_in_query(query):
                return None
        way = self._ways.kept.get((line, host, has_body))
        if way is None and host[: len(_HOST)].lower() == _HOST:
            way = self._way((line, host, has_body))
        return None if way is None else PlainRequest(way, query, varying=start + b"\n" if query else b"")

    def _read_lines(self, lines: list[bytes], *, has_body: bool) -> PlainRequest | None:
        if not 2 < len(lines) <= self._header_count:
            return None
        _put_host_first(lines)
        plain = self._begun(lines[0], lines[1], has_body=has_body)
        if plain is None or plain.way.route is None:
            return None
        del lines[:2]
        remembered = self._memory.remembered
        if not self._is_plain(plain, lines):
            return None
        if remembered == self._memory.remembered:
            known = plain.way.known
            gaps = [plain.gap(raw) for raw in lines if raw not in known.lines]
            self._memory.keep_mould(known, Mould(lines, known=known.lines, gaps=gaps))
        return plain

    def _is_plain(self, plain: PlainRequest, lines: list[bytes]) -> bool:
        known, sent, memory = plain.way.known.lines, plain.lines, self._memory
        for raw in lines:
            line = known.get(raw)
            if line is not None:
                sent.append(line)
            elif not plain.take(raw, memory):
                return False
        return True

    def _way(self, where: tuple[bytes, bytes, bool]) -> Way | None:
        """Find where a request line and a Host lead, and remember it; None: not well-formed, rare, or long."""
        start, host, has_body = where
        if len(start) + len(host) > LONGEST:
            return None  # callers without a key fill this memory too
        head = parse_request_head(b"%b%b\r\n%b\r\n\r\n" % (start, _VERSION, host), max_headers=1)
        if not isinstance(head, RequestHead) or head.http_1_0 or head.method not in _METHODS:
            return None
        bare = arrived(head)
        if bare is None:
            return None
        bare.has_body = has_body
        route = self.listener.find_by_line(bare)
        plain = None if route is None else self._routes.of(route, has_body=has_body)
        known = self._memory.of((None if plain is None else plain.fields, has_body))
        way = Way(bare, route=plain, known=known, responses=self._responses_of(plain))
        self._ways.keep(where, way)
        return way

    def _responses_of(self, route: PlainRoute | None) -> PlainResponses | None:
        if route is None or route.answer is None:
            return None
        found = self._responses.get(route)
        if found is None:
            found = self._responses[route] = PlainResponses(
                self._memory, head_bytes=self._response_head_bytes, fields=route.answer.fields
            )
        return found

    def _refused(self, plain: PlainRequest) -> PlainRequest | None:
        """Return a request with its refusal, if it has no key or one that nobody has."""
        way, key = plain.way, plain.key
        route = way.route
        if plain.missing or route is None or not route.refuses or self._credential(plain) is not None:
            return None
        reason = ReplyReason.KEY_UNKNOWN if key else ReplyReason.KEY_MISSING
        plain.refusal = way.refusals.get(reason)
        if plain.refusal is None:
            plain.refusal = refusal_of(
                way, key, reason=reason, table=self.table, listener=self.listener, credentials=self.known.credentials
            )
            if plain.refusal is None:
                return None
            way.refusals[reason] = plain.refusal
        plain.request_id = plain.request_id or self._next_id()
        return plain

    def _outcome(self, plain: PlainRequest, data: bytes, *, now: float) -> PlainOutcome | None:
        way, route = plain.way, plain.way.route
        if not plain.key or route is None:
            return None
        digest, place = blake2s(plain.key).digest(), 0
        if plain.reading:
            digest += blake2s(b"\0".join([part for field in plain.reading for part in field])).digest()
        if route.destinations.only is None:
            plain.drawn = route.destinations.draw(self._lots.draw)
            place = route.destinations.place_of(plain.drawn)
        which = (way, digest, place)
        outcome = self.known.kept.get(which)
        credential = self._credential(plain) if outcome is None else outcome.credential
        if credential is None or (route.body is not None and not self._make_body(plain, route.body, data=data)):
            self.put_back(plain)
            return None
        if outcome is None and credential.allowed_from is not None:
            # The exchange looks at the address of each request.
            self.put_back(plain)
            return None
        if outcome is None:
            body = b"" if plain.body is None else data[-plain.length :]
            outcome = self.known.find(plain, credential, which=which, body=body, now=now)
        if outcome is None or now >= credential.expires_at:
            self.put_back(plain)
            return None
        return outcome


def _is_shown_twice(plain: PlainRequest, outcome: PlainOutcome, *, data: bytes, end: int) -> bool:
    """Whether there is another copy of the key, wherever it stands, which is for the exchange to find and take off."""
    if plain.mould is None or outcome.searched is not plain.mould:
        if data.count(plain.key[outcome.key_at :], 0, end) != 1:
            return True
        outcome.searched = plain.mould
        return False
    # All that does not differ has been searched, and the key stands in a gap of its own.
    return bool(plain.varying) and plain.key[outcome.key_at :] in plain.varying


def _put_host_first(lines: list[bytes]) -> None:
    """Move Host behind the request line, where nearly all clients have it and the gateway writes it.

    A head that begins with it has no request line.
    """
    for number in range(1, len(lines)):
        if lines[number][: len(_HOST)].lower() == _HOST:
            lines.insert(1, lines.pop(number))
            return
