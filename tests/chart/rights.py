"""What a rendered chart allows an identity: the rules of every role that is bound to it, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.chart.helm import Manifest, of_kind, one

EVERYWHERE = "*"


class Grant(NamedTuple):
    """One verb on one resource. ``resource`` is ``plural.group``, ``name`` empty where any name will do."""

    namespace: str
    resource: str
    verb: str
    name: str = ""


def grants(namespace: str, resources: str, verbs: str, *, names: Iterable[str] = ("",)) -> set[Grant]:
    """Give every combination of resources and verbs, both separated by blanks."""
    return {Grant(namespace, *each) for each in itertools.product(resources.split(), verbs.split(), names)}


def granted(documents: Sequence[Manifest], account: str) -> set[Grant]:
    """Give all that the bound roles allow ``<namespace>/<name of the ServiceAccount>``."""
    return {
        grant
        for binding in of_kind(documents, "RoleBinding", "ClusterRoleBinding")
        if account in subjects(binding)
        for grant in _of_role(_role(documents, binding), binding["metadata"].get("namespace", EVERYWHERE))
    }


def subjects(binding: Manifest) -> list[str]:
    """Give who a binding is for."""
    assert {"ServiceAccount"} == {subject["kind"] for subject in binding["subjects"]}
    return [f"{subject['namespace']}/{subject['name']}" for subject in binding["subjects"]]


def _role(documents: Sequence[Manifest], binding: Manifest) -> Manifest:
    reference = binding["roleRef"]
    namespace = binding["metadata"].get("namespace") if reference["kind"] == "Role" else None
    return one(
        [document for document in documents if document["metadata"].get("namespace") == namespace],
        reference["kind"],
        reference["name"],
    )


def _of_role(role: Manifest, namespace: str) -> Iterator[Grant]:
    for rule in role["rules"]:
        assert set() == set(rule) - {"apiGroups", "resources", "verbs", "resourceNames"}
        for group, resource, verb, name in itertools.product(
            rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames", [""])
        ):
            yield Grant(namespace, f"{resource}.{group}".rstrip("."), verb, name)
