"""Fixtures: an installation in the session's cluster, and the stand-in provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.e2e.installation import Installation
from tests.examples.servers import Provider


@pytest.fixture
def installation(cluster: Cluster, helm: Path, tmp_path: Path) -> Iterator[Installation]:
    with Installation(cluster, Helm(helm), tmp_path) as installed:
        yield installed


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    started = Provider(tmp_path_factory.mktemp("provider"))
    with started.program:
        yield started
