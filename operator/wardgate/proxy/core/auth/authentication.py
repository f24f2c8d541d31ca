"""Authentication: the steps that a request passes, and the headers that each of them puts on it.

All steps must pass, in order, unless an expression over them says otherwise; either way at least one must have passed,
so that no plan, however it was written or decoded, lets a request through on no evidence (invariant 1). The first
failure decides the answer. Removing the keys themselves is the exchange's part (invariant 3), from ``consumed``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from wardgate import field_names
from wardgate.ir import ApiKeyStep, AuthPlan
from wardgate.proxy.core.auth.api_key import ApiKeyCheck
from wardgate.proxy.core.auth.basic import BasicCheck
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.auth.grants import USER_ID, Grant, Outcome
from wardgate.proxy.core.fields.folded import fold, without
from wardgate.proxy.core.fields.key_copies import WATCHED, remove_copies
from wardgate.proxy.core.messages import HeaderList, Reply, Request
from wardgate.proxy.core.observer import Observer
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.text_codec import to_bytes

StepCheck: TypeAlias = ApiKeyCheck | BasicCheck
_Passes: TypeAlias = Callable[[int], bool]
Expression: TypeAlias = Callable[[_Passes], bool]
"""Whether a request passes, by which of its steps do."""


class CompiledAuth:
    """A plan, ready. ``consumed``: the headers that the authentication step takes off the request.

    Those are the keys' (unless the policy forwards them), the metadata's and ``x-user-id``. ``on_arrival``: the
    client's copies that go at once (invariant 2), all of them but the ones a key is read from. ``keys``: the headers
    that a key is read from. ``given``: those of ``consumed`` that only the key's Secret sets. All names are folded.
    """

    __slots__ = (
        "_expression",
        "_forwards_keys",
        "_steps",
        "_watched",
        "consumed",
        "given",
        "keys",
        "metadata_headers",
        "name",
        "on_arrival",
        "owner",
        "policy",
        "secret_headers",
    )

    def __init__(self, plan: AuthPlan, steps: tuple[StepCheck, ...], *, expression: Expression | None) -> None:
        keys = {step.header for step in steps}
        metadata = {
            field_names.fold(header.header)
            for step in plan.steps
            if isinstance(step, ApiKeyStep)
            for header in step.metadata_headers
        }
        spoofable = {USER_ID, *map(to_bytes, metadata)}
        self.name = plan.name
        self.owner = plan.owner
        self.policy = plan.policy
        self._forwards_keys = plan.forward_credential
        self.keys = frozenset(keys)
        self.metadata_headers = frozenset(metadata)
        self.given = self.on_arrival = frozenset(spoofable - keys)
        self.consumed = frozenset(spoofable if plan.forward_credential else spoofable | keys)
        self._watched = self.consumed if plan.forward_credential else self.consumed | WATCHED
        self.secret_headers = frozenset(keys | {to_bytes(name) for name in metadata})
        self._steps = steps
        self._expression = expression

    def found(self, value: bytes, credentials: CredentialIndex) -> CompiledCredential | None:
        """Return whose key a header's value shows, expired or not, where a key alone decides."""
        (step,) = self._steps
        return step.found(value, credentials) if isinstance(step, ApiKeyCheck) else None

    def proofs(self, value: bytes) -> tuple[bytes, ...]:
        """Return the keys in a header with this value, as ``Grant.keys`` has them, where a key alone decides."""
        (step,) = self._steps
        return step.proofs(value)

    @property
    def lone_key(self) -> bytes | None:
        """The header of the key, where a key alone decides and goes no further; None: more than that counts."""
        if self._expression is not None or len(self._steps) != 1 or self._forwards_keys:
            return None
        step = self._steps[0]
        return step.header if isinstance(step, ApiKeyCheck) and step.decides_alone else None

    def authenticate(
        self,
        headers: HeaderList,
        credentials: CredentialIndex,
        *,
        caller: Caller,
        now: float,
        observer: Observer | None = None,
    ) -> tuple[Grant, ...] | Reply:
        """Return the grants of the passed steps, at least one, or the answer to the refused request."""
        if self._expression is None and len(self._steps) == 1 and observer is None:
            outcome = self._steps[0].check(headers, credentials, caller=caller, now=now)
            return (outcome,) if isinstance(outcome, Grant) else outcome
        run = _Attempt(self._steps, headers, credentials=credentials, caller=caller, now=now, observer=observer)
        passed = (
            all(map(run.passes, range(len(self._steps)))) if self._expression is None else self._expression(run.passes)
        )
        grants = run.grants()
        return grants if passed and grants else run.refusal()

    def erase(self, request: Request, grants: tuple[Grant, ...], *, credentials: CredentialIndex) -> None:
        """Take off the request the keys, their copies, and the headers that only the Secret may set."""
        headers = request.headers
        kept = without(headers, self._watched)
        # One field that is gone was the key's. If more are, some may only have carried credentials by their names.
        named = len(headers) - len(kept) > 1
        request.headers = without(headers, self.consumed) if named else kept
        if self._forwards_keys:
            if not any(map(self._is_lent, grants)):
                return
            request.headers = without(request.headers, self.keys)
            named = True
        for grant in grants:
            for key in grant.keys:
                remove_copies(request, key, knows=lambda text: self._knows(text, credentials), named=named)

    def erase_copies(self, request: Request, credentials: CredentialIndex) -> None:
        """Take off the request copies of the keys that it shows, before anybody has looked whether they are good.

        The headers that keys are read from stay, behind the others.
        """
        if self._forwards_keys:
            return
        shown = [field for field in request.headers if fold(field[0]) in self.keys]
        request.headers = without(request.headers, self.keys)
        proofs = {proof for name, value in shown for step in self._steps for proof in step.proofs(value)}
        request.hidden_keys = tuple(sorted(proofs))
        for proof in request.hidden_keys:
            remove_copies(request, proof, knows=lambda text: self._knows(text, credentials), named=True)
        request.headers += shown

    def _is_lent(self, grant: Grant) -> bool:
        """Whether the key is of a Secret that is only shared with the tenant whose policy this is."""
        return bool(self.owner) and grant.credential is not None and grant.credential.namespace != self.owner

    def _knows(self, key: bytes, credentials: CredentialIndex) -> bool:
        """Whether a step would take this for a key, were it in the step's header."""
        return any(step.knows(key, credentials) for step in self._steps)


class _Attempt:
    """The steps of one request, each checked at most once."""

    __slots__ = ("_caller", "_credentials", "_headers", "_now", "_observer", "_outcomes", "_steps")

    def __init__(
        self,
        steps: tuple[StepCheck, ...],
        headers: HeaderList,
        *,
        credentials: CredentialIndex,
        caller: Caller,
        now: float,
        observer: Observer | None,
    ) -> None:
        self._steps = steps
        self._headers = headers
        self._credentials = credentials
        self._caller = caller
        self._now = now
        self._observer = observer
        self._outcomes: dict[int, Outcome] = {}

    def passes(self, index: int) -> bool:
        outcome = self._outcomes.get(index)
        if outcome is None:
            step = self._steps[index]
            outcome = step.check(self._headers, self._credentials, caller=self._caller, now=self._now)
            self._outcomes[index] = outcome
            if self._observer is not None:
                self._observer.decided("auth step", step.name, detail=_describe(outcome, step))
        return isinstance(outcome, Grant)

    def grants(self) -> tuple[Grant, ...]:
        return tuple(outcome for outcome in self._outcomes.values() if isinstance(outcome, Grant))

    def refusal(self) -> Reply:
        for outcome in self._outcomes.values():
            if isinstance(outcome, Reply):
                return outcome
        return REFUSALS[ReplyReason.NOT_AUTHENTICATED]


def _describe(outcome: Outcome, step: StepCheck) -> str:
    if isinstance(outcome, Grant):
        return f"passed: {outcome.user}"
    return f"failed: {outcome.reason} (header {step.header.decode()})"
