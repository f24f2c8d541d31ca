"""Keys are replaced by the bucket, and an index never changes under who holds it."""

from __future__ import annotations

from tests.proxy.core.conversation import NOW, credential
from wardgate.ir import Credential
from wardgate.proxy.core.auth.credential_index import (
    Bucket,
    CompiledCredential,
    CredentialIndex,
    bucket_of,
    compile_credential,
)

A, B, C = credential(b"a", name="a"), credential(b"b", name="b"), credential(b"c", name="c", expires_at=int(NOW))


def compile_bucket(credentials: list[Credential]) -> Bucket:
    return bucket_of(map(compile_credential, credentials))


def names(index: CredentialIndex) -> set[str]:
    return {held.label for each in index.ids() if (held := index.get(each)) is not None}


def test_bucket_is_replaced_and_the_old_index_stays_as_it_was() -> None:
    old = CredentialIndex().replaced({"0": compile_bucket([A]), "1": compile_bucket([B])})
    new = old.replaced({"0": compile_bucket([C])})
    assert {"default/a", "default/b"} == names(old)
    assert {"default/c", "default/b"} == names(new)
    assert {CompiledCredential(A).id} == old.ids() - new.ids()
    assert len(new) == 2


def test_bucket_is_taken_out() -> None:
    index = CredentialIndex().replaced({"0": compile_bucket([A]), "1": compile_bucket([B])})
    assert {"default/b"} == names(index.replaced({"0": None, "9": None}))


def test_key_may_move_between_buckets_in_one_change() -> None:
    index = CredentialIndex().replaced({"0": compile_bucket([A])})
    assert {"default/a"} == names(index.replaced({"1": compile_bucket([A]), "0": compile_bucket([])}))


def test_first_of_two_credentials_with_one_key_counts() -> None:
    assert {"default/a"} == names(CredentialIndex.of([A, credential(b"a", name="late")]))


def test_credential_with_a_broken_digest_is_left_out_alone() -> None:
    broken = [credential(digest=text) for text in ("", "zz" * 32, "A" * 64, "a" * 63)]
    assert {"default/b"} == names(CredentialIndex.of([*broken, B]))


def test_accepted_key_is_held_until_it_is_gone_or_expired() -> None:
    index = CredentialIndex.of([A, C])
    revoked = CredentialIndex.of([C])
    assert index.holds(CompiledCredential(A), now=NOW)
    assert not revoked.holds(CompiledCredential(A), now=NOW)
    assert index.holds(CompiledCredential(C), now=NOW - 1)
    assert not index.holds(CompiledCredential(C), now=NOW)


def test_changed_metadata_revokes_nothing() -> None:
    index = CredentialIndex.of([credential(b"a", name="a", metadata={"token": "new"})])
    assert index.holds(CompiledCredential(A), now=NOW)
