"""A tenant that delegates to the platform gets at nothing by it, and its mistakes are its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.tenants import (
    ANY_HOST,
    Manifest,
    actions,
    delegated,
    gateway,
    invalid,
    made,
    order,
    prefix,
    regex,
    route,
    routes,
    status,
    table,
    translated,
)
from wardgate.api import Approval
from wardgate.ir import DirectResponse, Refuse
from wardgate.translate.routes import delegation

_MISSING = Refuse(500, "route_table_missing")
_TO_A = route("to-a", prefix("/a"), to=delegated({"namespace": "a"}))
_ROOT = table("infra/root", _TO_A, **ANY_HOST)
_ADMITS_A = {"annotations": {"wardgate.dev/delegate-from": "a"}}


def _to_platform(**extra: Any) -> Manifest:
    return table("a/t", route("up", to=delegated({"namespace": "infra", "name": "p"}), **extra))


def _platform(*extra: Manifest, admits: bool = True) -> Manifest:
    metadata = {"labels": {"of": "platform"}, **(_ADMITS_A if admits else {})}
    return table("infra/p", *(extra or (route("inner"),)), metadata=metadata)


def _guard(label: str, namespace: str = "infra") -> Manifest:
    step = {"apiKeyAuth": {"headerName": "api-key", "k8sSecretApikeyStorage": {"labelSelector": {"team": "x"}}}}
    spec = {"applyToRoutes": [{"route": {"labels": {label: "yes"}}}], "config": {"glooAuth": {"configs": [step]}}}
    return made("ExtAuthPolicy", f"{namespace}/{label}", spec)


def test_platform_table_that_names_nobody_is_not_delegated_to() -> None:
    translation = translated(_ROOT, _to_platform(), _platform(admits=False))
    assert {"a/t/up": _MISSING} == actions(translation)
    assert {"a/t"} == invalid(translation)
    assert "wardgate.dev/delegate-from: a" in status(translation, "a/t").message


def test_tenant_learns_not_whether_a_foreign_table_exists() -> None:
    there = translated(_ROOT, _to_platform(), _platform(admits=False))
    absent = translated(_ROOT, _to_platform())
    assert status(there, "a/t").message == status(absent, "a/t").message


def test_platform_table_is_delegated_to_by_whom_it_names() -> None:
    translation = translated(_ROOT, _to_platform(), _platform())
    assert {"infra/p/inner": DirectResponse(200)} == actions(translation)
    assert set() == invalid(translation)


def test_selector_by_label_meets_no_platform_table_that_names_nobody() -> None:
    wide = table("a/t", route("up", to=delegated({"labels": {"of": "platform"}})))
    assert [] == order(translated(_ROOT, wide, _platform(admits=False)))
    assert ["infra/p/inner"] == order(translated(_ROOT, wide, _platform()))


def test_annotation_that_names_no_namespace_lets_nobody_in() -> None:
    odd = table("infra/p", route("inner"), metadata={"annotations": {"wardgate.dev/delegate-from": "*, a_b"}})
    translation = translated(_ROOT, _to_platform(), odd)
    assert {"a/t/up": _MISSING} == actions(translation)
    assert "'*'" in status(translation, "infra/p").message


def test_labels_of_a_tenant_reach_no_route_of_the_platform() -> None:
    tenants = table(
        "a/t",
        route("up", to=delegated({"namespace": "infra", "name": "p"}), labels={"weak": "yes"}),
        metadata={"labels": {"weaker": "yes"}},
    )
    translation = translated(_ROOT, tenants, _platform(), _guard("weak"), _guard("weaker"))
    assert [None] == [one.auth for one in routes(translation)]


def test_labels_of_the_platform_reach_its_routes_through_a_tenant() -> None:
    root = table("infra/root", {**_TO_A, "labels": {"strong": "yes"}}, **ANY_HOST)
    translation = translated(root, _to_platform(), _platform(), _guard("strong"))
    assert ["infra/strong"] == [one.auth for one in routes(translation)]


def test_labels_of_a_tenant_stay_with_its_own_routes() -> None:
    child = table("a/child", route("own"), metadata={"labels": {"is": "child"}})
    parent = table("a/t", route("down", to=delegated({"name": "child"}), labels={"mine": "yes"}))
    to_t = route("to-t", to=delegated({"namespace": "a", "name": "t"}))
    translation = translated(table("infra/root", to_t, **ANY_HOST), parent, child, _guard("mine", "a"))
    assert ["a/mine"] == [one.auth for one in routes(translation)]


@pytest.mark.parametrize("own_root", [False, True])
def test_loop_through_the_platform_is_the_tenants(*, own_root: bool) -> None:
    back = _platform(route("back", to=delegated({"namespace": "a"})))
    root = table("infra/root", route("to-p", to=delegated({"name": "p"})), **ANY_HOST)
    translation = translated(*([] if own_root else [root]), _to_platform(), back)
    assert {"a/t"} == invalid(translation)
    assert "loop of delegations" in status(translation, "a/t").message


@pytest.mark.parametrize(
    ("matcher", "inner"),
    [
        (prefix("/a/x"), route("inner", prefix("/a/y"))),
        (
            regex("/a/.*"),
            route("inner", to={"forwardTo": {"pathRewrite": "/", "destinations": [
                {"ref": {"name": "web"}, "port": {"number": 80}}]}}),
        ),
    ],
)  # fmt: skip
def test_tenants_matchers_do_not_make_the_platforms_table_invalid(matcher: Manifest, inner: Manifest) -> None:
    translation = translated(_ROOT, _to_platform(matchers=[matcher]), _platform(inner))
    assert {"a/t"} == invalid(translation)
    assert 'route "inner" of RouteTable infra/p' in status(translation, "a/t").message


def test_tenants_many_matchers_are_told_to_the_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "MAX_MATCHES", 3)
    many = [prefix(f"/a/{number}") for number in range(3)]
    inner = route("inner", {"headers": [{"name": "x"}]}, {"headers": [{"name": "y"}]})
    translation = translated(_ROOT, _to_platform(matchers=many), _platform(inner))
    assert {"a/t"} == invalid(translation)


def test_table_that_a_tenant_took_away_leaves_the_platforms_valid() -> None:
    root = table("infra/root", route("to-a", to=delegated({"namespace": "a", "name": "gone"})), **ANY_HOST)
    translation = translated(root)
    assert Approval.WARNING is status(translation, "infra/root").approval
    assert {"infra/root/to-a": _MISSING} == actions(translation)


def test_table_to_which_a_tenant_gave_hosts_leaves_the_platforms_valid() -> None:
    root = table("infra/root", route("to-a", to=delegated({"namespace": "a", "name": "t"})), **ANY_HOST)
    translation = translated(root, table("a/t", route("own"), hosts=["a.test"]))
    assert "infra/root" not in invalid(translation)


def test_what_one_tenant_lacks_closes_nothing_for_the_others() -> None:
    both = delegated({"namespace": "a", "name": "gone"}, {"namespace": "b", "name": "t"})
    root = table("infra/root", route("tenants", to=both), route("own"), **ANY_HOST)
    translation = translated(root, table("b/t", route("b", prefix("/b"))))
    assert ["b/t/b", "infra/root/own"] == order(translation)


def test_service_that_a_tenant_breaks_leaves_the_platforms_table_valid() -> None:
    destination = {"kind": "EXTERNAL_SERVICE", "ref": {"name": "gone", "namespace": "a"}, "port": {"number": 443}}
    root = table("infra/root", route("out", to={"forwardTo": {"destinations": [destination]}}), **ANY_HOST)
    translation = translated(root)
    assert Approval.WARNING is status(translation, "infra/root").approval
    assert {"infra/root/out": Refuse(500, "upstream_missing")} == actions(translation)


def test_tenant_with_too_many_routes_leaves_the_others_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "MAX_ROUTES", 50)
    both = delegated({"namespace": "a"}, {"namespace": "b"}, {"namespace": "infra", "name": "p"})
    flood = [
        table(f"a/t{number}", *(route(f"r{one}", prefix(f"/{number}/{one}")) for one in range(40)), age=50)
        for number in range(3)
    ]
    mild = table("b/t", route("b", prefix("/b")))
    translation = translated(table("infra/root", route("all", to=both), **ANY_HOST), *flood, mild, _platform())
    assert {"a/t2"} == invalid(translation)
    assert {"b/t/b", "infra/p/inner"} < set(order(translation))


def test_tenants_mistake_freezes_no_tree_of_the_platform() -> None:
    frozen: Manifest = {**ANY_HOST, "failureMode": "FREEZE_CONFIG"}
    before = translated(table("infra/root", _TO_A, route("old"), **frozen), table("a/t", route("fine")))
    bad = table("a/t", route("fine"), route("bad", to={"directResponse": {"status": 7}}))
    after = translated(table("infra/root", _TO_A, route("new"), **frozen), bad, last_good=before.last_good)
    assert {"infra/root/new"} == {name for name in order(after) if name.startswith("infra")}


def test_tenants_frozen_tree_holds_back_no_table_of_the_platform() -> None:
    gw = gateway({"host": "a.test", "selector": {"namespace": "a"}})
    spec: Manifest = {**ANY_HOST, "hosts": ["a.test"], "failureMode": "FREEZE_CONFIG"}
    up, bad = route("up", to=delegated({"namespace": "infra", "name": "p"})), {"directResponse": {"status": 7}}
    before = translated(gw, table("a/t", up, **spec), _platform(route("old")))
    after = translated(
        gw, table("a/t", up, route("bad", to=bad), **spec), _platform(route("new")), last_good=before.last_good
    )
    assert ["infra/p/new"] == order(after, "a.test")
    assert Approval.ACCEPTED is status(after, "infra/p").approval
