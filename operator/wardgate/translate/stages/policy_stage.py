"""Second stage: reads the policies. Their routes and their keys are not known here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wardgate.api import ExtAuthPolicy, ExtAuthServer, TransformationPolicy
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.contract import KeySetRequest, ParsedObject, PolicyOutcome, Scope, TransformationOutcome
from wardgate.translate.findings import Findings
from wardgate.translate.incremental.memo import Versions, identical
from wardgate.translate.keys.closed_requests import closed_requests
from wardgate.translate.keys.resolution import by_name
from wardgate.translate.policies.ext_auth_servers import read_server
from wardgate.translate.policies.extauth import server_problems, translate_ext_auth
from wardgate.translate.policies.transformations import translate_transformation
from wardgate.translate.reading.last_good import (
    Asked,
    LastGood,
    ObjectReader,
    Reading,
    ReadObject,
    ServedObject,
    served,
)
from wardgate.translate.secrets.secret_index import SecretIndex
from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy

KINDS = ("ExtAuthPolicy", "TransformationPolicy", "ExtAuthServer")
"""The kinds that this stage reads."""


@dataclass(frozen=True, slots=True)
class Policies:
    """``requests`` are the key sets of the served policies, by name; ``closed`` those of the others.

    Both are the identical collections as last time while they are equal. ``asked`` are the Secrets that policies name,
    other than their keys.
    """

    auth: Sequence[ServedObject[PolicyOutcome]]
    transformations: Sequence[ServedObject[TransformationOutcome]]
    servers: Sequence[ServedObject[ExtAuthServer]]
    requests: Mapping[str, KeySetRequest]
    closed: Sequence[KeySetRequest]
    served_instead: Mapping[ObjectRef, StoredObject]
    findings: Findings
    asked: Asked
    made_of: Sequence[object]

    def named_keys(self) -> Iterator[ObjectRef]:
        """The Secrets that policies name as keys."""
        return (ref for request in self.requests.values() for ref in request.refs)


def read_policies(
    snapshot: ClusterSnapshot,
    *,
    past: LastGood,
    settings: Settings,
    secrets: SecretIndex,
    versions: Versions,
    last: Policies | None,
) -> Policies:
    """Read all policies; return the ``last`` value if every policy came to the same result."""
    forms = ObjectReader(past, settings=settings, secrets=secrets, versions=versions)
    auth = forms.read_all(snapshot.of("ExtAuthPolicy"), ExtAuthPolicy, read=_read_auth)
    transformations = forms.read_all(
        snapshot.of("TransformationPolicy"), TransformationPolicy, read=_read_transformation
    )
    servers = forms.read_all(snapshot.of("ExtAuthServer"), ExtAuthServer, read=lambda parsed, _: read_server(parsed))
    made_of = (*auth, *transformations, *servers)
    if last is not None and identical(last.made_of, made_of):
        return last
    known, sight = {one.served.ref for one in servers}, Sight.of(settings)
    _report_servers(auth, known, sight=sight, findings=forms.findings)
    requests, closed = _requests(served(auth)), _closed(served(auth), Tenancy.of(settings))
    return Policies(
        auth=served(auth),
        transformations=served(transformations),
        servers=served(servers),
        requests=last.requests if last is not None and last.requests == requests else requests,
        closed=last.closed if last is not None and last.closed == closed else closed,
        served_instead=forms.served_instead,
        findings=forms.findings,
        asked=forms.asked,
        made_of=made_of,
    )


def _read_auth(parsed: ParsedObject[ExtAuthPolicy], scope: Scope) -> Reading[PolicyOutcome]:
    outcome = translate_ext_auth(parsed, scope)
    return Reading(outcome, outcome.problems)


def _read_transformation(parsed: ParsedObject[TransformationPolicy], scope: Scope) -> Reading[TransformationOutcome]:
    outcome = translate_transformation(parsed, scope)
    return Reading(outcome, outcome.problems)


def _report_servers(
    settled: Sequence[ReadObject[PolicyOutcome]], known: set[ObjectRef], *, sight: Sight, findings: Findings
) -> None:
    for one in settled:
        if one.current is not None:
            findings.extend(server_problems(one.served.ref, one.current, servers=known, sight=sight))


def _requests(policies: Sequence[ServedObject[PolicyOutcome]]) -> Mapping[str, KeySetRequest]:
    served = (one.value for one in policies if one.form is not None and one.value is not None)
    return by_name(request for outcome in served for request in outcome.key_sets)


def _closed(policies: Sequence[ServedObject[PolicyOutcome]], tenancy: Tenancy) -> tuple[KeySetRequest, ...]:
    broken = (one.stored for one in policies if not one.is_current)
    return tuple(request for stored in broken for request in closed_requests(stored, tenancy))
