"""An installation of the chart without pods: its namespaces, identities and rights are real, its containers are
processes of ours that use them.

Nothing in this cluster runs pods, so the operator is told the proxies' admin endpoints (``--proxy-admin``); everything
else it finds as it would in a cluster.
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, Self

from examples.demo.processes import NotServingError, Program
from tests.chart.helm import Helm, Values
from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError
from tests.cluster.ports import free_port
from tests.examples.servers import HOSTS, Answer, Provider, ask

WARDGATE = str(Path(sys.executable).parent / "wardgate")
PORT = 8081
START_SECONDS = 60.0
RBAC_SECONDS = 10.0
LIVE_SECONDS = 20.0
"""A change must be live by then; the product promises far less, a loaded test machine may need more."""
_SHOWN = 40
"""Lines of each process that a failure shows."""
_PODS = ("Deployment", "Pod", "Service")


class Way(Protocol):
    """A way to the API server that is not its own address: a ``Link``, a ``Gate``."""

    @property
    def url(self) -> str:
        """Where clients connect."""
        ...


class Proxy:
    """A running ``wardgate proxy --cluster``."""

    def __init__(self, program: Program, *, port: int, admin: int) -> None:
        self.program = program
        self.port = port
        self.admin = admin

    def ask(self, method: str, path: str, **kwargs: Any) -> Answer:
        """Send one request on a connection of its own."""
        return ask(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30), method, path, **kwargs)

    def status(self, path: str = "/huggingface", method: str = "GET", **headers: str) -> int:
        """Give the status of one request; 0 while nothing listens."""
        try:
            return self.ask(method, path, headers=headers).status
        except OSError:
            return 0

    def revision(self) -> dict[str, Any]:
        """What the proxy says it serves."""
        answer = self.page("/revision").json()
        assert isinstance(answer, dict)
        return answer

    def problem(self) -> str:
        """The problems that the proxy tells of its config; empty as well before it has begun to look for one."""
        return str(self.revision().get("problem", ""))

    def page(self, path: str) -> Answer:
        """One of the admin pages."""
        return ask(http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10), "GET", path)


class Operator:
    """A running ``wardgate operator``."""

    def __init__(self, program: Program, *, admin: int) -> None:
        self.program = program
        self.admin = admin

    def page(self, path: str) -> Answer:
        """One of the admin pages."""
        return ask(http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10), "GET", path)

    def metric(self, name: str, **labels: str) -> float:
        """The value of one metric; its labels must be those."""
        wanted = name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else "")
        for line in self.page("/metrics").body.decode().splitlines():
            if line.startswith(f"{wanted} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"no metric {wanted}")


class Installation:
    """Ends its processes when left. Without ``helm`` the release is one that is installed already."""

    def __init__(
        self,
        cluster: Cluster,
        helm: Helm | None,
        folder: Path,
        values: Values | None = None,
        *,
        release: str | None = None,
        namespace: str | None = None,
    ) -> None:
        self.cluster = cluster
        self.folder = folder
        self.release = release or f"w{secrets.token_hex(3)}"
        self.namespace = namespace or cluster.namespace("wardgate")
        self.config_namespace = f"{self.release}-config"
        self.wardgate: tuple[str, ...] = (WARDGATE,)
        """The command of what is started next: another tree's, for a test of skew."""
        self._processes = ExitStack()
        self._programs: list[Program] = []
        self._started = 0
        self.proxies: list[Proxy] = []
        self.admin_ports = [free_port(), free_port()]
        if helm is not None:
            documents = helm.render(values, release=self.release, namespace=self.namespace)
            cluster.apply([each for each in documents if each["kind"] not in _PODS])
        self.require("operator", "get", self.config_namespace)
        self.require("proxy", "get", self.config_namespace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.close()

    def require(self, component: str, verb: str, namespace: str) -> None:
        """Wait until an identity may do something to Secrets: a new role counts after a moment."""
        user = f"system:serviceaccount:{self.namespace}:{self.release}-{component}"
        self.cluster.wait_until(
            lambda: self.cluster.can(user, verb, "Secret", namespace=namespace),
            seconds=RBAC_SECONDS,
            what=f"the {component} may {verb} Secrets in {namespace}",
        )

    def kubeconfig(self, component: str, *, link: Way | None = None) -> Path:
        """A kubeconfig in the identity of a component; its token is in a file, as in a pod."""
        token_file = self.folder / f"token-{component}-{secrets.token_hex(3)}"
        token_file.write_text(self.cluster.service_account_token(self.namespace, f"{self.release}-{component}"))
        return self.cluster.kubeconfig_for(token_file=token_file, server=link.url if link else None)

    def operator(self, *flags: str, link: Way | None = None, identity: str = "") -> Operator:
        """Start a replica."""
        self._started += 1
        admin = free_port()
        program = Program(
            *(*self.wardgate, "operator", "--verbose", "--release", self.release, "--namespace", self.namespace),
            *("--kubeconfig", str(self.kubeconfig("operator", link=link)), "--bind", f"127.0.0.1:{admin}"),
            *("--identity", identity or f"replica-{self._started}", "--set", "allow_loopback=true"),
            *(flag for port in self.admin_ports for flag in ("--proxy-admin", f"http://127.0.0.1:{port}")),
            *flags,
        )
        self._enter(program)
        started = Operator(program, admin=admin)
        self._wait_for_page(started.page, program)
        return started

    def proxy(self, *flags: str, provider: Provider | None = None, link: Way | None = None, wait: bool = True) -> Proxy:
        """Start a proxy; ``wait`` until it serves its first config."""
        admin = self.admin_ports[len(self.proxies) % len(self.admin_ports)]
        port = free_port()
        pins = _pins(provider) if provider else ()
        program = Program(
            *(*self.wardgate, "proxy", "--cluster", "--release", self.release, "--bind", "127.0.0.1", "--workers", "1"),
            *("--set", "timeouts.shutdown_delay=0"),
            *("--kubeconfig", str(self.kubeconfig("proxy", link=link)), "--port", f"{PORT}={port}"),
            *("--admin", f"127.0.0.1:{admin}", "--no-access-log"),
            *pins,
            *flags,
        )
        self._enter(program)
        started = Proxy(program, port=port, admin=admin)
        self._wait_for_page(started.page, program)
        self.proxies.append(started)
        if wait:
            self.wait_until(lambda: started.page("/readyz").status == 200, f"proxy {len(self.proxies)} is ready")
        return started

    def wait_until(self, probe: Callable[[], Any], what: str, *, seconds: float = LIVE_SECONDS) -> Any:
        """Poll until the probe holds; the failure shows what the processes said."""
        try:
            return self.cluster.wait_until(probe, seconds=seconds, what=what)
        except AssertionError as error:
            for program in self._programs:
                error.add_note("\n".join([f"-- {' '.join(program.command[:2])} said:", *program.lines[-_SHOWN:]]))
            raise

    def everywhere(self, status: int, path: str = "/huggingface", method: str = "GET", **headers: str) -> None:
        """Wait until every proxy answers so."""
        self.wait_until(
            lambda: {status} == {proxy.status(path, method, **headers) for proxy in self.proxies},
            f"every proxy answers {status} to {method} {path} with {sorted(headers)}",
        )

    def index(self) -> Mapping[str, Any]:
        """What the index says; empty while there is none."""
        try:
            secret = self.cluster.get("Secret", f"{self.release}-index", namespace=self.config_namespace)
        except ApiError:
            return {}
        content = json.loads(base64.b64decode(secret["data"]["index.json"]))
        assert isinstance(content, dict)
        return content

    def _enter(self, program: Program) -> None:
        self._processes.enter_context(program)
        self._programs.append(program)

    def _wait_for_page(self, page: Callable[[str], Answer], program: Program) -> None:
        def answers() -> bool:
            try:
                return page("/healthz").status == 200
            except OSError:
                if not program.is_running:
                    raise NotServingError("\n".join(program.lines)) from None
                return False

        self.cluster.wait_until(answers, seconds=START_SECONDS, what=f"{' '.join(program.command[:2])} answers")


def _pins(provider: Provider) -> tuple[str, ...]:
    """Flags that put the stand-in in the place of every provider."""
    pins = (flag for host in HOSTS for flag in ("--resolve", f"{host}:443=127.0.0.1:{provider.port}"))
    return ("--upstream-ca", str(provider.ca_file), *pins)
