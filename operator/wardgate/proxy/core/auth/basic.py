"""One ``BasicAuthStep``: a user's name and password in ``Authorization`` (RFC 7617)."""

from __future__ import annotations

from wardgate.ir import BasicAuthStep
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.auth.grants import Grant, Outcome
from wardgate.proxy.core.auth.passwords import Check, PasswordChecker, parse_basic
from wardgate.proxy.core.fields.folded import values_of
from wardgate.proxy.core.fields.key_copies import without_scheme
from wardgate.proxy.core.messages import HeaderList
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS, basic_refusal

_AUTHORIZATION = b"authorization"


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
        """Return False: no password is looked up, because each look would cost half a millisecond."""
        return False
