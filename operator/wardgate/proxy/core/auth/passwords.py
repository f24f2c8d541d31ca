"""Passwords of basic authentication: APR1 and SHA1 hashes, checked within bounds.

One APR1 check costs half a millisecond of the worker's only thread, so what was checked is remembered and wrong
passwords are limited, by ``Guesses``. The check of an unknown user costs as much as that of a known one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import Enum
from typing import Literal

from wardgate.ir import BasicUser
from wardgate.proxy.core.auth.caller import Caller
from wardgate.sensitive import Sensitive
from wardgate.text_codec import to_bytes

_ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_APR1_ORDER = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))
_APR1_MAGIC = b"$apr1$"
_LONGEST_PASSWORD = 255
"""Longer passwords are wrong: APR1's cost grows with the length, and ``htpasswd`` takes no longer one."""
_NOBODY = BasicUser("", Sensitive("wardgate"), Sensitive(""))
"""Stands in for an unknown user: an empty hash equals none."""


class Check(Enum):
    """Outcome of a password check."""

    PASSED = "passed"
    WRONG = "wrong"
    NOT_CHECKED = "not_checked"
    """This caller has tried too many wrong passwords."""


class PasswordChecker:
    """The users of one basic authentication step."""

    __slots__ = ("_encryption", "_users")

    def __init__(self, users: tuple[BasicUser, ...], *, encryption: Literal["apr1", "sha1"]) -> None:
        self._users = {to_bytes(user.name): user for user in users}
        self._encryption = encryption

    def check(self, name: bytes, password: bytes, *, caller: Caller, now: float) -> Check:
        """Check one pair. ``now`` in seconds, by any clock."""
        user, guesses = self._users.get(name, _NOBODY), caller.guesses
        salt, stored = to_bytes(user.salt.reveal()), to_bytes(user.hashed.reveal())
        pair = guesses.digest(self._encryption.encode(), salt, stored, name, password)
        known = guesses.recall(pair)
        if known is not None:
            return Check.PASSED if known else Check.WRONG
        if not guesses.allowed(caller.address, name, now=now):
            return Check.NOT_CHECKED
        if self._matches(password, salt=salt, stored=stored):
            guesses.was_right(pair)
            return Check.PASSED
        guesses.was_wrong(pair, address=caller.address, user=name, now=now)
        return Check.WRONG

    def _matches(self, password: bytes, *, salt: bytes, stored: bytes) -> bool:
        if len(password) > _LONGEST_PASSWORD:
            return False
        if self._encryption == "apr1":
            return hmac.compare_digest(apr1(password, salt), stored)
        return _sha1_matches(password, salt=salt, stored=stored)


def parse_basic(header: bytes) -> tuple[bytes, bytes] | None:
    """Read ``Basic <base64>``; None: it is something else."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        pair = base64.b64decode(encoded.strip(b" "), validate=True)
    except binascii.Error:
        return None
    name, colon, password = pair.partition(b":")
    return (name, password) if colon else None


def apr1(password: bytes, salt: bytes) -> bytes:
    """Hash as ``htpasswd -m`` and ``openssl passwd -apr1`` do; returns the part after the salt.

    The salt is cut to eight bytes, as those do.
    """
    salt = salt[:8]
    final = _md5(password + salt + password)
    start = bytearray(password + _APR1_MAGIC + salt)
    full, rest = divmod(len(password), 16)
    start += final * full + final[:rest]
    bits = len(password)
    while bits:
        start += b"\0" if bits & 1 else password[:1]
        bits >>= 1
    digest = _md5(bytes(start))
    for turn in range(1000):
        digest = _md5(_apr1_turn(turn, digest=digest, password=password, salt=salt))
    return _apr1_text(digest)


def _apr1_turn(turn: int, *, digest: bytes, password: bytes, salt: bytes) -> bytes:
    data = password if turn & 1 else digest
    if turn % 3:
        data += salt
    if turn % 7:
        data += password
    return data + (digest if turn & 1 else password)


def _apr1_text(digest: bytes) -> bytes:
    text = "".join(_to64(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in _APR1_ORDER)
    return (text + _to64(digest[11], 2)).encode()


def _to64(number: int, length: int) -> str:
    return "".join(_ITOA64[number >> shift & 0x3F] for shift in range(0, 6 * length, 6))


def _sha1_matches(password: bytes, *, salt: bytes, stored: bytes) -> bool:
    """Compare with a SHA1 in hexadecimal or base64 (``{SHA}`` before it or not), the salt on either side.

    Gloo's documents do not say which; accepting each costs no strength.
    """
    stored = stored.removeprefix(b"{SHA}")
    same = False
    for data in (password + salt, salt + password):
        digest = hashlib.sha1(data, usedforsecurity=False).digest()
        same |= hmac.compare_digest(digest.hex().encode(), stored.lower())
        same |= hmac.compare_digest(base64.b64encode(digest), stored)
    return same


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
