"""The trace of a request, read as W3C Trace Context has it."""

from __future__ import annotations

import pytest

from wardgate.proxy.core.fields.trace_context import trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.mark.parametrize(
    "value", [f"00-{TRACE}-{PARENT}-01", f"01-{TRACE}-{PARENT}-00", f"cc-{TRACE}-{PARENT}-01-what"]
)
def test_a_valid_traceparent_names_a_trace(value: str) -> None:
    assert TRACE == trace_id(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-",
        f"00-{TRACE}-{PARENT}-01-what",
        f"cc-{TRACE}-{PARENT}-01.what",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-0x",
        f"0g-{TRACE}-{PARENT}-01",
        f"00_{TRACE}-{PARENT}-01",
        f"00-{TRACE}_{PARENT}-01",
        f"00-{TRACE}-{PARENT}_01",
        f"00-{TRACE[:-1]}--{PARENT[:-1]}-01",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01" * 2,
        f"01-{TRACE}-{PARENT}-01" * 2,
        "\xff" * 55,
    ],
)
def test_any_other_value_names_none(value: str) -> None:
    assert "" == trace_id(value.encode("latin-1"))
