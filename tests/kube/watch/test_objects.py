"""What is kept of an API object, and what is not."""

from __future__ import annotations

import pytest

from tests.kube.manifests import external_service, secret
from wardgate.api import KINDS, parse_object
from wardgate.kube.api.errors import UnreadableObject
from wardgate.kube.watch.objects import stored_object
from wardgate.problems import ObjectRef

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def test_identity_and_version_are_taken_over() -> None:
    stored = stored_object("Secret", secret("a", version=42))
    assert ObjectRef("Secret", "apps", "a") == stored.ref
    assert ("uid-apps-a", 42, 0, "2025-01-01T00:00:00Z") == (
        stored.uid,
        stored.version,
        stored.generation,
        stored.created,
    )


def test_item_of_a_list_gets_its_kind_back() -> None:
    manifest = stored_object("Secret", secret("a")).manifest
    assert ("v1", "Secret") == (manifest["apiVersion"], manifest["kind"])


def test_item_of_one_of_our_kinds_gets_its_kind_back() -> None:
    sent = external_service("a")
    del sent["apiVersion"], sent["kind"]
    manifest = stored_object("ExternalService", sent).manifest
    assert (KINDS["ExternalService"].api_version, "ExternalService") == (manifest["apiVersion"], manifest["kind"])


def test_the_copy_that_kubectl_keeps_of_a_secret_is_dropped() -> None:
    sent = secret("a")
    sent["metadata"]["annotations"] = {APPLIED: '{"stringData": {"api-key": "in clear"}}', "team": "ai"}
    assert {"team": "ai"} == _metadata(stored_object("Secret", sent).manifest)["annotations"]


def test_annotations_that_hold_nothing_else_are_dropped_whole() -> None:
    sent = secret("a")
    sent["metadata"]["annotations"] = {APPLIED: "{}"}
    assert "annotations" not in _metadata(stored_object("Secret", sent).manifest)


def test_written_status_and_bookkeeping_make_no_difference() -> None:
    before, after = external_service("a"), external_service("a", version=7)
    after["status"] = {"common": {"State": {"approval": "ACCEPTED"}}}
    after["metadata"]["managedFields"] = [{"manager": "wardgate"}]
    assert stored_object("ExternalService", before).manifest == stored_object("ExternalService", after).manifest


@pytest.mark.parametrize(
    ("part", "value"), [("labels", {"a": "b"}), ("annotations", {"wardgate.dev/expires-at": "2030-01-01T00:00:00Z"})]
)
def test_labels_and_annotations_make_one(part: str, value: dict[str, str]) -> None:
    changed = secret("a")
    changed["metadata"][part] = value
    assert stored_object("Secret", secret("a")).manifest != stored_object("Secret", changed).manifest


@pytest.mark.parametrize("sent", [secret("a", team="x"), external_service("a", team="x")])
def test_what_is_kept_parses_as_what_was_sent_does(sent: dict[str, object]) -> None:
    kind = str(sent.get("kind", "Secret"))
    parsed = parse_object(stored_object(kind, sent).manifest)
    assert () == parsed.problems
    assert parsed.model is not None
    assert {"team": "x"} == parsed.model.metadata.labels


def test_what_many_secrets_have_in_common_is_held_once() -> None:
    one, other = (stored_object("Secret", secret(name, team="".join(["te", "am"]))) for name in "ab")
    assert one.ref.namespace is other.ref.namespace
    assert _only_key(one.manifest["data"]) is _only_key(other.manifest["data"])
    assert _metadata(one.manifest)["labels"]["team"] is _metadata(other.manifest)["labels"]["team"]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"metadata": None},
        {"metadata": {"name": "a"}},
        {"metadata": {"name": "a", "resourceVersion": "new"}},
        {"metadata": {"name": "a", "resourceVersion": "1", "labels": "none"}},
    ],
)
def test_what_is_no_object_is_told_apart_without_quoting_it(sent: dict[str, object]) -> None:
    with pytest.raises(UnreadableObject, match=r"^The API server sent a Secret that cannot be read \(\w+\)\.$"):
        stored_object("Secret", sent)


def _metadata(manifest: object) -> dict[str, dict[str, str]]:
    assert isinstance(manifest, dict)
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    return metadata


def _only_key(entries: object) -> str:
    assert isinstance(entries, dict)
    (name,) = entries
    assert isinstance(name, str)
    return name
