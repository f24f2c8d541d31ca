"""A key is shown with the faults that statuses name, and as unused where no policy selects it."""

from __future__ import annotations

from typing import Any

import pytest

from wardgate.kube.report.key_uses import with_uses
from wardgate.kube.report.reported_objects import ReportedKey, ReportedObject, read_object
from wardgate.problems import ObjectRef

_KEY = ReportedKey(ObjectRef("Secret", "team", "key"), {"team": "a", "stage": "live"})


def _policy(auth: Any, *, keys: dict[str, Any] | None = None) -> ReportedObject:
    state = {"common": {"State": {"approval": "ACCEPTED"}}, "observedGeneration": 1}
    return read_object(
        "ExtAuthPolicy",
        {
            "metadata": {"namespace": "team", "name": "policy", "generation": 1},
            "spec": {"config": {"glooAuth": {"configs": [{"apiKeyAuth": auth}]}}},
            "status": {**state, "keys": {"usable": 1, "rejected": 0, "duplicate": 0} if keys is None else keys},
        },
    )


def _seen(*policies: ReportedObject) -> ReportedKey:
    (key,) = with_uses([_KEY], policies)
    return key


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


def test_faults_are_those_that_statuses_name() -> None:
    faulty = _policy({}, keys={"usable": 0, "rejected": 1, "duplicate": 0, "faults": {"team/key": "BadSecret"}})
    other = _policy({}, keys={"faults": {"team/other": "DuplicateKey", "team/key": "BadSecret"}})

    assert ("BadSecret",) == _seen(faulty, other).faults
    assert () == _seen(_policy({})).faults
