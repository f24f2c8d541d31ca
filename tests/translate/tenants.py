"""An estate under isolated tenancy: ``infra`` is the platform with one gateway; every other namespace is a tenant's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.translate.cluster import Cluster
from wardgate.api import Approval
from wardgate.ir import Route, RouteAction
from wardgate.problems import ObjectRef, Problem
from wardgate.settings import Settings
from wardgate.translate import LastGood, Translation, translate
from wardgate.translate.statuses.object_status import ObjectStatus

Manifest = dict[str, Any]

ISOLATED = Settings(tenancy="isolated", platform_namespaces=frozenset({"infra"}))
ANY_HOST: Manifest = {"hosts": ["*"], "virtualGateways": [{"name": "gw", "namespace": "infra"}]}
ANSWER: Manifest = {"directResponse": {"status": 200}}


def made(kind: str, where: str, spec: Manifest, *, age: int = 0, **metadata: Any) -> Manifest:
    """An object; ``where`` is ``namespace/name``. The greater ``age``, the older."""
    namespace, _, name = where.partition("/")
    api = {"ExtAuthPolicy": "security.policy.gloo.solo.io/v2"}.get(kind, "networking.gloo.solo.io/v2")
    created = f"2024-01-01T00:00:{59 - age:02}Z"
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": created, **metadata},
        "spec": spec,
    }


def gateway(*allowed: Manifest) -> Manifest:
    """Lets in the platform's tables, and whom the entries name."""
    entries = [{"host": "*", "selector": {"namespace": "infra"}}, *allowed]
    listener = {"http": {}, "port": {"number": 80}, "allowedRouteTables": entries}
    return made("VirtualGateway", "infra/gw", {"listeners": [listener]}, age=59)


def table(where: str, *routes: Manifest, age: int = 0, metadata: Manifest | None = None, **spec: Any) -> Manifest:
    """A RouteTable."""
    return made("RouteTable", where, {**spec, "http": list(routes)}, age=age, **(metadata or {}))


def route(name: str, *matchers: Manifest, to: Manifest | None = None, **extra: Any) -> Manifest:
    """A route; by default it answers 200."""
    given = {"matchers": list(matchers)} if matchers else {}
    return {"name": name, **given, **(ANSWER if to is None else to), **extra}


def prefix(path: str) -> Manifest:
    """A matcher."""
    return {"uri": {"prefix": path}}


def regex(pattern: str) -> Manifest:
    """A matcher."""
    return {"uri": {"regex": pattern}}


def delegated(*selectors: Manifest, **extra: Any) -> Manifest:
    """An action."""
    return {"delegate": {"routeTables": list(selectors), **extra}}


def translated(*manifests: Manifest, last_good: LastGood | None = None) -> Translation:
    """The estate, translated; a gateway of the platform's own is added where none is given."""
    given = manifests if any(one["kind"] == "VirtualGateway" for one in manifests) else (gateway(), *manifests)
    return translate(Cluster().apply(*given).snapshot(), ISOLATED, last_good=last_good or {})


def routes(translation: Translation, domain: str = "*") -> list[Route]:
    """The routes of a host, in their order."""
    hosts = (host for listener in translation.config.listeners for host in listener.virtual_hosts)
    return [route for host in hosts if domain in host.domains for route in host.routes]


def actions(translation: Translation, domain: str = "*") -> dict[str, RouteAction]:
    """The actions of a host's routes, by ``namespace/table/route``."""
    return {route.name.partition("@")[0]: route.action for route in routes(translation, domain)}


def order(translation: Translation, domain: str = "*") -> list[str]:
    """The routes of a host in their order, as ``namespace/table/route``."""
    return [route.name.partition("@")[0] for route in routes(translation, domain)]


def status(translation: Translation, where: str, kind: str = "RouteTable") -> ObjectStatus:
    """The verdict on an object."""
    namespace, _, name = where.partition("/")
    found = translation.statuses.of(ObjectRef(kind, namespace, name))
    assert found is not None
    return found


def invalid(translation: Translation) -> set[str]:
    """The objects that are INVALID, as ``namespace/name``."""
    bad = (one for one in translation.statuses if one.approval is Approval.INVALID)
    return {f"{one.ref.namespace}/{one.ref.name}" for one in bad}


def problems(translation: Translation, where: str) -> Iterator[Problem]:
    """The problems of a table."""
    yield from status(translation, where).problems
