"""Events about key Secrets: once for a fault, once for its end, and never many at a time."""

from __future__ import annotations

from dataclasses import replace

from tests.kube.verdicts import verdict
from wardgate.api import Approval
from wardgate.kube.status.events import StatusEvent
from wardgate.kube.status.key_events import AT_ONCE, KeyEvents
from wardgate.problems import ObjectRef

_FAULT = verdict(
    Approval.WARNING, ref=ObjectRef("Secret", "team", "key"), message="It opens nothing.", reason="UnusedKey"
)


class Bench:
    def __init__(self, *namespaces: str) -> None:
        self.told: list[StatusEvent] = []
        self.events = KeyEvents(self.told.append, namespaces=frozenset(namespaces))

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(one.type, one.reason) for one in self.told]


def test_fault_is_told_once_and_its_end_too() -> None:
    bench = Bench()
    bench.events.take([_FAULT], exists=lambda _: True)
    bench.events.take([_FAULT], exists=lambda _: True)
    bench.events.take([], exists=lambda _: True)
    bench.events.take([], exists=lambda _: True)

    assert [("Warning", "UnusedKey"), ("Normal", "Accepted")] == bench.reasons
    assert "UnusedKey is resolved. Secret team/key is accepted." == bench.told[1].note


def test_another_fault_and_another_secret_of_the_name_are_told() -> None:
    bench = Bench()
    for one in (_FAULT, replace(_FAULT, reason="BadSecret"), replace(_FAULT, reason="BadSecret", uid="uid-2")):
        bench.events.take([one], exists=lambda _: True)

    assert ["UnusedKey", "BadSecret", "BadSecret"] == [one.reason for one in bench.told]


def test_nothing_is_told_of_a_secret_that_is_gone() -> None:
    bench = Bench()
    bench.events.take([_FAULT], exists=lambda _: True)
    bench.events.take([], exists=lambda _: False)

    assert [("Warning", "UnusedKey")] == bench.reasons


def test_of_many_the_first_are_told_and_the_others_after_a_later_round() -> None:
    bench = Bench()
    many = [replace(_FAULT, ref=ObjectRef("Secret", "team", f"key-{number}")) for number in range(AT_ONCE + 1)]
    bench.events.take(many, exists=lambda _: True)
    assert AT_ONCE == len(bench.told)

    bench.events.take(many, exists=lambda _: True)
    assert AT_ONCE + 1 == len(bench.told)


def test_secret_in_a_namespace_that_is_not_watched_is_not_told_of() -> None:
    bench = Bench("other")
    bench.events.take([_FAULT], exists=lambda _: True)

    assert [] == bench.told
