"""``basicAuth``: users and salted password hashes, in the older style (``apr``) or the newer (``userList``)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wardgate.api.rules.bounds import Line, Table, null_is
from wardgate.api.rules.model import ApiModel
from wardgate.api.rules.rules import Rule, exactly_one, given, implies


class BasicAuthUser(ApiModel):
    """One user's password, salted and hashed; never printed, although it is no clear text."""

    salt: Annotated[Line, null_is("")] = Field("", repr=False, description="Salt of the hash.")
    hashed_password: Line = Field(repr=False, min_length=1, description="Hash of the password with that salt.")


class UserTable(ApiModel):
    """Users by name."""

    users: Table[BasicAuthUser] = Field({}, max_length=4096, description="User name to hashed password.")


class Marker(ApiModel):
    """An empty object whose presence says something."""


class Encryption(ApiModel):
    """The hash function of the passwords."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(given("apr"), given("sha1"), message="Name one hash function: apr: {} or sha1: {}."),
    )

    apr: Marker | None = Field(None, description="APR1, the variant of MD5 that htpasswd writes.")
    sha1: Marker | None = Field(None, description="Salted SHA-1.")


class BasicAuth(ApiModel):
    """Let callers in who show a known user name and password."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            given("apr"),
            given("user_list"),
            message="Give the users in one style: either apr, or encryption together with userList.",
        ),
        implies(
            given("user_list"), given("encryption"), message="userList needs encryption: add apr: {} or sha1: {} there."
        ),
        implies(
            given("encryption"),
            given("user_list"),
            message="encryption needs userList: add it, or give the users under apr and remove encryption.",
        ),
    )

    realm: Line | None = Field(None, description="Name that the browser shows when it asks for the password.")
    apr: UserTable | None = Field(None, description="Users whose passwords are hashed with APR1.")
    encryption: Encryption | None = Field(None, description="Hash function of the passwords in userList.")
    user_list: UserTable | None = Field(None, description="Users whose passwords are hashed as encryption says.")
