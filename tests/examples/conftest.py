"""Fixtures: a stand-in provider for a module, a gateway for an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest
from huggingface_hub import close_session

from tests.examples.servers import EXAMPLES, Gateway, Provider

StartGateway: TypeAlias = Callable[[Path], Gateway]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    started = Provider(tmp_path_factory.mktemp("provider"))
    with started.program:
        yield started


@pytest.fixture(scope="module")
def start_gateway(provider: Provider) -> Iterator[StartGateway]:
    with ExitStack() as running:

        def start(folder: Path) -> Gateway:
            gateway = Gateway(folder, provider)
            running.enter_context(gateway.program)
            return gateway

        yield start


@pytest.fixture(scope="module")
def example(request: pytest.FixtureRequest) -> Path:
    """The folder that the test module names as ``EXAMPLE``."""
    folder = EXAMPLES / request.module.EXAMPLE
    assert isinstance(folder, Path)
    return folder


@pytest.fixture(scope="module")
def gateway(start_gateway: StartGateway, example: Path) -> Gateway:
    return start_gateway(example)


@pytest.fixture
def closed_session() -> Iterator[None]:
    """Hugging Face's client keeps one session for the process; close it, so that no socket outlives the test."""
    yield
    close_session()
