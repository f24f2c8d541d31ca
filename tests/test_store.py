"""Each rule of the store, and all of them at once against a naive model of a cluster's history."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.store import Store

KIND = "Secret"


def ref(name: str) -> ObjectRef:
    return ObjectRef(KIND, "apps", name)


def at(version: int, name: str = "a", *, created: str = "") -> StoredObject:
    return StoredObject(ref=ref(name), uid=name, version=version, generation=1, created=created, manifest={})


def held(store: Store) -> dict[str, int]:
    return {obj.ref.name: obj.version for obj in store.freeze().of(KIND)}


class TestEvents:
    def test_a_new_object_is_held(self) -> None:
        store = Store()
        assert store.upsert(at(1))
        assert held(store) == {"a": 1}

    def test_a_newer_version_replaces_an_older_one(self) -> None:
        store = Store()
        store.upsert(at(1))
        assert store.upsert(at(2))
        assert held(store) == {"a": 2}

    def test_an_older_version_changes_nothing(self) -> None:
        store = Store()
        store.upsert(at(2))
        assert not store.upsert(at(1))
        assert held(store) == {"a": 2}

    def test_the_same_version_again_changes_nothing(self) -> None:
        store = Store()
        store.upsert(at(2))
        assert not store.upsert(at(2))

    def test_a_deleted_object_is_gone(self) -> None:
        store = Store()
        store.upsert(at(1))
        assert store.remove(ref("a"), version=2)
        assert held(store) == {}

    def test_deleting_what_is_not_there_changes_nothing(self) -> None:
        store = Store()
        assert not store.remove(ref("a"), version=2)
        assert store.generation == 0

    def test_a_late_event_does_not_resurrect_a_deleted_object(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.remove(ref("a"), version=3)
        assert not store.upsert(at(2))
        assert held(store) == {}

    def test_an_older_deletion_does_not_shorten_the_memory_of_a_newer_one(self) -> None:
        store = Store()
        store.remove(ref("a"), version=5)
        store.remove(ref("a"), version=3)
        assert not store.upsert(at(4))

    def test_a_late_deletion_leaves_an_object_that_was_made_again(self) -> None:
        store = Store()
        store.upsert(at(5))
        assert not store.remove(ref("a"), version=3)
        assert held(store) == {"a": 5}

    def test_an_object_made_again_is_held(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.remove(ref("a"), version=2)
        assert store.upsert(at(3))
        assert held(store) == {"a": 3}


class TestLists:
    def test_what_a_list_does_not_hold_is_gone(self) -> None:
        store = Store()
        store.upsert(at(1, "a"))
        store.upsert(at(2, "b"))
        store.replace(KIND, [at(2, "b")], as_of=3)
        assert held(store) == {"b": 2}

    def test_a_slow_list_does_not_remove_what_was_made_after_it(self) -> None:
        store = Store()
        store.upsert(at(5))
        store.replace(KIND, [], as_of=4)
        assert held(store) == {"a": 5}

    def test_a_slow_list_does_not_take_an_object_back(self) -> None:
        store = Store()
        store.upsert(at(5))
        store.replace(KIND, [at(2)], as_of=4)
        assert held(store) == {"a": 5}

    def test_a_slow_list_does_not_resurrect_what_was_deleted_after_it(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.remove(ref("a"), version=5)
        store.replace(KIND, [at(1)], as_of=4)
        assert held(store) == {}

    def test_a_deletion_outlives_a_list_older_than_it(self) -> None:
        store = Store()
        store.remove(ref("a"), version=5)
        store.replace(KIND, [at(1)], as_of=3)
        store.replace(KIND, [at(1)], as_of=4)
        assert held(store) == {}

    def test_a_deletion_that_a_list_confirms_costs_no_more_memory(self) -> None:
        store = Store()
        store.remove(ref("a"), version=5)
        store.replace(KIND, [], as_of=5)
        assert store._kinds[KIND].deleted == {}

    def test_a_list_newer_than_a_deletion_may_hold_the_object_again(self) -> None:
        store = Store()
        store.remove(ref("a"), version=5)
        store.replace(KIND, [at(6)], as_of=7)
        assert held(store) == {"a": 6}

    def test_a_late_event_does_not_resurrect_what_a_list_no_longer_held(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.replace(KIND, [], as_of=10)
        assert not store.upsert(at(4))
        assert held(store) == {}

    def test_an_event_after_the_list_is_taken(self) -> None:
        store = Store()
        store.replace(KIND, [], as_of=10)
        assert store.upsert(at(11))

    def test_an_older_list_from_a_cache_changes_nothing(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.remove(ref("a"), version=5)
        store.replace(KIND, [], as_of=10)
        assert not store.replace(KIND, [at(1)], as_of=3, consistent=False)
        assert held(store) == {}

    def test_a_list_replaces_only_its_own_kind(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.replace("RouteTable", [], as_of=9)
        assert held(store) == {"a": 1}


class TestRollBack:
    def rolled_back(self) -> tuple[Store, bool]:
        store = Store()
        store.replace(KIND, [at(8, "a"), at(9, "b")], as_of=10)
        store.upsert(at(12, "c"))
        store.remove(ref("d"), version=13)
        return store, store.replace(KIND, [at(3, "a"), at(4, "d")], as_of=5)

    def test_an_older_consistent_list_replaces_everything_and_says_so(self) -> None:
        store, rolled_back = self.rolled_back()
        assert rolled_back
        assert held(store) == {"a": 3, "d": 4}

    def test_history_goes_on_from_there(self) -> None:
        store, _ = self.rolled_back()
        assert store.upsert(at(6, "b"))
        assert store.remove(ref("d"), version=7)
        assert held(store) == {"a": 3, "b": 6}

    def test_a_deletion_of_the_lost_history_is_forgotten(self) -> None:
        store, _ = self.rolled_back()
        assert store.upsert(at(6, "d"))
        assert held(store) == {"a": 3, "d": 6}

    def test_the_next_list_is_no_roll_back(self) -> None:
        store, _ = self.rolled_back()
        assert not store.replace(KIND, [at(6, "a")], as_of=6)
        assert held(store) == {"a": 6}

    def test_a_list_as_old_as_the_last_one_is_no_roll_back(self) -> None:
        store = Store()
        store.replace(KIND, [at(1)], as_of=10)
        assert not store.replace(KIND, [at(1)], as_of=10)

    def test_a_list_older_only_than_one_from_a_cache_is_no_roll_back(self) -> None:
        store = Store()
        store.replace(KIND, [at(9)], as_of=10, consistent=False)
        assert not store.replace(KIND, [at(1)], as_of=5)
        assert held(store) == {"a": 9}

    def test_a_roll_back_to_the_same_objects_is_still_reported(self) -> None:
        store = Store()
        store.replace(KIND, [at(1)], as_of=10)
        generation = store.generation
        assert store.replace(KIND, [at(1)], as_of=5)
        assert store.generation == generation


class TestGeneration:
    def test_it_grows_with_each_change(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.upsert(at(2))
        store.remove(ref("a"), version=3)
        assert store.generation == 3

    def test_a_list_that_changes_nothing_leaves_it(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.replace(KIND, [at(1)], as_of=5)
        assert store.generation == 1

    def test_an_absent_kind_counts_once(self) -> None:
        store = Store()
        store.set_absent(KIND, absent=True)
        store.set_absent(KIND, absent=True)
        assert store.generation == 1

    def test_equal_generations_mean_equal_snapshots(self) -> None:
        store = Store()
        before = store.freeze()
        store.remove(ref("a"), version=1)
        store.replace("RouteTable", [], as_of=3)
        assert store.generation == 0
        assert before == store.freeze()


class TestFreeze:
    def test_a_snapshot_does_not_see_later_changes(self) -> None:
        store = Store()
        store.upsert(at(1))
        snapshot = store.freeze()
        store.upsert(at(2))
        assert [obj.version for obj in snapshot.of(KIND)] == [1]

    def test_objects_are_sorted_oldest_first(self) -> None:
        store = Store()
        store.upsert(at(1, "a", created="2025-01-01T00:00:00Z"))
        store.upsert(at(2, "b", created="2024-01-01T00:00:00Z"))
        assert [obj.ref.name for obj in store.freeze().of(KIND)] == ["b", "a"]

    def test_a_kind_that_did_not_change_shares_its_tuple(self) -> None:
        store = Store()
        store.upsert(at(1))
        before = store.freeze()
        store.set_absent("RouteTable", absent=True)
        assert store.freeze().of(KIND) is before.of(KIND)

    def test_a_kind_that_the_cluster_does_not_know_is_named_and_empty(self) -> None:
        store = Store()
        store.upsert(at(1))
        store.set_absent(KIND, absent=True)
        assert store.freeze().absent_kinds == frozenset({KIND})
        assert held(store) == {}

    def test_a_kind_that_comes_back_is_no_longer_absent(self) -> None:
        store = Store()
        store.set_absent(KIND, absent=True)
        store.set_absent(KIND, absent=False)
        assert store.freeze().absent_kinds == frozenset()


@dataclass
class History:
    """A cluster as its database sees it: for each object every version there was, None where it was deleted."""

    now: int = 0
    versions: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)

    def write(self, name: str, *, exists: bool) -> int:
        self.now += 1
        self.versions.setdefault(name, []).append((self.now, exists))
        return self.now

    def state(self, name: str, as_of: int) -> int | None:
        past = [(version, exists) for version, exists in self.versions.get(name, []) if version <= as_of]
        return past[-1][0] if past and past[-1][1] else None

    def listed(self, as_of: int) -> dict[str, int]:
        states = {name: self.state(name, as_of) for name in self.versions}
        return {name: version for name, version in states.items() if version is not None}

    def roll_back(self, to: int) -> None:
        self.now = to
        self.versions = {name: [v for v in versions if v[0] <= to] for name, versions in self.versions.items()}


NAMES = st.sampled_from(["a", "b", "c"])


class AnyOrderOfNews(RuleBasedStateMachine):
    """News of the history arrives late, twice and in any order; for each object the newest news counts.

    What is known of an object is the history up to the newest event of it or the newest list, whichever is newer, and
    the store must hold exactly what existed then.
    """

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.history = History()
        self.event_seen: dict[str, int] = {}
        self.list_seen = -1
        self.consistent_seen = -1

    @rule(name=NAMES)
    def somebody_applies(self, name: str) -> None:
        self.history.write(name, exists=True)

    @rule(name=NAMES)
    def somebody_deletes(self, name: str) -> None:
        if self.history.state(name, self.history.now) is not None:
            self.history.write(name, exists=False)

    @precondition(lambda self: any(self.history.versions.values()))
    @rule(data=st.data())
    def an_event_arrives(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name, versions in self.history.versions.items() if versions]))
        version, exists = data.draw(st.sampled_from(self.history.versions[name]))
        if exists:
            self.store.upsert(at(version, name))
        else:
            self.store.remove(ref(name), version=version)
        self.event_seen[name] = max(version, self.event_seen.get(name, -1))

    @rule(data=st.data(), consistent=st.booleans())
    def a_list_arrives(self, data: st.DataObject, consistent: bool) -> None:  # noqa: FBT001 - drawn by name
        oldest = max(self.consistent_seen, 0) if consistent else 0
        as_of = data.draw(st.integers(oldest, self.history.now))
        assert not self.store.replace(KIND, self.list_of(as_of), as_of=as_of, consistent=consistent)
        self.list_seen = max(as_of, self.list_seen)
        if consistent:
            self.consistent_seen = as_of

    @precondition(lambda self: self.consistent_seen > 0)
    @rule(data=st.data())
    def history_is_rolled_back(self, data: st.DataObject) -> None:
        as_of = data.draw(st.integers(0, self.consistent_seen - 1))
        self.history.roll_back(as_of)
        assert self.store.replace(KIND, self.list_of(as_of), as_of=as_of)
        self.event_seen = {}
        self.list_seen = self.consistent_seen = as_of

    def list_of(self, as_of: int) -> list[StoredObject]:
        return [at(version, name) for name, version in self.history.listed(as_of).items()]

    @invariant()
    def the_store_holds_what_is_known(self) -> None:
        known = {name: max(self.list_seen, self.event_seen.get(name, -1)) for name in "abc"}
        states = {name: self.history.state(name, as_of) for name, as_of in known.items()}
        assert {name: version for name, version in states.items() if version is not None} == held(self.store)


TestAnyOrderOfNews = AnyOrderOfNews.TestCase
TestAnyOrderOfNews.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
