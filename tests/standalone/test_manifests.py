"""Which object a document is, and what makes it none."""

from __future__ import annotations

import pytest

from tests.standalone.manifest_texts import secret, table, text
from wardgate.problems import FieldPath, ObjectRef, Reason
from wardgate.standalone.objects.manifests import Content, Fault, Foreign, Manifest, identify, is_ours, read_manifests
from wardgate.standalone.yaml.documents import Document, read_documents


def contents(content: str) -> list[Content]:
    (document,) = read_documents(content.encode())
    assert isinstance(document, Document)
    return list(read_manifests(document.value))


def fault(content: str) -> Fault:
    (found,) = contents(content)
    assert isinstance(found, Fault), found
    return found


def manifest(content: str) -> Manifest:
    (found,) = contents(content)
    assert isinstance(found, Manifest), found
    return found


def test_namespace_that_is_not_given_is_default() -> None:
    found = manifest(secret("key"))

    assert ObjectRef("Secret", "default", "key") == found.ref
    assert {"name": "key", "namespace": "default"} == found.value["metadata"]


def test_empty_namespace_is_default() -> None:
    assert "default" == manifest(secret("key", namespace='""')).ref.namespace


def test_namespace_is_kept() -> None:
    assert ObjectRef("Secret", "ai-demo", "key") == manifest(secret("key", namespace="ai-demo")).ref


def test_string_data_is_folded_into_data() -> None:
    found = manifest(secret("key") + "stringData:\n  token: hf_abc\n  api-key: other\n")

    assert {"api-key": "b3RoZXI=", "token": "aGZfYWJj"} == found.value["data"]
    assert "stringData" not in found.value


def test_string_data_without_data_is_folded() -> None:
    content = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {k: v}\n"

    assert {"k": "dg=="} == manifest(content).value["data"]


def test_null_in_string_data_says_nothing() -> None:
    found = manifest(secret("key") + "stringData: {token: hf_abc, api-key: null}\n")
    expected = manifest(secret("key") + "stringData: {token: hf_abc}\n")

    assert expected.value == found.value


@pytest.mark.parametrize("wrong", ["stringData: [a]", "stringData: {k: 1}", "stringData: {k: v}\ndata: [x]"])
def test_string_data_of_another_shape_is_left_for_the_schema(wrong: str) -> None:
    assert "stringData" in manifest(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{wrong}\n").value


def test_list_is_opened_and_each_item_knows_its_path() -> None:
    content = text("""
        apiVersion: v1
        kind: List
        items:
        - {apiVersion: v1, kind: Secret, metadata: {name: a}}
        - {apiVersion: apps/v1, kind: Deployment, metadata: {name: b}}
        - {apiVersion: v1, kind: Secret}
    """)
    first, second, third = contents(content)

    assert isinstance(first, Manifest)
    assert ("items", 0) == first.path
    assert isinstance(second, Foreign)
    assert isinstance(third, Fault)
    assert ("items", 2) == third.path


def test_typed_list_is_opened() -> None:
    content = "apiVersion: networking.gloo.solo.io/v2\nkind: RouteTableList\nitems:\n- " + table("a").replace(
        "\n", "\n  "
    )

    assert ObjectRef("RouteTable", "default", "a") == manifest(content).ref


def test_items_that_are_no_list_are_a_fault() -> None:
    assert ("items",) == fault("apiVersion: v1\nkind: List\nitems: {}\n").path


@pytest.mark.parametrize(
    "content",
    [
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        "apiVersion: appmesh.k8s.aws/v1beta2\nkind: RouteTable\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: ConfigMapList\nitems: 1\n",
    ],
)
def test_objects_of_other_products_are_foreign(content: str) -> None:
    (found,) = contents(content)

    assert isinstance(found, Foreign)
    assert "" == found.note


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("admin.gloo.solo.io/v2", "Workspace", "Workspace"),
        ("trafficcontrol.policy.gloo.solo.io/v2", "RateLimitPolicy", "RateLimitPolicy"),
        ("security.policy.gloo.solo.io/v2", "JWTPolicy", "JWTPolicy"),
        ("gateway.solo.io/v1", "RouteTable", "RouteTable.gateway.solo.io"),
    ],
)
def test_object_of_a_foreign_kind_is_an_object_under_its_own_name(api_version: str, kind: str, name: str) -> None:
    (found,) = contents(f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\n")

    assert isinstance(found, Manifest)
    assert ObjectRef(name, "default", "x") == found.ref
    assert not is_ours(found.ref)


def test_list_of_a_foreign_kind_is_opened() -> None:
    item = "{apiVersion: security.policy.gloo.solo.io/v2, kind: JWTPolicy, metadata: {name: x}}"
    (found,) = contents(f"apiVersion: security.policy.gloo.solo.io/v2\nkind: JWTPolicyList\nitems: [{item}]\n")

    assert isinstance(found, Manifest)


@pytest.mark.parametrize("metadata", ["1", "{}", "{name: A B}", "{name: x, namespace: a.b}"])
def test_object_of_a_foreign_kind_without_a_usable_name_is_no_fault(metadata: str) -> None:
    (found,) = contents(f"apiVersion: security.policy.gloo.solo.io/v2\nkind: CORSPolicy\nmetadata: {metadata}\n")

    assert isinstance(found, Foreign)
    assert found.note.endswith(" It has no effect.")


def test_foreign_guard_without_a_usable_name_is_a_fault_that_keeps_what_it_selects() -> None:
    found = fault("apiVersion: security.policy.gloo.solo.io/v2\nkind: JWTPolicy\nmetadata: {}\nspec: {a: 1}\n")

    assert ("The JWTPolicy has no usable name.", {"a": 1}) == (found.message, found.value["spec"])


def test_kind_that_nobody_knows_is_noted() -> None:
    (found,) = contents("apiVersion: security.policy.gloo.solo.io/v2\nkind: FooPolicy\nmetadata: {name: x}\n")

    assert isinstance(found, Foreign)
    assert 'Wardgate knows no kind "FooPolicy" in "security.policy.gloo.solo.io/v2": it has no effect.' == found.note


@pytest.mark.parametrize(
    ("content", "reason", "path", "words"),
    [
        ("kind: Secret", Reason.UNREADABLE, (), "no apiVersion"),
        ("apiVersion: 1\nkind: Secret", Reason.UNREADABLE, ("apiVersion",), "no apiVersion"),
        ("apiVersion: admin.gloo.solo.io/v2", Reason.UNREADABLE, (), "no kind"),
        ("apiVersion: admin.gloo.solo.io/v2\nkind: ''", Reason.UNREADABLE, ("kind",), "no kind"),
        ("metadata: {name: a}\nspec: {}", Reason.UNREADABLE, (), "no apiVersion"),
        ("apiVersion: v1\nkind: List\nitems: [5]", Reason.UNREADABLE, ("items", 0), "not a Kubernetes object"),
        ("apiVersion: v1\nkind: Secret", Reason.UNREADABLE, (), "no metadata"),
        ("apiVersion: v1\nkind: Secret\nmetadata: 1", Reason.UNREADABLE, ("metadata",), "no metadata"),
        ("apiVersion: v1\nkind: Secret\nmetadata: {}", Reason.UNREADABLE, ("metadata",), "no usable name"),
        (secret("'A B'"), Reason.UNREADABLE, ("metadata", "name"), "lower-case"),
        (secret("a", namespace="a.b"), Reason.UNREADABLE, ("metadata", "namespace"), "namespace"),
        (secret("a", namespace="7"), Reason.UNREADABLE, ("metadata", "namespace"), "namespace"),
        (
            table("a").replace("/v2", "/v3"),
            Reason.UNKNOWN_KIND,
            ("apiVersion",),
            'There is no kind "RouteTable" in "networking.gloo.solo.io/v3". Wardgate knows no such version',
        ),
        (secret("a").replace("v1", "v2"), Reason.UNKNOWN_KIND, ("apiVersion",), "Write apiVersion: v1."),
        (
            table("a").replace("networking", "security.policy"),
            Reason.UNKNOWN_KIND,
            ("apiVersion",),
            "write apiVersion: networking.gloo.solo.io/v2.",
        ),
        (
            table("a").replace("networking.gloo.solo.io/v2", "v1"),
            Reason.UNKNOWN_KIND,
            ("apiVersion",),
            'There is no kind "RouteTable" in "v1". Write apiVersion: networking.gloo.solo.io/v2.',
        ),
        (table("a").replace("RouteTable", "RouteTabel"), Reason.UNKNOWN_KIND, ("kind",), "did you mean RouteTable?"),
    ],
)
def test_fault_names_the_field_and_the_remedy(content: str, reason: Reason, path: FieldPath, words: str) -> None:
    found = fault(content)

    assert (reason, path) == (found.reason, found.path)
    assert words in f"{found.message} {found.remedy}"


@pytest.mark.parametrize(
    "content",
    [
        "just text",
        "[1, 2]",
        "image: {tag: v1}",
        "version: '3'\nservices: {web: {image: x}}",
        "apiVersion: v2\nname: chart\nversion: 1.0.0",
        "kind: pipeline\nsteps: []",
        "apiVersion: 1",
        "{}",
    ],
)
def test_document_that_is_no_kubernetes_object_is_no_mistake(content: str) -> None:
    found = fault(content)

    assert ("This is not a Kubernetes object, and is left alone.", False) == (found.message, found.is_mistake)


def test_fault_of_a_wrong_version_tells_which_object_it_is() -> None:
    assert ObjectRef("RouteTable", "default", "a") == fault(table("a").replace("/v2", "/v3")).ref


@pytest.mark.parametrize(
    "partial",
    [{}, {"kind": "Secret"}, {"kind": "Secret", "metadata": {}}, {"kind": "Pod", "metadata": {"name": "a"}}],
)
def test_what_cannot_be_told_is_not_guessed(partial: dict[str, object]) -> None:
    assert identify(partial) is None
