"""Delete what a test created, as the audit log tells it: whoever created it, with whatever tool.

There is no controller manager to empty a namespace, so the objects go first, kind by kind, then the namespace. What the
API server writes for itself stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from tests.cluster.audit import AuditEvent
from tests.cluster.http_api import ApiError
from tests.cluster.objects import Object, Objects, Resource
from tests.cluster.waiting import wait_until

QUESTIONS = {"authentication.k8s.io", "authorization.k8s.io"}
"""Groups whose objects are answers and are kept nowhere."""
GONE_SECONDS = 60.0
NUDGE_SECONDS = 1.0
LATER = {"customresourcedefinitions": 1, "namespaces": 2}


def is_creation(event: AuditEvent) -> bool:
    """Whether this request made an object that is there until someone deletes it."""
    return (
        event.code == 201
        and event.resource != ""
        and event.subresource == ""
        and event.group not in QUESTIONS
        and event.user != "system:apiserver"
    )


def delete_created(admin: Objects, events: Iterable[AuditEvent]) -> None:
    """Delete everything that these requests created and that is still there."""
    created = [event for event in events if is_creation(event)]
    namespaces = {event.name for event in created if event.resource == "namespaces"}
    whole = {(event.group, event.resource, event.namespace) for event in created if event.namespace in namespaces}
    single = {event for event in created if event.namespace not in namespaces}
    for group, plural, namespace in sorted(whole):
        if (resource := _served(admin, group, plural)) is not None:
            _delete_all(admin, resource, namespace)
    for event in sorted(single, key=lambda event: LATER.get(event.resource, 0)):
        if (resource := _served(admin, event.group, event.resource)) is not None:
            _delete_one(admin, resource, event)


def _served(admin: Objects, group: str, plural: str) -> Resource | None:
    try:
        return admin.resource(plural, group)
    except LookupError:  # its CRD is gone, and its objects with it
        return None


def _delete_all(admin: Objects, resource: Resource, namespace: str) -> None:
    path = resource.path(namespace)
    try:
        admin.http.request("DELETE", path)
    except ApiError as error:
        if error.status not in {404, 405}:
            raise
    for left in admin.http.request("GET", path)["items"]:
        _release(admin, resource.path(namespace, left["metadata"]["name"]))


def _delete_one(admin: Objects, resource: Resource, event: AuditEvent) -> None:
    path = resource.path(event.namespace or None, event.name)
    try:
        admin.http.request("DELETE", path)
        if resource.plural == "namespaces":
            _finalize(admin, path)
        elif resource.plural == "customresourcedefinitions":
            wait_until_finalized(admin, event.name)
        else:
            _release(admin, path)
    except ApiError as error:
        if error.status != 404:
            raise


def wait_until_finalized(admin: Objects, crd: str) -> None:
    """Wait until a deleted CRD is gone, which the API server does a moment later: what came meanwhile would go too.

    It first lists the kind's objects. Where it meets "storage is (re)initializing", it tries again after a while that
    doubles up to minutes, and at once when the CRD changes (``crdFinalizer`` of ``apiextensions-apiserver``).
    """
    path = admin.resource("CustomResourceDefinition").path(None, crd)
    nudged = time.monotonic()

    def is_gone() -> bool:
        nonlocal nudged
        if time.monotonic() - nudged > NUDGE_SECONDS:
            nudged = time.monotonic()
            _merge(admin, path, {"metadata": {"annotations": {"nudged-at": str(nudged)}}})
        return _is_gone(admin, path)

    wait_until(is_gone, seconds=GONE_SECONDS, what=f"{path} is gone")


def _is_gone(admin: Objects, path: str) -> bool:
    try:
        admin.http.request("GET", path)
    except ApiError as error:
        return error.status == 404
    return False


def _release(admin: Objects, path: str) -> None:
    """Take away the finalizers of what would not go."""
    _merge(admin, path, {"metadata": {"finalizers": None}})


def _merge(admin: Objects, path: str, body: Object) -> None:
    """Patch an object if it is still there."""
    try:
        admin.http.request("PATCH", path, body=body, content_type="application/merge-patch+json")
    except ApiError as error:
        if error.status != 404:
            raise


def _finalize(admin: Objects, path: str) -> None:
    namespace = admin.http.request("GET", path)
    namespace["spec"]["finalizers"] = []
    admin.http.request("PUT", f"{path}/finalize", body=namespace)
