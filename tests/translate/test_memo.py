"""The memo: computes once per version, forgets what is gone, changes no result."""

from __future__ import annotations

from tests.translate.cluster import Cluster
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate import Memo, translate

_SERVICE = """
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: api}
spec: {hosts: [api.example.com], ports: [{number: 443}]}
"""


def _stored(version: int) -> StoredObject:
    return StoredObject(ObjectRef("Secret", "a", "b"), "uid", version, 1, "", {})


def test_value_is_computed_once_per_version() -> None:
    memo = Memo()
    memo.begin(Settings())
    values = [memo.of(_stored(1), "x", object), memo.of(_stored(1), "x", object)]
    assert values[0] is values[1]
    assert 1 == memo.computed


def test_new_version_is_computed_anew() -> None:
    memo = Memo()
    memo.begin(Settings())
    assert memo.of(_stored(1), "x", object) is not memo.of(_stored(2), "x", object)


def test_purposes_are_kept_apart() -> None:
    memo = Memo()
    memo.begin(Settings())
    assert memo.of(_stored(1), "x", object) is not memo.of(_stored(1), "y", object)


def test_other_settings_forget_everything() -> None:
    memo = Memo()
    memo.begin(Settings())
    first = memo.of(_stored(1), "x", object)
    memo.end()
    memo.begin(Settings(require_auth=True))
    assert first is not memo.of(_stored(1), "x", object)


def test_second_translation_computes_nothing() -> None:
    memo, snapshot = Memo(), Cluster().apply_yaml(_SERVICE).snapshot()
    first = translate(snapshot, Settings(), memo=memo)
    computed = memo.computed
    assert first == translate(snapshot, Settings(), memo=memo)
    assert computed == memo.computed


def test_deleted_object_is_forgotten() -> None:
    memo, cluster = Memo(), Cluster().apply_yaml(_SERVICE)
    translate(cluster.snapshot(), Settings(), memo=memo)
    assert len(memo) > 0
    translate(cluster.delete(ObjectRef("ExternalService", "default", "api")).snapshot(), Settings(), memo=memo)
    assert 0 == len(memo)
