"""Secrets as other objects see them: decoding, shared secrets, certificates, CA bundles, tenancy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pytest
import trustme

from tests.translate.policies.objects import decoded, encoded, key_secret, raw_secret, scope_of, secret
from wardgate.api.kinds.annotations import SHARE_WITH
from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, ProblemKind, Reason
from wardgate.sensitive import Sensitive
from wardgate.settings import Settings
from wardgate.translate.secrets.secret_index import NamedSecrets, SecretIndex
from wardgate.translate.secrets.secret_references import (
    CertificatePair,
    Reference,
    ca_bundle,
    certificate_pair,
    find_secret,
    shared_secret,
)

GATEWAY = ObjectRef("VirtualGateway", "ns", "gw")
FIELD = ("spec", "listeners", 0, "tls", "secretName")


def reference(name: str = "s", *, namespace: str = "ns") -> Reference:
    return Reference(source=GATEWAY, field=FIELD, namespace=namespace, name=name)


def problem(value: object) -> Problem:
    assert isinstance(value, Problem), value
    return value


@dataclass(frozen=True)
class Pki:
    ca: str
    certificate: str
    private_key: str
    other_key: str


@lru_cache
def pki() -> Pki:
    authority = trustme.CA()
    first, second = authority.issue_cert("a.test"), authority.issue_cert("b.test")
    return Pki(
        ca=authority.cert_pem.bytes().decode(),
        certificate="".join(blob.bytes().decode() for blob in first.cert_chain_pems),
        private_key=first.private_key_pem.bytes().decode(),
        other_key=second.private_key_pem.bytes().decode(),
    )


class TestDecoding:
    def test_data_is_decoded_from_base64(self) -> None:
        assert {"a": Sensitive("text")} == dict(decoded(secret("s", {"a": "text"})).data)

    def test_line_ends_within_base64_are_skipped(self) -> None:
        assert {"a": Sensitive("text")} == dict(decoded(raw_secret(data={"a": "dGV\r\n4dA==\n"})).data)

    def test_string_data_goes_over_data(self) -> None:
        found = decoded(raw_secret(data={"a": encoded("old")}, stringData={"a": "new"}))
        assert {"a": Sensitive("new")} == dict(found.data)

    @pytest.mark.parametrize("value", ["%%%", "YQ", "ä", 5, True, ["YQ=="]])
    def test_entry_that_is_not_base64_spoils_the_secret(self, value: object) -> None:
        found = decoded(raw_secret(data={"bad": value, "good": "YQ=="}))
        assert (found.fault_field, found.data) == (("data", "bad"), {})
        assert found.fault.startswith("data.bad ")

    def test_entry_that_is_not_utf8_is_unreadable(self) -> None:
        assert decoded(secret("s", {"a": b"\xff\xfe"})).unreadable == ("a",)

    def test_null_entries_are_empty(self) -> None:
        found = decoded(raw_secret(data={"a": None}, stringData={"b": None}))
        assert {"a": Sensitive(""), "b": Sensitive("")} == dict(found.data)

    def test_type_is_opaque_unless_given(self) -> None:
        assert decoded(raw_secret()).type == "Opaque"

    @pytest.mark.parametrize(
        ("manifest", "fault"),
        [
            ({"data": ["a"]}, ("data",)),
            ({"stringData": "a"}, ("stringData",)),
            ({"stringData": {"a": 5}}, ("stringData", "a")),
            ({"metadata": {"annotations": ["a"]}}, ("metadata", "annotations")),
            ({"metadata": {"annotations": {"a": 1}}}, ("metadata", "annotations", "a")),
            ({"metadata": {"annotations": None}, "data": None}, ()),
            ({"kind": "Sekret"}, ("kind",)),
        ],
    )
    def test_field_of_another_shape_spoils_the_secret(self, manifest: dict[str, Any], fault: FieldPath) -> None:
        found = decoded(raw_secret(**manifest))
        assert (fault, bool(fault)) == (found.fault_field, bool(found.fault))

    def test_repr_hides_the_data(self) -> None:
        assert "hunter2" not in repr(decoded(secret("s", {"a": "hunter2"})))


class TestIndex:
    def test_secret_is_found_by_name(self) -> None:
        found = scope_of(secret("s", {"a": "x"})).secrets.find("ns", "s")
        assert found is not None
        assert {"a": Sensitive("x")} == dict(found.data)

    def test_secret_of_another_namespace_is_not_found(self) -> None:
        assert scope_of(secret("s", {})).secrets.find("other", "s") is None

    def test_secret_is_decoded_once(self) -> None:
        scope = scope_of(secret("s", {"a": "x"}))
        assert scope.secrets.find("ns", "s") is scope.secrets.find("ns", "s")

    def test_labels_select_key_secrets_only(self) -> None:
        keys = (key_secret("a"), key_secret("b", labels={"team": "b"}), secret("c", {}, labels={"team": "a"}))
        index = SecretIndex().after(keys)
        assert [keys[0]] == [one.stored for one in index.selected([("team", "a")])]

    def test_selection_looks_only_at_carriers(self) -> None:
        index = SecretIndex().after([key_secret(f"k{n:03}", labels={"user": str(n)}) for n in range(500)])
        assert (["k007"], 1) == (
            [one.ref.name for one in index.selected([("user", "7")])],
            index.key_secrets.examined,
        )

    def test_what_changed_is_found_anew_and_the_rest_is_kept(self) -> None:
        kept, before, now = key_secret("a"), key_secret("b"), key_secret("b", labels={"team": "b"}, version=2)
        first = SecretIndex().after((kept, before))
        second = first.after((kept, now))
        assert first.get(kept.ref) is second.get(kept.ref)
        assert [[kept], [now]] == [[one.stored for one in second.selected([("team", team)])] for team in ("a", "b")]

    def test_old_index_goes_on_to_show_the_old_secrets(self) -> None:
        keys = (key_secret("a"), key_secret("b"))
        first = SecretIndex().after(keys)
        first.after(keys[1:])
        assert list(keys) == [one.stored for one in first.selected([("team", "a")])]

    def test_what_was_asked_for_is_shown_until_it_changes(self) -> None:
        scope = scope_of(secret("s", {}))
        scope.secrets.find("ns", "s")
        scope.secrets.find("ns", "missing")
        assert isinstance(scope.secrets, NamedSecrets)
        asked, index = scope.secrets.asked, scope.secrets.index
        (held,) = (asked[ObjectRef("Secret", "ns", "s")],)
        assert held is not None
        other, missing = secret("other", {}), secret("missing", {})
        assert [True, True, False, False] == [
            index.after(now).shows(asked) for now in ([held], [held, other], [held, missing], [other])
        ]


class TestReference:
    def test_missing_secret_is_an_error_of_its_user(self) -> None:
        message = "VirtualGateway ns/gw needs Secret ns/s, which does not exist. Create it, or correct the name."
        expected = Problem(
            ProblemKind.ERROR, Reason.REF_NOT_FOUND, message, GATEWAY, FIELD, Cause(ObjectRef("Secret", "ns", "s"))
        )
        assert expected == find_secret(reference(), scope_of())

    def test_foreign_secret_is_refused_without_telling_whether_it_exists(self) -> None:
        isolated = Settings(tenancy="isolated")
        there = find_secret(reference(namespace="b"), scope_of(secret("s", {}, namespace="b"), settings=isolated))
        absent = find_secret(reference(namespace="b"), scope_of(settings=isolated))
        assert (Reason.REF_NOT_PERMITTED, absent) == (problem(there).reason, there)

    @pytest.mark.parametrize(("shared", "permitted"), [("ns", True), ("a, ns", True), ("a", False), ("", False)])
    def test_platform_secret_may_be_used_by_the_tenants_it_is_shared_with(
        self, shared: str, *, permitted: bool
    ) -> None:
        isolated = Settings(tenancy="isolated", platform_namespaces=frozenset({"p"}))
        held = secret("s", {}, namespace="p", annotations={SHARE_WITH: shared})
        found = find_secret(reference(namespace="p"), scope_of(held, settings=isolated))
        absent = find_secret(reference(namespace="p"), scope_of(settings=isolated))
        assert permitted == (not isinstance(found, Problem))
        assert permitted == (found != absent)

    def test_tenants_secret_may_be_used_by_the_platform(self) -> None:
        isolated = Settings(tenancy="isolated", platform_namespaces=frozenset({"ns"}))
        found = find_secret(reference(namespace="b"), scope_of(secret("s", {}, namespace="b"), settings=isolated))
        assert not isinstance(found, Problem)


class TestSharedSecret:
    @pytest.mark.parametrize("entry", ["shared-secret", "sharedSecret", "hmac", "secret", "password", "anything"])
    def test_entry_is_found(self, entry: str) -> None:
        assert Sensitive("pepper") == shared_secret(reference(), scope_of(secret("s", {entry: "pepper"})))

    def test_documented_entry_goes_before_the_others(self) -> None:
        holder = secret("s", {"password": "no", "shared-secret": "yes"})
        assert Sensitive("yes") == shared_secret(reference(), scope_of(holder))

    def test_trailing_newline_does_not_belong_to_it(self) -> None:
        assert Sensitive("pepper") == shared_secret(reference(), scope_of(secret("s", {"shared-secret": "pepper\r\n"})))

    @pytest.mark.parametrize(
        ("data", "complaint"),
        [
            ({}, 'it needs an entry "shared-secret" that is valid base64 and UTF-8'),
            ({"a": "x", "b": "y"}, 'it needs an entry "shared-secret" that is valid base64 and UTF-8'),
            ({"a": b"\xff"}, 'it needs an entry "shared-secret" that is valid base64 and UTF-8'),
            ({"hmac": "\n"}, 'its entry "hmac" is empty'),
        ],
    )
    def test_secret_without_a_usable_entry_is_refused(self, data: dict[str, str | bytes], complaint: str) -> None:
        message = f"VirtualGateway ns/gw cannot use Secret ns/s: {complaint}."
        expected = Problem(ProblemKind.ERROR, Reason.BAD_SECRET, message, GATEWAY, FIELD)
        assert expected == shared_secret(reference(), scope_of(secret("s", data)))

    def test_missing_secret_is_reported(self) -> None:
        assert problem(shared_secret(reference(), scope_of())).reason == Reason.REF_NOT_FOUND


class TestCertificatePair:
    @pytest.mark.parametrize("names", [("tls.crt", "tls.key"), ("cert", "key")])
    def test_pair_is_read(self, names: tuple[str, str]) -> None:
        holder = secret("s", {names[0]: pki().certificate, names[1]: pki().private_key})
        expected = CertificatePair(pki().certificate, Sensitive(pki().private_key))
        assert expected == certificate_pair(reference(), scope_of(holder))

    @pytest.mark.parametrize(
        ("certificate", "private_key", "complaint"),
        [
            ("", None, 'it needs the entries "tls.crt" and "tls.key"'),
            ("junk", "junk", 'its "tls.crt" is not a PEM certificate'),
            (None, "junk", 'its "tls.key" is not a PEM private key without a passphrase'),
            (None, "other", 'its "tls.key" does not belong to the first certificate of its "tls.crt"'),
        ],
    )
    def test_bad_pair_is_refused(self, certificate: str | None, private_key: str | None, complaint: str) -> None:
        data = {"tls.crt": pki().certificate if certificate is None else certificate}
        if private_key is not None:
            data["tls.key"] = pki().other_key if private_key == "other" else private_key
        found = problem(certificate_pair(reference(), scope_of(secret("s", data))))
        expected = (Reason.BAD_SECRET, f"VirtualGateway ns/gw cannot use Secret ns/s: {complaint}.")
        assert expected == (found.reason, found.message)

    def test_missing_secret_is_reported(self) -> None:
        assert problem(certificate_pair(reference(), scope_of())).reason == Reason.REF_NOT_FOUND


class TestCaBundle:
    @pytest.mark.parametrize("entry", ["ca.crt", "cacert"])
    def test_bundle_is_read(self, entry: str) -> None:
        assert pki().ca == ca_bundle(reference(), scope_of(secret("s", {entry: pki().ca})))

    def test_bundle_of_the_sibling_is_read(self) -> None:
        assert pki().ca == ca_bundle(reference(), scope_of(secret("s", {}), secret("s-cacert", {"ca.crt": pki().ca})))

    def test_own_bundle_goes_before_the_siblings(self) -> None:
        own, sibling = secret("s", {"ca.crt": pki().ca}), secret("s-cacert", {"ca.crt": "junk"})
        assert pki().ca == ca_bundle(reference(), scope_of(own, sibling))

    def test_secret_without_bundle_is_refused(self) -> None:
        found = problem(ca_bundle(reference(), scope_of(secret("s", {}))))
        complaint = 'it has no entry "ca.crt", nor has a Secret "s-cacert"'
        assert f"VirtualGateway ns/gw cannot use Secret ns/s: {complaint}." == found.message

    def test_bundle_that_is_no_certificate_is_refused(self) -> None:
        found = problem(ca_bundle(reference(), scope_of(secret("s", {"ca.crt": "junk"}))))
        assert (found.reason, "not a PEM certificate" in found.message) == (Reason.BAD_SECRET, True)

    @pytest.mark.parametrize("entry", ["crl", "ca.crl"])
    @pytest.mark.parametrize("holder", ["s", "s-cacert"])
    def test_revocation_list_is_refused(self, entry: str, holder: str) -> None:
        secrets = {"s": {"ca.crt": pki().ca}, "s-cacert": {}}
        secrets[holder] = {**secrets[holder], entry: "x"}
        scope = scope_of(*(secret(name, data) for name, data in secrets.items()))
        assert problem(ca_bundle(reference(), scope)).reason == Reason.UNSUPPORTED

    def test_missing_secret_is_reported(self) -> None:
        assert problem(ca_bundle(reference(), scope_of())).reason == Reason.REF_NOT_FOUND
