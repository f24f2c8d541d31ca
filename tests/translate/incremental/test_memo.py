"""The memo: what is unchanged is taken over, what is gone is forgotten, no result is different for it."""

from __future__ import annotations

import base64
import gc
from types import FrameType, FunctionType, ModuleType
from typing import Any

import pytest

from tests.translate.cluster import Cluster, documents
from wardgate.api import identify
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.store import Store
from wardgate.translate import Memo, Translation, translate
from wardgate.translate.incremental.memo import Versions

_MANIFESTS = """
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: gw, namespace: a}
spec: {listeners: [{http: {}, port: {number: 80}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: t, namespace: a}
spec:
  hosts: ['*']
  virtualGateways: [{name: gw}]
  http: [{name: r, labels: {team: x}, forwardTo: {destinations: [{ref: {name: web}, port: {number: 80}}]}}]
---
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: p, namespace: a}
spec:
  applyToRoutes: [{route: {labels: {team: x}}}]
  config:
    glooAuth:
      configs:
        - apiKeyAuth: {labelSelector: {team: x}}
        - apiKeyAuth: {labelSelector: {team: x}, hmac: {sharedSecretRef: {name: pepper}}}
---
apiVersion: v1
kind: Secret
metadata: {name: pepper, namespace: a}
stringData: {shared-secret: grains}
"""


def _stored(version: int) -> StoredObject:
    return StoredObject(ObjectRef("Secret", "a", "b"), "uid", version, 1, "", {})


def _key(name: str, text: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "a", "labels": {"team": "x"}}
    data = {"api-key": base64.b64encode(text.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "type": "extauth.solo.io/apikey", "metadata": metadata, "data": data}


class _World:
    """A cluster behind a store, and one memo for all of its translations."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.store = Store()
        self.memo = Memo()
        self.last_good: Any = {}

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Create objects, or change those that differ."""
        for manifest in manifests:
            ref = identify(manifest)
            held = self.cluster.objects.get(ref)
            if held is None or held.manifest != manifest:
                self.store.upsert(self.cluster.apply(manifest).objects[ref])

    def apply_yaml(self, text: str) -> None:
        """The same for several documents."""
        self.apply(*documents(text))

    def delete(self, name: str) -> None:
        ref = ObjectRef("Secret", "a", name)
        self.cluster.delete(ref).version += 1
        self.store.remove(ref, version=self.cluster.version)

    def translate(self, settings: Settings | None = None) -> Translation:
        translation = translate(self.store.freeze(), settings or Settings(), last_good=self.last_good, memo=self.memo)
        self.last_good = translation.last_good
        return translation


@pytest.fixture
def world() -> _World:
    world = _World()
    world.apply_yaml(_MANIFESTS)
    world.apply(_key("one", "1"), _key("two", "2"))
    world.translate()
    world.translate()
    return world


class TestVersions:
    def test_value_is_computed_once_for_one_object(self) -> None:
        versions, obj = Versions(), _stored(1)
        assert versions.of(obj, "x", make=object) is versions.of(obj, "x", make=object)
        assert 1 == versions.computed

    def test_value_is_kept_for_the_next_run(self) -> None:
        first, obj = Versions(), _stored(1)
        value = first.of(obj, "x", make=object)
        assert value is Versions(first.asked).of(obj, "x", make=object)

    def test_value_that_was_not_asked_for_is_forgotten(self) -> None:
        first, obj = Versions(), _stored(1)
        value = first.of(obj, "x", make=object)
        assert value is not Versions(Versions(first.asked).asked).of(obj, "x", make=object)

    def test_another_object_is_computed_anew_even_of_the_same_version(self) -> None:
        versions = Versions()
        assert versions.of(_stored(1), "x", make=object) is not versions.of(_stored(1), "x", make=object)

    def test_purposes_are_kept_apart(self) -> None:
        versions, obj = Versions(), _stored(1)
        assert versions.of(obj, "x", make=object) is not versions.of(obj, "y", make=object)

    def test_value_that_no_longer_holds_is_computed_anew(self) -> None:
        versions, obj = Versions(), _stored(1)
        first = versions.of(obj, "x", make=object)
        assert first is not versions.of(obj, "x", make=object, holds=lambda kept: kept is not first)


class TestStages:
    def _run(self, memo: Memo, *inputs: object, settings: Settings | None = None, holds: bool = True) -> list[object]:
        def make(last: list[object] | None, _: Versions) -> list[object]:
            return [last]

        memo.begin(settings or Settings())
        value = memo.stage("s", inputs, make=make, holds=lambda _: holds)
        memo.end()
        return value

    def test_identical_inputs_give_the_identical_value(self) -> None:
        memo, one = Memo(), object()
        assert self._run(memo, one) is self._run(memo, one)

    def test_equal_inputs_are_not_identical(self) -> None:
        memo = Memo()
        first = self._run(memo, _stored(1))
        assert [first] == self._run(memo, _stored(1))

    def test_more_inputs_are_other_inputs(self) -> None:
        memo, one = Memo(), object()
        first = self._run(memo, one)
        assert [first] == self._run(memo, one, one)

    def test_value_that_no_longer_holds_is_made_anew(self) -> None:
        memo = Memo()
        first = self._run(memo)
        assert [first] == self._run(memo, holds=False)

    def test_other_settings_forget_everything(self) -> None:
        memo = Memo()
        self._run(memo)
        assert [None] == self._run(memo, settings=Settings(require_auth=True))

    def test_stage_that_was_not_asked_for_is_forgotten(self) -> None:
        memo = Memo()
        self._run(memo)
        memo.begin(Settings())
        memo.end()
        assert [None] == self._run(memo)

    def test_translation_that_breaks_off_leaves_the_memo_as_it_was(self) -> None:
        memo = Memo()
        first = self._run(memo, 1)
        memo.begin(Settings())
        with pytest.raises(ZeroDivisionError):
            memo.stage("s", (2,), make=lambda *_: [1 // 0])
        assert first is self._run(memo, 1)


class TestTranslation:
    def test_second_translation_runs_nothing(self, world: _World) -> None:
        world.translate()
        world.translate()
        assert [] == world.memo.ran

    def test_same_objects_in_another_sequence_are_routed_as_they_were(self, world: _World) -> None:
        world.cluster.apply_yaml("{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}}")
        memo = Memo()
        first = translate(world.cluster.snapshot(), Settings(), memo=memo)
        second = translate(world.cluster.snapshot(), Settings(), memo=memo)
        assert {"attachment", "config"}.isdisjoint(memo.ran)
        assert first.config == second.config

    def test_changed_key_runs_what_is_about_secrets(self, world: _World) -> None:
        world.apply(_key("one", "3"))
        world.translate()
        assert {"secrets", "keys", "stray annotations of Secret"} == set(world.memo.ran)

    def test_changed_key_runs_no_more_right_after_a_policy_changed(self, world: _World) -> None:
        world.apply_yaml(_MANIFESTS.replace("{team: x}, hmac", "{team: x}, headerName: x-key, hmac"))
        world.translate()
        computed = world.memo.computed
        world.apply(_key("one", "3"))
        world.translate()
        assert {"routing", "attachment", "config"}.isdisjoint(world.memo.ran)
        assert computed == world.memo.computed

    def test_changed_policy_costs_one_policy_and_routes_nothing(self, world: _World) -> None:
        world.apply_yaml(_MANIFESTS.replace("name: p,", "name: another,"))
        world.translate()
        computed = world.memo.computed
        world.apply_yaml(_MANIFESTS.replace("labels: {team: x}}}]", "labels: {team: y}}}]"))
        world.translate()
        assert {"routing", "keys"}.isdisjoint(world.memo.ran)
        assert 1 == world.memo.computed - computed

    def test_changed_named_secret_reaches_the_policy_that_names_it(self, world: _World) -> None:
        world.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pepper", "namespace": "a"}})
        (listener,) = world.translate().config.listeners
        status = world.translate().statuses.of(ObjectRef("ExtAuthPolicy", "a", "p"))
        assert status is not None
        assert ("INVALID", 500) == (status.approval, getattr(listener.virtual_hosts[0].routes[0].action, "status", 0))

    def test_unchanged_parts_of_a_config_are_the_identical_objects(self, world: _World) -> None:
        before = world.translate().config
        world.apply_yaml(_MANIFESTS.replace("name: r,", "name: renamed,").replace("hosts: ['*']", "hosts: ['*', a.b]"))
        after = world.translate().config
        assert before.listeners != after.listeners
        assert before.auth_plans[0] is after.auth_plans[0]
        assert before.upstreams[0] is after.upstreams[0]
        assert all(map(lambda one, other: one is other, before.credentials, after.credentials))

    def test_last_good_is_the_identical_mapping_while_nothing_in_it_changes(self, world: _World) -> None:
        world.apply(_key("one", "3"))
        before = world.last_good
        assert before is world.translate().last_good

    def test_verdicts_are_those_of_their_own_translation(self, world: _World) -> None:
        world.apply(_key("three", ""))
        expected = translate(world.store.freeze(), Settings(), last_good=world.last_good)
        late = translate(world.store.freeze(), Settings(), last_good=world.last_good, memo=world.memo)
        world.delete("three")
        world.apply_yaml(_MANIFESTS.replace("kind: ExtAuthPolicy", "kind: ExtAuthServer"))
        world.translate()
        assert (expected.statuses, expected.last_good) == (late.statuses, late.last_good)


_ENCODED = base64.b64encode(b"to be forgotten").decode()


class TestForgetting:
    @pytest.mark.parametrize("verdicts", [False, True])
    def test_deleted_key_does_not_live_on(self, world: _World, *, verdicts: bool) -> None:
        world.apply(_key("doomed", "to be forgotten"))
        world.translate().statuses  # noqa: B018 - what is found late is kept, too
        assert _ENCODED in _texts_below(world.memo)
        world.delete("doomed")
        after = world.translate()
        if verdicts:
            after.statuses  # noqa: B018
        assert {_ENCODED, "doomed"}.isdisjoint(_texts_below(world.memo))

    def test_changed_named_secret_does_not_live_on(self, world: _World) -> None:
        assert "grains" in _texts_below(world.memo)
        world.apply_yaml(_MANIFESTS.replace("grains", "flakes"))
        world.translate()
        assert "grains" not in _texts_below(world.memo)


def _texts_below(root: object) -> set[str]:
    """Every text that can be reached from an object, but for what belongs to the code."""
    seen: set[int] = set()
    texts: set[str] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType | FrameType):
            continue
        seen.add(id(one))
        if isinstance(one, str):
            texts.add(one)
        waiting.extend(gc.get_referents(one))
    return texts
