"""What a test can ask of the control plane: objects, namespaces, identities, kubectl, links, and who did what.

``Cluster`` is its admin; ``as_token`` gives the same verbs in another identity. Nothing runs in this cluster but the
API server: no controller fills a namespace or deletes what is in one, so ``wipe`` does that after a test.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.cluster.audit import AuditEvent, answered, in_flight, read_events
from tests.cluster.cleaning import delete_created, wait_until_finalized
from tests.cluster.control_plane import ControlPlane
from tests.cluster.http_api import ApiError, HttpApi
from tests.cluster.link import Link
from tests.cluster.objects import Catalog, Objects
from tests.cluster.waiting import wait_until

CRDS = Path(__file__).parents[2] / "crds"
READY_SECONDS = 30.0
KUBECTL_SECONDS = 60.0


class Cluster(Objects):
    """A running control plane, seen by its admin."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self._clients: list[HttpApi] = []
        credentials = control_plane.credentials
        http = self._http(credentials.admin_token)
        super().__init__(http, Catalog(http))
        self._folder = control_plane.folder
        self.admin_kubeconfig = self.kubeconfig_for(token=credentials.admin_token)
        self._links: list[Link] = []
        self._began = self.audit_mark()

    # Identities

    def as_token(self, token: str, *, server: str | None = None) -> Objects:
        """Give the same verbs in the identity of a token; ``server`` is a link's address if not the API server's."""
        return Objects(self._http(token, server=server), self.catalog)

    def service_account_token(self, namespace: str, name: str, *, seconds: int = 3600) -> str:
        """Make a token for a ServiceAccount, which is created if it is missing. Ten minutes are the least."""
        resource = self.resource("ServiceAccount")
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        self.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}})
        made = self.http.request("POST", resource.path(namespace, name, subresource="token"), body=request)
        return str(made["status"]["token"])

    def kubeconfig_for(
        self,
        *,
        token: str | None = None,
        token_file: Path | None = None,
        server: str | None = None,
        namespace: str = "",
    ) -> Path:
        """Write a kubeconfig with a token, or with the file that a program is to read it from, again and again."""
        user = {"token": token} if token_file is None else {"tokenFile": str(token_file)}
        ca_file = str(self.control_plane.credentials.ca_file)
        cluster = {"server": server or self.control_plane.url, "certificate-authority": ca_file}
        context = {"cluster": "tests", "user": "tests", **({"namespace": namespace} if namespace else {})}
        path = self._folder / f"kubeconfig-{secrets.token_hex(4)}.yaml"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "tests", "user": user}],
            "contexts": [{"name": "tests", "context": context}],
            "current-context": "tests",
        }
        path.write_text(json.dumps(content), encoding="ascii")
        path.chmod(0o600)
        return path

    def can(self, user: str, verb: str, kind: str, **where: str) -> bool:
        """Ask RBAC whether a user may do something; ``where``: ``namespace``, ``name``, ``subresource``.

        A new role counts a few milliseconds after it was written, so wait until this is true before relying on it.
        """
        resource = self.resource(kind)
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural, **where}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": _groups(user), "resourceAttributes": attributes},
        }
        answer = self.http.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body=review)
        return bool(answer["status"]["allowed"])

    # Namespaces and kinds

    def namespace(self, prefix: str, *, labels: Mapping[str, str] | None = None) -> str:
        """Create a namespace with a name of its own."""
        return self.named_namespace(f"{prefix}-{secrets.token_hex(3)}", labels=labels)

    def named_namespace(self, name: str, *, labels: Mapping[str, str] | None = None) -> str:
        """Create a namespace with the name that a manifest asks for, and the ServiceAccount that pods need."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        self.create(account, namespace=name)
        return name

    def install_crds(self, folder: Path = CRDS) -> None:
        """Apply the CRDs and wait until their kinds are served."""
        applied = self.apply(folder)
        for crd in applied:
            self.wait_until_served(crd["metadata"]["name"])

    def delete_crd(self, crd: str) -> None:
        """Delete a CRD with its objects, and wait until they are gone."""
        self.delete("CustomResourceDefinition", crd)
        wait_until_finalized(self, crd)

    def wait_until_served(self, crd: str) -> None:
        """Wait until a CRD is Established and its objects can be listed."""

        def is_served() -> bool:
            conditions = self.get("CustomResourceDefinition", crd).get("status", {}).get("conditions") or []
            established = [each["status"] for each in conditions if each["type"] == "Established"]
            assert established == ["True"], conditions
            try:
                self.list(crd)
            except (ApiError, LookupError) as error:
                raise AssertionError(error) from error
            return True

        wait_until(is_served, seconds=READY_SECONDS, what=f"{crd} is served")

    def wait_until_ready(self) -> None:
        """Wait for what the API server itself writes after its start: the ``kubernetes`` EndpointSlice."""
        wait_until(self._has_own_endpoints, seconds=READY_SECONDS, what="the API server published its own endpoints")

    def claim_endpoints(self) -> None:
        """Correct the port there, after a start with another one's state: the API server itself corrects addresses."""
        ports = [{"name": "https", "port": self.control_plane.port, "protocol": "TCP"}]
        subsets = self.get("Endpoints", "kubernetes", namespace="default")["subsets"]
        subsets = [{**subset, "ports": ports} for subset in subsets]
        self.patch("Endpoints", "kubernetes", {"subsets": subsets}, namespace="default")
        self.patch("EndpointSlice", "kubernetes", {"ports": ports}, namespace="default")

    def _has_own_endpoints(self) -> bool:
        try:
            found = self.get("EndpointSlice", "kubernetes", namespace="default")
        except ApiError as error:
            raise AssertionError(error) from error
        return [self.control_plane.port] == [port["port"] for port in found["ports"]] and bool(found["endpoints"])

    # Tools

    def kubectl(
        self, *arguments: str, kubeconfig: Path | None = None, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the real kubectl, as admin unless told otherwise; a failure is an error unless ``check`` is off."""
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self._folder),
            "KUBECONFIG": str(kubeconfig or self.admin_kubeconfig),
        }
        command = [str(self.control_plane.binaries / "kubectl"), *arguments]
        ended = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, text=True, timeout=KUBECTL_SECONDS, check=False
        )
        if check and ended.returncode:
            raise AssertionError(
                f"kubectl {' '.join(arguments)}: status {ended.returncode}\n{ended.stdout}{ended.stderr}"
            )
        return ended

    def link(self) -> Link:
        """Make a wire to the API server that can be cut and frozen; it ends with the test."""
        made = Link(self.control_plane.port)
        self._links.append(made)
        return made

    def wait_until(self, probe: Callable[[], Any], *, seconds: float, what: str) -> Any:
        """See ``tests.cluster.waiting.wait_until``."""
        return wait_until(probe, seconds=seconds, what=what)

    # What happened

    def audit_mark(self) -> int:
        """Give the present end of the audit log, to read from later."""
        log = self.control_plane.audit_log
        return log.stat().st_size if log.exists() else 0

    def audit(self, *, since: int = 0, **wanted: str | int | set[str]) -> list[AuditEvent]:
        """Give the requests since a mark that have these properties, each a value or a set of them.

        ``cluster.audit(user=..., verb={"patch", "update"}, resource="secrets")``. Every request whose effect somebody
        may have seen before this call is in: it makes a request of its own, and waits for the answers to all that the
        API server received before that.
        """
        marker = f"/version?seen={secrets.token_hex(6)}"
        self.http.request("GET", marker)
        found: list[AuditEvent] = []

        def is_complete() -> bool:
            found[:] = read_events(self.control_plane.audit_log, start=since)
            assert set() == in_flight(found, marker=marker, start=self.control_plane.audit_began)
            return any(event.uri == marker for event in found)

        wait_until(is_complete, seconds=READY_SECONDS, what="the audit log holds a request just made and all before it")
        return [event for event in answered(found) if event.uri != marker and _has(event, wanted)]

    # After a test

    def wipe(self) -> None:
        """Delete what anybody created since this object was made."""
        delete_created(self, self.audit(since=self._began))

    def close(self) -> None:
        """End its links and connections."""
        for link in self._links:
            link.close()
        for client in self._clients:
            client.close()

    def _http(self, token: str, *, server: str | None = None) -> HttpApi:
        ca_file = self.control_plane.credentials.ca_file
        self._clients.append(HttpApi(server or self.control_plane.url, ca_file=ca_file, token=token))
        return self._clients[-1]


def _groups(user: str) -> list[str]:
    parts = user.split(":")
    if parts[:2] != ["system", "serviceaccount"]:
        return ["system:authenticated"]
    return ["system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{parts[2]}"]


def _has(event: AuditEvent, wanted: Mapping[str, str | int | set[str]]) -> bool:
    return all(
        getattr(event, name) in values if isinstance(values, set) else getattr(event, name) == values
        for name, values in wanted.items()
    )
