"""One request through the core, without a socket: what the gateway would do with it, decision by decision.

The request is written as bytes and read by the proxy's own parser, so that what the proxy would refuse is refused here
too. Nothing is sent, no name is resolved. Every text that leaves this module has its secrets masked: values that the
core calls secret, credential headers, and whatever else of a key's Secret appears, the body included. Whatever a
template made of a secret (a piece, an encoding) is found by playing the request a second time with other secrets:
whatever comes out differently is masked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final, Literal

from wardgate.field_names import CREDENTIAL_HEADERS, fold
from wardgate.ir import GatewayConfig, MetadataEntry
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.fields.key_copies import without_scheme
from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.request_head import parse_request_head
from wardgate.proxy.core.messages import NeedBody, Outgoing, Reply, Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.core.routing.table_builder import build_table
from wardgate.sensitive import Sensitive
from wardgate.text_codec import to_bytes

MASK: Final = "<secret>"
_SHORTEST_SECRET: Final = 4
"""Bytes. Shorter values are masked only where they are a whole header: anything else would blot out words."""
_ANSWERED_BY_DESIGN: Final = frozenset({ReplyReason.REDIRECT, ReplyReason.DIRECT_RESPONSE})
_MAX_HEADERS: Final = 200
_HEADER_SET: Final = "header set"
_OTHER_LETTERS: Final = str.maketrans(
    f"{ascii_lowercase}{ascii_uppercase}{digits}",
    "".join(letters[1:] + letters[0] for letters in (ascii_lowercase, ascii_uppercase, digits)),
)
_SCHEME_AND_MASK: Final = re.compile(rf"(?:(?:Bearer|Basic|Token) )?{MASK}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trial:
    """The request to rehearse. ``headers`` in order, names as typed; ``port`` chooses the listener.

    ``address``: the caller's; without one, keys that name addresses are refused.
    """

    method: str
    target: str
    host: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    port: int = 0
    address: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One step. ``what`` is a noun, ``name`` what was chosen or changed, ``detail`` why or to what."""

    what: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Performance:
    """How it ended. ``kind``: the request goes on, is answered as the route says, or is refused.

    ``head`` is the request line or status, ``headers`` masked; ``body`` None: the caller's own, streamed past.
    """

    kind: Literal["forwarded", "answered", "refused"]
    head: str
    reason: str
    destination: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    decisions: tuple[Decision, ...]


@dataclass(slots=True)
class _Notes:
    """Collects what the core tells."""

    mask: _Mask
    decisions: list[Decision] = field(default_factory=list)

    def decided(self, what: str, name: str, *, detail: str = "") -> None:
        self.decisions.append(Decision(what, name, detail))

    def header_set(self, name: str, value: bytes, *, by: str, secret: bool) -> None:
        if secret:
            self.mask.secret_headers.add(fold(name))
        _, shown = self.mask.header(name.encode(), value)
        self.decisions.append(Decision(_HEADER_SET, f"{name}: {shown}", f"by {by}"))

    def header_removed(self, name: str, *, by: str) -> None:
        self.decisions.append(Decision("header removed", name, f"by {by}"))


def rehearse(config: GatewayConfig, trial: Trial, *, environment: Mapping[str, str], now: float) -> Performance:
    """Play the request through. ``now`` is in unix seconds: keys expire by it."""
    real = _play(config, trial, environment=environment, now=now)
    other = _play(_with_other_secrets(config), trial, environment=environment, now=now)
    return _without_differences(real, other)


def _with_other_secrets(config: GatewayConfig) -> GatewayConfig:
    """The same config with other metadata in its keys: equally long, different in every letter and digit."""
    return replace(
        config,
        credentials=tuple(replace(one, metadata=_disguised(one.metadata)) for one in config.credentials),
        token_sources=tuple(replace(one, metadata=_disguised(one.metadata)) for one in config.token_sources),
    )


def _disguised(metadata: tuple[MetadataEntry, ...]) -> tuple[MetadataEntry, ...]:
    return tuple(replace(entry, value=Sensitive(entry.value.reveal().translate(_OTHER_LETTERS))) for entry in metadata)


def _without_differences(real: Performance, other: Performance) -> Performance:
    """Mask what depends on a secret. Where even the course of events does, no value that was set is shown."""
    in_step = [one.what for one in real.decisions] == [one.what for one in other.decisions]
    there = other.decisions if in_step else (Decision("", ""),) * len(real.decisions)
    elsewhere = dict(other.headers)
    return replace(
        real,
        head=real.head if real.head == other.head else f"{real.head.partition(' ')[0]} {MASK}",
        headers=tuple((name, value if elsewhere.get(name) == value else MASK) for name, value in real.headers),
        body=real.body if real.body == other.body else MASK,
        decisions=tuple(_undivulged(one, two) for one, two in zip(real.decisions, there, strict=True)),
    )


def _undivulged(real: Decision, other: Decision) -> Decision:
    if real.what != _HEADER_SET or real.name == other.name:
        return real
    return replace(real, name=f"{real.name.partition(': ')[0]}: {MASK}")


def _play(config: GatewayConfig, trial: Trial, *, environment: Mapping[str, str], now: float) -> Performance:
    mask = _Mask(config, trial)
    notes = _Notes(mask)
    request = _read(trial)
    if isinstance(request, ReplyReason):
        return _replied(REFUSALS[request], notes)
    table = build_table(config, environment)
    index = CredentialIndex.of(config.credentials, config.token_sources)
    listener = table.listeners[trial.port]
    exchange = Exchange(
        table,
        index,
        listener=listener,
        request=request,
        caller=Caller(whole=trial.address),
        now=now,
        pick=lambda _: 0,
        observer=notes,
    )
    step = exchange.start()
    while isinstance(step, NeedBody):
        notes.decided("body", f"{len(trial.body)} bytes", detail="read, because a transformation needs it")
        step = exchange.advance(trial.body)
    if isinstance(step, Reply):
        return _replied(step, notes)
    return _forwarded(step, notes)


def _read(trial: Trial) -> Request | ReplyReason:
    lines = [f"{trial.method} {trial.target} HTTP/1.1", f"Host: {trial.host}"]
    lines += [f"{name}: {value}" for name, value in trial.headers]
    if trial.body:
        lines.append(f"Content-Length: {len(trial.body)}")
    block = to_bytes("\r\n".join([*lines, "", ""]))
    head = parse_request_head(block, max_headers=_MAX_HEADERS)
    if isinstance(head, ReplyReason):
        return head
    return arrived(head) or ReplyReason.BAD_TARGET


def _replied(reply: Reply, notes: _Notes) -> Performance:
    return Performance(
        kind="answered" if reply.reason in _ANSWERED_BY_DESIGN else "refused",
        head=str(reply.status),
        reason=str(reply.reason),
        destination="",
        headers=tuple(notes.mask.header(name, value) for name, value in reply.headers),
        body=notes.mask.text(reply.body),
        decisions=tuple(notes.decisions),
    )


def _forwarded(outgoing: Outgoing, notes: _Notes) -> Performance:
    mask = notes.mask
    spec = outgoing.upstream.spec
    places = ", ".join(one.unix_path or f"{one.host.removesuffix('.')}:{one.port}" for one in spec.endpoints)
    if spec.tls is None:
        security = "without TLS"
    elif spec.tls.verify:
        security = f"with TLS, verified as {', '.join(spec.tls.verify_names) or spec.tls.sni}"
    else:
        security = "with TLS, NOT verified"
    return Performance(
        kind="forwarded",
        head=f"{_text(outgoing.method)} {mask.text(outgoing.target)}",
        reason="",
        destination=f"{outgoing.upstream.name} at {places or 'no endpoint'}, {security}",
        headers=tuple(mask.header(name, value) for name, value in outgoing.headers),
        body=None if outgoing.body is None else mask.text(outgoing.body),
        decisions=tuple(notes.decisions),
    )


class _Mask:
    """Knows every secret there could be: headers that are credentials, and all metadata of all keys and their sources.

    A credential header is shown as its scheme and the mask if that is all there is to it, else as the mask alone: a
    template may have cut a token in pieces or encoded it.
    """

    def __init__(self, config: GatewayConfig, trial: Trial) -> None:
        self.secret_headers = set(CREDENTIAL_HEADERS)
        metadata = [one.metadata for one in config.credentials] + [one.metadata for one in config.token_sources]
        known = {entry.value.reveal() for entries in metadata for entry in entries}
        for value in (value for name, value in trial.headers if fold(name) in CREDENTIAL_HEADERS):
            known |= {value, _text(without_scheme(to_bytes(value)))}
        self._known = sorted((text for text in known if len(text) >= _SHORTEST_SECRET), key=len, reverse=True)

    def header(self, name: bytes, value: bytes) -> tuple[str, str]:
        shown, masked = _text(name), self.text(value)
        if fold(shown) in self.secret_headers and not _SCHEME_AND_MASK.fullmatch(masked):
            masked = MASK
        return shown, masked

    def text(self, data: bytes) -> str:
        shown = _text(data)
        for secret in self._known:
            shown = shown.replace(secret, MASK)
        return shown


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
