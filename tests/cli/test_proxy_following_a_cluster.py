"""``wardgate proxy --cluster`` with an API server and a supervisor that start no process: what is connected to what."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_line import Wardgate
from tests.cli.fake_supervisor import FakeSupervisor
from tests.kube.published import NAMESPACE, PORT, RELEASE, bundle
from tests.kube.published_secrets import PublishedSecrets
from wardgate import __version__
from wardgate.kube.api.access import Access, Load
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import KubeError
from wardgate.kube.follow.revision_file import KeptRevision, RevisionFile
from wardgate.proxy.supervisor import Applied
from wardgate.wire.bundle import Bundle

URL = "https://10.0.0.1"


class Api(PublishedSecrets):
    """``asked``: how the way to it was found."""

    closed = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, object] = {}
        self.failure = ""

    async def find_access(self, **asked: object) -> tuple[Load, Access]:
        if self.failure:
            raise KubeError(self.failure)
        self.asked = asked
        return self.access, await self.access()

    def client(self, load: Load, *, user_agent: str) -> KubeClient:
        assert (self.access, "wardgate-proxy/") == (load, user_agent.removesuffix(__version__))
        return self

    async def access(self) -> Access:
        return Access(URL)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeSupervisor]:
    class Fresh(FakeSupervisor):
        steps: list[Callable[[], object]] = []  # noqa: RUF012 - one list a test is the point

    monkeypatch.setattr("wardgate.cli.serve.serving.Supervisor", Fresh)
    return Fresh


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr("wardgate.cli.serve.cluster_config.find_access", made.find_access)
    monkeypatch.setattr("wardgate.cli.serve.cluster_following.KubeClient", made.client)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return made


def test_published_config_is_served_until_a_signal(wardgate: Wardgate, api: Api, fake: type[FakeSupervisor]) -> None:
    published = bundle()
    api.publish(published)
    ended = wardgate("proxy", "--cluster", "--port", f"{PORT}=80", "--port", "443=8443", "--max-config-age", "90")

    assert 0 == ended.status
    lines = ended.err.splitlines()
    assert lines[0].endswith(
        f" follows Secret wardgate-config/wardgate-index at {URL}, admin endpoints at http://127.0.0.1:9901"
    )
    assert "listener main serves at http://127.0.0.1:80" == lines[1]
    assert lines[2].startswith(f"config {published.revision[:12]} live in ")
    assert "443" not in ended.err, "No gateway has that port yet, and that is no mistake."
    assert [published] == fake.made.bundles
    assert 90.0 == fake.made.settings.max_config_age
    assert ([True, False], True) == (fake.made.stopped, api.closed)


@pytest.mark.parametrize(
    ("options", "ending"), [((), "/wardgate-config/wardgate"), (("--set", "installation=blue"), "blue")]
)
def test_installation_is_named_by_the_cluster_unless_by_an_option(
    options: tuple[str, ...], ending: str, wardgate: Wardgate, api: Api, fake: type[FakeSupervisor]
) -> None:
    api.publish(bundle())
    wardgate("proxy", "--cluster", *options)

    assert fake.made.settings.installation.endswith(ending)


def test_age_reaches_the_supervisor(wardgate: Wardgate, api: Api, fake: type[FakeSupervisor]) -> None:
    fake.steps = [lambda: api.publish(bundle("second"), sequence=2)]
    api.publish(bundle())
    wardgate("proxy", "--cluster")

    assert fake.made.delivery is not None
    assert len(fake.made.ages) >= 1
    assert all(age >= 0 for age in fake.made.ages)


def test_places_and_credentials_are_those_of_the_options(
    wardgate: Wardgate, api: Api, fake: type[FakeSupervisor], tmp_path: Path
) -> None:
    def refuse() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise KubeError("stop here")

    api.on_list = refuse
    kubeconfig = ("--kubeconfig", "other.yaml", "--context", "blue")
    ended = wardgate("proxy", "--cluster", "--cache-dir", str(tmp_path), *kubeconfig)

    assert 0 == ended.status
    assert ("other.yaml", "blue") == (api.asked["kubeconfig"], api.asked["context"])


def test_config_that_was_kept_is_served_first(
    wardgate: Wardgate, api: Api, fake: type[FakeSupervisor], tmp_path: Path
) -> None:
    cache = RevisionFile(tmp_path, release=RELEASE, namespace=NAMESPACE)
    api.list_refusal = KubeError("away")
    cache.write(KeptRevision(bundle("kept"), 5, "", 0.0))
    ended = wardgate("proxy", "--cluster", "--cache-dir", str(tmp_path))

    assert 0 == ended.status
    assert [bundle("kept")] == fake.made.bundles


def test_problem_of_a_config_is_said_once(wardgate: Wardgate, api: Api, fake: type[FakeSupervisor]) -> None:
    fake.problems = ("Upstream a: broken.",)
    fake.steps = [lambda: api.publish(bundle("second"), sequence=2)]
    api.publish(bundle())
    ended = wardgate("proxy", "--cluster")

    assert 1 == ended.err.count("error: Upstream a: broken.\n")
    assert 2 == ended.err.count(" live in ")


def test_config_that_the_proxy_refuses_is_said_and_not_live(
    wardgate: Wardgate, api: Api, fake: type[FakeSupervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.refuse_config = True
    monkeypatch.setattr(fake, "tell_age", lambda _: None)
    api.publish(bundle())
    original = FakeSupervisor.apply

    async def refuse(self: FakeSupervisor, one: Bundle) -> Applied:
        os.kill(os.getpid(), signal.SIGTERM)
        return await original(self, one)

    monkeypatch.setattr(fake, "apply", refuse)
    ended = wardgate("proxy", "--cluster")

    assert 0 == ended.status
    assert "The config cannot be read. Nothing is served until then.\n" in ended.err
    assert " live in " not in ended.err


def test_no_cluster_to_talk_to_ends_the_start(wardgate: Wardgate, api: Api, fake: type[FakeSupervisor]) -> None:
    api.failure = "No cluster to talk to: none. Name a kubeconfig."
    ended = wardgate("proxy", "--cluster")

    assert (1, "wardgate: No cluster to talk to: none. Name a kubeconfig.\n") == (ended.status, ended.err)
    assert not hasattr(fake, "made")
