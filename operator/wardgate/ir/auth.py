"""Authentication plans: how a request proves its sender. They run between preAuthz and postAuthz transformations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from wardgate.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class MetadataHeader:
    """Set request header ``header`` (lower case) from the credential's metadata ``entry``.

    An absent entry sets nothing, or with ``required`` refuses the key.
    """

    header: str
    entry: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """The Secret holds the SHA-256 of the key. ``match_headers`` (lower case) must equal the same-named metadata."""

    match_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hmac:
    """The Secret holds HMAC-SHA-256(``shared_secret``, key)."""

    shared_secret: Sensitive


@dataclass(frozen=True, slots=True)
class ApiKeyStep:
    """Look up the key in ``header`` (lower case) in ``key_set``.

    ``stored`` None or ``Digest``: the credential's digest is the SHA-256 of the key itself. ``Hmac``: it is the HMAC.
    """

    name: str
    header: str
    key_set: str
    metadata_headers: tuple[MetadataHeader, ...] = ()
    stored: Digest | Hmac | None = None
    skip_metadata_validation: bool = False


@dataclass(frozen=True, slots=True)
class BasicUser:
    """``hashed`` is the APR1 or SHA1 hash without its salt, as Gloo's ``hashedPassword``."""

    name: str
    salt: Sensitive
    hashed: Sensitive


@dataclass(frozen=True, slots=True)
class BasicAuthStep:
    """HTTP Basic against a list of users."""

    name: str
    realm: str
    encryption: Literal["apr1", "sha1"]
    users: tuple[BasicUser, ...]


AuthStep: TypeAlias = ApiKeyStep | BasicAuthStep


@dataclass(frozen=True, slots=True)
class BoolStep:
    """True when the step of that name passes."""

    step: str


@dataclass(frozen=True, slots=True)
class BoolNot:
    """Negation."""

    operand: BoolExpr


@dataclass(frozen=True, slots=True)
class BoolAnd:
    """Left to right, short-circuit."""

    operands: tuple[BoolExpr, ...]


@dataclass(frozen=True, slots=True)
class BoolOr:
    """Left to right, short-circuit."""

    operands: tuple[BoolExpr, ...]


BoolExpr: TypeAlias = BoolStep | BoolNot | BoolAnd | BoolOr


@dataclass(frozen=True, slots=True)
class AuthPlan:
    """All ``steps`` must pass in order, unless ``expression`` says otherwise.

    ``forward_credential`` keeps the headers that the key was read from on the request (invariant 3's exception).
    ``policy`` is the policy to name in a log. ``owner``: as ``Route.owner``.
    """

    name: str
    steps: tuple[AuthStep, ...]
    expression: BoolExpr | None = None
    forward_credential: bool = False
    policy: str = ""
    owner: str = ""
