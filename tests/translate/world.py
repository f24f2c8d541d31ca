"""A cluster in which things come, go, break and mend, as a test's dice have it.

Its objects are those of the golden cases, which between them use every feature, and key Secrets with few names, labels
and keys, so that they meet.
"""

from __future__ import annotations

import base64
import copy
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.translate.cluster import documents
from wardgate.api import identify
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.store import Store
from wardgate.translate import Translation, translate
from wardgate.translate.reading.last_good import LastGood

_FOLDER = Path(__file__).parent.parent / "golden" / "translate"
_CASES = [[one for one in documents(path.read_text()) if "kind" in one] for path in sorted(_FOLDER.glob("*.in.yaml"))]
_SETTINGS = (
    Settings(),
    Settings(require_auth=True),
    Settings(credential_bytes=80),
    Settings(tenancy="isolated", platform_namespaces=frozenset({"infra"}), cluster_name="east"),
)
_JUNK: tuple[Any, ...] = (None, True, 5, "", "*", "{{", [], {}, ["x"], {"name": "a"}, "infra")
_TEAMS = ("a", "b")
_OWN = documents("""
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: guarded, namespace: infra}
spec: {listeners: [{http: {}, port: {number: 4711}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: guarded, namespace: infra}
spec:
  hosts: ['*']
  virtualGateways: [{name: guarded}]
  http:
    - {name: r0, labels: {guard: p0}, matchers: [{uri: {prefix: /0}}], directResponse: {status: 200}}
    - {name: r1, labels: {guard: p1}, matchers: [{uri: {prefix: /1}}], directResponse: {status: 200}}
    - {name: r2, labels: {guard: p2}, matchers: [{uri: {prefix: /2}}], directResponse: {status: 200}}
    - {name: r3, labels: {guard: p3}, directResponse: {status: 200}}
""")
_HOSTS = "wardgate.dev/upstream-hosts"


class World:
    """A store of objects that come, go, break and mend, as ``random`` has it."""

    def __init__(self, chance: random.Random, *, cases: int) -> None:
        self.chance = chance
        self.store = Store()
        self.settings = _SETTINGS[0]
        self.last_good: LastGood = {}
        self.version = 0
        self.pool = [*_OWN, *(one for case in chance.sample(_CASES, cases) for one in case)]
        self.objects: dict[ObjectRef, StoredObject] = {}
        self.births = 0

    def change(self) -> None:
        """Change one thing."""
        kinds = (self._apply, self._apply, self._key, self._key, self._key, self._policy, self._delete, self._break)
        self.chance.choice((*kinds, self._relabel, self._mend, self._rarely))()

    def expected(self) -> Translation:
        """Its translation without a past."""
        return translate(self.store.freeze(), self.settings, last_good=self.last_good)

    def _apply(self) -> None:
        self.put(self.chance.choice(self.pool))

    def _key(self) -> None:
        chance = self.chance
        annotations = {
            _HOSTS: chance.choice(("api.openai.com", "a.test,b.test", "not a host")),
            "wardgate.dev/expires-at": chance.choice(("2030-01-01T00:00:00Z", "soon")),
            "wardgate.dev/expire": "never",
        }
        chosen = {name: value for name, value in annotations.items() if chance.random() < 0.2}
        data = {"api-key": _encoded(chance.choice(("k1", "k2", "k3", "k4", "k5", "0" * 64, "", "a\nb")))}
        if chance.random() < 0.7:
            data["token"] = _encoded(chance.choice(("t", "t" * 90, "a\nb")))
        kind = chance.choice(("extauth.solo.io/apikey",) * 6 + ("Opaque", "kubernetes.io/tls"))
        labels = {"team": chance.choice(_TEAMS), "tier": chance.choice(_TEAMS)}
        metadata = {"name": f"k{chance.randrange(6)}", "namespace": chance.choice(("infra", "infra", "team"))}
        self.put(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": kind,
                "metadata": {**metadata, "labels": labels, "annotations": chosen},
                "data": data,
            }
        )

    def _policy(self) -> None:
        chance = self.chance
        auth: dict[str, Any] = {}
        if chance.random() < 0.8:
            auth["labelSelector"] = {
                label: chance.choice(_TEAMS) for label in chance.sample(("team", "tier"), chance.choice((1, 1, 2)))
            }
        if chance.random() < 0.4:
            auth["apiKeySecretRefs"] = [{"name": f"k{chance.randrange(6)}", "namespace": "infra"}]
        if chance.random() < 0.2:
            auth["hmac"] = {"sharedSecretRef": {"name": f"k{chance.randrange(6)}"}}
        elif chance.random() < 0.2:
            auth["digest"] = {}
        if chance.random() < 0.5:
            auth["headersFromMetadataEntry"] = {"x-token": {"name": "token", "required": True}}
        name = f"p{chance.randrange(4)}"
        labels = {} if chance.random() < 0.2 else {"guard": name}
        self.put(
            {
                "apiVersion": "security.policy.gloo.solo.io/v2",
                "kind": "ExtAuthPolicy",
                "metadata": {
                    "name": name,
                    "namespace": chance.choice(("infra", "infra", "team")),
                },
                "spec": {
                    "applyToRoutes": [{"route": {"labels": labels}}],
                    "config": {"glooAuth": {"configs": [{"apiKeyAuth": auth}]}},
                },
            }
        )

    def _delete(self) -> None:
        if self.objects:
            ref = self.chance.choice(sorted(self.objects))
            del self.objects[ref]
            self.version += 1
            self.store.remove(ref, version=self.version)

    def _break(self) -> None:
        """Put junk somewhere into an object."""
        if not self.objects:
            return
        ref = self.chance.choice(sorted(self.objects))
        manifest = copy.deepcopy(dict(self.objects[ref].manifest))
        node: Any = manifest
        step: Any = "data" if ref.kind == "Secret" else "spec"
        while isinstance(node.get(step) if isinstance(node, dict) else node[step], dict | list) and (
            self.chance.random() < 0.8
        ):
            below = node[step]
            if not below:
                break
            node, step = below, self.chance.choice(list(below) if isinstance(below, dict) else range(len(below)))
        node[step] = self.chance.choice(_JUNK)
        self.put(manifest, ref=ref)

    def _mend(self) -> None:
        """Apply an object that is there once more as it was meant."""
        meant = [one for one in self.pool if identify(one) in self.objects]
        if meant:
            self.put(self.chance.choice(meant))

    def _relabel(self) -> None:
        if self.objects:
            ref = self.chance.choice(sorted(self.objects))
            manifest = dict(self.objects[ref].manifest)
            known = manifest.get("metadata")
            labels = {"team": self.chance.choice((*_TEAMS, "none"))}
            self.put(
                {**manifest, "metadata": {**(known if isinstance(known, dict) else {}), "labels": labels}}, ref=ref
            )

    def _rarely(self) -> None:
        """A change that concerns everything at once."""
        chance = self.chance
        if chance.random() < 0.5:
            self.settings = chance.choice(_SETTINGS)
        else:
            self.store.set_absent("ExtAuthPolicy", absent=chance.random() < 0.3)

    def put(self, manifest: Mapping[str, Any], *, ref: ObjectRef | None = None) -> None:
        """Create or change an object."""
        ref = ref or identify(manifest)
        held = self.objects.get(ref)
        self.version += 1
        self.births += held is None
        self.objects[ref] = StoredObject(
            ref=ref,
            uid=f"uid {self.births}" if held is None else held.uid,
            version=self.version,
            generation=1 if held is None else held.generation + 1,
            created=self.chance.choice(("", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"))
            if held is None
            else held.created,
            manifest=manifest,
        )
        self.store.upsert(self.objects[ref])


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
