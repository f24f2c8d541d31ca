"""The rows of SECURITY.md's table of what a tenant can do to others, tried on a real API server.

The platform, a tenant that minds its own business (``apps``) and one that does not (``evil``) share a gateway. ``evil``
applies everything below in its own identity, all at once; each test then tries one row. What a test changes after that
it takes back, so one operator and one proxy serve all of them. ``test_tenancy.py`` has the rows that need more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.e2e.estate import (
    CALLER,
    ELSEWHERE,
    NETWORKING,
    OWN_KEY,
    PROVIDER,
    TOKEN,
    Manifest,
    ext_auth,
    key_secret,
    route,
    service,
    table,
    tenant_identity,
)
from tests.e2e.installation import PORT, Installation
from tests.examples.servers import Answer, Provider

PLATFORM_TOKEN, PLATFORM_KEY = "sk-the-token-of-the-platform", "key-of-a-caller-of-the-platform"
SHARED_KEY, SHARED = "key-with-a-shared-token", {"shared": "yes"}
GUARDED, OFFERED, MINE = {"guard": "platform"}, {"offered": "yes"}, {"mine": "yes"}
APPS_HOST, EVIL_HOST, PLATFORM_HOST = "api.apps.test", "evil.apps.test", "www.platform.test"


@dataclass(frozen=True)
class Estate:
    """What the tests ask of it."""

    installation: Installation
    provider: Provider
    platform: str
    apps: str
    evil: str

    def ask(self, path: str, **headers: str) -> Answer:
        return self.installation.proxies[0].ask("POST", path, headers=headers)

    def sent(self, path: str) -> dict[str, str]:
        """The headers of the last request that reached a provider below that path."""
        found = [one for one in self.provider.received() if str(one["path"]).startswith(path)]
        return {str(name).lower(): str(value) for name, value in found[-1]["headers"]} if found else {}

    def approval(self, kind: str, name: str, namespace: str) -> tuple[str, str]:
        """The verdict on an object, once it is written, and what it says."""
        cluster = self.installation.cluster

        def state() -> Any:
            state = cluster.get(kind, name, namespace=namespace)["status"]["common"]["State"]
            return state if state["approval"] != "PENDING" else None

        found = self.installation.wait_until(state, f"{kind} {name} has a verdict")
        return found["approval"], found.get("message", "")


def answering(name: str, path: str, body: str, **extra: Any) -> Manifest:
    """A route that answers by itself."""
    return {
        "name": name,
        "matchers": [{"uri": {"prefix": path}}],
        "directResponse": {"status": 200, "body": body},
        **extra,
    }


def delegating(name: str, path: str, *tables: Manifest, **extra: Any) -> Manifest:
    sort = extra.pop("sort", {})
    return {
        "name": name,
        "matchers": [{"uri": {"prefix": path}}],
        "delegate": {"routeTables": list(tables), **sort},
        **extra,
    }


def annotated(manifest: Manifest, **metadata: Any) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


def copying(name: str, *, labels: Manifest, phase: str, request: Manifest) -> Manifest:
    return {
        "apiVersion": "trafficcontrol.policy.gloo.solo.io/v2",
        "kind": "TransformationPolicy",
        "metadata": {"name": name},
        "spec": {
            "applyToRoutes": [{"route": {"labels": labels}}],
            "config": {"phase": {phase: {}}, "request": request, "response": {"injaTemplate": {"headers": {
                "x-shown": {"text": '[{{ request_header("authorization") }}]'}}}}},
        },
    }  # fmt: skip


def _platforms(apps: str, evil: str, platform: str) -> list[Manifest]:
    allowed = [
        {"host": "*", "selector": {"namespace": platform}},
        {"host": "*.apps.test", "selector": {"namespace": apps}},
        {"host": "*.apps.test", "selector": {"namespace": evil}},
    ]
    listener = {"http": {}, "port": {"number": PORT}, "allowedRouteTables": allowed}
    gateway = {
        "apiVersion": NETWORKING,
        "kind": "VirtualGateway",
        "metadata": {"name": "gateway"},
        "spec": {"listeners": [listener]},
    }
    shared = [{"namespace": one, "labels": {"where": "shared"}} for one in (apps, evil)]
    root = table(
        "root",
        delegating("apps", "/apps/", {"namespace": apps, "labels": {"where": "own"}}),
        delegating("evil", "/evil/", {"namespace": evil, "labels": {"where": "own"}}),
        delegating("gone", "/gone/", {"namespace": evil, "name": "taken-away"}),
        delegating("shared", "/shared/", *shared, sort={"sortMethod": "ROUTE_SPECIFICITY"}),
        delegating("admin", "/admin", {"name": "inner"}, labels=GUARDED),
        route("/platform", "provider", labels=GUARDED),
        route("/selected", "selected", labels={}),
        hosts=["*"],
        virtualGateways=[{"name": "gateway"}],
        failureMode="FREEZE_CONFIG",
    )
    lent = annotated(
        table("lent", answering("lent", "/", "lent", labels={"lent": "yes"})),
        annotations={"wardgate.dev/delegate-from": evil},
    )
    return [
        gateway,
        root,
        table("inner", answering("inner", "/", "of the platform")),
        lent,
        service("provider", PROVIDER),
        service("selected", PROVIDER, selector=GUARDED),
        ext_auth("guard", storage={"labelSelector": GUARDED}, labels=GUARDED),
        ext_auth("offered", storage={"labelSelector": GUARDED}, labels=OFFERED),
        ext_auth("lent", storage={"labelSelector": GUARDED}, labels={"lent": "yes"}),
        key_secret("caller", PLATFORM_KEY, PLATFORM_TOKEN, labels=GUARDED),
        key_secret("shared", SHARED_KEY, PLATFORM_TOKEN, labels=SHARED, annotations={
            "wardgate.dev/share-with": evil, "wardgate.dev/upstream-hosts": PROVIDER}),
    ]  # fmt: skip


def _of_apps(platform: str) -> list[Manifest]:
    labels, gateway = {"team": "apps"}, [{"name": "gateway", "namespace": platform}]
    return [
        service("provider", PROVIDER),
        annotated(table("chat", route("/apps/chat", "provider", labels=labels)), labels={"where": "own"}),
        annotated(table("open", route("/apps/open", "provider", labels={})), labels={"where": "own"}),
        annotated(table("shared", answering("app", "/shared/app", "of apps")), labels={"where": "shared"}),
        table("host", answering("host", "/", "of apps"), hosts=["*.apps.test"], virtualGateways=gateway),
        ext_auth("guard", storage={"labelSelector": labels}, labels=labels),
        key_secret("caller", CALLER, TOKEN, labels=labels),
    ]


def _attack(apps: str, platform: str) -> list[Manifest]:
    """Everything that ``evil`` tries."""
    gateway = [{"name": "gateway", "namespace": platform}]
    own = {"labels": {"where": "own"}}
    internal = f"web.{apps}.svc.cluster.local"
    inner, lent = {"name": "inner", "namespace": platform}, {"name": "lent", "namespace": platform}
    both = {"injaTemplate": {"headers": {"x-copy": {"text": 'copy-{{ header("api-key") }}'}}}}
    away = {"injaTemplate": {"headers": {":path": {"text": "/platform"}}}, "recalculateRoutingDestination": True}
    own_key = {"headers": {"own-key": {"text": "key-of-evil"}, "x-env": {"text": '[{{ env("PATH") }}]'}}}
    shows_own_key = {"injaTemplate": own_key}
    to_apps = {"injaTemplate": {"headers": {":path": {"text": "/apps/chat"}}}, "recalculateRoutingDestination": True}
    return [
        service("own", ELSEWHERE),
        service("internal", internal),
        service("provider", PROVIDER),
        annotated(
            table(
                "routes",
                route("/evil/open", "own", labels=MINE),
                route("/evil/offered", "own", labels=OFFERED),
                route("/evil/internal", "internal", labels={}),
                route("/evil/away", "own", labels={"away": "yes"}),
                route("/evil/shared", "provider", labels=SHARED),
                named("/evil/renamed", "provider", host="other.example", labels=SHARED),
                route("/evil/to-apps", "own", labels={"to": "apps"}),
                route("/evil/hmac", "own", labels={"hmac": "yes"}),
                route("/evil/either", "own", labels={"either": "yes"}),
                answering("ordinary", "/evil/ordinary", "", labels={"ordinary": "yes"}),
                answering("wide", "/admin", "of evil"),
                delegating("inner", "/evil/inner", inner),
                delegating("lent", "/evil/lent", lent, labels={**OFFERED, "weak": "yes"}),
                {"name": "any", "matchers": [{"uri": {"regex": ".*"}}], "directResponse": {"status": 200}},
            ),
            **own,
        ),
        annotated(
            table("curious", *(delegating(one, f"/evil/curious-{one}", {"name": one, "namespace": platform})
                               for one in ("inner", "absent"))),
            **own,
        ),
        annotated(
            table("loop", delegating("elsewhere", "/evil/x", {"name": "loop"}), weight=-1),
            **own,
        ),
        annotated(
            table(
                "shared",
                {"name": "steal", "matchers": [{"uri": {"regex": "/shared/app/.*"}}, {"uri": {"exact": "/shared/app"}}],
                 "directResponse": {"status": 200, "body": "of evil"}},
                weight=1000,
            ),
            labels={"where": "shared"},
        ),
        table("host", answering("host", "/", "of evil"), hosts=[APPS_HOST, EVIL_HOST, PLATFORM_HOST],
              virtualGateways=gateway, weight=1000),
        ext_auth("open-door", storage={"labelSelector": {"weak": "yes"}}, labels={"weak": "yes"}),
        _reading_content_type(),
        key_secret("own", "key-of-evil", "none", labels=MINE),
        key_secret("intruder", OWN_KEY, "none", labels={**GUARDED, "team": "apps", "weak": "yes"}),
        copying("copy-open", labels=MINE, phase="preAuthz", request=both),
        copying("copy-offered", labels=OFFERED, phase="preAuthz", request=both),
        copying("away", labels={"away": "yes"}, phase="preAuthz", request=away),
        copying("to-apps", labels={"to": "apps"}, phase="preAuthz", request=to_apps),
        copying("show", labels=SHARED, phase="postAuthz", request=both),
        copying("either", labels={"either": "yes"}, phase="preAuthz", request=shows_own_key),
        _either(),
        ext_auth("shared", storage={"labelSelector": SHARED}, labels=SHARED),
        _keyed_with({"name": "caller", "namespace": platform}),
        {"apiVersion": NETWORKING, "kind": "VirtualGateway", "metadata": {"name": "own"},
         "spec": {"listeners": [{"http": {}, "port": {"number": PORT}}]}},
        {"apiVersion": NETWORKING, "kind": "ExternalEndpoint", "metadata": {"name": "impostor", "labels": GUARDED},
         "spec": {"address": "203.0.113.7", "ports": [{"name": "https", "number": 443}]}},
        {"apiVersion": NETWORKING, "kind": "ExternalEndpoint", "metadata": {"name": "socket"},
         "spec": {"address": "unix:///run/some.sock", "ports": []}},
    ]  # fmt: skip


def named(path: str, name: str, *, host: str, labels: Manifest) -> Manifest:
    """A route that tells the provider another host."""
    made = route(path, name, labels=labels)
    del made["forwardTo"]["autoHostRewrite"]
    return {**made, "forwardTo": {**made["forwardTo"], "hostRewrite": host}}


def _keyed_with(secret: Manifest) -> Manifest:
    policy = ext_auth("hmac", storage={"labelSelector": MINE}, labels={"hmac": "yes"})
    policy["spec"]["config"]["glooAuth"]["configs"][0]["apiKeyAuth"]["hmac"] = {"sharedSecretRef": secret}
    return policy


def _either() -> Manifest:
    """Open with a key of the tenant's own, which its template sets; the key in the other header is to go along."""
    policy = ext_auth("either", storage={"labelSelector": MINE}, labels={"either": "yes"})
    auth = policy["spec"]["config"]["glooAuth"]
    step = auth["configs"][0]["apiKeyAuth"]
    auth["configs"].append({"apiKeyAuth": {**step, "headerName": "own-key"}})
    auth["booleanExpr"] = "config_0 || config_1"
    return annotated(policy, annotations={"wardgate.dev/forward-credential": "true"})


def _reading_content_type() -> Manifest:
    policy = ext_auth("content-type", storage={"labelSelector": MINE}, labels={"ordinary": "yes"})
    policy["spec"]["config"]["glooAuth"]["configs"][0]["apiKeyAuth"]["headerName"] = "content-type"
    return policy


@pytest.fixture(scope="module")
def estate(
    module_cluster: Cluster, helm: Path, tmp_path_factory: pytest.TempPathFactory, provider: Provider
) -> Iterator[Estate]:
    cluster = module_cluster
    platform, apps, evil = (cluster.namespace(name) for name in ("platform", "apps", "evil"))
    values = {"tenancy": "isolated", "platformNamespaces": [platform]}
    with Installation(cluster, Helm(helm), tmp_path_factory.mktemp("reach"), values) as installation:
        cluster.apply(_platforms(apps, evil, platform), namespace=platform)
        cluster.apply(_of_apps(platform), namespace=apps)
        open_to_templates = ("--template-env", "PATH")
        installation.operator("--tenancy", "isolated", "--platform-namespace", platform, *open_to_templates)
        installation.proxy(provider=provider)
        installation.everywhere(200, "/apps/chat", method="POST", **{"api-key": CALLER})
        attack = _attack(apps, platform)
        tenant_identity(cluster, evil).apply(attack, namespace=evil)
        found = Estate(installation, provider, platform, apps, evil)
        for manifest in attack:
            if manifest["kind"] != "Secret":
                found.approval(manifest["kind"], manifest["metadata"]["name"], evil)
        # A key that comes after the verdicts: with it all that they are about is served.
        late = key_secret("late", "late-key", "none", labels={"team": "apps"})
        cluster.create(late, namespace=apps)
        installation.everywhere(200, "/apps/chat", method="POST", **{"api-key": "late-key"})
        yield found


def test_everyday_requests_are_served(estate: Estate) -> None:
    assert 200 == estate.ask("/apps/chat", **{"api-key": CALLER}).status
    assert 200 == estate.ask("/platform", **{"api-key": PLATFORM_KEY}).status
    assert b"of the platform" == estate.ask("/admin", **{"api-key": PLATFORM_KEY}).body


def test_borrowed_label_of_the_platform_brings_no_token(estate: Estate) -> None:
    assert 403 == estate.ask("/evil/offered", **{"api-key": PLATFORM_KEY}).status
    assert {} == estate.sent("/models/evil/offered")


def test_key_of_the_platforms_callers_reaches_no_tenant(estate: Estate) -> None:
    assert 200 == estate.ask("/evil/open", **{"api-key": PLATFORM_KEY}).status
    sent = estate.sent("/models/evil/open")
    assert "copy-" == sent["x-copy"]
    assert PLATFORM_KEY not in str(sent)


def test_key_of_another_tenants_callers_reaches_no_tenant(estate: Estate) -> None:
    assert 200 == estate.ask("/evil/open", api_key=CALLER).status
    assert CALLER not in str(estate.sent("/models/evil/open"))


@pytest.mark.parametrize(("path", "key"), [("/evil/away", PLATFORM_KEY), ("/evil/to-apps", CALLER)])
def test_template_moves_no_request_to_routes_of_others(estate: Estate, path: str, key: str) -> None:
    answer = estate.ask(path, **{"api-key": key})
    assert 403 == answer.status
    assert [] == [token for token in (PLATFORM_TOKEN, TOKEN) if token in str(answer)]


def test_shared_token_is_shown_to_no_template_of_the_tenant(estate: Estate) -> None:
    answer = estate.ask("/evil/shared", **{"api-key": SHARED_KEY})
    assert 200 == answer.status
    assert PLATFORM_TOKEN == estate.sent("/models/evil/shared")["authorization"]
    assert "[]" == answer.headers["x-shown"]


def test_shared_token_that_is_bound_goes_under_no_other_host(estate: Estate) -> None:
    assert 403 == estate.ask("/evil/renamed", **{"api-key": SHARED_KEY}).status
    assert {} == estate.sent("/models/evil/renamed")


def test_policy_of_a_tenant_is_keyed_with_no_secret_of_the_platform(estate: Estate) -> None:
    assert 500 == estate.ask("/evil/hmac").status
    kind, message = estate.approval("ExtAuthPolicy", "hmac", estate.evil)
    assert "INVALID" == kind
    assert "wardgate.dev/share-with" in message


def test_key_that_a_tenant_did_not_accept_is_not_forwarded_by_its_word(estate: Estate) -> None:
    """Its template opens the route with a key of its own, so that the caller's goes along in the other header."""
    assert 200 == estate.ask("/evil/either", **{"api-key": PLATFORM_KEY}).status
    assert PLATFORM_KEY not in str(estate.sent("/models/evil/either"))


def test_tenants_template_reads_no_variable_of_the_proxy(estate: Estate) -> None:
    assert 200 == estate.ask("/evil/either").status
    assert "[]" == estate.sent("/models/evil/either")["x-env"]


def test_tenant_reaches_no_socket_beside_the_proxy(estate: Estate) -> None:
    kind, message = estate.approval("ExternalEndpoint", "socket", estate.evil)
    assert "INVALID" == kind
    assert "platform namespaces only" in message


def test_tenant_does_not_learn_which_tables_there_are(estate: Estate) -> None:
    kind, message = estate.approval("RouteTable", "curious", estate.evil)
    assert "INVALID" == kind
    said = [part.partition("table never.")[0] for part in message.split('Route "') if " names " in part]
    assert 2 == len(said)
    assert 1 == len({one.replace("inner", "absent") for one in said})


def test_endpoint_of_a_tenant_stands_in_for_no_service_of_the_platform(estate: Estate) -> None:
    assert 200 == estate.ask("/selected").status


def test_table_that_a_tenant_took_away_is_closed(estate: Estate) -> None:
    assert 500 == estate.ask("/gone/x").status


def test_platforms_child_table_is_not_reached_without_its_key(estate: Estate) -> None:
    assert 500 == estate.ask("/evil/inner").status
    kind, message = estate.approval("RouteTable", "routes", estate.evil)
    assert "INVALID" == kind
    assert "wardgate.dev/delegate-from" in message


def test_labels_of_a_tenant_choose_no_policy_for_the_platforms_table(estate: Estate) -> None:
    assert 401 == estate.ask("/evil/lent").status
    assert 401 == estate.ask("/evil/lent", **{"api-key": OWN_KEY}).status
    assert b"lent" == estate.ask("/evil/lent", **{"api-key": PLATFORM_KEY}).body


@pytest.mark.parametrize("path", ["/shared/app", "/shared/app/x"])
def test_weight_and_regex_take_no_path_of_another_tenant(estate: Estate, path: str) -> None:
    assert b"of apps" == estate.ask(path).body
    assert "WARNING" == estate.approval("RouteTable", "shared", estate.evil)[0]
    assert "ACCEPTED" == estate.approval("RouteTable", "shared", estate.apps)[0]


@pytest.mark.parametrize(("host", "body"), [(APPS_HOST, b"of apps"), (EVIL_HOST, b"of apps")])
def test_narrower_host_takes_nothing_from_another_tenants_wildcard(estate: Estate, host: str, body: bytes) -> None:
    assert body == estate.ask("/", Host=host).body


def test_host_that_the_platform_did_not_give_is_not_served(estate: Estate) -> None:
    assert b"of evil" != estate.ask("/admin", Host=PLATFORM_HOST).body
    assert 401 == estate.ask("/admin", Host=PLATFORM_HOST).status


def test_matchers_beyond_the_delegation_take_nothing(estate: Estate) -> None:
    assert 401 == estate.ask("/admin").status
    assert 500 == estate.ask("/evil/anything").status
    assert 404 == estate.ask("/elsewhere").status


def test_name_inside_the_cluster_leads_to_no_other_namespace(estate: Estate) -> None:
    assert 500 == estate.ask("/evil/internal").status
    assert "INVALID" == estate.approval("ExternalService", "internal", estate.evil)[0]


@pytest.mark.parametrize("name", ["root", "inner", "lent"])
def test_mistakes_of_a_tenant_make_no_table_of_the_platform_invalid(estate: Estate, name: str) -> None:
    assert estate.approval("RouteTable", name, estate.platform)[0] in {"ACCEPTED", "WARNING"}
    assert "INVALID" == estate.approval("RouteTable", "loop", estate.evil)[0]


def test_tenants_broken_tables_hold_back_no_change_of_the_platform(estate: Estate) -> None:
    """The platform's root freezes with its tree where one of its own tables is bad."""
    fresh = table("inner", answering("inner", "/", "anew"))
    estate.installation.cluster.apply(fresh, namespace=estate.platform)
    estate.installation.wait_until(
        lambda: b"anew" == estate.ask("/admin", **{"api-key": PLATFORM_KEY}).body, "the platform's change is live"
    )
    estate.installation.cluster.apply(
        table("inner", answering("inner", "/", "of the platform")), namespace=estate.platform
    )
    estate.installation.wait_until(
        lambda: b"of the platform" == estate.ask("/admin", **{"api-key": PLATFORM_KEY}).body, "it is taken back"
    )


def test_key_of_a_tenant_opens_nothing_of_others(estate: Estate) -> None:
    assert 401 == estate.ask("/platform", **{"api-key": OWN_KEY}).status
    assert 401 == estate.ask("/apps/chat", **{"api-key": OWN_KEY}).status


def test_tenants_key_header_is_taken_off_no_other_requests(estate: Estate) -> None:
    assert 200 == estate.ask("/apps/open", **{"content-type": "text/x-own"}).status
    assert "text/x-own" == estate.sent("/models/apps/open")["content-type"]


def test_gateway_of_a_tenant_opens_no_port(estate: Estate) -> None:
    kind, message = estate.approval("VirtualGateway", "own", estate.evil)
    assert "INVALID" == kind
    assert "platform namespace" in message
