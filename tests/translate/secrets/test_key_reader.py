"""What one key Secret means, and what makes it no key."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from tests.translate.policies.objects import decoded, encoded, key_secret, raw_secret, secret, sha256
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.ir import MetadataEntry
from wardgate.problems import FieldPath, Reason
from wardgate.sensitive import Sensitive
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeyForm
from wardgate.translate.secrets.entries import RefusedKey
from wardgate.translate.secrets.key_reader import UsableKey, read_key

DIGEST = sha256("the key")
NO_DIGEST = 'is not a SHA-256 in 64 hexadecimal digits, as the policy\'s "digest" demands'
NO_HMAC = 'is not an HMAC-SHA-256 in 64 hexadecimal digits or in base64, as the policy\'s "hmac" demands'
NO_TIME = "its annotation wardgate.dev/expires-at must be an RFC 3339 time with a zone, such as 2030-01-31T12:00:00Z"
NO_HOSTS = "its annotation wardgate.dev/upstream-hosts must list names of hosts, such as api.openai.com"


def read(stored: StoredObject, form: KeyForm = KeyForm.PLAIN, *, limit: int = 32 * 1024) -> UsableKey | RefusedKey:
    return read_key(decoded(stored), form=form, limit=limit)


def usable(stored: StoredObject, form: KeyForm = KeyForm.PLAIN) -> UsableKey:
    key = read(stored, form)
    assert isinstance(key, UsableKey), key
    return key


def complaint(stored: StoredObject, form: KeyForm = KeyForm.PLAIN) -> str:
    key = read(stored, form)
    assert isinstance(key, RefusedKey), key
    return key.complaint


class TestPlainKey:
    def test_digest_is_the_sha256_of_the_key(self) -> None:
        assert sha256("mysecretkey") == usable(key_secret("s", "mysecretkey")).digest

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_one_line_ending_is_stripped(self, ending: str) -> None:
        assert sha256("k") == usable(key_secret("s", f"k{ending}")).digest

    def test_key_beyond_ascii_is_taken_as_its_bytes(self) -> None:
        assert hashlib.sha256("schlüssel".encode()).hexdigest() == usable(key_secret("s", "schlüssel")).digest

    @pytest.mark.parametrize("key", ["", "\n", "\r\n"])
    def test_empty_key_is_refused(self, key: str) -> None:
        assert complaint(key_secret("s", key)) == 'its entry "api-key" is empty'

    @pytest.mark.parametrize("key", ["a\nb", "a\n\n", "a\r", "a\0", "a\x7f", "\x1b[31m"])
    def test_key_that_no_header_can_carry_is_refused(self, key: str) -> None:
        expected = 'its entry "api-key" holds a line break or another character that no header can carry'
        assert expected == complaint(key_secret("s", key))

    @pytest.mark.parametrize("key", [" a", "a ", "\ta", "a\t", " "])
    def test_key_with_outer_blanks_is_refused(self, key: str) -> None:
        expected = 'its entry "api-key" begins or ends with a blank, which no header can carry'
        assert expected == complaint(key_secret("s", key))

    def test_secret_without_key_is_refused(self) -> None:
        assert complaint(secret("s", {"apikey": "k"})) == 'it has no entry "api-key"'

    def test_key_that_is_not_utf8_is_refused(self) -> None:
        assert complaint(key_secret("s", b"\xff")) == 'its entry "api-key" is not UTF-8 text'

    def test_key_that_is_not_base64_is_refused(self) -> None:
        broken = raw_secret(data={"api-key": "%"}, type=KEY_SECRET_TYPE)
        assert complaint(broken) == (
            "data.api-key is not base64; let kubectl create secret generic --from-literal encode it, or write it under "
            "stringData as it is"
        )

    def test_secret_whose_annotations_are_unreadable_is_refused(self) -> None:
        annotations = {"wardgate.dev/expires-at": 2030}
        broken = raw_secret(data={"api-key": encoded("k")}, metadata={"annotations": annotations}, type=KEY_SECRET_TYPE)
        expected = 'metadata.annotations["wardgate.dev/expires-at"] must be a text, but is a number; put it in quotes'
        assert complaint(broken) == expected


class TestStoredDigest:
    @pytest.mark.parametrize("form", [KeyForm.SHA256, KeyForm.HMAC_SHA256])
    @pytest.mark.parametrize("text", [DIGEST, DIGEST.upper(), f"{DIGEST}\n"])
    def test_hexadecimal_digits_are_the_digest(self, form: KeyForm, text: str) -> None:
        assert usable(key_secret("s", text), form).digest == DIGEST

    @pytest.mark.parametrize("text", ["", "k", DIGEST[:-1], DIGEST + "0", f" {DIGEST}", "g" * 64, "٣" * 64])
    def test_anything_else_is_refused_in_digest_mode(self, text: str) -> None:
        assert 'its entry "api-key" ' in complaint(key_secret("s", text), KeyForm.SHA256)

    def test_refusal_tells_what_the_policy_demands(self) -> None:
        assert f'its entry "api-key" {NO_DIGEST}' == complaint(key_secret("s", "k"), KeyForm.SHA256)

    def test_digest_of_the_empty_key_is_refused(self) -> None:
        assert f'its entry "api-key" {NO_DIGEST}' == complaint(key_secret("s", sha256("")), KeyForm.SHA256)

    def test_base64_is_an_hmac_too(self) -> None:
        assert usable(key_secret("s", encoded(bytes.fromhex(DIGEST))), KeyForm.HMAC_SHA256).digest == DIGEST

    def test_base64_is_no_digest(self) -> None:
        text = encoded(bytes.fromhex(DIGEST))
        assert f'its entry "api-key" {NO_DIGEST}' == complaint(key_secret("s", text), KeyForm.SHA256)

    @pytest.mark.parametrize("text", ["k", "ä", encoded(b"x" * 31), "YQ==="])
    def test_anything_else_is_no_hmac(self, text: str) -> None:
        assert f'its entry "api-key" {NO_HMAC}' == complaint(key_secret("s", text), KeyForm.HMAC_SHA256)


def expiring(text: str) -> StoredObject:
    return key_secret("s", annotations={"wardgate.dev/expires-at": text})


class TestExpiry:
    def test_key_without_annotation_never_expires(self) -> None:
        assert usable(key_secret("s")).expires_at is None

    @pytest.mark.parametrize(
        "text",
        [
            "2030-01-31T12:00:00Z",
            "2030-01-31t12:00:00z",
            "2030-01-31 12:00:00+00:00",
            "2030-01-31T14:30:00+02:30",
            "2030-01-31T12:00:00.999Z",
        ],
    )
    def test_time_is_read_to_the_second(self, text: str) -> None:
        assert int(datetime(2030, 1, 31, 12, tzinfo=UTC).timestamp()) == usable(expiring(text)).expires_at

    def test_time_long_past_is_read(self) -> None:
        assert usable(expiring("0001-01-01T00:00:00Z")).expires_at == -62135596800

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "never",
            "2030-01-31",
            "2030-01-31T12:00:00",
            "2030-01-31T12:00Z",
            "2030-13-31T12:00:00Z",
            "2030-02-30T12:00:00Z",
            "2030-01-31T12:00:00+25:00",
            "0000-01-01T00:00:00Z",
            "٢٠٣٠-01-31T12:00:00Z",
        ],
    )
    def test_unreadable_time_refuses_the_key(self, text: str) -> None:
        assert complaint(expiring(text)) == NO_TIME


def bound(text: str) -> StoredObject:
    return key_secret("s", annotations={"wardgate.dev/upstream-hosts": text})


class TestHosts:
    def test_key_without_annotation_is_not_bound(self) -> None:
        assert usable(key_secret("s")).allowed_hosts is None

    def test_hosts_are_lower_case_sorted_and_single(self) -> None:
        expected = ("api.anthropic.com", "api.openai.com")
        assert expected == usable(bound("API.openai.com, api.anthropic.com,api.openai.com,")).allowed_hosts

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            ",",
            "*.openai.com",
            "https://a.com",
            "a.com:443",
            "a b",
            "-a.com",
            "a..b",
            "a" * 64,
            "é.com",
        ],
    )
    def test_malformed_list_refuses_the_key(self, text: str) -> None:
        assert complaint(bound(text)) == NO_HOSTS

    def test_overlong_name_refuses_the_key(self) -> None:
        assert complaint(bound(".".join(["a" * 60] * 5))) == NO_HOSTS


class TestMetadata:
    def test_other_entries_are_metadata_by_name(self) -> None:
        expected = (MetadataEntry("a", Sensitive("1")), MetadataEntry("b", Sensitive("2")))
        assert expected == usable(key_secret("s", b="2", a="1")).metadata

    @pytest.mark.parametrize("value", ["t\n", "t\r\n"])
    def test_one_line_ending_is_stripped(self, value: str) -> None:
        assert (MetadataEntry("token", Sensitive("t")),) == usable(key_secret("s", token=value)).metadata

    @pytest.mark.parametrize("value", ["a\nb", "a\r", "\x01"])
    def test_value_that_no_header_can_carry_is_marked(self, value: str) -> None:
        expected = (MetadataEntry("token", Sensitive(value), legal_header=False),)
        assert expected == usable(key_secret("s", token=value)).metadata

    @pytest.mark.parametrize("value", ["", "\n"])
    def test_empty_entry_counts_as_absent(self, value: str) -> None:
        assert usable(key_secret("s", token=value)).metadata == ()

    def test_entry_that_is_not_utf8_is_there_without_its_value_and_illegal(self) -> None:
        expected = (
            MetadataEntry("a", Sensitive("1")),
            MetadataEntry("token", Sensitive("\0"), legal_header=False),
            MetadataEntry("z", Sensitive("2")),
        )
        assert expected == usable(key_secret("s", z="2", token=b"t\xff", a="1")).metadata

    def test_tab_and_text_beyond_ascii_are_legal(self) -> None:
        assert (MetadataEntry("t", Sensitive("a\té")),) == usable(key_secret("s", t="a\té")).metadata


class TestSize:
    def test_credential_above_the_limit_is_refused(self) -> None:
        expected = RefusedKey(Reason.TOO_LARGE, "its entries make 80 bytes, and at most 79 are allowed", ("data",))
        assert expected == read(key_secret("s", "k", a="ü" * 4), limit=79)

    def test_credential_at_the_limit_is_used(self) -> None:
        assert isinstance(read(key_secret("s", "k", a="ü" * 4), limit=80), UsableKey)


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (raw_secret(data={"api-key": "%"}, type=KEY_SECRET_TYPE), ("data", "api-key")),
        (raw_secret(data={"other": "%"}, type=KEY_SECRET_TYPE), ("data", "other")),
        (key_secret("s", "a\nb"), ("data", "api-key")),
        (secret("s", {"apikey": "k"}), ("data", "api-key")),
        (expiring("never"), ("metadata", "annotations", "wardgate.dev/expires-at")),
        (bound("https://a"), ("metadata", "annotations", "wardgate.dev/upstream-hosts")),
    ],
)
def test_refusal_says_where(broken: StoredObject, field: FieldPath) -> None:
    key = read(broken)
    assert isinstance(key, RefusedKey)
    assert field == key.field


def test_repr_of_a_key_hides_its_metadata() -> None:
    assert "hunter2" not in repr(usable(key_secret("s", token="hunter2")))
