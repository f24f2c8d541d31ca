"""From a file's bytes to documents: what is read, what is refused, and where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standalone.manifest_texts import text
from wardgate.standalone.yaml.documents import BrokenDocument, Document, UnreadableFileError, read_documents
from wardgate.standalone.yaml.position import Position


def read(content: str) -> list[Document | BrokenDocument]:
    return read_documents(content.encode())


def values(content: str) -> list[object]:
    return [found.value if isinstance(found, Document) else found.message for found in read(content)]


def only(content: str) -> Document:
    (document,) = read(content)
    assert isinstance(document, Document), document
    return document


def broken(content: str) -> BrokenDocument:
    (document,) = read(content)
    assert isinstance(document, BrokenDocument), document
    return document


def test_documents_are_read_in_order_and_empty_ones_left_out() -> None:
    assert [{"a": 1}, {"b": [1, "x"]}, {"c": None}] == values("a: 1\n---\n# none\n---\nb: [1, x]\n---\nc:\n---\n")


def test_text_after_the_marker_belongs_to_the_document() -> None:
    assert [{"a": 1}, "plain"] == values("--- {a: 1}\n--- plain\n")


def test_directives_and_end_marker_are_understood() -> None:
    assert [{"a": 1}, {"b": 2}] == values("%YAML 1.1\n---\na: 1\n...\nb: 2\n")


def test_end_markers_alone_are_nothing() -> None:
    assert [{"a": 1}] == values("...\n...\na: 1\n...\n... # done\n")


def test_place_behind_an_end_marker_is_right() -> None:
    found = read("a: 1\n...\nb: 2\n---\nc: [")[-1]

    assert isinstance(found, BrokenDocument)
    assert Position(5, 5) == found.place


def test_marker_inside_a_block_text_is_text() -> None:
    assert [{"a": "x\n---\ny\n"}] == values("a: |\n  x\n  ---\n  y\n")


def test_byte_order_mark_is_skipped() -> None:
    assert [{"a": 1}] == [d.value for d in read_documents(b"\xef\xbb\xbfa: 1") if isinstance(d, Document)]


def test_windows_line_ends_are_read() -> None:
    assert [{"a": 1}, {"b": 2}] == values("a: 1\r\n---\r\nb: 2\r\n")


def test_empty_file_has_no_documents() -> None:
    assert [] == read("")


def test_quoted_scalars_are_text() -> None:
    assert [{"a": "yes", "b": "1", "c": "2", "d": "x"}] == values("a: 'yes'\nb: \"1\"\nc: !!str 2\nd: ! x\n")


def test_timestamp_stays_text() -> None:
    assert [{"metadata": "2024-01-31T00:00:00Z"}] == values("metadata: 2024-01-31T00:00:00Z")


def test_number_as_key_becomes_text() -> None:
    assert [{"8080": "x"}] == values("8080: x")


def test_explicit_number_tag_is_read() -> None:
    assert [{"a": 1}] == values("a: !!int 1")


def test_anchors_aliases_and_merges_are_resolved() -> None:
    content = text("""
        base: &base {a: 1, b: 2}
        other: &other {c: 3}
        text: &text hello
        own:
          <<: [*base, *other]
          b: 9
        copy: *base
        again: *text
    """)
    expected = {
        "base": {"a": 1, "b": 2},
        "other": {"c": 3},
        "text": "hello",
        "own": {"a": 1, "b": 9, "c": 3},
        "copy": {"a": 1, "b": 2},
        "again": "hello",
    }
    assert [expected] == values(content)


def test_quoted_merge_key_is_an_ordinary_key() -> None:
    assert [{"<<": 1}] == values('"<<": 1')


def test_json_is_read() -> None:
    assert [{"a": [1, {"b": "😀"}]}] == values('{"a": [1, {"b": "\\ud83d\\ude00"}]}')


def test_number_without_a_fraction_is_an_integer_in_json_too() -> None:
    (found,) = values('{"a": 80.0, "b": 1.5}')

    assert '{"a": 80, "b": 1.5}' == json.dumps(found)


def test_json_has_places_too() -> None:
    assert Position(2, 3) == only('{\n  "a": 1}').locate(("a",))


def test_json_that_is_no_yaml_is_placed_at_its_start() -> None:
    assert Position(1, 1) == only('{"x": "\\ud83d\\ude00", "b": 1}').locate(("b",))


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("a: b: c", Position(1, 5), "': ' in quotes"),
        ("a: 1\n\tb: 2", Position(2, 1), "not tabs"),
        ("a: @b", Position(1, 4), "not tabs, and put text that starts with @"),
        ("a: 'open\nb: 1\n", Position(1, 4), "Close the quote"),
        ("x: 1\na: [1, 2\n", Position(2, 4), "bracket"),
        ("a: {{ token }}", Position(1, 5), "{{"),
        ("a: Bearer {{ x }}: y", Position(1, 18), "Put text that contains {{ }} in quotes"),
        ("a: 1\na: 2", Position(2, 1), '"a" stands twice'),
        ("metadata:\n  name: x\n  name: y", Position(3, 3), '"name" stands twice'),
        ('{"a": 1, "a": 2}', Position(1, 10), '"a" stands twice'),
        ('{"a": NaN, "a": 2}', Position(1, 12), '"a" stands twice'),
        ("yes: 1", Position(1, 1), 'The key "yes" is a boolean'),
        ("? \n: 1", Position(1, 2), "is empty"),
        ("[a]: 1", Position(1, 1), "not plain text"),
        ("*x : 1", Position(1, 1), "not plain text"),
        ("a: *nothing", Position(1, 4), "has no anchor"),
        ("a: &a [*a]", Position(1, 8), "inside its own anchor"),
        ("a: !custom 1", Position(1, 4), "tag (!)"),
        ("a: !custom {b: 1}", Position(1, 4), "tag (!)"),
        ("a: .nan", Position(1, 4), "infinite or not a number"),
        ("a:\n  <<: 1", Position(3, 1), "merge key"),
        ("a: 1\nb: \x00", Position(2, 4), "control character"),
        ("a: " + "[" * 5000, Position(1, 103), "deeper than 100 levels"),
        ('{"a":' * 150 + "1" + "}" * 150, Position(1, 501), "deeper than 100 levels"),
        ('{"a":' * 5000, Position(1, 501), "deeper than 100 levels"),
        ('{"k": "\\ud800"}', Position(1, 10), "backslash"),
        ("a: }", Position(1, 4), "Complete the value"),
    ],
)
def test_broken_document_names_place_and_remedy(content: str, place: Position, words: str) -> None:
    found = broken(content)

    assert place == found.place, found
    assert words in f"{found.message} {found.remedy}"


def test_broken_document_costs_its_neighbours_nothing() -> None:
    first, second, third = read("a: 1\n---\nb: [\n---\nc: 3\n")

    assert isinstance(first, Document)
    assert isinstance(second, BrokenDocument)
    assert isinstance(third, Document)
    assert {"c": 3} == third.value
    assert Position(5, 1) == third.locate(("c",))


def test_broken_document_shows_what_stood_before_the_break() -> None:
    assert "RouteTable" == broken("kind: RouteTable\nmetadata:\n  name: x\nspec: [").partial["kind"]


def test_broken_text_that_is_no_mapping_shows_nothing() -> None:
    assert {} == dict(broken("[1, 2").partial)


def test_message_quotes_nothing_of_the_document() -> None:
    found = broken("data:\n  api-key: 'bXlzZWNyZXRrZXk=\n")

    assert "bXlz" not in f"{found.message} {found.remedy}{found!r}"


def test_alias_bomb_is_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True)]

    assert "aliases" in broken("\n".join(lines)).message


def test_field_that_is_missing_is_placed_at_the_nearest_one_around_it() -> None:
    document = only("spec:\n  config:\n    glooAuth:\n      configs:\n      - apiKeyAuth: {}\n")

    assert Position(5, 9) == document.locate(("spec", "config", "glooAuth", "configs", 0, "apiKeyAuth", "headerName"))
    assert Position(4, 7) == document.locate(("spec", "config", "glooAuth", "configs", 7))
    assert Position(1, 1) == document.locate(("metadata", "name"))


def test_list_item_is_placed_at_its_own_start() -> None:
    assert Position(3, 5) == only("a:\n  - 1\n  - x: 2\n").locate(("a", 1))


def test_file_that_is_no_text_says_where() -> None:
    (found,) = read_documents(b"a: 1\nb: \xff\xfe")

    assert isinstance(found, BrokenDocument)
    assert (Position(2, 4), "The file is not UTF-8 text.") == (found.place, found.message)


def test_bytes_that_are_no_text_cost_only_their_document() -> None:
    first, broken, last = read_documents(b"a: 1\n---\nkind: X\nb: \xff\n---\nc: 3\n")

    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert isinstance(broken, BrokenDocument)
    assert ({"a": 1}, Position(4, 4), "X", {"c": 3}) == (first.value, broken.place, broken.partial["kind"], last.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_other_encoding_of_text_is_told_and_its_kind_is_known(encoding: str) -> None:
    data = "\ufeff---\nkind: ExtAuthPolicy\nmetadata: {name: a}\n---\nkind: RouteTable\n".encode(encoding)
    found = [one for one in read_documents(data) if isinstance(one, BrokenDocument)]

    assert ["The file is not UTF-8 text."] * 2 == [one.message for one in found]
    assert ["ExtAuthPolicy", "RouteTable"] == [one.partial["kind"] for one in found]


def test_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.standalone.yaml.documents.MAX_FILE_BYTES", 10)

    with pytest.raises(UnreadableFileError, match="MiB"):
        read_documents(b"a: 123456789")


def test_file_with_too_many_documents_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.standalone.yaml.documents.MAX_DOCUMENTS", 2)

    with pytest.raises(UnreadableFileError, match="more than 2 documents") as caught:
        read("a: 1\n---\nb: 1\n---\nc: 1\n")

    assert Position(4, 1) == caught.value.place


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!'\"\n \t#%|>?,.0<~\\", max_size=60))
def test_whatever_stands_in_a_file_is_a_document_or_a_mistake_with_a_place(content: str) -> None:
    for found in read(content):
        place = found.locate(("a", 0)) if isinstance(found, Document) else found.place
        assert 1 <= place.line <= content.count("\n") + 2
        assert place.column >= 1
