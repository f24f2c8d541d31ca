"""The folder as a source of objects: identities, versions, and what stays when something cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.standalone.manifest_texts import BROKEN, secret, table
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.standalone.findings.diagnostics import from_problem
from wardgate.standalone.scan.folder import Folder, Scan
from wardgate.standalone.scan.listing import list_files
from wardgate.standalone.yaml.position import Position


class Bench:
    """A folder on disk whose files look old, so that every change has a new signature."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 10**18
        self.folder = Folder([root], now_ns=lambda: self.now)
        self._time = 10**9

    def put(self, name: str, *documents: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text("---\n".join(documents))
        self._time += 1
        os.utime(temporary, (self._time, self._time))
        temporary.replace(path)
        return path

    def scan(self) -> Scan:
        return self.folder.scan()

    def names(self) -> list[str]:
        return sorted(f"{ref.kind} {ref.name}" for ref in self.scan().items)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def one(scan: Scan, kind: str, name: str) -> StoredObject:
    (found,) = [obj for obj in scan.objects[kind] if obj.ref.name == name]
    return found


def weight(scan: Scan, name: str) -> object:
    spec = one(scan, "RouteTable", name).manifest["spec"]
    assert isinstance(spec, dict)
    return spec["weight"]


def messages(scan: Scan) -> list[str]:
    return [f"{Path(found.file).name}:{found.line} {found.message} {found.remedy}" for found in scan.diagnostics]


def test_every_document_of_every_file_becomes_an_object(bench: Bench) -> None:
    bench.put("a.yaml", table("one"), secret("key"))
    bench.put("sub/b.yaml", table("two"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    scan = bench.scan()

    assert ["one", "two"] == [obj.ref.name for obj in scan.objects["RouteTable"]]
    assert ["key"] == [obj.ref.name for obj in scan.objects["Secret"]]
    assert (3, 2, 1, ()) == (scan.count, scan.files, scan.foreign, scan.diagnostics)


def test_object_has_an_identity_and_no_age(bench: Bench) -> None:
    bench.put("a.yaml", table("one"))
    found = one(bench.scan(), "RouteTable", "one")

    assert ("RouteTable/default/one", 1, 1, "") == (found.uid, found.version, found.generation, found.created)


def test_version_grows_only_with_the_object_s_own_content(bench: Bench) -> None:
    bench.put("a.yaml", table("one"))
    bench.put("b.yaml", table("two"))
    bench.scan()
    bench.put("b.yaml", "# a comment\n" + table("two"), table("three"))
    same = bench.scan()
    bench.put("b.yaml", table("two", weight=5), table("three"))
    changed = bench.scan()

    assert [1, 1] == [one(same, "RouteTable", name).version for name in ("one", "two")]
    assert [1, 3, 2] == [one(changed, "RouteTable", name).version for name in ("one", "two", "three")]
    assert 2 == one(changed, "RouteTable", "two").generation


def test_true_and_one_are_different_contents(bench: Bench) -> None:
    bench.put("a.yaml", table("one").replace("0", "1"))
    bench.scan()
    bench.put("a.yaml", table("one").replace("0", "true"))

    assert 2 == one(bench.scan(), "RouteTable", "one").version


def test_object_that_is_removed_and_comes_back_has_a_new_version(bench: Bench) -> None:
    path = bench.put("a.yaml", table("one"))
    bench.scan()
    path.unlink()
    gone = bench.scan()
    bench.put("a.yaml", table("one"))

    assert () == gone.objects["RouteTable"]
    assert 3 == one(bench.scan(), "RouteTable", "one").version


def test_directory_that_is_removed_takes_its_objects_with_it(bench: Bench) -> None:
    bench.put("a.yaml", table("one"))
    path = bench.put("sub/b.yaml", table("two"))
    bench.scan()
    path.unlink()
    path.parent.rmdir()

    assert ["RouteTable one"] == bench.names()


def test_object_that_moves_to_another_file_stays_the_same_version(bench: Bench) -> None:
    path = bench.put("a.yaml", table("one"))
    bench.scan()
    path.rename(path.with_name("b.yaml"))

    assert 1 == one(bench.scan(), "RouteTable", "one").version


def test_swapped_link_delivers_the_new_content(bench: Bench) -> None:
    bench.put("..1/a.yaml", table("one", weight=1))
    bench.put("..2/a.yaml", table("one", weight=2))
    (bench.root / "..data").symlink_to("..1")
    (bench.root / "a.yaml").symlink_to("..data/a.yaml")
    before = bench.scan()
    (bench.root / "..tmp").symlink_to("..2")
    (bench.root / "..tmp").replace(bench.root / "..data")

    assert [1, 2] == [weight(before, "one"), weight(bench.scan(), "one")]


def test_object_defined_twice_is_taken_from_the_first_file_and_both_places_are_named(bench: Bench) -> None:
    bench.put("a.yaml", secret("x"), table("one", weight=1))
    bench.put("b.yaml", table("one", weight=2))
    scan = bench.scan()

    assert 1 == weight(scan, "one")
    (found,) = scan.diagnostics
    assert (Reason.CONFLICTED, f"{bench.root}/b.yaml", 1) == (found.reason, found.file, found.line)
    assert f"{bench.root}/a.yaml:9" in found.message


def test_copy_of_an_object_is_a_note(bench: Bench) -> None:
    bench.put("a.yaml", table("one", weight=1))
    bench.put("b.yaml", table("one", weight=1))
    (found,) = bench.scan().diagnostics

    assert ("note", Reason.CONFLICTED, f"{bench.root}/b.yaml") == (found.severity, found.reason, found.file)


def test_kind_that_nobody_knows_is_a_warning(bench: Bench) -> None:
    bench.put("a.yaml", table("x").replace("networking", "trafficcontrol.policy").replace("RouteTable", "FooPolicy"))
    scan = bench.scan()

    assert [("warning", Reason.NO_EFFECT)] == [(found.severity, found.reason) for found in scan.diagnostics]
    assert 1 == scan.foreign


def test_object_of_a_foreign_kind_is_kept_beside_ours_and_not_counted_with_them(bench: Bench) -> None:
    bench.put("a.yaml", table("x"), table("x").replace("networking", "gateway").replace("gloo.solo", "solo"))
    scan = bench.scan()

    assert {"RouteTable": 1, "RouteTable.gateway.solo.io": 1} == {kind: len(one) for kind, one in scan.objects.items()}
    assert (1, 1, ()) == (scan.count, scan.foreign, scan.diagnostics)


# What stays.


def test_file_that_turns_unreadable_keeps_what_is_no_key(bench: Bench) -> None:
    bench.put("a.yaml", table("one", weight=1), secret("key"))
    bench.put("b.yaml", table("two"))
    bench.scan()
    (bench.root / "a.yaml").write_bytes(b"\xff\xfe\x00")
    bench.put("b.yaml", table("two", weight=2))
    scan = bench.scan()

    assert [1, 2] == [weight(scan, "one"), weight(scan, "two")]
    (message,) = messages(scan)
    assert message.startswith("a.yaml:1 The file is not UTF-8 text.")
    assert message.endswith(
        "Until then RouteTable default/one stays as it was. Until then Secret default/key counts as deleted."
    )


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _write_binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def _break_the_secret(path: Path) -> None:
    path.write_text(f"{table('one')}---\n{secret('key')}  other: [\n")


def _break_it_beyond_recognition(path: Path) -> None:
    path.write_text(f"{table('one')}---\n{BROKEN}")


def _give_it_an_unknown_version(path: Path) -> None:
    path.write_text(f"{table('one')}---\n{secret('key').replace('apiVersion: v1', 'apiVersion: v7')}")


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _move_its_folder_away(path: Path) -> None:
    path.parent.rename(path.parent.with_name("away"))


@pytest.mark.parametrize(
    "harm",
    [
        _empty,
        _write_binary,
        _break_the_secret,
        _break_it_beyond_recognition,
        _give_it_an_unknown_version,
        _link_to_nothing,
        _move_its_folder_away,
    ],
)
def test_key_in_what_cannot_be_read_is_gone_at_once_and_back_when_it_is_mended(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    bench = Bench(tmp_path / "folder")
    path = bench.put("a.yaml", table("one"), secret("key"))
    assert ["RouteTable one", "Secret key"] == bench.names()

    harm(path)
    for _ in range(2):
        assert ["RouteTable one"] == bench.names()

    if path.is_symlink():
        path.unlink()
    away = path.parent.with_name("away")
    if away.exists():
        away.rename(path.parent)
    else:
        bench.put("a.yaml", table("one"), secret("key"))
    assert ["RouteTable one", "Secret key"] == bench.names()


def test_directory_in_the_place_of_a_file_takes_all_its_objects_with_it(bench: Bench) -> None:
    path = bench.put("a.yaml", table("one"), secret("key"))
    bench.scan()
    path.unlink()
    path.mkdir()
    assert [] == bench.names()


def test_certificate_in_what_cannot_be_read_stays(bench: Bench) -> None:
    certificate = secret("pair").replace("extauth.solo.io/apikey", "kubernetes.io/tls")
    bench.put("a.yaml", certificate, secret("key"))
    bench.scan()
    bench.put("a.yaml", "")
    assert ["Secret pair"] == bench.names()


def test_emptied_file_keeps_its_objects_and_says_how_to_remove_them(bench: Bench) -> None:
    bench.put("a.yaml", table("one", weight=1))
    bench.scan()
    bench.put("a.yaml", "\n")
    scan = bench.scan()
    assert ["RouteTable one"] == sorted(f"{ref.kind} {ref.name}" for ref in scan.items)
    (said,) = scan.diagnostics
    assert "The file is empty." == said.message
    assert said.remedy.startswith("Remove the file to remove its objects. Until then RouteTable default/one stays")
    (bench.root / "a.yaml").unlink()
    assert [] == bench.names()


def test_file_that_was_always_empty_is_fine(bench: Bench) -> None:
    bench.put("a.yaml", "")
    assert () == bench.scan().diagnostics


def test_file_that_cannot_be_opened_keeps_its_objects_until_it_can(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put("a.yaml", table("one", weight=1), secret("key"))
    bench.scan()
    bench.put("a.yaml", table("one", weight=2), secret("key"))
    with monkeypatch.context() as patch:
        patch.setattr("wardgate.standalone.scan.folder._read_bytes", _deny)
        broken = bench.scan()
    mended = bench.scan()

    assert 1 == weight(broken, "one")
    assert [1, 2] == [broken.count, mended.count]
    assert "The file cannot be read: Permission denied." in messages(broken)[0]
    assert (2, ()) == (weight(mended, "one"), mended.diagnostics)


def _deny(_path: str) -> bytes:
    raise PermissionError(13, "Permission denied")


def test_file_that_vanishes_before_it_is_read_is_reported_and_kept(bench: Bench) -> None:
    path = bench.put("a.yaml", table("one"))
    bench.scan()
    path.unlink()
    path.symlink_to("nowhere")

    scan = bench.scan()

    assert 1 == scan.count
    assert "points to nothing" in messages(scan)[0]


def test_folder_that_is_gone_keeps_what_is_no_key(bench: Bench) -> None:
    bench.put("a.yaml", table("one"))
    bench.scan()
    bench.root.rename(bench.root.with_name("away"))
    scan = bench.scan()

    assert 1 == scan.count
    assert "It does not exist." in messages(scan)[0]


def test_broken_document_that_still_names_itself_keeps_that_object(bench: Bench) -> None:
    bench.put("a.yaml", table("one"), table("two", weight=1), table("three"))
    bench.scan()
    bench.put("a.yaml", table("two") + "  hosts: [\n", table("one", weight=5))
    scan = bench.scan()

    assert ["one", "two"] == sorted(ref.name for ref in scan.items)
    assert [5, 1] == [weight(scan, "one"), weight(scan, "two")]
    assert "Until then RouteTable default/two stays as it was." in messages(scan)[0]


def test_broken_document_without_a_name_keeps_what_stood_in_its_place(bench: Bench) -> None:
    bench.put("a.yaml", table("one"), table("two"), table("three"))
    bench.scan()
    bench.put("a.yaml", table("one"), BROKEN, table("three"))

    assert ["RouteTable one", "RouteTable three", "RouteTable two"] == bench.names()


def test_object_deleted_elsewhere_in_a_broken_file_is_gone(bench: Bench) -> None:
    bench.put("a.yaml", secret("revoked"), table("one"), table("two"))
    bench.scan()
    bench.put("a.yaml", table("one"), BROKEN)

    assert ["RouteTable one", "RouteTable two"] == bench.names()


def test_broken_first_and_last_documents_keep_their_objects(bench: Bench) -> None:
    bench.put("a.yaml", table("one"), table("two"), table("three"))
    bench.scan()
    bench.put("a.yaml", BROKEN, table("two"), BROKEN)

    assert ["RouteTable one", "RouteTable three", "RouteTable two"] == bench.names()


def test_neighbouring_broken_documents_are_mended_one_by_one(bench: Bench) -> None:
    bench.put("a.yaml", table("one"), table("two"), table("three"))
    bench.scan()
    bench.put("a.yaml", BROKEN, BROKEN, table("three"))
    both = bench.names()
    told = ["Until then" in message for message in messages(bench.scan())]
    bench.put("a.yaml", table("one", weight=7), BROKEN, table("three"))
    scan = bench.scan()

    assert ["RouteTable one", "RouteTable three", "RouteTable two"] == both
    assert [True, False] == told
    assert ["one", "three", "two"] == sorted(ref.name for ref in scan.items)
    assert 7 == weight(scan, "one")


def test_object_that_was_mended_and_then_deleted_beside_a_broken_one_is_gone(bench: Bench) -> None:
    bench.put("a.yaml", secret("revoked"), table("two"))
    bench.scan()
    bench.put("a.yaml", BROKEN, BROKEN)
    bench.scan()
    bench.put("a.yaml", secret("revoked"), BROKEN)
    bench.scan()
    bench.put("a.yaml", secret("other"), BROKEN)
    bench.scan()
    bench.put("a.yaml", secret("other"), table("two"))

    assert ["RouteTable two", "Secret other"] == bench.names()


def test_object_of_a_broken_file_that_moved_is_taken_from_its_new_file(bench: Bench) -> None:
    bench.put("a.yaml", table("one", weight=1))
    bench.scan()
    bench.put("a.yaml", BROKEN)
    bench.put("b.yaml", table("one", weight=2))

    assert 2 == weight(bench.scan(), "one")


def test_many_kept_objects_are_counted_not_listed(bench: Bench) -> None:
    bench.put("a.yaml", *[table(f"t{number}") for number in range(5)])
    bench.scan()
    (bench.root / "a.yaml").write_bytes(b"\xff")

    assert "and 2 more stay as they were." in messages(bench.scan())[0]


def test_object_with_an_unknown_version_keeps_its_last_good_form(bench: Bench) -> None:
    bench.put("a.yaml", table("one", weight=3))
    bench.scan()
    bench.put("a.yaml", table("one", weight=4).replace("/v2", "/v3"))
    scan = bench.scan()

    assert 3 == weight(scan, "one")
    assert [Reason.UNKNOWN_KIND] == [found.reason for found in scan.diagnostics]


def test_broken_file_that_was_never_good_has_no_objects(bench: Bench) -> None:
    bench.put("a.yaml", BROKEN)
    bench.put("b.yaml", table("one"))

    assert ["RouteTable one"] == bench.names()


# Cheap, and never fooled.


def test_unchanged_file_is_not_read_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.put("a.yaml", table("one"))
    bench.scan()
    monkeypatch.setattr("wardgate.standalone.scan.folder._read_bytes", _deny)

    assert ((), 1) == (bench.scan().diagnostics, bench.scan().count)


@pytest.mark.parametrize(("age_ns", "seen"), [(1_000_000, 2), (5_000_000_000, 1)])
def test_file_changed_just_before_it_was_read_is_read_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, age_ns: int, seen: int
) -> None:
    path = bench.put("a.yaml", table("one", weight=1))
    listing = list_files([bench.root])  # a file system whose times are too coarse to show the second change
    monkeypatch.setattr("wardgate.standalone.scan.folder.list_files", lambda *_: listing)
    bench.now = max(listing.files[str(path)][3:]) + age_ns
    bench.scan()
    path.write_text(table("one", weight=2))

    assert seen == weight(bench.scan(), "one")


def test_file_that_was_only_touched_is_not_parsed_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.put("a.yaml", table("one"))
    bench.scan()
    os.utime(path, (5, 5))
    calls: list[bytes] = []
    monkeypatch.setattr("wardgate.standalone.objects.file_reader.read_documents", _record(calls))
    bench.scan()

    assert [] == calls


def _record(calls: list[bytes]) -> Callable[[bytes], list[object]]:
    def record(data: bytes) -> list[object]:
        calls.append(data)
        return []

    return record


@pytest.mark.no_cover
def test_ten_megabytes_are_read(bench: Bench) -> None:
    documents = [secret(f"key-{number}") for number in range(10_000)]
    bench.put("many.yaml", *documents)
    bench.put("large.yaml", *[table(f"t{number}") + f"  note: {'x' * 90_000}\n" for number in range(100)])
    total = sum(path.stat().st_size for path in bench.root.iterdir())
    scan = bench.scan()

    assert total > 10_000_000
    assert (10_100, ()) == (scan.count, scan.diagnostics)


def test_given_text_is_read_like_a_file() -> None:
    folder = Folder([], given={"<stdin>": table("one").encode()})

    assert ["one"] == [obj.ref.name for obj in folder.scan().objects["RouteTable"]]


# Places.


def test_problem_is_placed_in_its_file(bench: Bench) -> None:
    bench.put("a.yaml", secret("key"), table("one"))
    scan = bench.scan()
    problem = Problem(
        ProblemKind.ERROR,
        Reason.INVALID,
        "RouteTable default/one: spec.weight is wrong.",
        ObjectRef("RouteTable", "default", "one"),
        ("spec", "weight"),
    )
    found = from_problem(problem, scan.locate)

    assert (f"{bench.root}/a.yaml", Position(14, 3)) == (found.file, Position(found.line, found.column))
    assert f"{bench.root}/a.yaml:14:3: error: RouteTable default/one: spec.weight is wrong. [Invalid]" == str(found)


def test_problem_of_an_object_that_is_not_there_has_no_place(bench: Bench) -> None:
    problem = Problem(ProblemKind.WARNING, Reason.NO_EFFECT, "Nothing.", ObjectRef("Secret", "a", "b"), ("data",))
    found = from_problem(problem, bench.scan().locate)

    assert "warning: Secret a/b: data: Nothing. [NoEffect]" == str(found)


def test_secret_is_never_printed(bench: Bench) -> None:
    bench.put("a.yaml", secret("key"))
    scan = bench.scan()

    assert "bXlz" not in repr(scan)
    assert "bXlz" not in repr(scan.items)
