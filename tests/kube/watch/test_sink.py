"""What of the cluster's news is worth a translation."""

from __future__ import annotations

from tests.kube.manifests import secret
from wardgate.kube.watch.objects import stored_object
from wardgate.kube.watch.sink import StoreSink
from wardgate.snapshot import StoredObject
from wardgate.store import Store


class Told:
    """A sink and what it told."""

    def __init__(self) -> None:
        self.store = Store()
        self.changes = 0
        self.rollbacks = 0
        self.sink = StoreSink(self.store, on_change=self._change, on_rollback=self._rollback)

    def _change(self) -> None:
        self.changes += 1

    def _rollback(self) -> None:
        self.rollbacks += 1

    def listed(self, *objects: StoredObject, as_of: int, at_least: int = -1, scope: str = "keys") -> bool:
        return self.sink.replaced("Secret", objects, as_of=as_of, at_least=at_least, scope=scope)

    def names(self) -> list[str]:
        return [obj.ref.name for obj in self.store.freeze().of("Secret")]


def key(name: str = "a", *, version: int = 1, value: str = "k") -> StoredObject:
    return stored_object("Secret", secret(name, version=version, key=value))


def test_first_list_of_a_scope_counts_even_if_it_is_empty() -> None:
    it = Told()
    it.listed(as_of=5)
    it.listed(as_of=6)
    it.listed(as_of=6, scope="name:apps/tls")
    assert it.changes == 2


def test_later_list_counts_if_it_changes_something() -> None:
    it = Told()
    it.listed(key(), as_of=5)
    it.listed(key(), as_of=6)
    it.listed(as_of=7)
    assert (2, []) == (it.changes, it.names())


def test_events_count_if_they_change_something() -> None:
    it = Told()
    it.sink.changed(key(version=2), scope="keys")
    it.sink.changed(key(version=2), scope="keys")
    it.sink.removed(key().ref, version=3, scope="keys")
    it.sink.removed(key().ref, version=3, scope="keys")
    assert (2, []) == (it.changes, it.names())


def test_rolled_back_history_is_told_before_the_change() -> None:
    it = Told()
    assert not it.listed(key(version=8), as_of=10)
    assert it.listed(key(version=2), as_of=3)
    assert (1, 2, ["a"]) == (it.rollbacks, it.changes, it.names())


def test_list_older_than_what_was_seen_when_it_began_is_one() -> None:
    it = Told()
    it.listed(as_of=10)
    it.sink.changed(key(version=50), scope="keys")
    it.listed(as_of=30, at_least=it.sink.position("Secret", "keys"))
    assert (1, []) == (it.rollbacks, it.names())


def test_absent_kind_counts_once() -> None:
    it = Told()
    it.sink.absent("Secret", absent=True)
    it.sink.absent("Secret", absent=True)
    it.sink.absent("Secret", absent=False)
    assert it.changes == 2


def test_dropped_scope_counts_if_something_went_with_it() -> None:
    it = Told()
    it.listed(key(), as_of=5)
    it.listed(as_of=5, scope="name:apps/tls")
    it.sink.dropped("Secret", "name:apps/tls")
    assert it.changes == 2
    it.sink.dropped("Secret", "keys")
    assert (3, []) == (it.changes, it.names())


def test_scope_that_comes_back_is_listed_for_the_first_time_again() -> None:
    it = Told()
    it.listed(as_of=5)
    it.sink.dropped("Secret", "keys")
    it.listed(as_of=6)
    assert it.changes == 2


def test_objects_are_those_of_the_scope_alone() -> None:
    it = Told()
    it.listed(key("a"), as_of=5)
    it.listed(key("b"), as_of=5, scope="name:apps/b")
    assert {key("a").ref: key("a")} == it.sink.held("Secret", "keys")
