"""One spelling for every path, checked against a model that looks at one character after the other."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wardgate.url_path import normalise, normalise_prefix, settle

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_IN_A_PATH = _UNRESERVED + b"!$&'()*+,;=:@[]/"
_HEX = b"0123456789abcdefABCDEF"


def _characters(path: bytes) -> list[bytes] | None:
    """Take a path apart into characters and escapes, each in its one spelling."""
    found: list[bytes] = []
    at = 0
    while at < len(path):
        byte = path[at]
        at += 1
        if byte == ord("%"):
            digits = path[at : at + 2]
            if len(digits) < 2 or any(digit not in _HEX for digit in digits) or digits == b"00":
                return None
            at += 2
            value = int(digits, 16)
            found.append(bytes((value,)) if value in _UNRESERVED else b"%" + digits.upper())
        elif byte == ord("\\"):
            found.append(b"/")
        else:
            found.append(bytes((byte,)) if byte in _IN_A_PATH else b"%%%02X" % byte)
    return found


def _segments(path: bytes, separators: tuple[bytes, ...]) -> list[bytes]:
    segments = [path]
    for separator in separators:
        segments = [piece for segment in segments for piece in segment.split(separator)]
    return segments


def _model(path: bytes) -> bytes | None:
    """Do slowly what ``normalise`` does: RFC 3986, 5.2.4 by the letter, then slashes one by one."""
    characters = _characters(path)
    if characters is None:
        return None
    given = b"".join(characters)
    output = b""
    while given:
        if given.startswith(b"/./"):
            given = given[2:]
        elif given == b"/.":
            given = b"/"
        elif given.startswith(b"/../"):
            given, output = given[3:], output[: max(0, output.rfind(b"/"))]
        elif given == b"/..":
            given, output = b"/", output[: max(0, output.rfind(b"/"))]
        else:
            end = given.find(b"/", 1)
            end = len(given) if end < 0 else end
            output, given = output + given[:end], given[end:]
    while b"//" in output:
        output = output.replace(b"//", b"/")
    for segment in _segments(output, (b"/", b"%2F", b"%5C")):
        if segment.split(b";")[0] in (b".", b".."):
            return None
    return output


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"/", b"/"),
        (b"/a/b", b"/a/b"),
        (b"/%61dmin", b"/admin"),
        (b"/%41%5a%5A%2d%2D%5f%5F%7e%7E%30", b"/AZZ--__~~0"),
        (b"/%2561dmin", b"/%2561dmin"),
        (b"/%25%36%31", b"/%2561"),
        (b"/a%2fb%3a%3A", b"/a%2Fb%3A%3A"),
        (b"/a/%2e%2E/b", b"/b"),
        (b"/a/.%2e/b", b"/b"),
        (b"/a%2eb", b"/a.b"),
        (b"/a\\..\\b", b"/b"),
        (b"//a///b//", b"/a/b/"),
        (b"/a//../b", b"/a/b"),
        (b"/..//../b", b"/b"),
        (b"/a/b/..", b"/a/"),
        (b"/a/b/.", b"/a/b/"),
        (b'/a"<>^`{|}', b"/a%22%3C%3E%5E%60%7B%7C%7D"),
        (b"/v1/models/x:generate!$&'()*+,;=@[]", b"/v1/models/x:generate!$&'()*+,;=@[]"),
        (b"/a/..b/c../...", b"/a/..b/c../..."),
        (b"/a;x/..b;y", b"/a;x/..b;y"),
    ],
)
def test_path_has_one_spelling(written: bytes, expected: bytes) -> None:
    assert expected == normalise(written)


@pytest.mark.parametrize(
    "written",
    [
        b"/a%",
        b"/a%6",
        b"/a%zz",
        b"/%%36%31",
        b"/%u0061",
        b"/a%00",
        b"/a/..%2Fadmin",
        b"/a/..%5cadmin",
        b"/a%2f..",
        b"/a%2F.%2Fb",
        b"/a%2f%2e%2e/b",
        b"/a/..;/b",
        b"/a/..;x=y/b",
        b"/a/%2e%2e;/b",
    ],
)
def test_path_that_readers_take_differently_is_refused(written: bytes) -> None:
    assert normalise(written) is None


_PIECES = st.sampled_from(
    b"/ // . .. % %2e %2E %61 %41 %25 %2f %2F %5c %00 %7e 6 1 2 f \\ a ; = { [ : %3b %c3%A9 %u".split()
)
_PATHS = st.lists(_PIECES, max_size=24).map(lambda pieces: b"/" + b"".join(pieces))


@given(_PATHS | st.binary(max_size=40).map(lambda tail: b"/" + tail.replace(b"?", b"")))
@example(b"/a//..")
def test_path_has_the_form_that_the_slow_model_gives(path: bytes) -> None:
    assert _model(path) == normalise(path)


@given(_PATHS)
def test_form_of_a_form_is_itself(path: bytes) -> None:
    form = normalise(path)
    assert form is None or form == normalise(form)


@given(_PATHS)
def test_form_holds_nothing_that_could_be_written_otherwise(path: bytes) -> None:
    form = normalise(path)
    if form is None:
        return
    assert form.startswith(b"/")
    assert not any(part in form for part in (b"//", b"\\", b"%00"))
    characters = _characters(form)
    assert characters is not None
    assert form == b"".join(characters)
    assert not {b".", b".."} & set(_segments(form, (b"/", b"%2F", b"%5C")))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"", b""),
        (b"/", b"/"),
        (b"/%61dmin", b"/admin"),
        (b"/a//b", b"/a/b"),
        (b"//", b"/"),
        (b"\\a", b"/a"),
        (b"/a/../b/", b"/b/"),
        (b"/a/.", b"/a/."),
        (b"/a/..", b"/a/.."),
        (b"/a/%2e%2e", b"/a/.."),
        (b"/a%", b"/a%"),
        (b"/a%2", b"/a%2"),
        (b"/a%c", b"/a%C"),
        (b"/a%2f", b"/a%2F"),
        ("/modèles".encode(), b"/mod%C3%A8les"),
        (b"/a b#", b"/a%20b%23"),
    ],
)
def test_prefix_has_the_form_of_the_paths_that_begin_with_it(written: bytes, expected: bytes) -> None:
    assert expected == normalise_prefix(written)


@pytest.mark.parametrize("written", [b"admin", b"%2Fadmin", b"/%00", b"/%zz", b"/a/..%2f/"])
def test_prefix_that_no_path_begins_with_has_no_form(written: bytes) -> None:
    assert normalise_prefix(written) is None


@given(_PATHS)
def test_prefix_in_its_form_keeps_it(path: bytes) -> None:
    form = normalise_prefix(path)
    assert form is None or form == normalise_prefix(form)


@given(_PATHS, st.binary(max_size=6))
def test_path_in_its_form_that_begins_with_a_prefix_is_found_by_the_prefix(prefix: bytes, tail: bytes) -> None:
    """A prefix that already stands at the beginning of a path's form is left as it is."""
    path = normalise(prefix + tail)
    if path is not None and path.startswith(prefix):
        assert prefix == normalise_prefix(prefix)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (b"/v1//x", b"/v1/x"),
        (b"/a%2fb", b"/a%2Fb"),
        (b"/a?b=//%zz/../c", b"/a?b=//%zz/../c"),
        (b"/files/../secret", None),
        (b"/files/%2e%2e/secret", None),
        (b"/files/.", None),
        (b"/a%2", None),
        (b"/a..%2F", b"/a..%2F"),
        (b"/..%2F", None),
    ],
)
def test_rewritten_path_climbs_nowhere(made: bytes, expected: bytes | None) -> None:
    assert expected == settle(made)


@given(path=st.binary(max_size=40).map(lambda rest: b"/" + rest.replace(b"?", b"")))
def test_rewritten_path_has_the_form_of_every_path_or_none(path: bytes) -> None:
    assert settle(path) in (normalise(path), None)
