"""Policies whose keys carry tokens that may not leave by a tenant's routes: such requests are refused.

The rules are the proxy's (``token_rules`` in ``proxy/core``). On a tenant's route another owner's token leaves only if
its Secret is bound to hosts or shared with the tenant, and a tenant's policy puts it into credential headers only.
Nothing is decided here: the mistake is told before anybody meets the 403.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from wardgate.api.kinds.annotations import SHARE_WITH, UPSTREAM_HOSTS
from wardgate.field_names import CREDENTIAL_HEADERS, fold
from wardgate.ir import ApiKeyStep, AuthPlan, Credential, GatewayConfig
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason

GuardedTenants: TypeAlias = Mapping[str, frozenset[str]]
"""By the name of an authentication plan: the tenants, other than its owner, on whose routes it stands."""
_NAMED_AT_MOST: Final = 3


def guarded_tenants(config: GatewayConfig) -> GuardedTenants:
    """The plans that guard routes of other owners."""
    owners = {plan.name: plan.owner for plan in config.auth_plans}
    found: dict[str, set[str]] = {}
    for listener in config.listeners:
        for host in listener.virtual_hosts:
            for route in host.routes:
                if route.owner and route.auth is not None and owners[route.auth] != route.owner:
                    found.setdefault(route.auth, set()).add(route.owner)
    return {name: frozenset(tenants) for name, tenants in found.items()}


def withheld_tokens(
    policy: ObjectRef, plan: AuthPlan, *, tenants: frozenset[str], keys_of: Callable[[str], Iterable[Credential]]
) -> Iterator[Problem]:
    """A warning if some of the policy's keys are refused on routes of these tenants. ``keys_of``: by key set."""
    withheld = sorted({each for step in plan.steps for each in _withheld(step, tenants, keys_of=keys_of)})
    if not withheld:
        return
    names = [f"{namespace}/{name}" for namespace, name in withheld]
    message = (
        f"{policy} guards routes of namespaces {_listed(sorted(tenants))}, and the tokens of {len(names)} of its keys "
        f"may not leave there: requests with them are refused. Annotate {_listed(names)} with {UPSTREAM_HOSTS} or "
        f"{SHARE_WITH}."
    )
    yield Problem(ProblemKind.WARNING, Reason.TOKEN_WITHHELD, message, policy, ("spec", "applyToRoutes"))


def _withheld(
    step: object, tenants: frozenset[str], *, keys_of: Callable[[str], Iterable[Credential]]
) -> Iterator[tuple[str, str]]:
    if not isinstance(step, ApiKeyStep) or not step.metadata_headers:
        return
    sent = {header.entry for header in step.metadata_headers}
    for key in keys_of(step.key_set):
        is_free = key.allowed_hosts is not None or tenants <= {key.namespace, *key.shared_with}
        if not is_free and not sent.isdisjoint(entry.name for entry in key.metadata):
            yield key.namespace, key.name


def exposed_tokens(
    policy: ObjectRef, plan: AuthPlan, *, keys_of: Callable[[str], Iterable[Credential]]
) -> Iterator[Problem]:
    """A warning for each step of a tenant's policy that puts others' tokens into headers that providers repeat."""
    for number, step in enumerate(plan.steps if plan.owner else ()):
        if not (isinstance(step, ApiKeyStep) and (exposing := _exposing(step))):
            continue
        if lent := _lent(set(exposing.values()), plan.owner, keys=keys_of(step.key_set)):
            message = (
                f"{policy} puts entries of {_listed(lent)} into {_listed(sorted(exposing))}: requests with these keys "
                "are refused, because an entry that is shared may stand in a credential header only. Name such a "
                "header instead, for example authorization or x-api-key."
            )
            field = ("spec", "config", "glooAuth", "configs", number, "apiKeyAuth", "headersFromMetadataEntry")
            yield Problem(ProblemKind.WARNING, Reason.TOKEN_WITHHELD, message, policy, field)


def _exposing(step: ApiKeyStep) -> dict[str, str]:
    """The headers of a step that are no credential headers, each with the entry that it is set from."""
    return {one.header: one.entry for one in step.metadata_headers if fold(one.header) not in CREDENTIAL_HEADERS}


def _lent(entries: set[str], tenant: str, *, keys: Iterable[Credential]) -> list[str]:
    """Other owners' Secrets that have one of the entries."""
    others = (key for key in keys if _token_owner(key) != tenant)
    return sorted(
        f"{key.namespace}/{key.name}" for key in others if not entries.isdisjoint(one.name for one in key.metadata)
    )


def _token_owner(key: Credential) -> str:
    """The namespace whose token a key carries."""
    return key.metadata_from.partition("/")[0] or key.namespace


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
