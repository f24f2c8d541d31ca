"""Fixtures: the cluster, the image in it, one release, callers, and the stand-in provider.

Nothing here is collected unless a cluster is given: ``make e2e`` and ``make e2e-node`` give one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e_pods.calls import Calls
from tests.e2e_pods.images import raised_image
from tests.e2e_pods.pods import Inside, Provider
from tests.e2e_pods.release import RAISED_TAG, Release
from tests.e2e_pods.site import Site

collect_ignore_glob = [] if "E2E_LOAD" in os.environ else ["test_*.py"]


@pytest.fixture(autouse=True)
def _progress(request: pytest.FixtureRequest, say: Callable[[str], None]) -> Iterator[None]:
    """Tell each test's name and seconds as it ends: whoever waits for minutes wants to see it go on."""
    started = time.monotonic()
    yield
    say(f"  {time.monotonic() - started:5.1f} s  {request.node.name}")


@pytest.fixture(scope="session")
def site(control_plane_folder: Path, helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The cluster of ``KUBECONFIG``, with the image loaded."""
    with closing(Site(control_plane_folder / "kubectl", helm, tmp_path_factory.mktemp("site"))) as found:
        found.load(Path(os.environ["E2E_IMAGE"]))
        yield found


@pytest.fixture(scope="session")
def inside(site: Site) -> Inside:
    """Callers in a pod."""
    return Inside(site)


@pytest.fixture(scope="session")
def provider(site: Site) -> Provider:
    """The stand-in provider in a pod."""
    return Provider(site)


@pytest.fixture(scope="session")
def release(
    site: Site, provider: Provider, say: Callable[[str], None], request: pytest.FixtureRequest
) -> Iterator[Release]:
    """The release that most tests share; each leaves it as it was."""
    installed = Release(site, "wardgate", provider.values())
    provider.tell_authority(installed.namespace)
    started = time.monotonic()
    try:
        installed.install()
        say(f"  helm install --wait: {time.monotonic() - started:.1f} s")
        yield installed
    finally:
        if request.session.testsfailed:
            print(installed.said(), file=sys.stderr)
        installed.uninstall()


@pytest.fixture(scope="session")
def calls(site: Site, provider: Provider, release: Release, inside: Inside) -> Calls:
    """A route to the provider that demands a key, and is served."""
    made = Calls(site, provider, release, inside)
    made.wait_until_served()
    return made


@pytest.fixture(scope="session")
def raised(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tag of an image whose schema is the next major, loaded."""
    archive = tmp_path_factory.mktemp("raised") / "raised.tar"
    raised_image(Path(os.environ["E2E_IMAGE"]), archive, tag=RAISED_TAG)
    site.load(archive)
    archive.unlink()
    return RAISED_TAG
