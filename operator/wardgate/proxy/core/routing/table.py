"""A config made ready for requests: listeners, their hosts and routes, and the plans those share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wardgate.inja.errors import LimitError
from wardgate.ir import GatewayConfig, Listener
from wardgate.proxy.core.auth.authentication import CompiledAuth
from wardgate.proxy.core.messages import Request
from wardgate.proxy.core.origin.front import compile_front
from wardgate.proxy.core.routing.key_headers import KeyHeaders
from wardgate.proxy.core.routing.matching import CompiledMatch
from wardgate.proxy.core.routing.plans import CompiledRoute
from wardgate.proxy.core.routing.route_index import HostIndex, RouteIndex
from wardgate.proxy.core.routing.takeover import PreparedHost
from wardgate.proxy.core.transform.transformation import CompiledTransformation
from wardgate.proxy.core.upstream.destinations import CompiledUpstream


class CompiledListener:
    """One listener. ``spec`` names the port that the I/O binds, and its certificates."""

    __slots__ = ("_hosts", "front", "https_redirect", "name", "port", "spec")

    def __init__(self, spec: Listener, hosts: Mapping[str, RouteIndex]) -> None:
        self.spec = spec
        self.name = spec.name
        self.port = spec.port
        self.https_redirect = spec.https_redirect
        self.front = compile_front(spec.front)
        self._hosts = HostIndex(hosts)

    def find(self, request: Request) -> tuple[CompiledMatch, CompiledRoute] | None:
        """Return the route that takes the request, and the matcher by which it does.

        None also where a pattern might take too long for what it is asked about: whether the route is the one cannot be
        told, and another one might be less guarded.
        """
        routes = self._hosts.find(request.authority)
        try:
            return None if routes is None else routes.find(request)
        except LimitError:
            return None

    def find_by_line(self, request: Request) -> CompiledRoute | None:
        """Return the route that takes every request with this method, host and path; None: nothing so simple."""
        routes = None if self.https_redirect else self._hosts.find(request.authority)
        try:
            return None if routes is None else routes.find_by_line(request)
        except LimitError:
            return None

    def find_again(
        self, request: Request, seen_by: Callable[[str], Request]
    ) -> tuple[CompiledMatch, CompiledRoute] | None:
        """Return the same for a request with tokens on it. ``seen_by`` shows it as an owner's matchers may see it."""
        routes = self._hosts.find(request.authority)
        try:
            return None if routes is None else routes.find_again(request, seen_by)
        except LimitError:
            return None


class Table:
    """Everything of one revision but its credentials. Read-only once built."""

    __slots__ = (
        "auth_plans",
        "config",
        "environment",
        "hosts",
        "key_headers",
        "listeners",
        "transformations",
        "upstreams",
    )

    def __init__(self, config: GatewayConfig, environment: Mapping[str, str]) -> None:
        self.config = config
        self.environment = environment
        self.listeners: dict[int, CompiledListener] = {}
        self.hosts: dict[tuple[str, tuple[str, ...]], PreparedHost] = {}
        """By the listener's name and their domains."""
        self.key_headers: dict[str, KeyHeaders] = {}
        """By the listener's name."""
        self.upstreams: dict[str, CompiledUpstream] = {}
        self.auth_plans: dict[str, tuple[object, CompiledAuth | None]] = {}
        self.transformations: dict[str, tuple[object, CompiledTransformation | None]] = {}
