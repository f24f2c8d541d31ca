"""The last good revision on a volume."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kube.published import NAMESPACE, RELEASE, bundle
from wardgate.kube.follow.revision_file import KeptRevision, RevisionFile, RevisionFileError


@pytest.fixture
def cache(tmp_path: Path) -> RevisionFile:
    return RevisionFile(tmp_path, release=RELEASE, namespace=NAMESPACE)


def kept(text: str = "hello", *, keys: int = 0, sequence: int = 7) -> KeptRevision:
    return KeptRevision(bundle(text, keys=keys), sequence, "2027-01-15T08:00:00Z", 1_800_000_000.5)


def files(cache: RevisionFile) -> dict[str, int]:
    """Every file, and when it was written."""
    return {path.name: path.stat().st_mtime_ns for path in cache.folder.iterdir()}


def test_revision_that_was_kept_is_read(cache: RevisionFile) -> None:
    cache.write(kept(keys=5))

    assert kept(keys=5) == cache.read()


def test_nothing_is_read_where_nothing_was_kept(cache: RevisionFile) -> None:
    assert cache.read() is None


def test_only_the_owner_may_read_it(cache: RevisionFile) -> None:
    cache.write(kept(keys=1))

    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in cache.folder.iterdir()}
    assert 0o700 == stat.S_IMODE(cache.folder.stat().st_mode)


def test_only_what_changed_is_written_and_what_is_gone_removed(cache: RevisionFile) -> None:
    cache.write(kept(keys=9))
    (cache.folder / "tmpinterrupted").write_bytes(b"half")
    before = files(cache)
    cache.write(kept(keys=10, sequence=8))
    after = files(cache)

    changed = {name for name, at in after.items() if before.get(name) != at}
    removed = before.keys() - after.keys()
    assert {"revision.json"} < changed
    assert 2 == len(changed)
    assert "tmpinterrupted" in removed
    assert kept(keys=10, sequence=8) == cache.read()


def test_two_releases_share_a_volume(tmp_path: Path, cache: RevisionFile) -> None:
    other = RevisionFile(tmp_path, release="other", namespace=NAMESPACE)
    cache.write(kept("mine"))
    other.write(kept("theirs"))

    assert (kept("mine"), kept("theirs")) == (cache.read(), other.read())


def rewritten(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "revision.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def on_a_group(data: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = min(folder.glob("*.gz"))
        path.write_bytes(data(path.read_bytes()))

    return change


@pytest.mark.parametrize(
    "harm",
    [
        on_a_group(lambda data: data[: len(data) // 2]),
        on_a_group(lambda _: gzip.compress(b"{}")),
        on_a_group(lambda _: b"no gzip"),
        on_a_group(lambda data: data[:12] + bytes(20) + data[32:]),
        lambda folder: min(folder.glob("*.gz")).unlink(),
        lambda folder: (folder / "revision.json").write_text("{"),
        lambda folder: (folder / "revision.json").write_text("[]"),
        rewritten(format="wardgate-revision-2"),
        rewritten(revision="0" * 64),
        rewritten(schema="2.0"),
        rewritten(sequence="7"),
        rewritten(sequence=True),
        rewritten(confirmed_at=None),
        rewritten(confirmed_at=float("nan")),
        rewritten(groups={"routes": "../../secret"}),
        rewritten(groups=[]),
    ],
)
def test_what_is_damaged_is_refused_and_does_not_stay(cache: RevisionFile, harm: Callable[[Path], None]) -> None:
    cache.write(kept(keys=2))
    harm(cache.folder)

    with pytest.raises(RevisionFileError, match=r"cannot be read \(\w+\); it is thrown away\."):
        cache.read()
    cache.write(kept(keys=2))
    assert kept(keys=2) == cache.read()


def test_volume_that_cannot_be_written_says_so_and_leaves_what_is_there(
    cache: RevisionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write(kept())
    full = OSError(28, "No space left on device")

    def refuse(*_: object) -> None:
        raise full

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        cache.write(kept("other"))
    monkeypatch.undo()

    assert kept() == cache.read()
    assert 2 == len(list(cache.folder.iterdir()))
