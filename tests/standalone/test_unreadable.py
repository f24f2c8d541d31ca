"""Unreadable text at a start: it stops nothing, costs only what it names, and it opens no route."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.standalone.lab import POLICY, ROUTES, SECRET, SERVICE, TRANSFORMATION, write_lab
from wardgate.ir import Forward, Refuse, Route
from wardgate.settings import Settings
from wardgate.standalone.rounds.engine import Engine, Outcome
from wardgate.standalone.scan.folder import Folder

# Beside the lab's own route: one that another policy guards, and one that is open on purpose.
NEIGHBOURS = """\
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: neighbours, namespace: ai-demo}
spec:
  http:
  - name: guarded
    labels: {route: guarded}
    matchers: [{uri: {prefix: /guarded}}]
    forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: huggingface-api}, port: {number: 443}}]}
  - name: public
    matchers: [{uri: {prefix: /public}}]
    forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: huggingface-api}, port: {number: 443}}]}
---
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: neighbours, namespace: ai-demo}
spec:
  applyToRoutes: [{route: {labels: {route: guarded}}}]
  config: {glooAuth: {configs: [{apiKeyAuth: {k8sSecretApikeyStorage: {labelSelector: {keys: other}}}}]}}
"""


class Start:
    """A gateway that starts with the lab, its neighbours, and one file that somebody changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = write_lab(folder)
        (folder / "neighbours.yaml").write_text(NEIGHBOURS)

    def take(self) -> Outcome:
        return Engine(Settings()).take(Folder([self.folder]).scan())

    def with_file(self, name: str, content: str | bytes) -> Outcome:
        data = content if isinstance(content, bytes) else content.encode()
        (self.folder / name).write_bytes(data)
        return self.take()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path / "folder")


def state(outcome: Outcome, name: str) -> str:
    """``guarded``, ``closed``, ``open`` or ``absent``."""
    found = [
        route
        for listener in outcome.config.listeners
        for host in listener.virtual_hosts
        for route in host.routes
        if f"/{name}@" in route.name
    ]
    return _state(found[0]) if found else "absent"


def _state(route: Route) -> str:
    if isinstance(route.action, Refuse):
        return "closed"
    assert isinstance(route.action, Forward)
    return "guarded" if route.auth else "open"


def states(outcome: Outcome) -> tuple[str, str, str]:
    return (state(outcome, "demo-huggingface"), state(outcome, "guarded"), state(outcome, "public"))


def errors(outcome: Outcome, file: str) -> list[str]:
    return [str(one) for one in outcome.diagnostics if one.severity == "error" and one.file.endswith(file)]


def test_everything_is_served_before_anything_is_broken(start: Start) -> None:
    assert ("guarded", "guarded", "open") == states(start.take())


# A policy that still says which routes it guards closes those, and no others.

_SELECTORS = POLICY[: POLICY.index("  config:")]
TELLING = {
    "syntax": POLICY.replace("headerName: api-key", "headerName: [api-key"),
    "duplicate key": POLICY.replace("headerName: api-key", "headerName: api-key\n          headerName: x"),
    "not a finite number": POLICY.replace("headerName: api-key", "headerName: .nan"),
    "unknown alias": POLICY.replace("headerName: api-key", "headerName: *x"),
    "unknown tag": POLICY.replace("headerName: api-key", "headerName: !x api-key"),
    "wrong type": POLICY.replace("headerName: api-key", "headerName: [api-key]"),
    "wrong spec of modules": _SELECTORS + "  config: 5\n",
    "no name": POLICY.replace("  name: huggingface-apikey\n", ""),
    "bad name": POLICY.replace("name: huggingface-apikey", "name: Not A Name"),
    "bad namespace": POLICY.replace("namespace: gloo-mesh-gateways", "namespace: 7"),
    "no metadata": POLICY.replace("metadata:\n  name: huggingface-apikey\n  namespace: gloo-mesh-gateways\n", ""),
    "another version": POLICY.replace("/v2", "/v7"),
    "another group": POLICY.replace("security.policy.gloo.solo.io/v2", "v1"),
    "no apiVersion": POLICY.replace("apiVersion: security.policy.gloo.solo.io/v2\n", ""),
    "no kind": POLICY.replace("kind: ExtAuthPolicy\n", ""),
    "neither": POLICY.replace("kind: ExtAuthPolicy\n", "").replace("apiVersion: security.policy.gloo.solo.io/v2\n", ""),
    "misspelt kind": POLICY.replace("kind: ExtAuthPolicy", "kind: ExtAuthPolicies"),
    "kind in another case": POLICY.replace("kind: ExtAuthPolicy", "kind: extauthpolicy"),
    "a foreign kind in another case": POLICY.replace("kind: ExtAuthPolicy", "kind: JwtPolicy"),
    "misspelt foreign kind": POLICY.replace("kind: ExtAuthPolicy", "kind: AccesPolicy"),
}


@pytest.mark.parametrize("content", TELLING.values(), ids=TELLING.keys())
def test_policy_that_tells_its_routes_closes_them_alone(start: Start, content: str) -> None:
    outcome = start.with_file("policy.yaml", content)

    assert ("closed", "guarded", "open") == states(outcome)
    assert 1 == len(errors(outcome, "policy.yaml")), outcome.diagnostics


# A policy that does not, or a text that may be one, closes every route that no other policy guards.


def _in_json(manifest: str) -> str:
    return json.dumps(yaml.safe_load(manifest))


_SERVICE_IN_JSON = _in_json(SERVICE.replace("huggingface-api", "another"))

NOT_TELLING: dict[str, str | bytes] = {
    "breaks off in the selectors": POLICY.replace("route: huggingface", "route: [huggingface"),
    "breaks off before them": POLICY.replace("  namespace: gloo-mesh-gateways\n", "  namespace: [\n"),
    "breaks off behind them, and more may follow": POLICY.replace("  config:", "  applyToRoutes: []\n  config:"),
    "a selector at a wrong indentation": POLICY.replace("  config:", " - route: {labels: {route: more}}\n  config:"),
    "a template": POLICY.replace("name: huggingface-apikey", "name: {{ .Release.Name }}-apikey"),
    "not UTF-8": POLICY.encode().replace(b"huggingface\n", b"huggingf\xe4ce\n"),
    "UTF-16": POLICY.encode("utf-16"),
    "binary": b"\x00\xff\xfe\x01",
    "cut off": POLICY[:60],
    "cut off in its first line": "apiVersion: security.pol",
    "cut off behind its kind": POLICY[: POLICY.index("metadata")],
    "a conflict of a merge": POLICY.replace("spec:\n", "<<<<<<< HEAD\nspec:\n"),
    "kind cannot be read": "kind: [",
    "nested too deep": "metadata: " + "[" * 200,
    "behind another object, and the marker is damaged": ROUTES.replace("\n---\n", "\n--\n") + f"--\n{POLICY}",
    "behind another object in a stream of JSON": f"{_SERVICE_IN_JSON}\n{_in_json(POLICY)}\n",
    "behind another policy": f"{POLICY.replace('route: huggingface', 'route: none')}-- -\n{POLICY}",
    "breaks off in its second selectors": POLICY.replace("  config:", "  applyToDestinations:\n  - {a\n  config:"),
}


@pytest.mark.parametrize("content", NOT_TELLING.values(), ids=NOT_TELLING.keys())
def test_text_that_may_be_a_policy_closes_what_no_policy_guards(start: Start, content: str | bytes) -> None:
    outcome = start.with_file("policy.yaml", content)

    assert ("closed", "guarded", "closed") == states(outcome)
    (told,) = errors(outcome, "policy.yaml")
    assert "every route that no other ExtAuthPolicy guards is closed" in told


@pytest.mark.parametrize("selectors", ["5", "[5]", "[{route: 5}]", "[{route: {labels: [a]}}]", "[{route: null}]"])
def test_policy_whose_selectors_have_another_shape_closes_what_no_policy_guards(start: Start, selectors: str) -> None:
    lines = "  - route:\n      labels:\n        route: huggingface\n"
    outcome = start.with_file("policy.yaml", POLICY.replace(f"\n{lines}", f" {selectors}\n"))

    assert ("closed", "guarded", "closed") == states(outcome)
    told = " ".join(errors(outcome, "policy.yaml"))
    assert "every route that no other ExtAuthPolicy guards is closed" in told


def _forbid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(_path: str) -> bytes:
        if _path == str(path):
            raise PermissionError(13, "Permission denied")
        return Path(_path).read_bytes()

    monkeypatch.setattr("wardgate.standalone.scan.folder._read_bytes", deny)


def _let_it_dangle(path: Path, _: pytest.MonkeyPatch) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _make_it_too_large(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(f"# {'x' * 100_000}\n{POLICY}")
    monkeypatch.setattr("wardgate.standalone.yaml.documents.MAX_FILE_BYTES", 50_000)


@pytest.mark.parametrize("harm", [_forbid, _let_it_dangle, _make_it_too_large])
def test_file_that_cannot_be_looked_at_closes_what_no_policy_guards(
    start: Start, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    harm(start.folder / "policy.yaml", monkeypatch)
    outcome = start.take()

    assert ("closed", "guarded", "closed") == states(outcome)
    assert 1 == len(errors(outcome, "policy.yaml"))


def test_folder_that_cannot_be_looked_at_closes_what_no_policy_guards(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (start.folder / "policy.yaml").unlink()
    (start.folder / "sub").mkdir()
    _forbid_directory(start.folder / "sub", monkeypatch)

    assert ("closed", "guarded", "closed") == states(start.take())


def _forbid_directory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    scandir = os.scandir

    def deny(given: str) -> object:
        if given == str(path):
            raise PermissionError(13, "Permission denied")
        return scandir(given)

    monkeypatch.setattr("wardgate.standalone.scan.listing.os.scandir", deny)


def test_what_is_left_out_closes_nothing(start: Start) -> None:
    start.with_file("broken.yaml", "kind: [")
    (start.folder / ".wardgateignore").write_text("broken.yaml\n")

    assert ("guarded", "guarded", "open") == states(start.take())


# Guards of foreign kinds count as much, unless they are to be ignored.

_JWT = POLICY.replace("ExtAuthPolicy", "JWTPolicy").replace("huggingface-apikey", "jwt")


@pytest.mark.parametrize(
    ("content", "public"),
    [
        (_JWT.replace("route: huggingface", "route: none") + "  a: b: c\n", "open"),
        (_JWT.replace("  name: jwt\n", "").replace("route: huggingface", "route: none"), "open"),
        (_JWT.replace("route: huggingface", "route: ["), "closed"),
        (_JWT.replace("name: jwt", "name: ["), "closed"),
    ],
)
def test_foreign_guard_that_cannot_be_read_closes_what_it_may_select(start: Start, content: str, public: str) -> None:
    outcome = start.with_file("jwt.yaml", content)
    ignored = Engine(Settings(foreign_guards="ignore")).take(Folder([start.folder]).scan())

    assert ("guarded", "guarded", public) == states(outcome)
    assert ("guarded", "guarded", "open") == states(ignored)
    assert 1 == len(errors(outcome, "jwt.yaml")), outcome.diagnostics


# Everything else costs what it names.


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("secret.yaml", SECRET + "other: [", ("guarded", "guarded", "open")),
        ("secret.yaml", SECRET.replace("  name: api-huggingface-key\n", ""), ("guarded", "guarded", "open")),
        ("secret.yaml", SECRET.replace("apiVersion: v1\n", ""), ("guarded", "guarded", "open")),
        ("more.yaml", "apiVersion: v1\nkind: List\nitems: [5, {}]", ("guarded", "guarded", "open")),
        ("more.yaml", "image: {tag: v1}\n---\n- hosts: all\n---\njust text\n", ("guarded", "guarded", "open")),
        ("more.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n", ("guarded", "guarded", "open")),
        ("transformation.yaml", TRANSFORMATION + "other: [", ("closed", "guarded", "open")),
        ("transformation.yaml", TRANSFORMATION.replace("/v2", "/v1"), ("closed", "guarded", "open")),
        ("service.yaml", "kind: ExternalService\nmetadata: [", ("closed", "closed", "closed")),
        ("routes.yaml", ROUTES + "other: [", ("absent", "guarded", "open")),
        ("gateway.yaml", "kind: VirtualGateway\nmetadata: [", ("absent", "absent", "absent")),
        ("more.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: [", ("guarded", "guarded", "open")),
        ("more.yaml", "- hosts: {{ all }}\n  tasks: [", ("guarded", "guarded", "open")),
        ("more.yaml", "[{a: 1},\n {b: ", ("guarded", "guarded", "open")),
        ("more.yaml", "stages: [", ("guarded", "guarded", "open")),
        ("more.yaml", '{"compilerOptions": {"strict": true, }, // mine\n}', ("guarded", "guarded", "open")),
        ("more.yaml", "{{- if .Values.x }}\nkind: {{ .Values.kind }}\n{{- end }}\n", ("guarded", "guarded", "open")),
    ],
)
def test_other_text_costs_what_it_names(start: Start, name: str, content: str, expected: tuple[str, str, str]) -> None:
    assert expected == states(start.with_file(name, content))


def test_key_in_a_secret_that_cannot_be_read_is_refused(start: Start) -> None:
    assert () == start.with_file("secret.yaml", SECRET.replace("type:", "type: [")).config.credentials


def test_broken_table_closes_its_hosts_and_takes_no_other_tables_routes(start: Start) -> None:
    table = ROUTES.split("---\n")[0].replace("ai-ingress-rt", "broken").replace("  http:", "  http: [")
    outcome = start.with_file("broken.yaml", table.replace("spec:\n", "spec:\n  weight: 0\n"))

    assert ("guarded", "guarded", "open") == states(outcome)
    closed = [one for one in outcome.config.listeners[0].virtual_hosts[0].routes if isinstance(one.action, Refuse)]
    assert ["gloo-mesh-gateways/broken/closed@gloo-mesh-gateways/ai-ingress-gw:8081"] == [one.name for one in closed]


# Lists.


def _listed(*documents: str) -> str:
    items = "".join(f"- {document.strip()}\n".replace("\n", "\n  ").rstrip() + "\n" for document in documents)
    return f"apiVersion: v1\nitems:\n{items}kind: List\nmetadata:\n  resourceVersion: ''\n"


def test_broken_item_of_a_list_costs_only_itself(start: Start) -> None:
    for name in ("policy.yaml", "secret.yaml", "transformation.yaml"):
        (start.folder / name).unlink()
    broken = TRANSFORMATION.replace("regex: '.*'", "regex: '.*")
    outcome = start.with_file("export.yaml", _listed(SECRET, broken, POLICY))

    assert ("closed", "guarded", "open") == states(outcome)
    assert 1 == len(outcome.config.credentials)
    assert ["gloo-mesh-gateways/huggingface-apikey"] == [
        plan.name for plan in outcome.config.auth_plans if "huggingface" in plan.name
    ]
    (told,) = errors(outcome, "export.yaml")
    assert "TransformationPolicy default/huggingface-transformations" in told


def test_broken_policy_in_a_list_closes_its_routes(start: Start) -> None:
    (start.folder / "policy.yaml").unlink()
    broken = POLICY.replace("headerName: api-key", "headerName: [")

    assert ("closed", "guarded", "open") == states(start.with_file("export.yaml", _listed(SECRET, broken)))


def test_list_whose_frame_is_broken_still_gives_its_items(start: Start) -> None:
    text = _listed(POLICY, SECRET).replace("kind: List\n", "kind: List\nkind: List\n")
    (start.folder / "policy.yaml").unlink()
    outcome = start.with_file("export.yaml", text)

    assert ("guarded", "guarded", "open") == states(outcome)


@pytest.mark.parametrize("version", ["v1", "v2", "v1beta1"])
def test_list_of_whatever_version_gives_its_items(start: Start, version: str) -> None:
    (start.folder / "policy.yaml").unlink()
    text = _listed(POLICY).replace("apiVersion: v1", f"apiVersion: {version}", 1)

    assert ("guarded", "guarded", "open") == states(start.with_file("export.yaml", text))


# Its age stays with it.


def test_policy_that_cannot_be_read_stays_before_younger_ones(start: Start) -> None:
    older = POLICY.replace("metadata:\n", "metadata:\n  creationTimestamp: '2020-01-01T00:00:00Z'\n")
    younger = older.replace("2020", "2021").replace("name: huggingface-apikey", "name: a-younger-one")
    start.with_file("younger.yaml", younger)

    assert ("closed", "guarded", "open") == states(start.with_file("policy.yaml", older + "other: ["))


# While the gateway runs.


@pytest.mark.parametrize("marker", ["--\n", "----\n", "--- -\n", ""])
def test_damaged_marker_between_two_objects_costs_neither_in_a_running_gateway(start: Start, marker: str) -> None:
    folder, engine = Folder([start.folder]), Engine(Settings())
    (start.folder / "policy.yaml").write_text(f"{SERVICE.replace('huggingface-api', 'another')}---\n{POLICY}")
    engine.take(folder.scan())
    (start.folder / "policy.yaml").write_text(f"{SERVICE.replace('huggingface-api', 'another')}{marker}{POLICY}")

    assert ("guarded", "guarded", "open") == states(engine.take(folder.scan()))


def test_new_policy_that_cannot_be_read_closes_its_routes_in_a_running_gateway(start: Start) -> None:
    folder, engine = Folder([start.folder]), Engine(Settings())
    engine.take(folder.scan())
    (start.folder / "new.yaml").write_text(
        POLICY.replace("name: huggingface-apikey", "name: new").replace("route: huggingface", "x: y") + "  a: b: c\n"
    )
    (start.folder / "neighbours.yaml").write_text(
        NEIGHBOURS.replace("- name: public\n", "- name: public\n    labels: {x: y}\n")
    )

    assert ("guarded", "guarded", "closed") == states(engine.take(folder.scan()))


def test_policy_that_turns_unreadable_stays_as_it_was_and_closes_nothing(start: Start) -> None:
    folder, engine = Folder([start.folder]), Engine(Settings())
    before = engine.take(folder.scan())
    for content in ("kind: [", POLICY.replace("route: huggingface", "route: ["), "name: values\n", "\n"):
        (start.folder / "policy.yaml").write_text(content)
        after = engine.take(folder.scan())

        assert before.bundle.revision == after.bundle.revision
        assert 1 == len(errors(after, "policy.yaml"))


def test_mended_policy_guards_again(start: Start) -> None:
    (start.folder / "policy.yaml").write_text("kind: [")
    folder, engine = Folder([start.folder]), Engine(Settings())
    engine.take(folder.scan())
    (start.folder / "policy.yaml").write_text(POLICY)
    after = engine.take(folder.scan())

    assert ("guarded", "guarded", "open") == states(after)
    assert [] == errors(after, "policy.yaml")


# Arrays, which kubectl refuses.


def _array(*manifests: str) -> str:
    return json.dumps([yaml.safe_load(manifest) for manifest in manifests])


_UNKIND = POLICY.replace("kind: ExtAuthPolicy\n", "")
ARRAYS_WITH_A_POLICY: dict[str, str] = {
    "JSON": _array(SECRET, POLICY),
    "YAML": yaml.safe_dump([yaml.safe_load(SECRET), yaml.safe_load(POLICY)]),
    "one alone": _array(POLICY),
    "beside what is no object": f"[5, {{a: 1}}, {_in_json(POLICY)}]",
    "in an array of its own": f"[[{_in_json(POLICY)}]]",
    "in a List": f'[{{"apiVersion": "v1", "kind": "List", "items": {_array(POLICY)}}}]',
    "without a kind": _array(_UNKIND),
    "with a misspelt kind": _array(POLICY.replace("kind: ExtAuthPolicy", "kind: ExtAuthPolicies")),
    "without a name": _array(POLICY.replace("  name: huggingface-apikey\n", "")),
    "beside a foreign guard": _array(_JWT, POLICY),
}


@pytest.mark.parametrize("content", ARRAYS_WITH_A_POLICY.values(), ids=ARRAYS_WITH_A_POLICY.keys())
def test_array_with_a_policy_closes_what_no_policy_guards(start: Start, content: str) -> None:
    outcome = start.with_file("policy.yaml", content)

    assert ("closed", "guarded", "closed") == states(outcome)
    (told,) = errors(outcome, "policy.yaml")
    assert 'Write "---" between the objects' in told
    assert "every route that no other ExtAuthPolicy guards is closed" in told


def test_array_with_a_foreign_guard_alone_closes_nothing_where_those_are_ignored(start: Start) -> None:
    outcome = start.with_file("jwt.yaml", _array(_JWT))
    ignored = Engine(Settings(foreign_guards="ignore")).take(Folder([start.folder]).scan())

    assert ("guarded", "guarded", "closed") == states(outcome)
    assert ("guarded", "guarded", "open") == states(ignored)


def test_array_of_objects_that_guard_nothing_is_an_error_and_closes_nothing(start: Start) -> None:
    outcome = start.with_file("more.yaml", _array(SERVICE.replace("huggingface-api", "another")))

    assert ("guarded", "guarded", "open") == states(outcome)
    assert 1 == len(errors(outcome, "more.yaml"))


@pytest.mark.parametrize("content", ["[]", "[1, a]", "- hosts: all\n", "[{apiVersion: v1, kind: ConfigMap}]"])
def test_array_of_anything_else_is_a_note(start: Start, content: str) -> None:
    outcome = start.with_file("more.yaml", content)

    assert ("guarded", "guarded", "open") == states(outcome)
    assert ["note"] == [one.severity for one in outcome.diagnostics if one.file.endswith("more.yaml")]


def test_file_that_turns_into_an_array_keeps_its_policy(start: Start) -> None:
    folder, engine = Folder([start.folder]), Engine(Settings())
    engine.take(folder.scan())
    (start.folder / "policy.yaml").write_text(_array(POLICY))
    after = engine.take(folder.scan())

    assert ("guarded", "guarded", "open") == states(after)
    assert 1 == len(errors(after, "policy.yaml"))


def test_tenant_cannot_close_anothers_routes(start: Start) -> None:
    (start.folder / "policy.yaml").write_text(POLICY)
    (start.folder / "tenant.yaml").write_text(
        "kind: ExtAuthPolicy\nmetadata: {namespace: tenant, name: a, labels: {}}\nspec: [\n"
    )
    isolated = Settings(tenancy="isolated", platform_namespaces=frozenset({"gloo-mesh-gateways", "ai-demo", "default"}))

    outcome = Engine(isolated).take(Folder([start.folder]).scan())

    assert ("guarded", "guarded", "open") == states(outcome)
