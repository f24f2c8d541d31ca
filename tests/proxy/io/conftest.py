"""Every test that serves through a gateway runs both ways: where it can by the fast path, and by the general one alone.

Modules that say themselves which way their requests take run once.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy.io.bench import WAY

SAY_THEIR_WAY = {"test_fast_stream", "test_front_proxies", "test_shedding", "test_telemetry"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that serves twice."""
    name = metafunc.module.__name__.rpartition(".")[2]
    if hasattr(metafunc.module, "serving") and name not in SAY_THEIR_WAY:
        metafunc.parametrize("way", ["fast", "general"], indirect=True)


@pytest.fixture(autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Serve this way."""
    WAY.is_general = getattr(request, "param", "fast") == "general"
    yield
    WAY.is_general = False
