"""Where the API server is and who we are: from a pod's files, and from a kubeconfig."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from wardgate.kube.api.access import Access, NoAccess
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.connect import connect
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.api.kubeconfig import kubeconfig_access
from wardgate.kube.api.pod_access import pod_access

POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
IN_A_POD = """
import asyncio, sys
from pathlib import Path
from wardgate.kube.api import connect, find_access, pod_access
read = pod_access.pod_access
find_access.pod_access = lambda environment: read(environment, Path(sys.argv[1]))
client = asyncio.run(connect.connect())
print(asyncio.run(client.server()), *sys.modules)
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("a-token\n", encoding="ascii")
    (tmp_path / "ca.crt").write_text("an authority", encoding="ascii")
    return tmp_path


class TestPod:
    def test_token_and_authority_are_the_mounted_ones(self, files: Path) -> None:
        expected = Access("https://10.96.0.1:443", authorization="Bearer a-token", ca_file=str(files / "ca.crt"))
        assert expected == pod_access(POD, files)

    def test_address_of_version_six_has_brackets(self, files: Path) -> None:
        assert pod_access({**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"}, files).url == "https://[fd00::1]:443"

    @pytest.mark.parametrize("missing", POD)
    def test_without_the_environment_it_is_no_pod(self, files: Path, missing: str) -> None:
        with pytest.raises(NoAccess, match="are not set"):
            pod_access({name: value for name, value in POD.items() if name != missing}, files)

    @pytest.mark.parametrize("name", ["token", "ca.crt"])
    def test_file_that_is_absent_or_empty_is_named(self, files: Path, name: str) -> None:
        (files / name).write_text("\n", encoding="ascii")
        with pytest.raises(NoAccess, match=rf"{name} is empty"):
            pod_access(POD, files)
        (files / name).unlink()
        with pytest.raises(NoAccess, match=rf"{name} cannot be read \(FileNotFoundError\)"):
            pod_access(POD, files)

    def test_token_is_not_shown(self, files: Path) -> None:
        assert "a-token" not in repr(pod_access(POD, files))

    def test_client_in_a_pod_loads_no_reader_of_kubeconfigs(self, files: Path) -> None:
        command = [sys.executable, "-c", IN_A_POD, str(files)]
        ended = subprocess.run(command, env=POD, capture_output=True, text=True, timeout=60, check=True)
        server, *modules = ended.stdout.split()
        assert server == "https://10.96.0.1:443"
        assert set() == {"pydantic", "yaml"} & set(modules)


def kubeconfig(path: Path, cluster: Mapping[str, object]) -> str:
    """Write one with a token."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": "a-token"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }
    path.write_text(json.dumps(config), encoding="ascii")
    return str(path)


@asynccontextmanager
async def https_server(certificate: trustme.LeafCert) -> AsyncIterator[str]:
    """An API server behind TLS; the inner value is its address."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"who": request.headers["Authorization"]})

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    application = web.Application()
    application.router.add_get("/api", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class TestKubeconfig:
    def test_everything_that_one_may_hold_is_taken_over(self, tmp_path: Path) -> None:
        cluster = {"server": "https://192.0.2.7:6443/", "tls-server-name": "api.test", "proxy-url": "http://proxy:3128"}
        access = asyncio.run(kubeconfig_access(kubeconfig(tmp_path / "k", cluster), None))

        assert access.url == "https://192.0.2.7:6443"
        assert access.authorization == "Bearer a-token"
        assert (access.server_name, access.proxy, access.verify) == ("api.test", "http://proxy:3128", True)

    def test_file_that_is_no_kubeconfig_is_no_access(self, tmp_path: Path) -> None:
        (tmp_path / "k").write_text("[]", encoding="ascii")
        with pytest.raises(NoAccess):
            asyncio.run(kubeconfig_access(str(tmp_path / "k"), None))

    @pytest.mark.parametrize(
        ("trusted", "named", "answered"),
        [(True, "127.0.0.1", True), (True, "api.test", True), (True, "other.test", False), (False, "api.test", False)],
    )
    def test_server_is_verified_by_the_named_authority_and_name(
        self, tmp_path: Path, *, trusted: bool, named: str, answered: bool
    ) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1", "api.test")
        shown = authority if trusted else trustme.CA()

        async def ask() -> dict[str, str]:
            async with https_server(certificate) as url:
                pem = base64.b64encode(shown.cert_pem.bytes()).decode()
                cluster = {"server": url, "certificate-authority-data": pem, "tls-server-name": named}
                client = await connect(kubeconfig=kubeconfig(tmp_path / "k", cluster))
                return await asked(client)

        if answered:
            assert {"who": "Bearer a-token"} == asyncio.run(ask())
        else:
            with pytest.raises(ConnectionFailed):
                asyncio.run(ask())

    def test_server_is_not_verified_where_the_kubeconfig_says_so(self, tmp_path: Path) -> None:
        async def ask() -> dict[str, str]:
            async with https_server(trustme.CA().issue_cert("other.test")) as url:
                cluster = {"server": url, "insecure-skip-tls-verify": True}
                return await asked(await connect(kubeconfig=kubeconfig(tmp_path / "k", cluster)))

        assert {"who": "Bearer a-token"} == asyncio.run(ask())


async def asked(client: KubeClient) -> dict[str, str]:
    """Its answer; the client is closed."""
    try:
        return await client.get("/api")
    finally:
        await client.close()
