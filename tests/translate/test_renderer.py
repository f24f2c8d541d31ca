"""What outlives a round: the memo, and what was good."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.cluster import Cluster
from wardgate.problems import ObjectRef
from wardgate.renderer import Renderer
from wardgate.settings import Settings
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.verdicts import next_last_good
from wardgate.wire.encode import Encoder

_SERVICE = """
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: api}
spec: {hosts: [api.example.com], ports: [{number: 443}]}
"""
_BAD = _SERVICE.replace("[api.example.com]", "5")
_REF = ObjectRef("ExternalService", "default", "api")


def _served(renderer: Renderer, cluster: Cluster) -> int | None:
    status = renderer.render(cluster.snapshot()).translation.statuses.of(_REF)
    assert status is not None
    return status.served_generation


def test_last_good_form_is_served_in_the_next_round() -> None:
    renderer, cluster = Renderer(Settings()), Cluster().apply_yaml(_SERVICE)
    renderer.render(cluster.snapshot())
    assert 1 == _served(renderer, cluster.apply_yaml(_BAD))


def test_last_good_forms_may_be_replaced_between_rounds() -> None:
    renderer, cluster = Renderer(Settings()), Cluster().apply_yaml(_SERVICE)
    renderer.render(cluster.snapshot())
    renderer.last_good = {}
    assert None is _served(renderer, cluster.apply_yaml(_BAD))


def test_last_good_forms_are_found_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[LastGood] = []

    def find(*results: Any) -> LastGood:
        found.append(next_last_good(*results))
        return found[-1]

    monkeypatch.setattr("wardgate.translate.pipeline.next_last_good", find)
    renderer, snapshot = Renderer(Settings()), Cluster().apply_yaml(_SERVICE).snapshot()
    renderer.render(snapshot)
    assert [] == found
    renderer.render(snapshot)
    assert 1 == len(found)


def test_round_that_cannot_be_encoded_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer(Settings())
    before = renderer.last_good
    monkeypatch.setattr(Encoder, "encode", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        renderer.render(Cluster().apply_yaml(_SERVICE).snapshot())
    assert before is renderer.last_good


def test_forgetting_changes_no_result() -> None:
    renderer, snapshot = Renderer(Settings()), Cluster().apply_yaml(_SERVICE).snapshot()
    first = renderer.render(snapshot)
    renderer.forget()
    assert first.bundle == renderer.render(snapshot).bundle
