"""Tokens that authentication put on a request go only where their owner meant them to.

Rule 1: a token that is bound to hosts goes only where each destination of the route dials and verifies one of them, and
        the request names one of them as its host: many hosts stand behind one edge, which goes by the name it is told.
Rule 2: on a tenant's route a token of another owner's leaves only if it is bound (rule 1) or shared with the tenant,
        and never in a redirect, which the caller reads.
Rule 3: a tenant's policy puts a token of another owner's into credential headers only: providers repeat others in their
        answers, where the caller reads them.

Everything that a Secret gives is a token here, because nobody can tell what it means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from wardgate.field_names import CREDENTIAL_HEADERS
from wardgate.proxy.core.auth.credential_index import CompiledCredential
from wardgate.proxy.core.auth.grants import Grant
from wardgate.proxy.core.fields.folded import fold, folded_names
from wardgate.proxy.core.messages import Header, Reply, Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.core.routing.plans import CompiledRoute, Redirection
from wardgate.proxy.core.transform.veil import Veil
from wardgate.text_codec import from_bytes

_CREDENTIALS = folded_names(CREDENTIAL_HEADERS)


def headers_of(grants: Iterable[Grant]) -> Iterable[Header]:
    """Return the headers that grants put on a request; a later step's header wins."""
    return {fold(name): (name, value) for grant in grants for name, value in grant.headers}.values()


def secrets_of(grants: Iterable[Grant]) -> Iterator[bytes]:
    """Yield the keys and all that their Secrets hold: no text may show any of it (invariant 7)."""
    for grant in grants:
        yield from grant.keys
        if grant.credential is not None:
            yield from grant.credential.raw.values()


def token_refusal(grants: Iterable[Grant], route: CompiledRoute) -> Reply | None:
    """Return the answer to a request whose tokens may not leave by this route; None: they may."""
    for grant in grants:
        credential = grant.credential
        if credential is None:
            continue
        if credential.allowed_hosts is not None and not _is_bound_to(credential.allowed_hosts, route):
            return REFUSALS[ReplyReason.TOKEN_BOUND_ELSEWHERE]
        if (
            route.owner
            and is_foreign(grant, route.owner)
            and not _may_be_used(grant, credential=credential, route=route)
        ):
            return REFUSALS[ReplyReason.TOKEN_NOT_SHARED]
    return None


def names_bound_host(grants: Iterable[Grant], authority: bytes) -> bool:
    """Whether the host that a request names is one of those that each of its tokens is bound to, if it is bound."""
    for grant in grants:
        credential = grant.credential
        if credential is not None and credential.allowed_hosts is not None:
            host, colon, port = authority.rpartition(b":")
            name = host if colon and port.isdigit() else authority
            if from_bytes(name).lower() not in credential.allowed_hosts:
                return False
    return True


def is_foreign(grant: Grant, tenant: str) -> bool:
    """Whether a grant puts another owner's token on a request."""
    return bool(grant.headers) and grant.credential is not None and grant.credential.token_owner != tenant


def is_foreign_to_owner(grants: Iterable[Grant], route: CompiledRoute) -> bool:
    """Whether a route is a tenant's, and its authentication, or a token that came of it, another owner's."""
    if not route.owner or route.auth is None:
        return False
    return route.auth.owner != route.owner or any(is_foreign(grant, route.owner) for grant in grants)


def seen_by(grants: Iterable[Grant], *, veil: Veil, request: Request) -> Callable[[str], Request]:
    """Return a view of a request with these tokens, by the owner of the route whose matchers look at it."""
    behind = veil.request_behind(request)
    return lambda owner: behind if owner and any(is_foreign(grant, owner) for grant in grants) else request


def _is_bound_to(hosts: frozenset[str], route: CompiledRoute) -> bool:
    reached = route.bound_hosts
    return reached is not None and reached <= hosts


def _may_be_used(grant: Grant, *, credential: CompiledCredential, route: CompiledRoute) -> bool:
    if not credential.may_be_used_on(route.owner):
        return False
    if isinstance(route.action, Redirection):
        return False
    by_tenant = route.auth is not None and route.auth.owner == route.owner
    return not by_tenant or all(fold(name) in _CREDENTIALS for name, _ in grant.headers)
