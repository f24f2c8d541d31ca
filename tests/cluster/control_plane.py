"""A real etcd and a real kube-apiserver on loopback, and what may happen to them: stops, kills, freezes, old backups.

There is no controller manager, scheduler or node: nothing collects garbage, makes tokens' Secrets or runs pods. RBAC,
admission (ValidatingAdmissionPolicy included), the ServiceAccount issuer and the audit log are on. The address never
changes over a restart.
"""

from __future__ import annotations

import http.client
import shutil
import ssl
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster.credentials import write_credentials
from tests.cluster.daemon import Daemon
from tests.cluster.ports import stable_ports

READY_SECONDS = 60.0
"""It takes two to three; a loaded machine may need more."""
STOP_SECONDS = 8.0
DRAIN = "500ms"
"""How long a stopping API server waits for its watches; without a limit it would wait a minute."""
POLL_SECONDS = 0.02
ISSUER = "https://kubernetes.default.svc.cluster.local"
ADVERTISED = "192.0.2.1"
"""What the EndpointSlice ``kubernetes`` says: loopback is not accepted there, and nobody has this address."""


class ControlPlane:
    """One etcd and one API server, with their state in ``folder``. Running after ``start``."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self.binaries = binaries
        self.credentials = write_credentials(folder / "credentials")
        self.port, self._etcd_port, self._peer_port = stable_ports(3)
        self.audit_log = folder / "audit.log"
        self.audit_began = 0
        """Where in that log the present API server's part begins: what a killed one had received stays unanswered."""
        self._etcd: Daemon | None = None
        self._api_server: Daemon | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The API server's own address; put a ``Link`` before it to hurt one client's connections only."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def api_server(self) -> Daemon:
        """The API server's process."""
        assert self._api_server is not None, "The API server was never started."
        return self._api_server

    @property
    def etcd(self) -> Daemon:
        """The process of etcd."""
        assert self._etcd is not None, "etcd was never started."
        return self._etcd

    def start(self) -> None:
        """Start what does not run and wait until the API server is ready."""
        if self._etcd is None or not self._etcd.is_running:
            self._etcd = self._start_etcd()
        if self._api_server is None or not self._api_server.is_running:
            self._api_server = self._start_api_server()
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the API server in order: watches end cleanly, then its port refuses connections. etcd stays."""
        self.api_server.stop(seconds=STOP_SECONDS)

    def kill(self) -> None:
        """Kill the API server: its connections are reset."""
        self.api_server.kill()

    def restart(self) -> None:
        """Stop and start the API server. Its watch cache is empty then: older watches are answered with 410."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let the API server stand still, connections open."""
        self.api_server.freeze()

    def thaw(self) -> None:
        """End a freeze."""
        self.api_server.thaw()

    def begin_with(self, backup: Path) -> None:
        """Take over the state of another control plane's backup; only before the first start."""
        shutil.copytree(backup, self._data)

    def backup_etcd(self, name: str = "backup") -> Path:
        """Copy etcd's state as it is now, without a client noticing more than a pause of milliseconds."""
        backup = self.folder / name
        self.etcd.freeze()
        try:
            shutil.copytree(self._data, backup)
        finally:
            self.etcd.thaw()
        return backup

    def restore_etcd(self, backup: Path) -> None:
        """Go back to a backup: both are killed, and history, resource versions too, continues from then."""
        self.kill()
        self.etcd.kill()
        shutil.rmtree(self._data)
        shutil.copytree(backup, self._data)
        self.start()

    def close(self) -> None:
        """End both for good; nothing of their state is needed any more."""
        for daemon in (self._api_server, self._etcd):
            if daemon is not None:
                daemon.kill()

    @property
    def _data(self) -> Path:
        return self.folder / "etcd"

    def _start_etcd(self) -> Daemon:
        own, peers = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        return Daemon(
            str(self.binaries / "etcd"),
            f"--data-dir={self._data}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={own}",
            f"--advertise-client-urls={own}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--log-level=warn",
            log=self.folder / "etcd.log",
        )

    def _start_api_server(self) -> Daemon:
        files = self.credentials
        self.audit_began = self.audit_log.stat().st_size if self.audit_log.exists() else 0
        return Daemon(
            str(self.binaries / "kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--advertise-address={ADVERTISED}",
            f"--tls-cert-file={files.server_chain}",
            f"--tls-private-key-file={files.server_key}",
            f"--token-auth-file={files.token_file}",
            "--authorization-mode=RBAC",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={files.token_signing_key}",
            f"--service-account-signing-key-file={files.token_signing_key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--audit-policy-file={files.audit_policy}",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-maxsize=0",
            "--delete-collection-workers=8",
            f"--shutdown-watch-termination-grace-period={DRAIN}",
            f"--cert-dir={self.folder}",
            log=self.folder / "kube-apiserver.log",
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            for daemon in (self.etcd, self.api_server):
                if not daemon.is_running:
                    raise daemon.error("ended while the control plane started")
            if time.monotonic() > deadline:
                raise self.api_server.error(f"was not ready within {READY_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)

    def _is_ready(self) -> bool:
        context = ssl.create_default_context(cafile=self.credentials.ca_file)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {self.credentials.admin_token}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()
