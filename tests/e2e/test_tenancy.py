"""Isolated tenancy on a real API server: what a tenant may apply does not get at another tenant's token."""

from __future__ import annotations

from tests.e2e.estate import (
    CALLER,
    ELSEWHERE,
    NETWORKING,
    OWN_KEY,
    PROVIDER,
    ext_auth,
    key_secret,
    route,
    service,
    table,
    transformation,
)
from tests.e2e.two_tenants import Estate


def test_route_table_that_borrows_a_label_gets_no_token(estate: Estate) -> None:
    borrowed = {"team": "apps"}
    estate.attack(service("own", ELSEWHERE), table("thief", route("/evil/borrow", "own", labels=borrowed)))
    estate.ask("/evil/borrow", **{"api-key": CALLER})
    assert [] == estate.leaks()


def test_transformation_with_an_empty_selector_touches_no_foreign_route(estate: Estate) -> None:
    request = {"injaTemplate": {"headers": {"x-stolen": {"text": '{{ header("authorization") }}'}}}}
    estate.attack(transformation("everything", selectors=[{"route": {}}], request=request))
    assert 200 == estate.ask("/apps/chat", **{"api-key": CALLER})
    assert "x-stolen" not in estate.provider.last_headers()


def test_foreign_key_secret_opens_no_route(estate: Estate) -> None:
    estate.attack(key_secret("intruder", OWN_KEY, "none", labels={"team": "apps"}))
    assert 401 == estate.ask("/apps/chat", **{"api-key": OWN_KEY})


def test_foreign_secret_refs_bring_no_token(estate: Estate) -> None:
    refs = {"apiKeySecretRefs": [{"name": "caller", "namespace": estate.apps}]}
    labels = {"mine": "yes"}
    estate.attack(
        service("own", ELSEWHERE),
        table("thief", route("/evil/refs", "own", labels=labels)),
        ext_auth("borrowing", storage=refs, labels=labels),
    )
    assert estate.ask("/evil/refs", **{"api-key": CALLER}) in {401, 500}
    assert [] == estate.leaks()


def test_foreign_service_is_no_way_to_the_token(estate: Estate) -> None:
    """A route of the attacker's to the victim's provider, with the attacker's own policy."""
    labels = {"mine": "yes"}
    estate.attack(
        table("thief", route("/evil/reuse", "provider", labels=labels, namespace=estate.apps)),
        ext_auth("own", storage={"labelSelector": {"team": "apps"}}, labels=labels),
    )
    assert 200 != estate.ask("/evil/reuse", **{"api-key": CALLER})
    assert [] == estate.leaks()


def test_token_bound_to_hosts_does_not_go_where_a_destination_is_chosen_anew(estate: Estate) -> None:
    """``recalculateRoutingDestination`` : the binding holds even against objects of its own namespace."""
    request = {
        "recalculateRoutingDestination": True,
        "injaTemplate": {"headers": {":path": {"text": "/apps/other"}}},
    }
    estate.installation.cluster.apply(
        [
            service("elsewhere", ELSEWHERE),
            table("other", route("/apps/other", "elsewhere", labels={"team": "apps"})),
            transformation("astray", selectors=[{"route": {"labels": {"team": "apps"}}}], request=request),
        ],
        namespace=estate.apps,
    )
    estate.installation.everywhere(403, "/apps/chat", **{"api-key": CALLER})
    assert 403 == estate.ask("/apps/other", **{"api-key": CALLER})
    assert [] == estate.leaks()


def test_endpoint_behind_a_trusted_host_does_not_get_the_token(estate: Estate) -> None:
    """An ExternalEndpoint that takes the place of the trusted name's own addresses."""
    endpoint = {
        "apiVersion": NETWORKING,
        "kind": "ExternalEndpoint",
        "metadata": {"name": "impostor", "labels": {"provider": "own"}},
        "spec": {"address": "203.0.113.7", "ports": [{"name": "https", "number": 443}]},
    }
    labels = {"team": "apps"}
    trusted = service("trusted", PROVIDER, selector={"provider": "own"})
    estate.installation.cluster.apply(
        [endpoint, trusted, table("behind", route("/apps/behind", "trusted", labels=labels))], namespace=estate.apps
    )
    estate.installation.everywhere(403, "/apps/behind", method="POST", **{"api-key": CALLER})
    assert [] == estate.leaks()
