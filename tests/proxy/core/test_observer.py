"""What ``wardgate render`` hears: every decision, and no secret unmarked."""

from __future__ import annotations

from tests.proxy.core.conversation import KEY, TOKEN, Talk, config, forward, open_route, post_plan, request, route
from tests.proxy.core.transform.test_transformation import message, x_
from wardgate.ir import PrefixRewrite
from wardgate.proxy.core.observer import Observer


class Notes(Observer):
    """Writes everything down."""

    def __init__(self) -> None:
        self.decisions: list[tuple[str, str, str]] = []
        self.set: list[tuple[str, str, bytes, bool]] = []
        self.removed: list[tuple[str, str]] = []

    def decided(self, what: str, name: str, *, detail: str = "") -> None:
        self.decisions.append((what, name, detail))

    def header_set(self, name: str, value: bytes, *, by: str, secret: bool) -> None:
        self.set.append((by, name, value, secret))

    def header_removed(self, name: str, *, by: str) -> None:
        self.removed.append((by, name))


def lab_notes(*headers: tuple[str, str | bytes]) -> Notes:
    notes = Notes()
    plan = post_plan(
        policy="default/hf-transform",
        request=message(
            ("authorization", "Bearer {{ t }}"),
            ("x-copy", "copy of {{ t }}"),
            ("x-plain", "p"),
            extractors=(x_("t", "x-api-key"),),
        ),
    )
    served = config(route(transformations=("t",)), transformations=(plan,))
    Talk(served, request("GET", "/a", ("x-api-key", "spoof"), *headers), observer=notes)
    return notes


def test_every_decision_is_told_in_order() -> None:
    assert lab_notes(("api-key", KEY)).decisions == [
        ("listener", "gw", ""),
        ("host", "gw.example", ""),
        ("route", "r", ""),
        ("policy", "gloo-mesh/hf-policy", ""),
        ("auth step", "config_0", "passed: default/hf-key"),
    ]


def test_failed_step_is_told_with_its_reason() -> None:
    assert lab_notes().decisions[-1] == ("auth step", "config_0", "failed: key_missing (header api-key)")


def test_headers_are_told_with_who_set_or_removed_them() -> None:
    notes = lab_notes(("api-key", KEY))
    assert notes.removed == [("arrival", "x-api-key"), ("authentication", "api-key")]
    assert [
        ("authentication", "x-api-key", TOKEN.encode(), True),
        ("default/hf-transform", "authorization", b"Bearer " + TOKEN.encode(), True),
        ("default/hf-transform", "x-copy", b"copy of " + TOKEN.encode(), True),
        ("default/hf-transform", "x-plain", b"p", False),
    ] == notes.set


def test_callers_key_is_secret_wherever_it_is_copied() -> None:
    notes = Notes()
    plan = post_plan(phase="pre", request=message(("x-copy", '{{ header("api-key") }}')))
    served = config(route(transformations=("t",)), transformations=(plan,))
    Talk(served, request("GET", "/", ("api-key", KEY)), observer=notes)
    assert [secret for _, name, _, secret in notes.set if name == "x-copy"] == [True]


def test_route_rewriting_is_told() -> None:
    notes = Notes()
    served = config(open_route(forward(path_rewrite=PrefixRewrite("/models"), host_rewrite="hf.example")))
    Talk(served, request("GET", "/a"), observer=notes)
    assert notes.set == [("route", ":path", b"/modelsa", False), ("route", ":authority", b"hf.example", False)]


def test_observer_changes_nothing() -> None:
    served = config(route())
    watched = Talk(served, request("GET", "/", ("api-key", KEY)), observer=Notes())
    alone = Talk(served, request("GET", "/", ("api-key", KEY)))
    assert alone.outgoing.headers == watched.outgoing.headers
