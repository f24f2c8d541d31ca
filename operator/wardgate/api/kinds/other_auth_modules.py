"""Auth modules of the Gloo API that Wardgate does not implement.

They are modelled so that ``kubectl explain`` knows them, the API server keeps them, and a policy that uses one is
INVALID with the module's name instead of silently open. Only their outer fields are typed; what lies deeper is kept as
written.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from wardgate.api.kinds.references import ObjectReference, SecretReference
from wardgate.api.rules.bounds import Duration, Flag, Items, Line, Name, Table
from wardgate.api.rules.model import ApiModel, JsonObject, OpenModel
from wardgate.api.rules.rules import Rule, at_most_one, given


class OidcAuthorizationCode(OpenModel):
    """Log a browser in at an OpenID provider."""

    client_id: Line | None = Field(None, description="Identifier of this client at the provider.")
    client_secret_ref: SecretReference | None = Field(None, description="Secret with the client's own secret.")
    issuer_url: Line | None = Field(None, description="URL of the provider.")
    app_url: Line | None = Field(None, description="Public URL of the application.")
    callback_path: Line | None = Field(None, description="Path to which the provider sends the browser back.")
    logout_path: Line | None = Field(None, description="Path that logs the user out.")
    after_logout_url: Line | None = Field(None, description="Where the browser goes after the log-out.")
    scopes: Items[Line] = Field((), max_length=256, description="Scopes to ask for beside openid.")
    auth_endpoint_query_params: Table[Line] = Field(
        {}, max_length=256, description="Parameters added to authorization requests."
    )
    token_endpoint_query_params: Table[Line] = Field(
        {}, max_length=256, description="Parameters added to token requests."
    )
    session: JsonObject | None = Field(None, description="Where the session is kept: cookie or Redis.")
    headers: JsonObject | None = Field(None, description="Headers that carry the tokens upstream.")
    discovery_override: JsonObject | None = Field(None, description="Values that replace those of the discovery.")
    discovery_poll_interval: Duration | None = Field(None, description="Time between two discoveries.")
    jwks_cache_refresh_policy: JsonObject | None = Field(None, description="When the provider's keys are read again.")
    auto_map_from_metadata: JsonObject | None = Field(None, description="Maps metadata of the provider to fields.")
    end_session_properties: JsonObject | None = Field(None, description="How the provider's session is ended.")
    dynamic_metadata_from_claims: Table[Line] = Field(
        {}, max_length=256, description="Claims copied to the request's metadata."
    )
    disable_client_secret: Flag = Field(False, description="The client has no secret.")
    access_token: JsonObject | None = Field(None, description="Claims of the access token that become headers.")
    identity_token: JsonObject | None = Field(None, description="Claims of the identity token that become headers.")
    client_authentication: JsonObject | None = Field(None, description="How this client proves who it is.")
    default: JsonObject | None = Field(None, description="Marks a provider without peculiarities.")
    azure: JsonObject | None = Field(None, description="Settings for Microsoft Entra ID.")


class AccessTokenValidation(OpenModel):
    """Check access tokens that callers bring along."""

    jwt: JsonObject | None = Field(None, description="Check the token's signature with known keys.")
    introspection: JsonObject | None = Field(None, description="Ask the provider about the token, with credentials.")
    introspection_url: Line | None = Field(None, description="Ask the provider about the token at this URL.")
    userinfo_url: Line | None = Field(None, description="URL that tells about the user.")
    cache_timeout: Duration | None = Field(None, description="How long an answer is remembered.")
    required_scopes: JsonObject | None = Field(None, description="Scopes that a token must have.")
    dynamic_metadata_from_claims: Table[Line] = Field(
        {}, max_length=256, description="Claims copied to the request's metadata."
    )


class OAuth2(OpenModel):
    """OAuth 2.0 in one of three ways. Not supported by Wardgate."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            given("oidc_authorization_code"),
            given("access_token_validation"),
            given("oauth2"),
            message=(
                "Give only one of oidcAuthorizationCode, accessTokenValidation and oauth2. Wardgate implements none: "
                "use apiKeyAuth."
            ),
        ),
    )

    oidc_authorization_code: OidcAuthorizationCode | None = Field(None, description="Log in at an OpenID provider.")
    access_token_validation: AccessTokenValidation | None = Field(None, description="Check tokens of callers.")
    oauth2: JsonObject | None = Field(None, description="Plain OAuth 2.0.")


class OpaAuth(OpenModel):
    """Policies in Rego, run inside the auth server. Not supported by Wardgate."""

    modules: Items[ObjectReference] = Field((), max_length=256, description="ConfigMaps that hold Rego modules.")
    query: Line | None = Field(None, description="The query that must be true.")
    options: JsonObject | None = Field(None, description="How the query is run.")


class OpaServerAuth(OpenModel):
    """Policies in Rego, asked of an OPA server. Not supported by Wardgate."""

    package: Line | None = Field(None, description="Package of the rule.")
    rule_name: Line | None = Field(None, description="Rule that must be true.")
    server_addr: Line | None = Field(None, description="Address of the server.")
    options: JsonObject | None = Field(None, description="How the rule is asked for.")


class Ldap(OpenModel):
    """Users of an LDAP directory. Not supported by Wardgate."""

    address: Line | None = Field(None, description="Address of the directory.")
    user_dn_template: Line | None = Field(None, description="Name of a user's entry; %s is the user name.")
    membership_attribute_name: Line | None = Field(None, description="Attribute that lists the user's groups.")
    allowed_groups: Items[Line] = Field((), max_length=1024, description="Groups whose members are let in.")
    pool: JsonObject | None = Field(None, description="Connections kept open.")
    search_filter: Line | None = Field(None, description="Filter of the search for the user.")
    disable_group_checking: Flag = Field(False, description="Let in every user, whatever the groups.")
    group_lookup_settings: JsonObject | None = Field(None, description="How groups are looked up.")


class PassThroughAuth(OpenModel):
    """Ask another auth service. Not supported by Wardgate."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            given("grpc"),
            given("http"),
            message="Give only one service: grpc or http. Wardgate implements neither: use apiKeyAuth.",
        ),
    )

    grpc: JsonObject | None = Field(None, description="A service that speaks gRPC.")
    http: JsonObject | None = Field(None, description="A service that speaks HTTP.")
    config: JsonObject | None = Field(None, description="Handed to the service as it is.")
    failure_mode_allow: Flag = Field(False, description="Opens nothing in Wardgate, whatever its value.")


class PluginAuth(OpenModel):
    """A Go plugin of the auth server. Not supported by Wardgate."""

    name: Name | None = Field(None, description="Name of the plugin.")
    plugin_file_name: Line | None = Field(None, description="File of the plugin.")
    exported_symbol_name: Line | None = Field(None, description="Symbol that the plugin exports.")
    config: JsonObject | None = Field(None, description="Handed to the plugin as it is.")


class HmacSecretRefs(ApiModel):
    """Secrets of hmacAuth."""

    secret_refs: Items[SecretReference] = Field((), max_length=1024, description="The Secrets by name.")


class HmacAuth(OpenModel):
    """Requests signed with a shared secret. Not supported by Wardgate."""

    secret_refs: HmacSecretRefs | None = Field(None, description="Secrets with user names and shared secrets.")
    parameters_in_headers: JsonObject | None = Field(None, description="The signature stands in headers.")


class ForeignModule(OpenModel):
    """A module known by its name alone. Not supported by Wardgate."""
