"""A route prepared for its requests: its answer, its guards, its destinations. Compiled once, executed often."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.ir import Forward, Upstream
from wardgate.proxy.core.auth.authentication import CompiledAuth
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.auth.grants import USER_ID
from wardgate.proxy.core.messages import Reply, Request
from wardgate.proxy.core.provider_forms import PLAIN, ProviderForm, form_for
from wardgate.proxy.core.routing.rewrites import PathRewrite
from wardgate.proxy.core.transform.transformation import CompiledTransformation
from wardgate.proxy.core.transform.veil import Veil
from wardgate.proxy.core.upstream.destinations import CompiledUpstream, Destinations
from wardgate.text_codec import to_bytes


@dataclass(frozen=True, slots=True)
class Redirection:
    """Where a redirect leads; None keeps the request's part."""

    code: int
    host: bytes | None
    path: bytes | None


@dataclass(frozen=True, slots=True)
class ForwardPlan:
    """The way of a request to an upstream."""

    destinations: Destinations
    rewrite: PathRewrite | None
    host: bytes | None
    auto_host: bool
    asks_identity: bool = False
    """Whether a plan of the route reads the response's body, and so wants it whole and in no content coding."""
    barred_trailers: frozenset[bytes] | None = None
    """Folded names of a caller's trailers that do not go on; None: none goes, because a plan should have seen them."""
    form: ProviderForm = PLAIN
    """The form of refusals that the clients of all its destinations read."""


Action = ForwardPlan | Redirection | Reply
"""``Reply`` is a direct response, given after authentication and transformations as any other action."""

_OPEN_STRIP = frozenset({USER_ID})


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRoute:
    """A route, ready. ``closed`` answers every request at once; no other field then has a meaning.

    ``strip``: headers that a client may not bring (invariants 2 and 3); folded names. ``owner``: as ``ir.Route.owner``.
    """

    name: str
    action: Action | None
    closed: Reply | None = None
    auth: CompiledAuth | None = None
    strip: frozenset[bytes] = _OPEN_STRIP
    pre: tuple[CompiledTransformation, ...] = ()
    post: tuple[CompiledTransformation, ...] = ()
    pre_responses: tuple[CompiledTransformation, ...] = ()
    """Those of ``pre`` that transform responses; ``post_responses`` likewise."""
    post_responses: tuple[CompiledTransformation, ...] = ()
    owner: str = ""
    veil: Veil | None = None
    """Hides another owner's token from the owner's transformations. None also: no transformation reads anything."""
    veil_on_arrival: Veil | None = None
    """Hides keys that are, or may be, other owners' from them before authentication."""
    form: ProviderForm = PLAIN
    """As the action's; plain where it leads to no upstream."""
    recalculates: bool = False
    """Whether a ``post`` transformation routes anew, so that this route's destination is not the last word."""

    def erase_copies(self, request: Request, credentials: CredentialIndex) -> None:
        """Take copies of keys off a request before a tenant's transformation reads it; the key itself is hidden."""
        if self.auth is not None:
            self.auth.erase_copies(request, credentials)

    @property
    def bound_hosts(self) -> frozenset[str] | None:
        """The hosts that a token on this route can reach; None: unknown or none at all."""
        return self.action.destinations.bound_hosts if isinstance(self.action, ForwardPlan) else None


NOWHERE = CompiledRoute("", None)
"""The route of a request that has not entered one."""


def compile_forward(
    action: Forward, *, upstreams: list[tuple[CompiledUpstream, int]], rewrite: PathRewrite | None
) -> ForwardPlan:
    """Put a forward action together from its compiled parts."""
    host = None if action.host_rewrite is None else to_bytes(action.host_rewrite)
    form = form_for(_asked(action, [upstream.spec for upstream, _ in upstreams]))
    return ForwardPlan(Destinations(upstreams), rewrite, host, action.auto_host_rewrite, form=form)


def _asked(action: Forward, upstreams: list[Upstream]) -> list[str]:
    """The names by which the destinations are asked: the route's own ``Host``, else those that are dialled.

    A provider behind a forward proxy of the cluster is known by the first, any other by both.
    """
    if action.host_rewrite is not None:
        return [action.host_rewrite.partition(":")[0]]
    return [
        name
        for spec in upstreams
        for name in ([spec.tls.sni] if spec.tls and spec.tls.sni else [each.host for each in spec.endpoints])
    ]
