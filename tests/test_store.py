"""Each rule of the store, and all of them at once against a naive model of a cluster's history."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.store import Store

KIND = "Secret"


def ref(name: str) -> ObjectRef:
    return ObjectRef(KIND, "apps", name)


def at(version: int, name: str = "a", *, created: str = "", content: int | None = None) -> StoredObject:
    """One version of an object; ``content`` is another one in each version unless it is given."""
    manifest = {"data": {"written": version if content is None else content}}
    return StoredObject(ref=ref(name), uid=name, version=version, generation=1, created=created, manifest=manifest)


def held(store: Store) -> dict[str, int]:
    return {obj.ref.name: obj.version for obj in store.freeze().of(KIND)}


def contents(store: Store) -> dict[str, object]:
    return {obj.ref.name: obj.manifest["data"] for obj in store.freeze().of(KIND)}


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
        assert store._kinds[KIND].scopes[""].deleted == {}

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

    def test_a_list_older_than_what_was_seen_before_it_began_is_one(self) -> None:
        store = Store()
        store.replace(KIND, [], as_of=10)
        store.upsert(at(50))
        assert store.position(KIND) == 50
        assert store.replace(KIND, [], as_of=30, at_least=50)
        assert held(store) == {}

    def test_a_list_that_only_took_its_time_is_none(self) -> None:
        store = Store()
        seen = store.position(KIND)
        store.upsert(at(50))
        assert not store.replace(KIND, [], as_of=30, at_least=seen)
        assert held(store) == {"a": 50}

    def test_an_object_that_a_later_list_shows_older_than_it_was_is_one(self) -> None:
        store = Store()
        store.replace(KIND, [at(9)], as_of=10)
        assert store.replace(KIND, [at(4)], as_of=20)
        assert held(store) == {"a": 4}

    def test_an_object_that_a_later_list_shows_as_before_its_deletion_is_one(self) -> None:
        store = Store()
        store.replace(KIND, [at(4)], as_of=10)
        store.remove(ref("a"), version=15)
        assert store.replace(KIND, [at(4)], as_of=20)
        assert held(store) == {"a": 4}

    def test_another_content_under_the_same_version_is_one(self) -> None:
        store = Store()
        store.replace(KIND, [at(9, content=1)], as_of=10)
        assert store.replace(KIND, [at(9, content=2)], as_of=20)
        assert contents(store) == {"a": {"written": 2}}

    def test_the_same_content_under_an_older_version_is_shown_as_that_version(self) -> None:
        store = Store()
        store.replace(KIND, [at(9, content=1)], as_of=10)
        assert store.replace(KIND, [at(4, content=1)], as_of=5)
        assert held(store) == {"a": 4}


class TestScopes:
    def test_each_scope_is_replaced_by_its_own_lists_only(self) -> None:
        store = Store()
        store.replace(KIND, [at(1, "a")], as_of=5, scope="keys")
        store.replace(KIND, [at(2, "b")], as_of=6, scope="name:apps/b")
        store.replace(KIND, [], as_of=7, scope="keys")
        assert held(store) == {"b": 2}

    def test_the_newest_version_in_any_scope_counts(self) -> None:
        store = Store()
        store.upsert(at(3), scope="keys")
        store.upsert(at(2), scope="name:apps/a")
        assert held(store) == {"a": 3}

    def test_an_object_stays_while_one_scope_holds_it(self) -> None:
        store = Store()
        store.upsert(at(1), scope="keys")
        store.upsert(at(1), scope="name:apps/a")
        assert not store.remove(ref("a"), version=2, scope="keys")
        assert held(store) == {"a": 1}
        assert store.remove(ref("a"), version=2, scope="name:apps/a")
        assert held(store) == {}

    def test_a_deletion_in_one_scope_keeps_no_news_of_another_away(self) -> None:
        store = Store()
        store.remove(ref("a"), version=5, scope="keys")
        assert store.upsert(at(4), scope="name:apps/a")

    def test_what_only_a_dropped_scope_held_is_gone(self) -> None:
        store = Store()
        store.upsert(at(1, "a"), scope="keys")
        store.upsert(at(2, "b"), scope="name:apps/b")
        assert store.drop_scope(KIND, "name:apps/b")
        assert held(store) == {"a": 1}

    def test_dropping_what_other_scopes_hold_too_changes_nothing(self) -> None:
        store = Store()
        store.upsert(at(1), scope="keys")
        store.upsert(at(1), scope="name:apps/a")
        assert not store.drop_scope(KIND, "name:apps/a")
        assert store.generation == 1

    def test_dropping_a_scope_that_never_was_changes_nothing(self) -> None:
        assert not Store().drop_scope(KIND, "keys")

    def test_the_same_version_from_a_second_scope_changes_nothing(self) -> None:
        store = Store()
        store.upsert(at(1), scope="keys")
        before = store.freeze()
        assert not store.upsert(at(1), scope="name:apps/a")
        assert store.freeze().of(KIND) is before.of(KIND)
        assert store.generation == 1

    def test_a_change_in_one_scope_makes_a_new_tuple(self) -> None:
        store = Store()
        store.upsert(at(1, "a"), scope="keys")
        before = store.freeze()
        store.upsert(at(2, "b"), scope="name:apps/b")
        assert [obj.ref.name for obj in store.freeze().of(KIND)] == ["a", "b"]
        assert [obj.ref.name for obj in before.of(KIND)] == ["a"]


class TestSameContent:
    def test_a_new_version_with_the_same_content_changes_nothing(self) -> None:
        store = Store()
        store.upsert(at(1, content=1))
        before = store.freeze()
        assert not store.upsert(at(2, content=1))
        assert store.freeze().of(KIND) is before.of(KIND)
        assert store.generation == 1

    def test_the_object_that_is_shown_keeps_its_older_version(self) -> None:
        store = Store()
        store.upsert(at(1, content=1))
        store.replace(KIND, [at(2, content=1)], as_of=3)
        assert held(store) == {"a": 1}

    def test_the_rules_go_by_the_new_version(self) -> None:
        store = Store()
        store.upsert(at(1, content=1))
        store.upsert(at(5, content=1))
        assert not store.upsert(at(3, content=3))
        assert not store.remove(ref("a"), version=4)
        assert contents(store) == {"a": {"written": 1}}

    def test_the_content_is_held_once(self) -> None:
        store = Store()
        store.upsert(at(1, content=1))
        store.upsert(at(2, content=1))
        assert store.freeze().of(KIND)[0].manifest is store._kinds[KIND].scopes[""].live[ref("a")].manifest

    def test_a_change_after_it_counts(self) -> None:
        store = Store()
        store.upsert(at(1, content=1))
        store.upsert(at(2, content=1))
        assert store.upsert(at(3, content=3))
        assert held(store) == {"a": 3}

    def test_another_generation_is_a_change(self) -> None:
        store = Store()
        store.upsert(at(1, content=1))
        assert store.upsert(replace(at(2, content=1), generation=2))


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

    @pytest.mark.parametrize("count", [3, 200])
    def test_objects_stay_sorted_through_changes_one_by_one_and_many_at_once(self, count: int) -> None:
        store = Store()
        store.upsert(at(1, "first", created="2025-01-02T00:00:00Z"))
        store.freeze()
        days = [at(10 + n, f"n{n}", created=f"2025-{n % 12 + 1:02}-01T00:00:00Z") for n in range(count)]
        store.replace(KIND, [at(1, "first", created="2025-01-02T00:00:00Z"), *days], as_of=count + 20)
        store.remove(ref("n1"), version=count + 30)
        store.upsert(at(count + 31, "n2", created="2024-03-01T00:00:00Z"))
        shown = store.freeze().of(KIND)
        assert sorted(shown, key=lambda obj: obj.age_key) == list(shown)
        assert (count, "n2") == (len(shown), shown[0].ref.name)

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

    def test_next_copy_tells_of_a_kind_that_was_absent_for_a_moment(self) -> None:
        store = Store()
        store.set_absent(KIND, absent=True)
        store.set_absent(KIND, absent=False)
        assert [frozenset({KIND}), frozenset()] == [store.freeze().lapsed_kinds, store.freeze().lapsed_kinds]

    def test_absent_kind_lapses_until_a_copy_shows_that_it_is_back(self) -> None:
        store = Store()
        store.set_absent(KIND, absent=True)
        lapsed = [store.freeze().lapsed_kinds, store.freeze().lapsed_kinds]
        store.set_absent(KIND, absent=False)
        assert [frozenset({KIND})] * 3 == [*lapsed, store.freeze().lapsed_kinds]
        assert frozenset() == store.freeze().lapsed_kinds


@dataclass
class History:
    """A cluster as its database sees it: for each object every version there was, with its content, None if deleted."""

    now: int = 0
    versions: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)

    def write(self, name: str, content: int | None) -> int:
        self.now += 1
        self.versions.setdefault(name, []).append((self.now, content))
        return self.now

    def state(self, name: str, as_of: int) -> tuple[int, int] | None:
        """Version and content at that time."""
        past = [(version, content) for version, content in self.versions.get(name, []) if version <= as_of]
        if not past or past[-1][1] is None:
            return None
        return past[-1][0], past[-1][1]

    def listed(self, as_of: int) -> list[StoredObject]:
        states = {name: self.state(name, as_of) for name in self.versions}
        return [at(state[0], name, content=state[1]) for name, state in states.items() if state is not None]

    def roll_back(self, to: int) -> None:
        self.now = to
        self.versions = {name: [v for v in versions if v[0] <= to] for name, versions in self.versions.items()}


@dataclass
class Knowledge:
    """What one scope was told."""

    event_seen: dict[str, int] = field(default_factory=dict)
    list_seen: int = -1
    consistent_seen: int = -1

    def of(self, name: str) -> int:
        return max(self.list_seen, self.event_seen.get(name, -1))


NAMES = st.sampled_from(["a", "b", "c"])
SCOPES = st.sampled_from(["keys", "named"])


class AnyOrderOfNews(RuleBasedStateMachine):
    """News of the history arrives late, twice and in any order, in two scopes; the newest news counts.

    What a scope knows of an object is the history up to the newest event of it or the newest list, whichever is newer.
    The store must show the newest of what the scopes know to exist.
    """

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.history = History()
        self.known = {"keys": Knowledge(), "named": Knowledge()}
        self.contents = 0

    @rule(name=NAMES)
    def somebody_applies(self, name: str) -> None:
        self.contents += 1
        self.history.write(name, self.contents)

    @rule(name=NAMES)
    def somebody_writes_a_status(self, name: str) -> None:
        state = self.history.state(name, self.history.now)
        if state is not None:
            self.history.write(name, state[1])

    @rule(name=NAMES)
    def somebody_deletes(self, name: str) -> None:
        if self.history.state(name, self.history.now) is not None:
            self.history.write(name, None)

    @precondition(lambda self: any(self.history.versions.values()))
    @rule(data=st.data(), scope=SCOPES)
    def an_event_arrives(self, data: st.DataObject, scope: str) -> None:
        name = data.draw(st.sampled_from([name for name, versions in self.history.versions.items() if versions]))
        version, content = data.draw(st.sampled_from(self.history.versions[name]))
        if content is None:
            self.store.remove(ref(name), version=version, scope=scope)
        else:
            self.store.upsert(at(version, name, content=content), scope=scope)
        seen = self.known[scope].event_seen
        seen[name] = max(version, seen.get(name, -1))

    @rule(data=st.data(), scope=SCOPES, consistent=st.booleans())
    def a_list_arrives(self, data: st.DataObject, scope: str, *, consistent: bool) -> None:
        known = self.known[scope]
        oldest = max(known.consistent_seen, 0) if consistent else 0
        as_of = data.draw(st.integers(oldest, self.history.now))
        listed = self.history.listed(as_of)
        assert not self.store.replace(KIND, listed, as_of=as_of, consistent=consistent, scope=scope)
        known.list_seen = max(as_of, known.list_seen)
        if consistent:
            known.consistent_seen = as_of

    @precondition(lambda self: min(known.consistent_seen for known in self.known.values()) > 0)
    @rule(data=st.data())
    def history_is_rolled_back(self, data: st.DataObject) -> None:
        oldest = min(known.consistent_seen for known in self.known.values())
        as_of = data.draw(st.integers(0, oldest - 1))
        self.history.roll_back(as_of)
        for scope in self.known:
            assert self.store.replace(KIND, self.history.listed(as_of), as_of=as_of, scope=scope)
            self.known[scope] = Knowledge(list_seen=as_of, consistent_seen=as_of)

    @rule(scope=SCOPES)
    def a_scope_is_dropped(self, scope: str) -> None:
        self.store.drop_scope(KIND, scope)
        self.known[scope] = Knowledge()

    @invariant()
    def the_store_shows_what_is_known(self) -> None:
        wanted = {}
        for name in "abc":
            states = [self.history.state(name, known.of(name)) for known in self.known.values()]
            wanted[name] = max((state for state in states if state is not None), default=None)
        assert {name: {"written": state[1]} for name, state in wanted.items() if state} == contents(self.store)
        for name, version in held(self.store).items():
            state = wanted[name]
            assert state is not None
            assert (version, state[1]) in self.history.versions[name], (
                "The version that is shown never had this content."
            )


TestAnyOrderOfNews = AnyOrderOfNews.TestCase
TestAnyOrderOfNews.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_kind_is_unlisted_until_each_of_its_scopes_was_listed() -> None:
    store = Store()
    store.set_unlisted("JWTPolicy", "a", unlisted=True)
    store.set_unlisted("JWTPolicy", "b", unlisted=True)
    generations = [store.generation]
    for scope in ("a", "a", "b"):
        store.set_unlisted("JWTPolicy", scope, unlisted=False)
        generations.append(store.generation)
        if scope == "a":
            assert {"JWTPolicy"} == store.freeze().unlisted_kinds

    assert frozenset() == store.freeze().unlisted_kinds
    assert [2, 3, 3, 4] == generations
