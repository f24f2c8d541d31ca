"""Which requests are logged: by their ids, alike everywhere in an installation."""

from __future__ import annotations

import pytest

from wardgate.proxy.sampling import Sampling

IDS = [b"%032x" % number for number in range(10_000)]


def taken(sampling: Sampling) -> set[bytes]:
    return {request_id for request_id in IDS if sampling.takes(request_id)}


@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.25, 0.5, 1.0])
def test_the_fraction_is_kept(fraction: float) -> None:
    assert len(IDS) * fraction == pytest.approx(len(taken(Sampling(fraction, installation="a"))), abs=150)


def test_none_and_all_are_exact() -> None:
    assert set() == taken(Sampling(0.0, installation="a"))
    assert set(IDS) == taken(Sampling(1.0, installation="a"))


def test_two_workers_of_an_installation_agree_and_two_installations_do_not() -> None:
    one, other = (taken(Sampling(0.1, installation="a")) for _ in range(2))
    assert one == other
    assert one != taken(Sampling(0.1, installation="b"))


def test_what_is_logged_with_less_is_logged_with_more() -> None:
    assert taken(Sampling(0.1, installation="a")) < taken(Sampling(0.3, installation="a"))
