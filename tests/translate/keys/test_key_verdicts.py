"""Every faulty key Secret has a verdict of its own, and policies name those that they select."""

from __future__ import annotations

import base64
from typing import Any

from tests.translate.cluster import Cluster
from tests.translate.tenants import ISOLATED
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.translate import translate
from wardgate.translate.statuses.object_status import Statuses


def _secret(name: str, *, namespace: str = "apps", team: str = "a", **entries: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "extauth.solo.io/apikey",
        "metadata": {"name": name, "namespace": namespace, "labels": {"team": team}},
        "data": {key.replace("_", "-"): base64.b64encode(text.encode()).decode() for key, text in entries.items()},
    }


def _policy() -> dict[str, Any]:
    auth = {
        "headerName": "api-key",
        "labelSelector": {"team": "a"},
        "headersFromMetadataEntry": {"authorization": {"name": "token"}},
    }
    return {
        "apiVersion": "security.policy.gloo.solo.io/v2",
        "kind": "ExtAuthPolicy",
        "metadata": {"name": "policy", "namespace": "apps"},
        "spec": {
            "applyToRoutes": [{"route": {"labels": {"app": "web"}}}],
            "config": {"glooAuth": {"configs": [{"apiKeyAuth": auth}]}},
        },
    }


def _judged(*objects: dict[str, Any], settings: Settings | None = None) -> Statuses:
    cluster = Cluster()
    for one in (_policy(), *objects):
        cluster.apply(one)
    return translate(cluster.snapshot(), settings or Settings()).statuses


def _faults(statuses: Statuses) -> object:
    policy = statuses.of(ObjectRef("ExtAuthPolicy", "apps", "policy"))
    assert policy is not None
    keys = policy.counts["keys"]
    assert not isinstance(keys, int | str)
    return keys.get("faults")


def test_each_fault_has_its_verdict_and_good_keys_have_none() -> None:
    statuses = _judged(
        _secret("good", api_key="k", token="t"),
        _secret("lacking", api_key="l"),
        _secret("rejected", token="t"),
        _secret("stray", team="b", api_key="s"),
        _secret("twin", api_key="k", token="t"),
    )

    assert [
        ("lacking", "BadSecret"),
        ("rejected", "BadSecret"),
        ("stray", "UnusedKey"),
        ("twin", "DuplicateKey"),
    ] == [(one.ref.name, one.reason) for one in statuses.keys]
    assert {
        "apps/lacking": "BadSecret",
        "apps/rejected": "BadSecret",
        "apps/twin": "DuplicateKey",
    } == _faults(statuses)


def test_nobody_reads_of_other_tenants_secrets_and_what_is_not_shared_is_no_fault() -> None:
    statuses = _judged(
        _secret("mine", token="t"),
        _secret("platforms", namespace="infra", api_key="p"),
        _secret("theirs", namespace="others", token="t"),
        settings=ISOLATED,
    )

    assert {"apps/mine": "BadSecret"} == _faults(statuses)
    assert [("mine", "BadSecret"), ("theirs", "UnusedKey")] == [(one.ref.name, one.reason) for one in statuses.keys]
