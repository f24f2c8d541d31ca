"""The codec on its own: what each type hint becomes, and what it refuses."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from wardgate.sensitive import Sensitive
from wardgate.wire import EncodeError, WireError
from wardgate.wire.codec import Codec
from wardgate.wire.coders import UnknownPart


@dataclass(frozen=True, slots=True)
class Leaf:
    text: str


@dataclass(frozen=True, slots=True)
class Tree:
    left: Leaf | Tree | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Everything:
    text: str = "a"
    whole: int = 1
    real: float = 0.5
    flag: bool = False
    word: Literal["one", "two"] = "one"
    secret: Sensitive = field(default_factory=lambda: Sensitive(""))
    texts: tuple[str, ...] = ()
    leaf: Leaf | None = None
    either: str | Leaf = ""
    hidden: Sensitive | Leaf | None = None
    nested: tuple[Leaf, ...] = field(default_factory=tuple)


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 7


CODEC = Codec({Leaf: "leaf", Tree: "tree"})
EVERYTHING = CODEC.record(Everything)
TREE = CODEC.record(Tree)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (Everything(), {}),
        (Everything(text="b"), {"text": "b"}),
        (Everything(real=1.5), {"real": 1.5}),
        (Everything(flag=True), {"flag": True}),
        (Everything(word="two"), {"word": "two"}),
        (Everything(secret=Sensitive("s")), {"secret": "s"}),
        (Everything(texts=("a", "b")), {"texts": ["a", "b"]}),
        (Everything(leaf=Leaf("x")), {"leaf": {"text": "x"}}),
        (Everything(either="x"), {"either": "x"}),
        (Everything(either=Leaf("x")), {"either": {"@": "leaf", "text": "x"}}),
        (Everything(hidden=Sensitive("s")), {"hidden": "s"}),
        (Everything(hidden=Leaf("x")), {"hidden": {"@": "leaf", "text": "x"}}),
        (Everything(nested=(Leaf("x"),)), {"nested": [{"text": "x"}]}),
    ],
)
def test_each_hint_has_one_form(value: Everything, parts: dict[str, object]) -> None:
    assert EVERYTHING.encode(value) == parts
    assert EVERYTHING.decode(parts) == value


def test_fields_are_written_in_sorted_order() -> None:
    assert list(EVERYTHING.encode(Everything(word="two", flag=True, text="z"))) == ["flag", "text", "word"]


def test_a_kind_may_nest_in_itself() -> None:
    tree = Tree(left=Tree(left=Leaf("x"), size=2))
    written = {"left": {"@": "tree", "left": {"@": "leaf", "text": "x"}, "size": 2}}
    assert TREE.encode(tree) == written
    assert TREE.decode(written) == tree


def test_a_default_may_be_written_out() -> None:
    assert EVERYTHING.decode({"text": "a", "leaf": None}) == Everything()


def test_what_is_text_or_a_number_by_inheritance_is_written_plain() -> None:
    parts = EVERYTHING.encode(Everything(text=Colour.RED, whole=Level.HIGH, either=Colour.RED))
    assert [type(part) for part in parts.values()] == [str, str, int]


def test_a_whole_number_in_the_place_of_a_real_one_is_written_as_real() -> None:
    assert repr(EVERYTHING.encode(Everything(real=2))["real"]) == "2.0"


def _with(**fields: Any) -> Everything:
    return Everything(**fields)


@pytest.mark.parametrize(
    "value",
    [
        Leaf("x"),
        _with(text=1),
        _with(text=b"x"),
        _with(whole="1"),
        _with(whole=False),
        _with(real="1"),
        _with(real=True),
        _with(flag=2),
        _with(word="three"),
        _with(secret="s"),
        _with(texts=["a"]),
        _with(texts=(1,)),
        _with(leaf="x"),
        _with(either=Tree()),
        _with(hidden="s"),
        Tree(left="x"),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_a_value_of_a_wrong_type_is_not_written(value: object) -> None:
    record = TREE if isinstance(value, Tree) else EVERYTHING
    with pytest.raises(EncodeError):
        record.encode(value)


@pytest.mark.parametrize(
    "parts",
    [
        {"text": 1},
        {"text": None},
        {"whole": "1"},
        {"whole": 1.0},
        {"whole": True},
        {"real": 1},
        {"real": float("inf")},
        {"flag": 1},
        {"flag": None},
        {"word": 1},
        {"secret": None},
        {"texts": "ab"},
        {"texts": {"a": 1}},
        {"texts": [1]},
        {"texts": None},
        {"leaf": "x"},
        {"leaf": []},
        {"leaf": {}},
        {"leaf": {"text": 1}},
        {"either": 1},
        {"either": {}},
        {"either": {"text": "x"}},
        {"either": {"@": 1, "text": "x"}},
        {"either": {"@": "leaf"}},
        {"hidden": []},
        {"nested": [None]},
    ],
    ids=str,
)
def test_a_value_of_a_wrong_type_is_not_read(parts: object) -> None:
    with pytest.raises(WireError):
        EVERYTHING.decode(parts)


@pytest.mark.parametrize("left", ["x", 1, [], True])
def test_what_is_of_no_kind_is_not_read_where_only_kinds_may_stand(left: object) -> None:
    with pytest.raises(WireError):
        TREE.decode({"left": left})


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"newer": 1}, "unknown field 'newer' of Everything"),
        ({"leaf": {"text": "x", "newer": 1}}, "unknown field 'newer' of Leaf"),
        ({"leaf": {"@": "leaf", "text": "x"}}, "unknown field '@' of Leaf"),
        ({"word": "three"}, "a word that is none of one, two"),
        ({"either": {"@": "newer"}}, "unknown kind 'newer'"),
        ({"either": {"@": "tree"}}, "unknown kind 'tree'"),
    ],
    ids=str,
)
def test_what_only_a_newer_version_knows_is_told_apart(parts: object, named: str) -> None:
    with pytest.raises(UnknownPart) as unknown:
        EVERYTHING.decode(parts)
    assert str(unknown.value) == named


def test_a_value_is_never_in_the_message() -> None:
    with pytest.raises(WireError) as wrong:
        EVERYTHING.decode({"whole": "hf_token"})
    assert "hf_token" not in str(wrong.value)
    with pytest.raises(UnknownPart) as unknown:
        EVERYTHING.decode({"word": "hf_token"})
    assert "hf_token" not in str(unknown.value)


def test_decoding_leaves_its_input_as_it_was() -> None:
    parts = {"either": {"@": "leaf", "text": "x"}}
    EVERYTHING.decode(parts)
    assert parts == {"either": {"@": "leaf", "text": "x"}}


@pytest.mark.parametrize(
    "hint",
    [dict, dict[str, str], list[str], tuple[str, int], bytes, object, str | int, Leaf | int, str | Sensitive | Leaf],
    ids=str,
)
def test_a_hint_without_a_form_is_refused_when_the_coder_is_built(hint: object) -> None:
    with pytest.raises(TypeError):
        CODEC.coder(hint)


def test_a_kind_without_a_name_is_refused_when_the_coder_is_built() -> None:
    with pytest.raises(KeyError):
        Codec({Leaf: "leaf"}).coder(Leaf | Tree)
