"""A gateway with one guarded route that is right in everything, and ways to spoil and to mend it.

A change names a place in words, ``"rt http 0 labels"``: the object, then the path below its ``spec``, or from the top
where it begins with a field of the top. ``GONE`` deletes a line as an editor does: what held nothing else holds null
afterwards, which is not the same as an empty mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any, Final, TypeAlias

import yaml

from tests.translate.cluster import Cluster
from wardgate.ir import Refuse
from wardgate.settings import Settings
from wardgate.translate import Translation, translate

Manifest: TypeAlias = dict[str, Any]
Changes: TypeAlias = Mapping[str, object]
GONE: Final = object()
_TOP: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "type", "data", "stringData"})
_BASE: Final = """
gw:
  apiVersion: networking.gloo.solo.io/v2
  kind: VirtualGateway
  metadata: {name: gw, namespace: a}
  spec: {listeners: [{http: {}, port: {number: 80}}]}
llm:
  apiVersion: networking.gloo.solo.io/v2
  kind: ExternalService
  metadata: {name: llm, namespace: a}
  spec: {hosts: [llm.example.com], ports: [{number: 80}]}
rt:
  apiVersion: networking.gloo.solo.io/v2
  kind: RouteTable
  metadata: {name: rt, namespace: a}
  spec:
    hosts: [api.example.com]
    virtualGateways: [{name: gw}]
    http:
    - name: llm
      labels: {route: llm}
      matchers: [{uri: {prefix: /llm}}]
      forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: llm}}]}
keys:
  apiVersion: security.policy.gloo.solo.io/v2
  kind: ExtAuthPolicy
  metadata: {name: keys, namespace: a}
  spec:
    applyToRoutes: [{route: {labels: {route: llm}}}]
    config:
      glooAuth: {configs: [{apiKeyAuth: {k8sSecretApikeyStorage: {labelSelector: {team: a}}}}]}
key:
  apiVersion: v1
  kind: Secret
  metadata: {name: key, namespace: a, labels: {team: a}}
  type: extauth.solo.io/apikey
  data: {api-key: a2V5LW9uZQ==}
tp:
  apiVersion: trafficcontrol.policy.gloo.solo.io/v2
  kind: TransformationPolicy
  metadata: {name: tp, namespace: a}
  spec:
    applyToRoutes: [{route: {labels: {route: llm}}}]
    config: {request: {injaTemplate: {headers: {x-one: {text: one}}}}}
"""
GUARDED, CLOSED, OPEN = "guarded", "closed", "open"


def changed(objects: Mapping[str, Manifest], changes: Changes) -> dict[str, Manifest]:
    """A copy with the changes made, in their order."""
    copy = deepcopy(dict(objects))
    for place, value in changes.items():
        words = place.split()
        if len(words) > 1 and words[1] not in _TOP:
            words.insert(1, "spec")
        _set(
            copy,
            [int(word) if word.isdigit() else word for word in words],
            deepcopy(value) if value is not GONE else value,
        )
    return copy


@cache
def base() -> dict[str, Manifest]:
    """The gateway that is right; nobody writes to it."""
    objects: dict[str, Manifest] = yaml.load(_BASE, yaml.CSafeLoader)
    return objects


def translated(objects: Mapping[str, Manifest], settings: Settings) -> Translation:
    """The outcome of a first start: nothing has a past."""
    return translate(Cluster().apply(*objects.values()).snapshot(), settings)


def doors(translation: Translation) -> dict[str, str]:
    """The guard before each route, by its name without its place."""
    found = {}
    for listener in translation.config.listeners:
        for host in listener.virtual_hosts:
            for route in host.routes:
                closed = isinstance(route.action, Refuse)
                name = route.name.partition("@")[0].rpartition("/")[2]
                found[name] = CLOSED if closed else GUARDED if route.auth else OPEN
    return found


def _set(node: Any, path: list[str | int], value: object) -> None:
    first, rest = path[0], path[1:]
    if rest:
        if isinstance(node, dict) and not isinstance(node.get(first), dict | list):
            node[first] = {}
        _set(node[first], rest, value)
        if value is GONE and not node[first]:
            node[first] = None
    elif value is GONE:
        del node[first]
    elif isinstance(node, list) and first == len(node):
        node.append(value)
    else:
        node[first] = value
