"""One ``ApiKeyStep``: a key in a header, found by its digest, and the metadata that its Secret puts on a request."""

from __future__ import annotations

import hmac
from hashlib import sha256

from wardgate.ir import ApiKeyStep
from wardgate.ir import Digest as DigestStorage
from wardgate.ir import Hmac as HmacStorage
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.auth.grants import Grant, Outcome
from wardgate.proxy.core.fields.folded import fold, values_of
from wardgate.proxy.core.fields.key_copies import without_scheme
from wardgate.proxy.core.messages import Header, HeaderList
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.text_codec import to_bytes

_AUTHORIZATION = b"authorization"
_BEARER = b"bearer "


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

    @property
    def decides_alone(self) -> bool:
        """Whether no other header is compared with what the Secret holds."""
        return not self._match

    def check(self, headers: HeaderList, credentials: CredentialIndex, *, caller: Caller, now: float) -> Outcome:
        """Look the key up and collect the headers it sets."""
        given = values_of(headers, self.header)
        if len(given) > 1:
            return REFUSALS[ReplyReason.KEY_REPEATED]
        key = given[0] if given else b""
        if not key:
            return REFUSALS[ReplyReason.KEY_MISSING]
        credential = self.found(key, credentials)
        if credential is None:
            return REFUSALS[ReplyReason.KEY_UNKNOWN]
        if now >= credential.expires_at:
            return REFUSALS[ReplyReason.KEY_EXPIRED]
        if credential.allowed_from is not None and not credential.allowed_from.hold(caller.whole):
            return REFUSALS[ReplyReason.KEY_ADDRESS_REFUSED]
        whole = credentials.joined(credential) if credential.source else credential
        return REFUSALS[ReplyReason.KEY_TOKEN_MISSING] if whole is None else self._accept(whole, key, headers=headers)

    def proofs(self, value: bytes) -> tuple[bytes, ...]:
        """Return the key in a header's value, as ``Grant.keys`` has it."""
        key = without_scheme(value) or value
        return (key,) if key else ()

    def knows(self, key: bytes, credentials: CredentialIndex) -> bool:
        """Whether this is a key of the step's key set, expired or not."""
        return self._find(key, credentials) is not None

    def found(self, value: bytes, credentials: CredentialIndex) -> CompiledCredential | None:
        """Return whose key of the step's key set a header with this value shows, expired or not; None: nobody's."""
        found = self._find(value, credentials)
        return self._find_bearer(value, credentials) if found is None and self.header == _AUTHORIZATION else found

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

    def _accept(self, credential: CompiledCredential, key: bytes, *, headers: HeaderList) -> Outcome:
        if self._match and not self._headers_match(headers, credential):
            return REFUSALS[ReplyReason.KEY_HEADER_MISMATCH]
        return self._grant(credential, key)

    def _headers_match(self, headers: HeaderList, credential: CompiledCredential) -> bool:
        for wanted, entry in self._match:
            stored = credential.stored(entry)
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
