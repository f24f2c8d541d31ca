"""The predicates of tenancy, each in both modes."""

from __future__ import annotations

import pytest

from wardgate.settings import Settings
from wardgate.translate.tenancy import Tenancy

_SHARED = Tenancy()
_ISOLATED = Tenancy(isolated=True, platform=frozenset({"infra"}))


def test_settings_decide() -> None:
    settings = Settings(tenancy="isolated", platform_namespaces=frozenset({"infra"}))
    assert _ISOLATED == Tenancy.of(settings)


def test_only_tenants_own_what_they_write() -> None:
    assert "a" == _ISOLATED.owner("a")
    assert "" == _ISOLATED.owner("infra")
    assert "" == _SHARED.owner("a")


@pytest.mark.parametrize("namespaces", [("infra", "a"), ("a", "infra"), ("a", "b"), ("a", "a")])
def test_shared_allows_everything(namespaces: tuple[str, str]) -> None:
    one, other = namespaces
    assert _SHARED.may_reference(one, other)
    assert _SHARED.counts_for(one, other)
    assert _SHARED.may_attach(one, other, named=False)


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [("a", "a", True), ("a", "b", False), ("a", "infra", True), ("infra", "a", True)],
)
def test_isolated_reference_leads_home_or_to_the_platform(source: str, target: str, *, allowed: bool) -> None:
    assert allowed == _ISOLATED.may_reference(source, target)


def test_tenants_policy_selects_at_home() -> None:
    assert "a" == _ISOLATED.selectable("a")
    assert None is _ISOLATED.selectable("infra")
    assert None is _SHARED.selectable("a")


@pytest.mark.parametrize(
    ("reader", "found", "allowed"),
    [("a", "a", True), ("a", "b", False), ("a", "infra", True), ("infra", "a", False), ("infra", "infra", True)],
)
def test_isolated_secret_of_a_tenant_counts_at_home(reader: str, found: str, *, allowed: bool) -> None:
    assert allowed == _ISOLATED.counts_for(reader, found)


@pytest.mark.parametrize(
    ("host", "guest", "named", "allowed"),
    [
        ("infra", "a", True, True),
        ("infra", "a", False, False),
        ("a", "b", True, False),
        ("a", "a", False, True),
        ("a", "infra", False, False),
        ("a", "infra", True, False),
        ("infra", "infra", False, True),
    ],
)
def test_isolated_platform_names_whom_it_lets_in(host: str, guest: str, *, named: bool, allowed: bool) -> None:
    assert allowed == _ISOLATED.may_attach(host, guest, named=named)


def test_isolated_platform_table_stands_below_the_tenants_that_it_admits() -> None:
    assert _ISOLATED.may_attach("a", "infra", named=False, admits={"a"})
    assert not _ISOLATED.may_attach("b", "infra", named=True, admits={"a"})
    assert not _ISOLATED.may_attach("b", "a", named=True, admits={"b"})


def test_owner_is_the_tenant_or_the_platform() -> None:
    assert "a" == _ISOLATED.owner("a")
    assert "" == _ISOLATED.owner("infra")
    assert "" == _SHARED.owner("a")


def test_key_scope_is_home_and_platform() -> None:
    assert frozenset({"a", "infra"}) == _ISOLATED.key_scope("a")
    assert frozenset({"infra"}) == _ISOLATED.key_scope("infra")
    assert None is _SHARED.key_scope("a")


def test_only_the_platform_shares_keys() -> None:
    assert _ISOLATED.shares("infra")
    assert not _ISOLATED.shares("a")
    assert not _SHARED.shares("infra")


def test_platform_goes_before_tenants() -> None:
    assert _ISOLATED.age_rank("infra") < _ISOLATED.age_rank("a")
    assert _SHARED.age_rank("infra") == _SHARED.age_rank("a")
