"""What the operator and the proxies leave behind: in the API server, in logs, in everything that people may read."""

from __future__ import annotations

import base64
import json
import secrets
import signal
import time

import pytest

from tests.cluster.audit import AuditEvent
from tests.cluster.cluster import Cluster
from tests.e2e.door import HEADER, PATH, POLICY, Door
from tests.e2e.ending import kill_leader
from tests.e2e.installation import Installation, Operator
from tests.e2e.published import PublishedConfig
from wardgate.api import KINDS
from wardgate.wire.bundle import ROUTES

WRITES = {"create", "update", "patch", "delete", "deletecollection"}
END_SECONDS = 20.0
STOP_SECONDS = 5.0
"""A second is promised; a loaded machine may need more."""
BROKEN = {"glooAuth": {"configs": [{"ldap": {"address": "ldap.example.com"}}]}}


class Story:
    """A day in the life of an installation: keys of every sort, a policy that turns bad, damage, a restart, an end."""

    def __init__(self, installation: Installation, cluster: Cluster) -> None:
        self.installation = installation
        self.cluster = cluster
        self.mark = cluster.audit_mark()
        self.door = Door(cluster)
        self.secrets = [secrets.token_urlsafe(24) for _ in range(6)]
        self.operators: list[Operator] = []
        self.stopped_after = 0.0
        self.live_pages = ""

    def tell(self) -> None:
        """Let it happen."""
        installation, door = self.installation, self.door
        key, token, changed, twice, broken, _ = self.secrets
        door.key("good", key, token)
        self.operators.append(installation.operator())
        for _ in range(2):
            installation.proxy("--access-log")
        installation.everywhere(200, f"{PATH}?key={key}", **{HEADER: key})
        installation.everywhere(401, f"{PATH}?key={broken}", **{HEADER: broken})
        door.key("changing", changed, token)
        installation.everywhere(200, PATH, **{HEADER: changed})
        door.key("changing", twice)
        installation.everywhere(401, PATH, **{HEADER: changed})
        door.key("twice", twice, token)
        door.key("broken", broken, f"{token}\n{token}")
        self._unreadable_key()
        self._expect("Accepted", "True")
        door.break_policy(BROKEN)
        self._expect("Accepted", "False")
        published = PublishedConfig(self.cluster, release=installation.release, namespace=installation.config_namespace)
        before = published.index().sequence
        published.delete(next(one.name for one in published.index().shards if one.group == ROUTES))
        installation.wait_until(lambda: published.whole().sequence > before, "the damage is mended")
        kill_leader(installation, self.operators[0])
        link = self.cluster.link()
        self.operators.append(installation.operator(link=link))
        installation.wait_until(lambda: published.index().writer.startswith("replica-2"), "the next operator leads")
        link.kill_connections()
        self.operators[-1].program.wait_for("DEBUG", seconds=END_SECONDS)
        door.apply_policy()
        self._expect("Accepted", "True")
        installation.everywhere(200, PATH, **{HEADER: key})
        door.revoke("changing")
        installation.everywhere(200, PATH, **{HEADER: twice})
        self.live_pages = self._pages()
        self._end()

    def operator_writes(self) -> list[AuditEvent]:
        """What the operator asked the API server to change."""
        return self.cluster.audit(since=self.mark, user=self._user("operator"), verb=WRITES)

    def by_proxies(self) -> list[AuditEvent]:
        """What the proxies asked the API server for."""
        return self.cluster.audit(since=self.mark, user=self._user("proxy"))

    def logs(self) -> str:
        """What all processes said."""
        programs = [one.program for one in self.operators] + [one.program for one in self.installation.proxies]
        return "\n".join(line for program in programs for line in program.lines)

    def objects(self) -> list[dict[str, object]]:
        """Every object of ours and every Event, statuses included; no Secret."""
        events = [*self.cluster.list("events.events.k8s.io"), *self.cluster.list("Event")]
        return [*events, *(one for kind in KINDS for one in self.cluster.list(kind))]

    def _unreadable_key(self) -> None:
        """Bytes that are no text, with something secret among them."""
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "bytes", "namespace": self.door.namespace, "labels": self.door.labels},
            "type": "extauth.solo.io/apikey",
            "data": {HEADER: base64.b64encode(b"\xff" + self.secrets[5].encode()).decode()},
        }
        self.cluster.apply(manifest)

    def _expect(self, condition: str, status: str) -> None:
        self.installation.wait_until(
            lambda: self.door.condition(condition).get("status") == status, f"the policy is {condition}: {status}"
        )

    def _pages(self) -> str:
        pages = [self.operators[-1].page(page) for page in ("/healthz", "/readyz", "/metrics")]
        pages += [
            proxy.page(page)
            for proxy in self.installation.proxies
            for page in ("/healthz", "/readyz", "/metrics", "/revision", "/config")
        ]
        assert {200} == {page.status for page in pages}
        return "\n".join(page.body.decode() for page in pages)

    def _end(self) -> None:
        program = self.operators[-1].program
        began = time.monotonic()
        program.send(signal.SIGTERM)
        assert 0 == program.wait(seconds=STOP_SECONDS)
        self.stopped_after = time.monotonic() - began

    def _user(self, component: str) -> str:
        return f"system:serviceaccount:{self.installation.namespace}:{self.installation.release}-{component}"


@pytest.fixture
def story(installation: Installation, cluster: Cluster) -> Story:
    told = Story(installation, cluster)
    told.tell()
    return told


def _is_allowed(event: AuditEvent, installation: Installation) -> bool:
    match (event.resource, event.namespace):
        case ("secrets", installation.config_namespace):
            return event.verb in {"create", "update", "delete"}
        case ("secrets", installation.namespace):
            return event.verb in {"create", "update"} and (
                event.name.startswith(f"{installation.release}-state") or event.verb == "create"
            )
        case ("leases", installation.namespace):
            return event.verb in {"create", "update"}
        case ("events", _):
            return event.verb in {"create", "patch"}
        case (plural, _) if plural in {kind.plural for kind in KINDS.values()}:
            return (event.verb, event.subresource) == ("patch", "status")
    return False


def test_everything_that_an_installation_does_leaves_only_what_is_its_own(story: Story, cluster: Cluster) -> None:
    installation = story.installation
    print(f"the operator ended {story.stopped_after:.2f} s after SIGTERM")

    writes = story.operator_writes()
    assert [] == [event for event in writes if not _is_allowed(event, installation)]
    # Each kind of write took place, so that the list above was put to the test.
    assert {"secrets", "leases", "events", "extauthpolicies"} <= {event.resource for event in writes}
    assert {("secrets", installation.config_namespace)} == {
        (event.resource, event.namespace) for event in story.by_proxies()
    }
    assert {"get", "list", "watch"} >= {event.verb for event in story.by_proxies()}

    _nobody_touched_what_users_wrote(story, cluster)
    _nothing_tells_a_secret(story)


def _nobody_touched_what_users_wrote(story: Story, cluster: Cluster) -> None:
    own = cluster.list("Secret", namespace=story.door.namespace)
    objects = [*own, *(one for kind in KINDS for one in cluster.list(kind))]
    assert len(own) >= 4
    for one in objects:
        metadata = one["metadata"]
        assert ([], {}) == (metadata.get("finalizers", []), metadata.get("annotations", {})), metadata["name"]
        others = {entry.get("subresource", "") for entry in metadata["managedFields"] if entry["manager"] != "tests"}
        assert others <= {"status"}, metadata["managedFields"]


def _nothing_tells_a_secret(story: Story) -> None:
    shown = {
        "logs": story.logs(),
        "admin pages": story.live_pages,
        "objects and Events": json.dumps(story.objects()),
    }
    for place, text in shown.items():
        assert len(text) > 1000, place
        for number, word in enumerate(story.secrets):
            forms = (word, base64.b64encode(word.encode()).decode().rstrip("="), word.encode().hex(), word[:12])
            assert [] == [form for form in forms if form in text], f"secret {number} in {place}"
    assert PATH in shown["logs"]
    assert POLICY in shown["objects and Events"]
