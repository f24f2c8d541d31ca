"""A key is shown with the faults that statuses name, and as unused where no policy selects it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wardgate.kube.report.key_uses import with_uses
from wardgate.kube.report.reported_objects import ReportedKey, ReportedObject, read_object
from wardgate.problems import ObjectRef
from wardgate.translate.tenancy import Tenancy

_SHARED, _ISOLATED = Tenancy(), Tenancy(isolated=True, platform=frozenset({"platform"}))
_KEY = ReportedKey(ObjectRef("Secret", "team", "key"), {"team": "a", "stage": "live"})


def _policy(auth: Any, *, keys: dict[str, Any] | None = None, namespace: str = "team") -> ReportedObject:
    state = {"common": {"State": {"approval": "ACCEPTED"}}, "observedGeneration": 1}
    return read_object(
        "ExtAuthPolicy",
        {
            "metadata": {"namespace": namespace, "name": "policy", "generation": 1},
            "spec": {"config": {"glooAuth": {"configs": [{"apiKeyAuth": auth}]}}},
            "status": {**state, "keys": {"usable": 1, "rejected": 0, "duplicate": 0} if keys is None else keys},
        },
    )


def _seen(*policies: ReportedObject, key: ReportedKey = _KEY, tenancy: Tenancy = _SHARED) -> ReportedKey:
    (seen,) = with_uses([key], policies, tenancy=tenancy)
    return seen


@pytest.mark.parametrize(
    "auth",
    [
        {"labelSelector": {"team": "a"}},
        {"k8sSecretApikeyStorage": {"labelSelector": {"stage": "live", "team": "a"}}},
        {"apiKeySecretRefs": [{"name": "key"}]},
        {"k8sSecretApikeyStorage": {"apiKeySecretRefs": [{"name": "key", "namespace": "team"}]}},
    ],
)
def test_key_that_a_policy_selects_is_used(auth: Any) -> None:
    assert not _seen(_policy({"labelSelector": {"team": "b"}}), _policy(auth)).unused


@pytest.mark.parametrize(
    "auth",
    [
        {"labelSelector": {"team": "b"}},
        {"labelSelector": {"team": "a", "stage": "test"}},
        {"labelSelector": {}},
        {"apiKeySecretRefs": [{"name": "key", "namespace": "other"}]},
        {},
        None,
    ],
)
def test_key_that_no_policy_selects_is_unused(auth: Any) -> None:
    assert _seen(_policy(auth)).unused
    assert _seen().unused


def test_policy_that_counts_no_secret_selects_none() -> None:
    nobody = {"usable": 0, "rejected": 0, "duplicate": 0}

    assert _seen(_policy({"labelSelector": {"team": "a"}}, keys=nobody)).unused
    assert not _seen(_policy({"labelSelector": {"team": "a"}}, keys={})).unused, "an older status counts nothing"


@pytest.mark.parametrize(
    ("policy", "holder", "shared_with", "used"),
    [
        pytest.param("team", "team", (), True, id="its own tenant"),
        pytest.param("other", "team", (), False, id="another tenant"),
        pytest.param("platform", "team", (), False, id="the platform, which lends no door to a tenant's label"),
        pytest.param("team", "platform", (), False, id="the platform's, and not shared"),
        pytest.param("team", "platform", ("team",), True, id="the platform's, shared with the tenant"),
        pytest.param("platform", "platform", (), True, id="the platform's own"),
    ],
)
def test_isolated_tenancy_decides_whose_keys_a_policy_selects(
    policy: str, holder: str, shared_with: tuple[str, ...], *, used: bool
) -> None:
    key = replace(_KEY, ref=ObjectRef("Secret", holder, "key"), shared_with=shared_with)
    for auth in ({"labelSelector": {"team": "a"}}, {"apiKeySecretRefs": [{"name": "key", "namespace": holder}]}):
        seen = _seen(_policy(auth, namespace=policy), key=key, tenancy=_ISOLATED)
        assert used is not seen.unused
        assert not _seen(_policy(auth, namespace=policy), key=key).unused, "under shared tenancy all count"


def test_faults_are_those_that_statuses_name() -> None:
    faulty = _policy({}, keys={"usable": 0, "rejected": 1, "duplicate": 0, "faults": {"team/key": "BadSecret"}})
    other = _policy({}, keys={"faults": {"team/other": "DuplicateKey", "team/key": "BadSecret"}})

    assert ("BadSecret",) == _seen(faulty, other).faults
    assert () == _seen(_policy({})).faults
