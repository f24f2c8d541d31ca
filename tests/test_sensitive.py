"""Invariant 7 rests on this type: nothing shows the text but ``reveal()``."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import traceback
from dataclasses import dataclass

import pytest

from wardgate.sensitive import Sensitive

TOKEN = "hf_SECRETSECRET"


@dataclass(frozen=True, slots=True)
class Holder:
    token: Sensitive


def test_reveal_returns_the_text() -> None:
    assert Sensitive(TOKEN).reveal() == TOKEN


@pytest.mark.parametrize(
    "shown",
    [
        repr(Sensitive(TOKEN)),
        str(Sensitive(TOKEN)),
        f"{Sensitive(TOKEN)}",
        f"{Sensitive(TOKEN)!s:>40}",
        f"{Sensitive(TOKEN):>40}",
        "%s %r" % (Sensitive(TOKEN), Sensitive(TOKEN)),  # noqa: UP031 - what logging does
        repr({"token": [Sensitive(TOKEN)]}),
        repr(Holder(Sensitive(TOKEN))),
    ],
)
def test_nothing_that_prints_shows_the_text(shown: str) -> None:
    assert TOKEN not in shown
    assert "<redacted>" in shown


def test_a_log_line_does_not_show_the_text() -> None:
    out = io.StringIO()
    logger = logging.getLogger("wardgate.test_sensitive")
    logger.addHandler(logging.StreamHandler(out))
    logger.warning("token %s of %r", Sensitive(TOKEN), Holder(Sensitive(TOKEN)))
    assert out.getvalue() == "token <redacted> of Holder(token=<redacted>)\n"


def test_a_traceback_with_local_variables_does_not_show_the_text() -> None:
    def fail(token: Sensitive) -> None:
        raise ValueError(len(token))

    with pytest.raises(ValueError, match="15") as failed:
        fail(Sensitive(TOKEN))
    shown = "".join(traceback.TracebackException.from_exception(failed.value, capture_locals=True).format())
    assert "<redacted>" in shown
    assert f"'{TOKEN}'" not in shown


def test_equal_texts_are_equal_and_hash_equal() -> None:
    assert Sensitive(TOKEN) == Sensitive(TOKEN)
    assert hash(Sensitive(TOKEN)) == hash(Sensitive(TOKEN))


def test_different_texts_differ() -> None:
    assert Sensitive(TOKEN) != Sensitive(TOKEN + "x")


def test_it_never_equals_the_bare_text() -> None:
    assert Sensitive(TOKEN) != TOKEN


@pytest.mark.parametrize("text", ["schlüssel", "\udcff\udc80", "\ud800", "\x00"])
def test_text_of_any_kind_can_be_compared(text: str) -> None:
    assert Sensitive(text) == Sensitive(text)
    assert Sensitive(text) != Sensitive(text + "x")


def test_length_and_truth_are_those_of_the_text() -> None:
    assert len(Sensitive("abc")) == 3
    assert not Sensitive("")


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_no_serialiser_takes_it(leave: object) -> None:
    assert callable(leave)
    with pytest.raises(TypeError) as refused:
        leave(Sensitive(TOKEN))
    assert TOKEN not in str(refused.value)


def test_it_carries_no_other_attribute() -> None:
    with pytest.raises(AttributeError):
        Sensitive(TOKEN).note = "x"  # type: ignore[attr-defined]
