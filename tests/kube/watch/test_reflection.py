"""The core of a reflector: single steps, and any history of a cluster followed to the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.kube.fake_collection import RecordingSink
from tests.kube.manifests import bookmark, event, secret
from wardgate.kube.api.errors import ApiError, KubeError, UnreadableObject
from wardgate.kube.watch.objects import stored_object
from wardgate.kube.watch.reflection import Reflection, Relisted
from wardgate.kube.watch.sink import StoreSink
from wardgate.problems import ObjectRef
from wardgate.store import Store


def ref(name: str) -> ObjectRef:
    return ObjectRef("Secret", "apps", name)


def reflecting() -> tuple[Reflection, RecordingSink]:
    sink = RecordingSink()
    return Reflection("Secret", sink=sink, scope="keys"), sink


def listed(*names: str, as_of: int = 10) -> tuple[Reflection, RecordingSink]:
    """A reflection that began with a list of these, each as old as its place."""
    reflection, sink = reflecting()
    look(reflection, *(secret(name, version=number) for number, name in enumerate(names, 1)), as_of=as_of)
    sink.take()
    return reflection, sink


def look(reflection: Reflection, *items: dict[str, Any], as_of: int) -> Relisted:
    """A reflector's steps from asking for a list to the watch."""
    position = reflection.position
    relisted = reflection.replace(reflection.read(items), as_of=as_of, at_least=position)
    reflection.watch_from(as_of)
    return relisted


class TestLists:
    def test_a_list_says_where_to_watch_from(self) -> None:
        reflection, _ = listed("a", as_of=10)
        assert 10 == reflection.position

    def test_the_first_one_missed_nothing(self) -> None:
        reflection, sink = reflecting()
        assert Relisted(missed=0, rolled_back=False) == look(reflection, secret("a"), as_of=10)
        assert ["replaced Secret keys[a] as of 10, at least -1"] == sink.told

    def test_what_a_later_one_no_longer_holds_went_without_an_event(self) -> None:
        reflection, sink = listed("a", "b")
        assert 1 == look(reflection, secret("b", version=2), as_of=20).missed
        assert {ref("b")} == sink.held("Secret", "keys").keys()

    def test_what_came_while_the_list_was_made_was_not_missed(self) -> None:
        reflection, _ = listed("a")
        reflection.apply(event("ADDED", secret("b", version=15)))
        assert 1 == reflection.replace(reflection.read([]), as_of=12, at_least=10).missed

    def test_what_did_not_change_is_held_once(self) -> None:
        reflection, sink = listed("a", "b")
        held = sink.held("Secret", "keys")[ref("a")]
        (again,) = reflection.read([secret("a", version=1)])
        assert held is again

    def test_another_content_under_the_same_version_is_not_taken_for_the_same(self) -> None:
        reflection, _ = listed("a")
        (obj,) = reflection.read([secret("a", version=1, key="other")])
        assert stored_object("Secret", secret("a", key="other")).manifest == obj.manifest

    def test_one_older_than_the_last_event_says_that_history_was_rolled_back(self) -> None:
        reflection, _ = listed("a")
        reflection.apply(event("MODIFIED", secret("a", version=50)))
        assert look(reflection, as_of=30).rolled_back
        assert 30 == reflection.position

    def test_one_older_than_the_last_bookmark_says_so_too(self) -> None:
        reflection, _ = listed("a")
        reflection.apply(bookmark(50))
        assert look(reflection, secret("a"), as_of=30).rolled_back


class TestEvents:
    @pytest.mark.parametrize("kind", ["ADDED", "MODIFIED"])
    def test_an_object_changed(self, kind: str) -> None:
        reflection, sink = listed()
        reflection.apply(event(kind, secret("a", version=11)))
        assert {ref("a"): stored_object("Secret", secret("a", version=11))} == sink.held("Secret", "keys")

    def test_an_object_left_at_the_version_of_its_event(self) -> None:
        reflection, sink = listed("a")
        reflection.apply(event("DELETED", secret("a", version=12)))
        assert (["removed a at 12"], 0) == (sink.told, len(sink.held("Secret", "keys")))

    def test_a_bookmark_moves_only_the_version(self) -> None:
        reflection, sink = listed("a")
        reflection.apply(bookmark(33))
        assert ([], 33) == (sink.told, reflection.position)

    def test_the_same_version_again_is_in_order(self) -> None:
        reflection, _ = listed(as_of=10)
        reflection.apply(bookmark(10))
        assert 10 == reflection.position

    @pytest.mark.parametrize("late", [bookmark(9), event("MODIFIED", secret("a", version=9))])
    def test_an_event_from_before_the_watch_is_refused(self, late: dict[str, Any]) -> None:
        reflection, sink = listed(as_of=10)
        with pytest.raises(UnreadableObject, match="went back to an older version"):
            reflection.apply(late)
        assert [] == sink.told

    @pytest.mark.parametrize("broken", [{}, {"type": "ADDED", "object": {}}, {"type": "ADDED", "object": None}])
    def test_what_is_no_event_is_refused_without_quoting_it(self, broken: dict[str, Any]) -> None:
        reflection, _ = listed()
        with pytest.raises(UnreadableObject, match=r"^The API server sent an event of Secret that cannot be read"):
            reflection.apply(broken)


@dataclass
class Server:
    """A collection's history: version, name, key (None: it left). ``oldest`` is the first version to watch from."""

    now: int = 1
    history: list[tuple[int, str, str | None]] = field(default_factory=list)
    oldest: int = 0

    def write(self, name: str, key: str | None) -> None:
        self.now += 1
        self.history.append((self.now, name, key))

    def state(self) -> dict[str, tuple[int, str]]:
        state: dict[str, tuple[int, str]] = {}
        for version, name, key in self.history:
            state.pop(name, None)
            if key is not None:
                state[name] = (version, key)
        return state

    def items(self) -> list[dict[str, Any]]:
        return [secret(name, version=version, key=key) for name, (version, key) in self.state().items()]

    def events(self, since: int) -> list[dict[str, Any]]:
        if since < self.oldest:
            raise ApiError("too old resource version", status=410, reason="Expired")
        return [
            event("DELETED" if key is None else "MODIFIED", secret(name, version=version, key=key or "gone"))
            for version, name, key in self.history
            if version > since
        ]

    def roll_back(self, to: int) -> None:
        self.now, self.oldest = to, to
        self.history = [one for one in self.history if one[0] <= to]


NAMES = st.sampled_from(["a", "b", "c"])
KEYS = st.sampled_from(["one", "two"])


class AnyHistory(RuleBasedStateMachine):
    """Writes, deletions, lost watches, forgotten versions, restored backups; the reflector's steps in between.

    Whenever it has listed, or followed the watch to its end, the store holds the truth. A restored backup breaks every
    watch, and is noticed by nothing else: versions may have passed what was seen before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.store = Store()
        sink = StoreSink(self.store, on_change=lambda: None, on_rollback=lambda: None)
        self.reflection = Reflection("Secret", sink=sink, scope="")
        self.version = -1
        self.must_list = True

    @rule(name=NAMES, key=KEYS)
    def somebody_writes(self, name: str, key: str) -> None:
        self.server.write(name, key)

    @rule(name=NAMES)
    def something_leaves(self, name: str) -> None:
        if name in self.server.state():
            self.server.write(name, None)

    @rule()
    def the_server_restarts_with_an_empty_cache(self) -> None:
        self.server.oldest = self.server.now

    @rule(data=st.data())
    def a_backup_is_restored(self, data: st.DataObject) -> None:
        self.server.roll_back(data.draw(st.integers(1, self.server.now)))
        self.must_list = True

    @rule(data=st.data())
    def the_watch_brings_some(self, data: st.DataObject) -> None:
        self.watch(data.draw(st.integers(0, 5)))

    @rule()
    def ten_minutes_pass(self) -> None:
        self.must_list = True

    @rule()
    def the_reflector_lists(self) -> None:
        self.look()

    @invariant()
    def it_ends_at_the_truth(self) -> None:
        if not self.must_list:
            return
        self.look()
        assert self.truth() == self.held()

    def teardown(self) -> None:
        self.look()
        self.watch(1000)
        self.look()
        assert self.truth() == self.held()

    def look(self) -> None:
        """What the reflector does before each watch."""
        if self.must_list:
            look(self.reflection, *self.server.items(), as_of=self.server.now)
            self.version = self.server.now
            self.must_list = False

    def watch(self, count: int) -> None:
        if self.must_list:
            return
        try:
            for one in self.server.events(self.version)[:count]:
                self.reflection.apply(one)
                self.version = int(one["object"]["metadata"]["resourceVersion"])
        except KubeError:
            self.must_list = True

    def truth(self) -> dict[str, object]:
        return {item["metadata"]["name"]: item["data"] for item in self.server.items()}

    def held(self) -> dict[str, object]:
        return {obj.ref.name: obj.manifest["data"] for obj in self.store.freeze().of("Secret")}


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
