"""``traceparent`` and ``tracestate`` go on as they came, whichever way a request takes, and are made up nowhere."""

from __future__ import annotations

import pytest

from tests.proxy.io.bench import CREDENTIAL, KEY, OK, WAY, answering, guarded, providing, run, serving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACES = {
    "none": (),
    "one": (f"traceparent: {PARENT}", "tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
    "a state in several fields": (f"traceparent: {PARENT}", "tracestate: a=1", "tracestate: b=2,c=3", "tracestate: "),
    "a later version": (f"traceparent: cc{PARENT[2:]}-what-the-future-brings",),
    "malformed": ("traceparent: 00-nonsense", "tracestate: ,,="),
    "all zeros": (f"traceparent: 00-{'0' * 32}-{'0' * 16}-00",),
    "two": (f"traceparent: {PARENT}", f"traceparent: {PARENT.replace('b', 'c')}"),
    "a state alone": ("tracestate: a=1",),
    "upper case": (f"TraceParent: {PARENT}", "TraceState: a=1"),
    "B3": ("b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1", "x-b3-sampled: 1"),
}


def fields(head: bytes) -> list[str]:
    """The fields about a trace, in their order; names in lower case."""
    lines = [line.partition(": ") for line in head.decode().split("\r\n")]
    return [f"{name.lower()}: {value}" for name, _, value in lines if name.lower().startswith(("trace", "b3", "x-b3"))]


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_trace_goes_on_as_it_came_on_both_ways(trace: tuple[str, ...]) -> None:
    async def scenario() -> None:
        lines = "\r\n".join(["GET / HTTP/1.1", "Host: gw.example.com", f"api-key: {KEY}", *trace, "", ""])
        expected = fields(lines.encode())
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            for prepared in (0, 1, 2):  # the first one finds no warm connection, and takes the general way
                await caller.send(lines.encode())
                assert 200 == (await caller.response())[0]
                assert (0 if WAY.is_general else prepared) == bench.counters.prepared
            assert [expected] * 3 == [fields(head) for head in provider.received]

    run(scenario())
