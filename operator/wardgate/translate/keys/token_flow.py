"""The way of tokens on each route: from entries of key Secrets, through headers, into credentials for the provider.

Authentication puts entries into headers, and a transformation makes a credential of such a header. Where a key lacks
the entry, the credential would be half empty, and the proxy refuses the request (invariant 4). Nothing is decided here:
the mistake is told before anybody meets the 403.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from wardgate.field_names import fold
from wardgate.ir import ApiKeyStep, AuthPlan
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.contract import TransformationOutcome

Chain: TypeAlias = tuple[str, ...]
"""The names of a route's transformations, in the order of execution."""
Credentials: TypeAlias = Mapping[str, str]
"""By the folded header that authentication sets: the transformation that makes a credential of it."""
_NEAR: Final = 0.75
_FIELD: Final = ("spec", "config", "request", "injaTemplate")


@dataclass(slots=True)
class TokenFlow:
    """``credentials`` by the name of the authentication plan. ``problems``: of the transformations."""

    credentials: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def token_flow(
    routes: Iterable[tuple[AuthPlan, Chain]], transformations: Mapping[str, tuple[ObjectRef, TransformationOutcome]]
) -> TokenFlow:
    """Follow the tokens of all routes. ``routes``: each different pair once."""
    flow = TokenFlow()
    for auth, chain in routes:
        follower = _Follower(auth, flow)
        for name in chain:
            follower.take(*transformations[name])
    return flow


class _Follower:
    """Goes along one chain behind one authentication plan."""

    def __init__(self, auth: AuthPlan, flow: TokenFlow) -> None:
        steps = [step for step in auth.steps if isinstance(step, ApiKeyStep)]
        self._auth = auth
        self._flow = flow
        self._present = {fold(one.header) for step in steps for one in step.metadata_headers}
        self._taken = set() if auth.forward_credential else {fold(step.header) for step in steps} - self._present

    def take(self, ref: ObjectRef, outcome: TransformationOutcome) -> None:
        """Note the headers that one transformation makes credentials of, and those that it writes."""
        plan = outcome.plan
        if plan is None or plan.request is None or plan.owner != self._auth.owner:
            return
        for header in sorted(outcome.credentials_read):
            if header in self._present and plan.phase == "post":
                self._flow.credentials.setdefault(self._auth.name, {}).setdefault(header, plan.policy)
            else:
                self._tell(ref, header, phase=plan.phase)
        written = {fold(one.name) for one in plan.request.headers} | {fold(one.name) for one in plan.request.append}
        self._present -= written
        self._taken -= written

    def _tell(self, ref: ObjectRef, header: str, *, phase: str) -> None:
        for fault in self._faults(header, phase=phase):
            message = (
                f"{ref} makes a credential of header {header!a}, {fault} On routes of {self._auth.policy} its requests "
                "are refused (403)."
            )
            problem = Problem(ProblemKind.WARNING, Reason.TEMPLATE_ERROR, message, ref, _FIELD)
            if problem not in self._flow.problems:
                self._flow.problems.append(problem)

    def _faults(self, header: str, *, phase: str) -> Iterator[str]:
        near = difflib.get_close_matches(header, sorted(self._present), n=1, cutoff=_NEAR)
        if phase == "pre":
            if header in self._present:
                yield "which authentication sets only after the phase preAuthz: set phase.postAuthz."
        elif header in self._taken:
            yield "which authentication takes off, because callers send their keys in it. Name another header."
        elif near:
            yield f"which authentication does not set. Did you mean {near[0]}?"
