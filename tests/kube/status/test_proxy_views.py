"""What follows from what the proxies say, and from what they do not say."""

from __future__ import annotations

from typing import Any

import pytest

from wardgate.kube.status.manifest import PROGRAMMED
from wardgate.kube.status.proxy_views import (
    EAGER,
    IDLE,
    Announced,
    ProxyEndpoint,
    ProxyView,
    endpoints_of,
    major_to_write,
    next_question,
    programming_at,
    read_announcement,
    refused,
    unserved_gateways,
)


def _view(
    name: str = "a",
    *,
    ready: bool = True,
    sequence: int | None = 5,
    reads: tuple[int, ...] = (1,),
    refused_sequence: int | None = None,
    revision: str = "r",
    unserved: tuple[tuple[str, str], ...] = (),
) -> ProxyView:
    endpoint = ProxyEndpoint(name, f"http://10.0.0.1:{name}", ready)
    if sequence is None:
        return ProxyView(endpoint, None, "its admin port cannot be reached")
    return ProxyView(endpoint, Announced(revision, "1.0", sequence, reads, refused_sequence, unserved=unserved), "")


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        pytest.param([], False, id="none"),
        pytest.param([_view(ready=False)], False, id="none ready"),
        pytest.param([_view(sequence=5), _view("b", sequence=6)], True, id="all there"),
        pytest.param([_view(sequence=5), _view("b", sequence=4)], False, id="one behind"),
        pytest.param([_view(sequence=5), _view("b", sequence=4, ready=False)], True, id="behind and not ready"),
        pytest.param([_view(sequence=5), _view("b", sequence=None)], False, id="ready and silent"),
        pytest.param([_view(sequence=5), _view("b", sequence=None, ready=False)], True, id="silent and not ready"),
    ],
)
def test_programmed_is_what_every_ready_proxy_serves(views: list[ProxyView], *, expected: bool) -> None:
    assert expected == (programming_at(views, 5, late=False) is PROGRAMMED)


def test_no_ready_proxy_is_unknown() -> None:
    for views in ([], [_view(ready=False)]):
        programming = programming_at(views, 5, late=True)
        assert ("Unknown", "NoProxies") == (programming.status, programming.reason)


def test_every_ready_proxy_at_the_sequence_is_programmed() -> None:
    programming = programming_at([_view(), _view("b", sequence=1, ready=False)], 5, late=False)

    assert ("True", "Programmed") == (programming.status, programming.reason)


def test_proxy_on_its_way_is_not_named() -> None:
    programming = programming_at([_view(), _view("b", sequence=4)], 5, late=False)

    assert ("False", "NotProgrammed", "Not every ready proxy serves this generation yet.") == (
        programming.status,
        programming.reason,
        programming.message,
    )


def test_proxies_that_are_late_are_named_with_the_cause() -> None:
    views = [
        _view(),
        _view("b", sequence=4),
        _view("c", sequence=None),
        _view("d", sequence=0, revision=""),
        _view("e", sequence=4, refused_sequence=3),
    ]

    assert (
        "Not every ready proxy serves this generation yet. Behind are 4 of 5: b (it serves an older revision); c (its "
        "admin port cannot be reached); d (it has no config yet); e (it refuses a revision older than its own)."
    ) == programming_at(views, 5, late=True).message


def test_many_late_proxies_are_counted() -> None:
    views = [_view(f"p{number}", sequence=1) for number in range(8)]

    assert programming_at(views, 5, late=True).message.endswith("p4 (it serves an older revision); and 3 more.")


@pytest.mark.parametrize(
    ("reads", "published", "expected"),
    [
        pytest.param([], None, 3, id="no proxies, nothing published: the newest"),
        pytest.param([], 2, 3, id="no proxies: the newest"),
        pytest.param([(2, 3)], 2, 3, id="all read the newest"),
        pytest.param([(2, 3), (1, 2)], 3, 2, id="one does not"),
        pytest.param([(3, 4)], 2, 3, id="newer proxies read ours"),
        pytest.param([(2, 3), None], 2, 2, id="a silent one reads what is published"),
        pytest.param([(2, 3), None], 3, 3, id="a silent one reads what is published, the newest"),
        pytest.param([(1, 2), None], 3, 2, id="a silent one also reads the major before what is published"),
        pytest.param([None], None, 3, id="a silent one, nothing published"),
        pytest.param([(2, 3), None], None, 3, id="a silent one beside others, nothing published"),
        pytest.param([(1,)], 2, 2, id="nothing in common: what is published stays"),
        pytest.param([(5,)], None, 3, id="nothing in common, nothing published"),
        pytest.param([(5,)], 1, 3, id="nothing in common, what is published cannot be written"),
    ],
)
def test_major_is_the_newest_that_every_proxy_reads(
    reads: list[tuple[int, ...] | None], published: int | None, expected: int
) -> None:
    views = [
        _view(str(number), sequence=None) if one is None else _view(str(number), reads=one, ready=False)
        for number, one in enumerate(reads)
    ]

    assert expected == major_to_write(views, writable=(2, 3), published=published)


def test_refusals_are_found() -> None:
    assert refused([_view(), _view("b", sequence=None)]) is None
    assert 7 == refused([_view(refused_sequence=9), _view("b", refused_sequence=7, ready=False)])


@pytest.mark.parametrize(
    ("view", "waited", "expected"),
    [
        pytest.param(_view(sequence=6), 0.0, IDLE, id="there"),
        pytest.param(_view(sequence=4), 0.0, EAGER, id="awaited"),
        pytest.param(_view(sequence=None), 4.9, EAGER, id="silent"),
        pytest.param(_view(sequence=4), 5.0, 0.5, id="awaited for long"),
        pytest.param(_view(sequence=4), 60.0, 2.0, id="awaited for very long"),
        pytest.param(_view(sequence=4, ready=False), 0.0, 2.0, id="nobody waits for it"),
    ],
)
def test_who_is_awaited_is_asked_often(view: ProxyView, waited: float, expected: float) -> None:
    assert expected == next_question(view, awaited=5, waited=waited)


def _slice(*endpoints: dict[str, Any], family: str = "IPv4", ports: Any = None) -> dict[str, Any]:
    return {
        "addressType": family,
        "endpoints": list(endpoints),
        "ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 9901}] if ports is None else ports,
    }


def _endpoint(address: str, name: str | None = None, **conditions: bool | None) -> dict[str, Any]:
    target = {"targetRef": {"kind": "Pod", "name": name}} if name else {}
    return {"addresses": [address], "conditions": conditions, **target}


def test_endpoints_are_the_pods_behind_the_service() -> None:
    slices = [_slice(_endpoint("10.0.0.2", "b")), _slice(_endpoint("10.0.0.1", "a"), _endpoint("10.0.0.3"))]

    assert [
        ProxyEndpoint("10.0.0.3:9901", "http://10.0.0.3:9901", ready=True),
        ProxyEndpoint("a", "http://10.0.0.1:9901", ready=True),
        ProxyEndpoint("b", "http://10.0.0.2:9901", ready=True),
    ] == list(endpoints_of(slices))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"ready": True, "serving": True, "terminating": False}, True),
        ({"ready": True, "serving": False}, False),
        ({"ready": True, "serving": True, "terminating": True}, False),
        ({"ready": False}, False),
        ({"ready": True, "serving": None}, True),
        ({}, True),
    ],
)
def test_ready_is_who_serves_and_does_not_end(conditions: dict[str, bool | None], *, expected: bool) -> None:
    (endpoint,) = endpoints_of([_slice(_endpoint("10.0.0.1", "a", **conditions))])

    assert expected == endpoint.ready


def test_pod_with_two_addresses_is_one_proxy() -> None:
    slices = [_slice(_endpoint("fd00::1", "a"), family="IPv6"), _slice(_endpoint("10.0.0.1", "a"))]

    assert ["http://10.0.0.1:9901"] == [one.url for one in endpoints_of(slices)]


def test_address_of_ipv6_stands_in_brackets() -> None:
    assert ["http://[fd00::1]:9901"] == [one.url for one in endpoints_of([_slice(_endpoint("fd00::1"), family="IPv6")])]


@pytest.mark.parametrize(
    "slices",
    [
        [],
        [_slice()],
        [_slice(_endpoint("proxy.example.com"), family="FQDN")],
        [_slice(_endpoint("10.0.0.1"), ports=[])],
        [_slice(_endpoint("10.0.0.1"), ports=[{"name": "http", "port": 80}])],
        [{"addressType": "IPv4", "endpoints": None, "ports": None}],
    ],
)
def test_nothing_to_ask_is_no_endpoint(slices: list[dict[str, Any]]) -> None:
    assert endpoints_of(slices) == ()


def test_announcement_is_read() -> None:
    page = {
        "revision": "abc",
        "schema": "1.0",
        "reads": [1, 2],
        "sequence": 7,
        "refused_sequence": 5,
        "age_seconds": 2,
        "connected": False,
        "workers": [""],
        "worker_troubles": ["Worker 0 ended with status 1."],
    }
    expected = Announced(
        "abc", "1.0", 7, (1, 2), 5, 2.0, connected=False, worker_troubles=("Worker 0 ended with status 1.",)
    )
    assert expected == read_announcement(page)


@pytest.mark.parametrize("refused_sequence", [None, 0, "x"])
def test_proxy_without_config_announces_what_it_reads(refused_sequence: object) -> None:
    page = {"revision": "", "reads": [1], "sequence": None, "age_seconds": None, "refused_sequence": refused_sequence}

    assert Announced("", "", 0, (1,)) == read_announcement(page)


@pytest.mark.parametrize(
    "page", [None, [], "x", {}, {"reads": None}, {"reads": 1}, {"reads": ["1"]}, {"reads": [True]}]
)
def test_what_is_no_announcement_is_none(page: object) -> None:
    assert read_announcement(page) is None


def test_gateway_is_told_of_each_listener_how_many_proxies_do_not_serve_it_and_why() -> None:
    taken, other = ("team/gw:81", "Port 81 is taken."), ("team/gw:81", "Port 81 is forbidden.")
    views = [
        _view(unserved=(taken, ("team/gw:82", "Port 82 is taken."))),
        _view("b", unserved=(other,)),
        _view("c"),
        _view("d", ready=False, unserved=(("team/gw:83", "Port 83 is taken."),)),
        _view("e", sequence=None),
    ]
    found = unserved_gateways(views)

    assert {"team/gw"} == found.keys()
    assert ("False", "ListenerNotServed") == (found["team/gw"].status, found["team/gw"].reason)
    assert (
        "The listener on port 81 is not served by 2 of 3 ready proxies: Port 81 is forbidden. And 1 other reasons. "
        "The listener on port 82 is not served by 1 of 3 ready proxies: Port 82 is taken."
    ) == found["team/gw"].message


def test_listeners_that_all_serve_are_not_told() -> None:
    assert {} == unserved_gateways([_view(), _view("b")])


@pytest.mark.parametrize(
    ("said", "read"),
    [({"b:1": "x\ny", "a:1": 5}, (("a:1", "5"), ("b:1", "x\\ny"))), (None, ()), (["a"], ())],
)
def test_unserved_listeners_are_read_as_far_as_they_are_one_line_each(
    said: object, read: tuple[tuple[str, str], ...]
) -> None:
    announced = read_announcement({"reads": [1], "unserved": said})

    assert announced is not None
    assert read == announced.unserved
