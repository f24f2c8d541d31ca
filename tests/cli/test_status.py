"""``wardgate status``: one screen, complete JSON, and plain words for whatever cannot be seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.cli.canned_api_server import CannedApiServer, canned_api_server, kubeconfig_text
from tests.cli.command_line import Ended, Wardgate
from tests.cli.golden import golden
from tests.kube.verdicts import desired, verdict
from wardgate.api import KINDS, Approval
from wardgate.cli.overview import report as status_report
from wardgate.kube.delivery.index import Index, index_manifest
from wardgate.kube.status.manifest import Programming, not_programmed, status_manifest
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import Counts
from wardgate.wire.bundle import revision_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_SEQUENCE = 1_772_000_000_000
_REVISION = revision_of(schema="1.0", hashes={})
_SECRETS = "/api/v1/secrets"
_INDEX = "/api/v1/namespaces/wardgate-config/secrets/wardgate-index"
_LEASE = "/apis/coordination.k8s.io/v1/namespaces/wardgate/leases/wardgate-operator"
_SLICES = "/apis/discovery.k8s.io/v1/namespaces/wardgate/endpointslices"


_SELECTS = {
    "config": {"glooAuth": {"configs": [{"apiKeyAuth": {"labelSelector": {"api-key": "huggingface"}}}]}},
}


def _proxy_path(name: str) -> str:
    return f"/api/v1/namespaces/wardgate/pods/{name}:9901/proxy/revision"


def _object(
    kind: str,
    name: str,
    *,
    approval: Approval = Approval.ACCEPTED,
    message: str = "",
    counts: Counts | None = None,
    programming: Programming | None = None,
    generation: int = 1,
    spec: dict[str, Any] | None = None,
    judged: bool = True,
) -> dict[str, Any]:
    of = verdict(approval, ref=ObjectRef(kind, "ai", name), message=message, counts=counts or {})
    wanted = desired(of) if programming is None else desired(of, programming)
    status = {"status": status_manifest(wanted, previous=None, now=NOW)} if judged else {}
    return {"metadata": {"namespace": "ai", "name": name, "generation": generation}, "spec": spec or {}, **status}


def _key(name: str, expires_at: str | None = None) -> dict[str, Any]:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "sesame"}
    if expires_at:
        annotations["wardgate.dev/expires-at"] = expires_at
    return {
        "metadata": {"namespace": "ai", "name": name, "labels": {"api-key": "huggingface"}, "annotations": annotations}
    }


def _slice(*pods: tuple[str, bool]) -> dict[str, Any]:
    endpoints = [
        {
            "addresses": [f"10.0.0.{number}"],
            "conditions": {"ready": True, "serving": ready, "terminating": False},
            "targetRef": {"kind": "Pod", "name": name},
        }
        for number, (name, ready) in enumerate(pods, start=1)
    ]
    return {
        "metadata": {"name": "s"},
        "addressType": "IPv4",
        "ports": [{"name": "admin", "port": 9901}],
        "endpoints": endpoints,
    }


def _announced(sequence: int = _SEQUENCE, revision: str = _REVISION, **more: object) -> dict[str, Any]:
    return {
        "revision": revision,
        "schema": "1.0",
        "reads": [1],
        "sequence": sequence,
        "age_seconds": 3.2,
        "connected": True,
        **more,
    }


def _fill(server: CannedApiServer) -> None:
    """An installation in which everything is well."""
    put = server.put_list
    for kind in KINDS:
        put(resource_of(kind).path())
    listeners = [{"http": {}, "port": {"number": 80}}, {"http": {}, "port": {"number": 443}, "tls": {"mode": "SIMPLE"}}]
    put(
        resource_of("VirtualGateway").path(),
        _object("VirtualGateway", "gateway", spec={"listeners": listeners}, counts={"route_tables_count": 2}),
    )
    put(
        resource_of("RouteTable").path(),
        _object(
            "RouteTable",
            "models",
            spec={"hosts": ["*"], "http": [{}, {}, {}]},
            counts={"num_allowed_virtual_gateways": 1, "num_parent_route_tables": 0},
        ),
    )
    put(
        resource_of("ExtAuthPolicy").path(),
        _object(
            "ExtAuthPolicy",
            "apikey",
            spec=_SELECTS,
            counts={"num_selected_routes": 3, "keys": {"usable": 2, "rejected": 0}},
        ),
    )
    put(
        resource_of("ExternalService").path(),
        _object(
            "ExternalService",
            "huggingface",
            spec={"hosts": ["api-inference.huggingface.co"]},
            counts={"num_selected_external_endpoints": 0, "num_selected_virtual_gateways": 1},
        ),
    )
    put(_SECRETS, _key("caller-1"), _key("caller-2", "2026-12-01T00:00:00Z"))
    index = Index("1.0", _REVISION, _SEQUENCE, "wardgate-operator-0", "2026-03-01T11:59:53Z", ())
    server.answers[_INDEX] = index_manifest(index, release="wardgate", namespace="wardgate-config")
    server.answers[_LEASE] = {
        "metadata": {},
        "spec": {
            "holderIdentity": "wardgate-operator-0",
            "renewTime": "2026-03-01T11:59:58.000000Z",
            "leaseDurationSeconds": 10,
        },
    }
    put(_SLICES, _slice(("wardgate-proxy-a", True), ("wardgate-proxy-b", True)))
    for name in ("wardgate-proxy-a", "wardgate-proxy-b"):
        server.answers[_proxy_path(name)] = _announced()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CannedApiServer]:
    monkeypatch.setattr(status_report, "current_time", lambda: NOW)
    with canned_api_server(tmp_path) as server:
        _fill(server)
        yield server


def _status(wardgate: Wardgate, server: CannedApiServer, *more: str) -> Ended:
    return wardgate("status", "--kubeconfig", str(server.kubeconfig), *more)


def _document(wardgate: Wardgate, server: CannedApiServer) -> Any:
    ended = _status(wardgate, server, "--output", "json")
    assert (0, "") == (ended.status, ended.err)
    return json.loads(ended.out)


def _problems(wardgate: Wardgate, server: CannedApiServer) -> dict[str, str]:
    return {one["subject"]: one["message"] for one in _document(wardgate, server)["problems"]}


def test_installation_that_is_well_fits_on_a_screen(wardgate: Wardgate, server: CannedApiServer) -> None:
    ended = _status(wardgate, server)

    assert (0, "") == (ended.status, ended.err)
    assert golden("status.txt", ended.out) == ended.out
    assert len(ended.out.splitlines()) < 40


def test_report_for_programs(wardgate: Wardgate, server: CannedApiServer) -> None:
    ended = _status(wardgate, server, "-o", "json")

    assert (0, "") == (ended.status, ended.err)
    assert golden("status.json", ended.out) == ended.out


def test_installation_in_trouble_says_what_to_do(wardgate: Wardgate, server: CannedApiServer) -> None:
    server.put_list(
        resource_of("ExtAuthPolicy").path(),
        _object(
            "ExtAuthPolicy",
            "good",
            spec=_SELECTS,
            counts={"keys": {"usable": 1, "rejected": 2, "duplicate": 1, "faults": {"ai/rejected": "BadSecret"}}},
        ),
        _object("ExtAuthPolicy", "bad", approval=Approval.INVALID, message="Field [bold]spec.x[/] is wrong. Mend it."),
        _object("ExtAuthPolicy", "loser", approval=Approval.FAILED, message="An older policy has the route."),
        _object("ExtAuthPolicy", "careful", approval=Approval.WARNING, message="Field spec.y has no effect."),
        _object("ExtAuthPolicy", "new", judged=False),
        _object("ExtAuthPolicy", "changed", generation=2),
        _object("ExtAuthPolicy", "waiting", programming=not_programmed("Behind is 1 of 2: b.")),
    )
    server.put_list(
        _SECRETS,
        _key("expired", "2026-02-27T00:00:00Z"),
        _key("soon", "2026-03-04T12:00:00Z"),
        _key("unreadable", "tomorrow"),
        _key("rejected"),
        {"metadata": {"namespace": "ai", "name": "stray", "labels": {"api-key": "hugging"}}},
    )
    server.put_list(
        _SLICES, _slice(("wardgate-proxy-a", True), ("wardgate-proxy-b", False), ("wardgate-proxy-c", True))
    )
    server.answers[_proxy_path("wardgate-proxy-a")] = _announced(_SEQUENCE - 1, "0" * 64, connected=False)
    server.answers[_proxy_path("wardgate-proxy-b")] = 503
    server.answers[_proxy_path("wardgate-proxy-c")] = _announced(_SEQUENCE + 9, refused_sequence=_SEQUENCE)
    index = Index("1.0", _REVISION, _SEQUENCE, "wardgate-operator-0", "2026-03-01T11:00:00Z", ())
    server.answers[_INDEX] = index_manifest(index, release="wardgate", namespace="wardgate-config")
    server.answers[_LEASE] = {"metadata": {}, "spec": {"holderIdentity": "", "leaseDurationSeconds": 1}}
    ended = _status(wardgate, server)

    assert (0, "") == (ended.status, ended.err)
    assert golden("status-trouble.txt", ended.out) == ended.out
    assert "Field [bold]spec.x[/] is wrong. Mend it." in ended.out, "nothing is markup"


def test_listener_that_a_proxy_does_not_serve_is_told(wardgate: Wardgate, server: CannedApiServer) -> None:
    unserved = {"gateways/gateway:81": "Port 81 of * is in use by another process."}
    server.put_list(_SLICES, _slice(("wardgate-proxy-a", True)))
    server.answers[_proxy_path("wardgate-proxy-a")] = _announced(unserved=unserved)
    ended = _status(wardgate, server, "-o", "json")

    told = [one for one in json.loads(ended.out)["problems"] if one["subject"] == "proxy wardgate-proxy-a"]
    message = "It does not serve listener gateways/gateway:81: Port 81 of * is in use by another process."
    assert [{"severity": "error", "subject": "proxy wardgate-proxy-a", "message": message}] == told


def test_tenancy_is_shown_and_decides_which_keys_are_used(wardgate: Wardgate, server: CannedApiServer) -> None:
    now = "2026-03-01T12:00:00Z"
    index = Index("1.0", _REVISION, _SEQUENCE, "op", now, (), tenancy="isolated", platform=("gateways", "platform"))
    server.answers[_INDEX] = index_manifest(index, release="wardgate", namespace="wardgate-config")
    key = {"metadata": {"namespace": "other", "name": "key", "labels": {"api-key": "huggingface"}}}
    server.put_list(_SECRETS, key)

    assert "Tenancy  isolated, with platform namespaces gateways, platform\n" in _status(wardgate, server).out
    document = _document(wardgate, server)
    assert {"mode": "isolated", "platformNamespaces": ["gateways", "platform"]} == document["tenancy"]
    assert [True] == [one["unused"] for one in document["keys"]], "no policy of its namespace selects it"


def test_worker_that_cannot_start_is_told(wardgate: Wardgate, server: CannedApiServer) -> None:
    server.put_list(_SLICES, _slice(("wardgate-proxy-a", False)))
    server.answers[_proxy_path("wardgate-proxy-a")] = _announced(worker_troubles=["Worker 0 ended with status 1 (x)."])
    ended = _status(wardgate, server, "-o", "json")

    told = [one for one in json.loads(ended.out)["problems"] if one["subject"] == "proxy wardgate-proxy-a"]
    message = "Worker 0 ended with status 1 (x). Nothing serves in its place yet. Look at the proxy's log."
    assert [{"severity": "error", "subject": "proxy wardgate-proxy-a", "message": message}] == told


def test_what_may_not_be_read_is_said_and_the_rest_is_shown(wardgate: Wardgate, server: CannedApiServer) -> None:
    for path in (_SECRETS, _INDEX, _LEASE, _SLICES, resource_of("RouteTable").path()):
        server.answers[path] = 403
    document = _document(wardgate, server)

    kind = "routetables.networking.gloo.solo.io"
    assert [
        "You may not get Lease wardgate/wardgate-operator: who leads is not known.",
        "You may not get Secret wardgate-config/wardgate-index: what is published is not known.",
        "You may not list EndpointSlices in namespace wardgate: which proxies there are is not known.",
        "You may not list Secrets in all namespaces: keys are counted, not named.",
        f"You may not list {kind} in all namespaces (403): objects of kind RouteTable are left out.",
    ] == document["unknown"]
    assert [None] * 4 == [document[part] for part in ("keys", "config", "operator", "proxies")]
    assert {"VirtualGateway", "ExtAuthPolicy", "ExternalService"} == {one["kind"] for one in document["objects"]}
    assert [] == document["problems"], "what is not known is no problem"
    ended = _status(wardgate, server)
    assert document["unknown"][0] in ended.out


def test_keys_are_not_called_unused_where_policies_may_not_be_listed(
    wardgate: Wardgate, server: CannedApiServer
) -> None:
    server.answers[resource_of("ExtAuthPolicy").path()] = 403
    document = _document(wardgate, server)

    assert [False, False] == [key["unused"] for key in document["keys"]]
    assert [] == document["problems"]


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (403, "it was not asked, because you may not get pods/proxy in namespace wardgate"),
        (404, "its Pod is gone"),
        (502, "its admin port cannot be reached through the API server (502)"),
        ({"x": 1}, "its admin port answers with what no proxy says"),
    ],
)
def test_proxy_that_cannot_be_asked_is_said_plainly(
    wardgate: Wardgate, server: CannedApiServer, answer: Any, trouble: str
) -> None:
    server.answers[_proxy_path("wardgate-proxy-b")] = answer
    proxies = _document(wardgate, server)["proxies"]

    assert [True, False] == [one["serves"] is not None for one in proxies]
    assert trouble == proxies[1]["trouble"]
    assert {"proxy wardgate-proxy-b": f"What it serves is not known: {trouble}."} == _problems(wardgate, server)


def test_one_missing_crd_is_said(wardgate: Wardgate, server: CannedApiServer) -> None:
    del server.answers[resource_of("ExtAuthServer").path()]

    (said,) = _document(wardgate, server)["unknown"]

    assert (
        "The cluster has no CRD extauthservers.admin.gloo.solo.io: "
        "wardgate crds extauthservers | kubectl apply --server-side -f -"
    ) == said


def test_kind_that_the_server_cannot_list_is_said(wardgate: Wardgate, server: CannedApiServer) -> None:
    server.answers[resource_of("ExtAuthServer").path()] = 500

    (said,) = _document(wardgate, server)["unknown"]

    assert (
        "The API server cannot list extauthservers.admin.gloo.solo.io in all namespaces (500): objects of kind "
        "ExtAuthServer are left out."
    ) == said


def test_unreadable_index_is_said(wardgate: Wardgate, server: CannedApiServer) -> None:
    server.answers[_INDEX] = {"data": {}}
    (said,) = _document(wardgate, server)["unknown"]

    assert said.startswith("Secret wardgate-config/wardgate-index: The index cannot be read")


def test_index_that_fails_otherwise_is_said_with_the_cause(wardgate: Wardgate, server: CannedApiServer) -> None:
    server.answers[_INDEX] = 500
    (said,) = _document(wardgate, server)["unknown"]

    assert "500" in said


def test_nothing_published_yet_is_no_error(wardgate: Wardgate, server: CannedApiServer) -> None:
    del server.answers[_INDEX], server.answers[_LEASE]
    server.put_list(_SLICES)

    assert "There is no release" in _status(wardgate, server).err
    server.put_list(_SLICES, _slice(("wardgate-proxy-a", False)))
    ended = _status(wardgate, server)
    assert 0 == ended.status
    assert "nothing published" in ended.out
    assert "No proxy is ready. Look at Deployment wardgate/wardgate-proxy and its Pods." in ended.out


def test_values_of_keys_are_neither_asked_for_nor_shown(wardgate: Wardgate, server: CannedApiServer) -> None:
    for output in ("text", "json"):
        assert "sesame" not in _status(wardgate, server, "-o", output).out

    asked = {(unquote(query), accept) for path, query, accept in server.asked if path == _SECRETS}
    metadata_alone = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    assert {("fieldSelector=type=extauth.solo.io/apikey&limit=500", metadata_alone)} == asked
    assert {_SECRETS, _INDEX} == {path for path, _, _ in server.asked if "secrets" in path}


def test_other_release_is_looked_for_under_its_own_names(wardgate: Wardgate, server: CannedApiServer) -> None:
    ended = _status(wardgate, server, "--release", "blue", "-n", "gateways", "--config-namespace", "blue-secrets")

    assert 1 == ended.status
    assert (
        'wardgate: There is no release "blue" in namespace "gateways": no index in "blue-secrets", no Lease, no '
        "proxies. Name another one with --release and --namespace, or install the chart.\n"
    ) == ended.err
    assert {
        ("/api/v1/namespaces/blue-secrets/secrets/blue-index", ""),
        ("/apis/coordination.k8s.io/v1/namespaces/gateways/leases/blue-operator", ""),
        (
            "/apis/discovery.k8s.io/v1/namespaces/gateways/endpointslices",
            "labelSelector=kubernetes.io/service-name=blue-proxy-admin",
        ),
    } <= {(path, unquote(query)) for path, query, _ in server.asked}


def test_many_rows_are_counted_and_the_bad_ones_shown(wardgate: Wardgate, server: CannedApiServer) -> None:
    tables = [_object("RouteTable", f"table-{number:03}") for number in range(100)]
    bad = _object("RouteTable", "zebra", approval=Approval.INVALID, message="Bad.")
    server.put_list(resource_of("RouteTable").path(), *tables, bad)
    server.put_list(
        _SECRETS, *(_key(f"key-{number:03}") for number in range(100)), _key("soon", "2026-03-02T00:00:00Z")
    )
    ended = _status(wardgate, server)

    assert "Route tables (101)" in ended.out
    assert "ai/zebra" in ended.out
    assert "ai/soon" in ended.out
    assert 2 == ended.out.count("... and 81 more: --output json lists all.")
    assert 101 == len([one for one in _document(wardgate, server)["objects"] if one["kind"] == "RouteTable"])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "The cluster has none of Wardgate's CRDs: is it the right one?"),
        (403, "You may list none of Wardgate's kinds in all namespaces (403). Ask for get and list on the kinds of"),
        (401, "The API server does not know you (401): log in again,"),
        (500, "The API server cannot answer: GET /apis/security.policy.gloo.solo.io/v2/extauthpolicies: 500"),
    ],
)
def test_nothing_to_see_is_an_error_with_a_remedy(
    wardgate: Wardgate, server: CannedApiServer, status: int, words: str
) -> None:
    server.everything = status
    ended = _status(wardgate, server)

    assert (1, "") == (ended.status, ended.out)
    assert ended.err.startswith(f"wardgate: {words}")
    assert 1 == len(ended.err.splitlines())


def test_api_server_that_is_away_is_an_error(wardgate: Wardgate, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(kubeconfig_text("http://127.0.0.1:9"))
    ended = wardgate("status", "--kubeconfig", str(tmp_path / "kubeconfig"))

    assert (1, "") == (ended.status, ended.out)
    assert ended.err.startswith("wardgate: The API server does not answer (GET /apis/")
    assert 1 == len(ended.err.splitlines())


@pytest.mark.parametrize("variable", [False, True])
def test_no_kubeconfig_is_a_mistake_of_the_command_line(
    wardgate: Wardgate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    variable: bool,
) -> None:
    path = tmp_path / "nowhere"
    monkeypatch.delenv("KUBECONFIG", raising=False)
    if variable:
        monkeypatch.setenv("KUBECONFIG", str(path))
    ended = wardgate("status") if variable else wardgate("status", "--kubeconfig", str(path))

    assert (2, "") == (ended.status, ended.out)
    assert f"wardgate: There is no kubeconfig at {path}. Name one with --kubeconfig or KUBECONFIG.\n" == ended.err


def test_unknown_context_is_an_error(wardgate: Wardgate, server: CannedApiServer) -> None:
    ended = _status(wardgate, server, "--context", "elsewhere")

    assert (1, "") == (ended.status, ended.out)
    assert "elsewhere" in ended.err


def test_ages_are_told_in_units_that_people_use(wardgate: Wardgate, server: CannedApiServer) -> None:
    spans = {"a": 90, "b": 7200, "c": 5 * 3600, "d": 3 * 86400}
    server.put_list(
        _SECRETS, *(_key(name, (NOW + timedelta(seconds=span)).isoformat()) for name, span in spans.items())
    )
    out = _status(wardgate, server).out

    assert all(words in out for words in ("in 90 s", "in 2 h", "in 5 h", "in 3 d"))


def test_nothing_of_the_cluster_reaches_the_terminal_raw(wardgate: Wardgate, server: CannedApiServer) -> None:
    evil = "\x1b]0;title\x07\u202e\x9b\u2028\r\n[red]"
    server.put_list(
        resource_of("ExtAuthPolicy").path(),
        _object("ExtAuthPolicy", f"name{evil}", approval=Approval.INVALID, message=f"Field {evil} is wrong."),
    )
    server.put_list(resource_of("RouteTable").path(), _object("RouteTable", "models", spec={"hosts": [evil]}))
    key = _key("key", evil)
    key["metadata"]["labels"] = {evil: evil}
    server.put_list(_SECRETS, key)
    server.answers[_proxy_path("wardgate-proxy-a")] = {**_announced(), "problem": evil, "revision": evil}

    screen, document = _status(wardgate, server), _status(wardgate, server, "--output", "json")

    assert (0, 0) == (screen.status, document.status)
    assert [] == [line for line in (screen.out + document.out).split("\n") if not line.isprintable()]
    assert "Field \\x1b]0;title\\x07\\u202e\\x9b\\u2028\\r\\n[red] is wrong." in screen.out
