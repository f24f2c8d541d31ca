"""The cluster of ``KUBECONFIG``, whichever it is: objects as its admin, kubectl, Helm, and images loaded into it.

``E2E_IMAGE`` is an image archive as ``docker save`` writes it. ``E2E_LOAD`` is the command that loads an archive into
the cluster; it gets the path of the archive as its last argument.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.cluster.http_api import ApiError, HttpApi
from tests.cluster.objects import Catalog, Object, Objects
from tests.cluster.waiting import wait_until

T = TypeVar("T")

ADMIN: Final = "wardgate-e2e"
SYSTEM: Final = "kube-system"
SECONDS: Final = 90.0
LOAD_SECONDS: Final = 300.0
HELM_SECONDS: Final = 300.0


class Site(Objects):
    """The cluster, seen by an identity with all rights that is made for the tests and removed by ``close``."""

    def __init__(self, kubectl: Path, helm: Path, folder: Path) -> None:
        self._kubectl = kubectl
        self._helm = helm
        self.folder = folder
        self._namespaces: list[str] = []
        self._make_admin()
        token = self.kubectl("create", "token", ADMIN, "-n", SYSTEM, "--duration=3h").strip()
        view = json.loads(self.kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
        cluster = view["clusters"][0]["cluster"]
        ca_file = folder / "ca.pem"
        ca_file.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        http = HttpApi(cluster["server"], ca_file=ca_file, token=token)
        super().__init__(http, Catalog(http))

    def close(self) -> None:
        """Remove what ``namespace`` made, and the admin."""
        for name in self._namespaces:
            self._delete_if_there("Namespace", name)
        self.kubectl("delete", "clusterrolebinding", ADMIN, "--ignore-not-found")
        self.kubectl("delete", "serviceaccount", ADMIN, "-n", SYSTEM, "--ignore-not-found")
        self.http.close()

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = SECONDS) -> str:
        """Run kubectl with the admin's own kubeconfig, and give what it prints; a failure is an error."""
        ended = subprocess.run(
            [str(self._kubectl), *arguments], input=stdin, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert 0 == ended.returncode, f"kubectl {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def helm(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        """Run Helm with the admin's own kubeconfig, and give what it prints; a failure is an error."""
        flags = ["--values", "-"] if values is not None else []
        ended = subprocess.run(
            [str(self._helm), *arguments, *flags],
            input=json.dumps(values or {}),
            capture_output=True,
            text=True,
            timeout=HELM_SECONDS,
            check=False,
        )
        assert 0 == ended.returncode, f"helm {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def shell_environment(self) -> dict[str, str]:
        """Give an environment in which a script's ``kubectl`` is this cluster's."""
        return {**os.environ, "PATH": f"{self._kubectl.parent}{os.pathsep}{os.environ['PATH']}"}

    def load(self, archive: Path) -> None:
        """Load an image archive into the cluster."""
        command = [*shlex.split(os.environ["E2E_LOAD"]), str(archive)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_SECONDS, check=False)
        assert 0 == ended.returncode, f"{shlex.join(command)}: {ended.stdout}{ended.stderr}"

    def namespace(self, prefix: str, *, restricted: bool = True) -> str:
        """Create a namespace with a name of its own, which the tests' end removes."""
        return self.named_namespace(f"{prefix}-{secrets.token_hex(3)}", restricted=restricted)

    def named_namespace(self, name: str, *, restricted: bool = True) -> str:
        """Create a namespace with this name, and wait until pods may be made in it."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"} if restricted else {}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        self._namespaces.append(name)
        self.wait(lambda: self.find("ServiceAccount", "default", namespace=name), f"{name} has its ServiceAccount")
        return name

    def find(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        """Get one object, or None if it is not there."""
        try:
            return self.get(kind, name, namespace=namespace)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace, and wait until all that was in it is gone."""
        self._delete_if_there("Namespace", name)
        self.wait(lambda: self.find("Namespace", name) is None, f"{name} is gone")

    def wait(self, probe: Callable[[], T], what: str, *, seconds: float = SECONDS) -> T:
        """Wait until the probe gives something true; an answer that the API server or a pod owes counts as not yet."""

        def answers() -> T | None:
            try:
                return probe()
            except ApiError as error:
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
            except OSError:
                pass
            return None

        found = wait_until(answers, seconds=seconds, what=what)
        assert found is not None
        return found

    def run_in(self, namespace: str, pod: str, script: str) -> str:
        """Run Python in a pod of the image, and give what it prints."""
        return self.kubectl("-n", namespace, "exec", "-i", pod, "--", "python3", "-", stdin=script)

    def can(self, user: str, verb: str, resource: str, *, namespace: str) -> bool:
        """Ask RBAC whether a user may do something to a resource of the core group."""
        attributes = {"verb": verb, "resource": resource, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": ["system:authenticated"], "resourceAttributes": attributes},
        }
        answer = self.http.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body=review)
        return bool(answer["status"]["allowed"])

    def _delete_if_there(self, kind: str, name: str) -> None:
        with suppress(ApiError):
            self.delete(kind, name)

    def _make_admin(self) -> None:
        metadata = {"name": ADMIN}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        subject = {"kind": "ServiceAccount", "name": ADMIN, "namespace": SYSTEM}
        objects: list[Mapping[str, Any]] = [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**metadata, "namespace": SYSTEM}},
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": metadata,
                "roleRef": role,
                "subjects": [subject],
            },
        ]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("apply", "-f", "-", stdin=text)


class Stopwatch:
    """Prints how long each step took: the figures of the documents."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._since = time.monotonic()

    def told(self, what: str) -> None:
        """Print the seconds since the last word."""
        now = time.monotonic()
        self._say(f"  {what}: {now - self._since:.1f} s")
        self._since = now
