"""What whoever runs the proxy is told of failing upstreams."""

from __future__ import annotations

from tests.proxy.io.bench import config, run, serving
from wardgate.proxy.io.shared.complaints import Complaints
from wardgate.proxy.io.upstream.errors import TlsFailed, UpstreamReset

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def test_a_failure_is_told_once_a_minute_with_its_cause_and_remedy() -> None:
    told: list[str] = []
    complaints = Complaints(report=told.append)
    for now in (0.0, 1.0, 59.0, 60.0):
        complaints.about("hf", TlsFailed("The TLS handshake failed: CERTIFICATE_VERIFY_FAILED."), now=now)
    expected = (
        "Upstream hf: The TLS handshake failed: CERTIFICATE_VERIFY_FAILED. "
        "Trust its authority with --upstream-ca FILE, or correct the name that it must carry."
    )
    assert told == [expected, expected]


def test_other_upstreams_and_reasons_are_told_apart() -> None:
    told: list[str] = []
    complaints = Complaints(report=told.append)
    complaints.about("a", UpstreamReset("It closed."), now=0.0)
    complaints.about("b", UpstreamReset("It closed."), now=0.0)
    complaints.about("a", TlsFailed("No."), now=0.0)
    assert [line.split(" ")[1] for line in told] == ["a:", "b:", "a:"]
    assert told[0] == "Upstream a: It closed."


def test_many_upstreams_do_not_fill_the_memory() -> None:
    complaints = Complaints(report=lambda _: None)
    for number in range(3000):
        complaints.about(f"u{number}", UpstreamReset("It closed."), now=0.0)
    assert len(complaints._told) <= 1024


def test_a_gateway_tells_why_it_answered_502() -> None:
    async def scenario() -> None:
        told: list[str] = []
        async with serving(report=told.append) as bench:
            await bench.apply(config(1))
            await bench.exchange(GET)
            assert told == [
                (
                    "Upstream provider: No connection to 127.0.0.1:1: Connection refused. "
                    "Check that it listens there and may be reached from here."
                )
            ]

    run(scenario())
