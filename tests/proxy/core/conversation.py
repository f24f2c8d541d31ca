"""What the tests of the core share: small configs, requests, and a conversation with one exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from tests.proxy.core.plain_reading import PlainReading
from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    Endpoint,
    Forward,
    GatewayConfig,
    Listener,
    MetadataEntry,
    MetadataHeader,
    Route,
    RouteAction,
    TransformationPlan,
    Upstream,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.messages import HeaderList, NeedBody, Outgoing, Reply, Request, Step
from wardgate.proxy.core.observer import Observer
from wardgate.proxy.core.routing.table_builder import build_table
from wardgate.sensitive import Sensitive

KEY = b"caller-key-1"
TOKEN = "hf_provider_token"
NOW = 1_700_000_000.0
UPSTREAM = Upstream("hf", (Endpoint("hf.example", 443),), bound_hosts=("hf.example",))


def credential(
    key: bytes = KEY, *, name: str = "hf-key", metadata: Mapping[str, str] | None = None, **changes: Any
) -> Credential:
    """Build a key's credential; its only metadata is the provider's token."""
    entries = {"token": TOKEN} if metadata is None else metadata
    fields: dict[str, Any] = {
        "key_set": "users",
        "digest": sha256(key).hexdigest(),
        "namespace": "default",
        "name": name,
        "metadata": tuple(MetadataEntry(entry, Sensitive(value)) for entry, value in entries.items()),
    }
    return Credential(**(fields | changes))


def key_step(**changes: Any) -> ApiKeyStep:
    """Build the lab's step: the key in ``api-key``, the token into ``x-api-key``."""
    fields: dict[str, Any] = {
        "name": "config_0",
        "header": "api-key",
        "key_set": "users",
        "metadata_headers": (MetadataHeader("x-api-key", "token"),),
    }
    return ApiKeyStep(**(fields | changes))


def auth_plan(*steps: Any, name: str = "plan", **changes: Any) -> AuthPlan:
    """Build a plan of the lab's step, or of these."""
    return AuthPlan(name=name, steps=steps or (key_step(),), policy="gloo-mesh/hf-policy", **changes)


def forward(*upstreams: str, **changes: Any) -> Forward:
    """Build a forward action to upstreams of equal weight."""
    return Forward(tuple(WeightedUpstream(name, 1) for name in upstreams or ("hf",)), **changes)


def route(action: RouteAction | None = None, *, name: str = "r", auth: str | None = "plan", **changes: Any) -> Route:
    """Build a route that asks for a key."""
    return Route(name, action or forward(), auth=auth, **changes)


def open_route(action: RouteAction | None = None, *, name: str = "r", **changes: Any) -> Route:
    """Build a route that asks for nothing."""
    return Route(name, action or forward(), auth=None, **changes)


def post_plan(**changes: Any) -> TransformationPlan:
    """Build a transformation plan, of the phase ``post`` unless told otherwise."""
    fields: dict[str, Any] = {"name": "t", "phase": "post"}
    return TransformationPlan(**(fields | changes))


def config(*routes: Route, transformations: tuple[TransformationPlan, ...] = (), **changes: Any) -> GatewayConfig:
    """Build a config of one listener for every host, with the lab's plan, upstream and key."""
    fields: dict[str, Any] = {
        "listeners": (Listener("gw", 8081, (VirtualHost(("*",), routes),)),),
        "upstreams": (UPSTREAM,),
        "auth_plans": (auth_plan(),),
        "credentials": (credential(),),
        "transformations": transformations,
    }
    return GatewayConfig(**(fields | changes))


def request(
    method: str = "GET",
    path: str = "/",
    *headers: tuple[str, bytes | str],
    host: str = "gw.example",
    body: bool = False,
) -> Request:
    """Build a request; the query is split off the path."""
    pure, mark, query = path.encode().partition(b"?")
    fields = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]
    return Request(method.encode(), pure, query if mark else None, host.encode(), fields, has_body=body)


class Talk:
    """One exchange, and what it said last; the fast path, where it takes the request, must say the same."""

    def __init__(
        self,
        served: GatewayConfig,
        arrived: Request,
        *,
        now: float = NOW,
        pick: Callable[[int], int] = lambda _: 0,
        environment: Mapping[str, str] | None = None,
        observer: Observer | None = None,
        caller: Caller | None = None,
    ) -> None:
        table = build_table(served, environment or {})
        credentials = CredentialIndex.of(served.credentials, served.token_sources)
        self.plain = PlainReading(table, credentials, arrived, port=8081, now=now, pick=pick)
        self.exchange = Exchange(
            table,
            credentials,
            listener=table.listeners[8081],
            request=arrived,
            caller=caller or Caller(),
            now=now,
            pick=pick,
            observer=observer,
        )
        self.step: Step = self.exchange.start()
        self.plain.check(self.step)

    def body(self, data: bytes) -> Talk:
        """Give the body that was asked for."""
        assert isinstance(self.step, NeedBody), self.step
        self.step = self.exchange.advance(data)
        return self

    @property
    def outgoing(self) -> Outgoing:
        """The request as it goes upstream."""
        assert isinstance(self.step, Outgoing), self.step
        return self.step

    @property
    def reply(self) -> Reply:
        """The gateway's own answer."""
        assert isinstance(self.step, Reply), self.step
        return self.step

    @property
    def sent(self) -> dict[str, str]:
        """The headers that go upstream, each value once."""
        return as_dict(self.outgoing.headers)


def as_dict(headers: HeaderList | tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    """Show headers as text; repeated ones are joined by a bar."""
    found: dict[str, str] = {}
    for name, value in headers:
        text = value.decode("utf-8", "surrogateescape")
        found[name.decode()] = f"{found[name.decode()]}|{text}" if name.decode() in found else text
    return found
