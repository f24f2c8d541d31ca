"""One config, by which requests take the fast way and the general one."""

from __future__ import annotations

import inspect
from dataclasses import replace
from hashlib import sha256
from typing import Any

from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    Endpoint,
    Forward,
    GatewayConfig,
    HeaderTemplate,
    Listener,
    MessageTemplate,
    MetadataEntry,
    MetadataHeader,
    PathMatch,
    PrefixRewrite,
    Route,
    RouteMatch,
    TransformationPlan,
    Upstream,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.fast_path.lane import HEAD_END, Lane, LaneLimits
from wardgate.proxy.core.fast_path.line_memory import LineMemory
from wardgate.proxy.core.fields.folded import values_of
from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.framing import request_length, write_request_head
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.messages import NeedBody, Outgoing, Reply, Step
from wardgate.proxy.core.routing.table_builder import build_table
from wardgate.proxy.core.upstream.lots import Lots
from wardgate.sensitive import Sensitive

KEY = "sk-callers-own-key"
OTHER_KEY = "sk-another-callers-key"
TOKEN = "hf_token"
ID = b"0123456789abcdef0123456789abcdef"
MARK = (b"cdn-loop", b"wardgate-test")
INJECT = TransformationPlan(
    "inject",
    "post",
    request=MessageTemplate(
        headers=(HeaderTemplate("authorization", 'Bearer {{ header("x-token") }}'),), remove=("x-token",)
    ),
)


def credential(key: str, name: str, **changes: Any) -> Credential:
    digest = sha256(key.encode()).hexdigest()
    entries = (MetadataEntry("token", Sensitive(TOKEN)),)
    return replace(Credential("keys", digest, "default", name, metadata=entries), **changes)


CREDENTIALS = (credential(KEY, "one"), credential(OTHER_KEY, "other"))


def plan(header: str = "api-key", **changes: Any) -> AuthPlan:
    step = ApiKeyStep("step", header, "keys", (MetadataHeader("x-token", "token"),))
    return AuthPlan("plan", (replace(step, **changes),), policy="default/policy")


def config(
    *routes: Route, auth: AuthPlan | None = None, transformations: tuple[TransformationPlan, ...] = (INJECT,)
) -> GatewayConfig:
    return GatewayConfig(
        listeners=(Listener("main", 8080, (VirtualHost(("*",), routes or (route(),)),)),),
        auth_plans=(auth or plan(),),
        transformations=transformations,
        upstreams=(
            Upstream("provider", (Endpoint("provider.example", 443),)),
            Upstream("second", (Endpoint("b.example", 80),)),
        ),
    )


def route(**changes: Any) -> Route:
    action = Forward((WeightedUpstream("provider", 1),), path_rewrite=PrefixRewrite("/models/gpt2"))
    base = Route(
        "lab",
        action,
        matches=(RouteMatch(paths=(PathMatch("prefix", "/v1"),)),),
        auth="plan",
        transformations=("inject",),
    )
    return replace(base, **changes)


class Both:
    """The lane and the general way of one config."""

    def __init__(
        self, given: GatewayConfig | None = None, credentials: tuple[Credential, ...] = CREDENTIALS, *, drawn: int = 0
    ) -> None:
        self.drawn = drawn
        self.table = build_table(given or config(), {})
        self.index = CredentialIndex.of(credentials)
        (self.listener,) = self.table.listeners.values()
        self.memory = LineMemory(64)
        self.lane = Lane(
            self.table,
            self.listener,
            memory=self.memory,
            limits=LaneLimits(
                lines=8, head_bytes=4096, header_count=100, body_bytes=64 * 1024, response_head_bytes=16 * 1024
            ),
            mark=b"%b: %b\r\n" % MARK,
            next_id=lambda: ID,
            lots=Lots(lambda _: self.drawn),
        )
        self.lane.renew(self.index)

    def fast(self, data: bytes, now: float = 0.0) -> bytes | None:
        plain = self.lane.read(data, now=now)
        if plain is None or plain.missing or plain.refusal is not None:
            return None
        return plain.written(data, dialled=b"", told=b"")

    def general(self, data: bytes, now: float = 0.0) -> bytes | None:
        """What is sent on; None: the request is refused, or waits for more of it."""
        decided = self._decided(data, now)
        if decided is None:
            return None
        head, step = decided
        if not isinstance(step, Outgoing):
            return None
        written = write_request_head(
            method=step.method,
            target=step.target,
            headers=[*step.headers, MARK],
            length=request_length(step, head),
            chunked=False,
        )
        return written + (_body_of(data) if step.body is None else step.body)

    def refusal(self, data: bytes, now: float = 0.0) -> Reply | None:
        """The answer to a request that is refused; None: it is not, or cannot be read."""
        decided = self._decided(data, now)
        return decided[1] if decided is not None and isinstance(decided[1], Reply) else None

    def _decided(self, data: bytes, now: float) -> tuple[RequestHead, Step] | None:
        end = data.find(HEAD_END)
        head = parse_request_head(data[: end + 4], max_headers=100) if end >= 0 else None
        if not isinstance(head, RequestHead) or head.chunked or head.expect_continue:
            return None
        request = arrived(head)
        if request is None:
            return None
        if not values_of(request.headers, b"x-request-id"):
            request.headers.append((b"x-request-id", ID))
        exchange = Exchange(
            self.table,
            self.index,
            listener=self.listener,
            request=request,
            caller=Caller(),
            now=now,
            pick=lambda _: self.drawn,
        )
        step = exchange.start()
        if isinstance(step, NeedBody):
            step = exchange.advance(_body_of(data))
        return head, step


def _body_of(data: bytes) -> bytes:
    return data[data.find(HEAD_END) + len(HEAD_END) :]


def get(*lines: bytes, start: bytes = b"GET /v1/chat HTTP/1.1", body: bytes = b"") -> bytes:
    return b"\r\n".join((start, b"Host: gw.test", *lines, b"", body))


KEY_LINE = b"api-key: " + KEY.encode()


def everything_in(of: object, depth: int = 8) -> object:
    """All that an object holds, down to its bytes."""
    if depth == 0 or isinstance(of, bytes | str | int | float | type(None)):
        return of
    if isinstance(of, dict):
        return [(everything_in(key, depth - 1), everything_in(value, depth - 1)) for key, value in of.items()]
    if isinstance(of, list | tuple | set | frozenset):
        return [everything_in(each, depth - 1) for each in of]
    # Slots in Python, getters and setters in a compiled class.
    slots = [
        name
        for kind in type(of).__mro__
        if kind.__module__.startswith("wardgate.")
        for name, each in vars(kind).items()
        if inspect.ismemberdescriptor(each) or (inspect.isgetsetdescriptor(each) and not name.startswith("__"))
    ]
    return [(name, everything_in(getattr(of, name, None), depth - 1)) for name in slots]
