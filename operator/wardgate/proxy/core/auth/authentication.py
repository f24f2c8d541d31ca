"""Authentication: which steps of a plan a request passes, and what each passed step puts on it.

All steps must pass, in order, unless an expression over them says otherwise; either way at least one must have passed,
so that no plan, however it was written or decoded, lets a request through on no evidence (invariant 1). The first
failure decides the answer. Removing the keys themselves is the exchange's part (invariant 3), from ``consumed``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from wardgate import field_names
from wardgate.ir import ApiKeyStep, AuthPlan, AuthStep, BasicAuthStep, BoolAnd, BoolExpr, BoolNot, BoolOr, BoolStep
from wardgate.ir import Digest as DigestStorage
from wardgate.ir import Hmac as HmacStorage
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.auth.passwords import Check, PasswordChecker, parse_basic
from wardgate.proxy.core.fields.folded import fold, values_of, without
from wardgate.proxy.core.fields.key_copies import NAMED, remove_copies, without_scheme
from wardgate.proxy.core.fields.pseudo import is_ordinary_name
from wardgate.proxy.core.messages import Header, HeaderList, Reply, Request
from wardgate.proxy.core.observer import Observer
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS, basic_refusal
from wardgate.text_codec import to_bytes

USER_ID = b"x-user-id"
_AUTHORIZATION = b"authorization"
_BEARER = b"bearer "


class Grant:
    """What a passed step knows: whose key it was and which headers it sets.

    ``keys``: what proved it, as texts that no other party may see; without a scheme, none empty.
    """

    __slots__ = ("credential", "headers", "keys", "user")

    def __init__(
        self, *, user: str, credential: CompiledCredential | None, headers: HeaderList, keys: tuple[bytes, ...]
    ) -> None:
        self.user = user
        """For the access log: ``namespace/name`` of the key's Secret, or a user's name."""
        self.credential = credential
        self.headers = headers
        self.keys = keys


Outcome: TypeAlias = Grant | Reply
_Passes: TypeAlias = Callable[[int], bool]
_Expression: TypeAlias = Callable[[_Passes], bool]


class ApiKeyCheck:
    """One ``ApiKeyStep``."""

    __slots__ = ("_hmac", "_key_set", "_match", "_metadata", "_raw", "header", "name")

    def __init__(self, step: ApiKeyStep) -> None:
        self.name = step.name
        self.header = fold(to_bytes(step.header))
        self._key_set = step.key_set
        self._metadata = tuple((to_bytes(m.header), m.entry, m.required) for m in step.metadata_headers)
        self._raw = step.skip_metadata_validation
        self._match: tuple[tuple[bytes, str], ...] = ()
        self._hmac: hmac.HMAC | None = None
        if isinstance(step.stored, DigestStorage):
            self._match = tuple((fold(to_bytes(name)), name) for name in map(str.lower, step.stored.match_headers))
        elif isinstance(step.stored, HmacStorage):
            self._hmac = hmac.new(to_bytes(step.stored.shared_secret.reveal()), digestmod="sha256")

    def check(self, headers: HeaderList, credentials: CredentialIndex, *, caller: Caller, now: float) -> Outcome:
        """Look the key up and collect the headers it sets."""
        given = values_of(headers, self.header)
        if len(given) > 1:
            return REFUSALS[ReplyReason.KEY_REPEATED]
        key = given[0] if given else b""
        if not key:
            return REFUSALS[ReplyReason.KEY_MISSING]
        credential = self._find(key, credentials)
        if credential is None and self.header == _AUTHORIZATION:
            credential = self._find_bearer(key, credentials)
        if credential is None:
            return REFUSALS[ReplyReason.KEY_UNKNOWN]
        if now >= credential.expires_at:
            return REFUSALS[ReplyReason.KEY_EXPIRED]
        if self._match and not self._headers_match(headers, credential):
            return REFUSALS[ReplyReason.KEY_HEADER_MISMATCH]
        return self._grant(credential, key)

    def proofs(self, value: bytes) -> tuple[bytes, ...]:
        """Return the key in a header's value, as ``Grant.keys`` has it."""
        key = without_scheme(value) or value
        return (key,) if key else ()

    def knows(self, key: bytes, credentials: CredentialIndex) -> bool:
        """Whether this is a key of the step's key set, expired or not."""
        return self._find(key, credentials) is not None

    def _find_bearer(self, value: bytes, credentials: CredentialIndex) -> CompiledCredential | None:
        key = value[7:].strip(b" ") if value[:7].lower() == _BEARER else b""
        return self._find(key, credentials) if key else None

    def _find(self, key: bytes, credentials: CredentialIndex) -> CompiledCredential | None:
        if self._hmac is None:
            digest = sha256(key).digest()
        else:
            keyed = self._hmac.copy()
            keyed.update(key)
            digest = keyed.digest()
        found = credentials.get((self._key_set, digest))
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        return found

    def _headers_match(self, headers: HeaderList, credential: CompiledCredential) -> bool:
        for wanted, entry in self._match:
            stored = credential.by_header.get(entry)
            given = values_of(headers, wanted)
            if stored is None or len(given) != 1 or not hmac.compare_digest(given[0], stored):
                return False
        return True

    def _grant(self, credential: CompiledCredential, key: bytes) -> Outcome:
        metadata = credential.raw if self._raw else credential.sendable
        headers: list[Header] = []
        for header, entry, required in self._metadata:
            value = metadata.get(entry)
            if value:
                headers.append((header, value))
            elif required:
                return REFUSALS[ReplyReason.KEY_LACKS_METADATA]
        return Grant(user=credential.label, credential=credential, headers=headers, keys=self.proofs(key))


class BasicCheck:
    """One ``BasicAuthStep``."""

    __slots__ = ("_checker", "_missing", "_repeated", "_wrong", "header", "name")

    def __init__(self, step: BasicAuthStep) -> None:
        self.name = step.name
        self.header = _AUTHORIZATION
        self._checker = PasswordChecker(step.users, encryption=step.encryption)
        self._missing = basic_refusal(step.realm, ReplyReason.PASSWORD_MISSING)
        self._repeated = basic_refusal(step.realm, ReplyReason.KEY_REPEATED)
        self._wrong = basic_refusal(step.realm, ReplyReason.PASSWORD_WRONG)

    def check(self, headers: HeaderList, _: CredentialIndex, *, caller: Caller, now: float) -> Outcome:
        """Check user name and password."""
        given = values_of(headers, _AUTHORIZATION)
        if len(given) > 1:
            return self._repeated
        pair = parse_basic(given[0]) if given else None
        if pair is None:
            return self._missing
        name, password = pair
        outcome = self._checker.check(name, password, caller=caller, now=now)
        if outcome is Check.NOT_CHECKED:
            return REFUSALS[ReplyReason.PASSWORD_CHECKS_EXHAUSTED]
        if outcome is Check.WRONG:
            return self._wrong
        return Grant(user=name.decode("utf-8", "replace"), credential=None, headers=[], keys=self.proofs(given[0]))

    def proofs(self, value: bytes) -> tuple[bytes, ...]:
        """Return the password and the whole pair of a header's value, as ``Grant.keys`` has them."""
        pair = parse_basic(value)
        return () if pair is None else tuple(filter(None, (pair[1], without_scheme(value).rstrip(b"="))))

    def knows(self, _: bytes, __: CredentialIndex) -> bool:
        """Passwords are not looked up: each look would cost half a millisecond."""
        return False


StepCheck: TypeAlias = ApiKeyCheck | BasicCheck


class CompiledAuth:
    """A plan, ready. ``consumed``: the headers that the authentication step takes off the request.

    Those are the keys' (unless the policy forwards them), the metadata's and ``x-user-id``. ``on_arrival``: the
    client's copies that go at once (invariant 2), all of them but the ones a key is read from. ``keys``: the headers
    that a key is read from. All names are folded.
    """

    __slots__ = (
        "_expression",
        "_forwards_keys",
        "_steps",
        "_watched",
        "consumed",
        "keys",
        "metadata_headers",
        "name",
        "on_arrival",
        "owner",
        "policy",
        "secret_headers",
    )

    def __init__(self, plan: AuthPlan, steps: tuple[StepCheck, ...], expression: _Expression | None) -> None:
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
        self.on_arrival = frozenset(spoofable - keys)
        self.consumed = frozenset(spoofable if plan.forward_credential else spoofable | keys)
        self._watched = self.consumed if plan.forward_credential else self.consumed | NAMED
        self.secret_headers = frozenset(keys | {to_bytes(name) for name in metadata})
        self._steps = steps
        self._expression = expression

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
        run = _Attempt(self._steps, headers, credentials, caller=caller, now=now, observer=observer)
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
                remove_copies(request, key, lambda text: self._knows(text, credentials), named=named)

    def erase_copies(self, request: Request, credentials: CredentialIndex) -> None:
        """Take copies of the keys that a request shows off it before anybody has looked whether they are good.

        The headers that keys are read from stay, behind the others.
        """
        if self._forwards_keys:
            return
        shown = [field for field in request.headers if fold(field[0]) in self.keys]
        request.headers = without(request.headers, self.keys)
        proofs = {proof for name, value in shown for step in self._steps for proof in step.proofs(value)}
        request.hidden_keys = tuple(sorted(proofs))
        for proof in request.hidden_keys:
            remove_copies(request, proof, lambda text: self._knows(text, credentials), named=True)
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
        credentials: CredentialIndex,
        *,
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
                self._observer.decided("auth step", step.name, _describe(outcome))
        return isinstance(outcome, Grant)

    def grants(self) -> tuple[Grant, ...]:
        return tuple(outcome for outcome in self._outcomes.values() if isinstance(outcome, Grant))

    def refusal(self) -> Reply:
        for outcome in self._outcomes.values():
            if isinstance(outcome, Reply):
                return outcome
        return REFUSALS[ReplyReason.NOT_AUTHENTICATED]


def compile_auth(plan: AuthPlan) -> CompiledAuth | None:
    """Compile a plan; None: it has a step or an expression that this version does not know, or sets no legal header."""
    steps: list[StepCheck] = []
    places: dict[str, int] = {}
    for index, step in enumerate(plan.steps):
        check = _compile_step(step)
        if check is None or check.name in places:
            return None
        places[check.name] = index
        steps.append(check)
    expression = None
    if plan.expression is not None:
        expression = _compile_expression(plan.expression, places)
        if expression is None:
            return None
    return CompiledAuth(plan, tuple(steps), expression)


def _compile_step(step: AuthStep) -> StepCheck | None:
    kind: object = step
    if isinstance(kind, ApiKeyStep):
        known = kind.stored is None or isinstance(kind.stored, DigestStorage | HmacStorage)
        settable = all(is_ordinary_name(to_bytes(each.header)) for each in kind.metadata_headers)
        return ApiKeyCheck(kind) if known and settable else None
    if isinstance(kind, BasicAuthStep) and kind.encryption in ("apr1", "sha1"):
        return BasicCheck(kind)
    return None


def _compile_expression(expression: BoolExpr, places: Mapping[str, int]) -> _Expression | None:
    if isinstance(expression, BoolStep):
        index = places.get(expression.step)
        return None if index is None else (lambda passes: passes(index))
    if isinstance(expression, BoolNot):
        operand = _compile_expression(expression.operand, places)
        return None if operand is None else (lambda passes: not operand(passes))
    if isinstance(expression, BoolAnd | BoolOr):
        operands = [_compile_expression(operand, places) for operand in expression.operands]
        known = [operand for operand in operands if operand is not None]
        return _junction(known, every=isinstance(expression, BoolAnd)) if len(known) == len(operands) else None
    return None


def _junction(operands: Sequence[_Expression], *, every: bool) -> _Expression:
    if every:
        return lambda passes: all(operand(passes) for operand in operands)
    return lambda passes: any(operand(passes) for operand in operands)


def _describe(outcome: Outcome) -> str:
    return f"passed: {outcome.user}" if isinstance(outcome, Grant) else f"failed: {outcome.reason}"
