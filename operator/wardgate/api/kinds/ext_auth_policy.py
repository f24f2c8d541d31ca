"""ExtAuthPolicy: who may use which routes.

``config.disable`` and ``config.customAuth``, and auth modules that Wardgate does not implement, are read like
everything else. That they make a policy INVALID, with its routes closed, is decided in ``translate``.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from wardgate.api.kinds.api_key_auth import ApiKeyAuth
from wardgate.api.kinds.basic_auth import BasicAuth, Marker
from wardgate.api.kinds.other_auth_modules import (
    ForeignModule,
    HmacAuth,
    Ldap,
    OAuth2,
    OpaAuth,
    OpaServerAuth,
    PassThroughAuth,
    PluginAuth,
)
from wardgate.api.kinds.references import ObjectReference
from wardgate.api.kinds.selectors import DestinationSelector, RouteSelector
from wardgate.api.rules.bounds import Flag, Items, Line, Name, Table
from wardgate.api.rules.model import ApiModel, KubernetesObject
from wardgate.api.rules.rules import Rule, exactly_one, given

AUTH_MODULES = (
    "basic_auth",
    "oauth",
    "oauth2",
    "api_key_auth",
    "plugin_auth",
    "opa_auth",
    "ldap",
    "jwt",
    "pass_through_auth",
    "hmac_auth",
    "opa_server_auth",
    "portal_auth",
)
"""Attributes of ``AuthStep`` of which exactly one is given."""


class AuthStep(ApiModel):
    """One step of the chain: a name and exactly one auth module."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            *(given(module) for module in AUTH_MODULES),
            message="Name exactly one auth module in each entry, for example apiKeyAuth.",
        ),
    )

    name: Name | None = Field(None, description="Name of the step in booleanExpr and logs; config_<index> if absent.")
    basic_auth: BasicAuth | None = Field(None, description="Users with passwords.")
    oauth: ForeignModule | None = Field(None, description="Deprecated form of oauth2. Not supported by Wardgate.")
    oauth2: OAuth2 | None = Field(None, description="OAuth 2.0 and OpenID Connect. Not supported by Wardgate.")
    api_key_auth: ApiKeyAuth | None = Field(None, description="Keys that callers send in a header.")
    plugin_auth: PluginAuth | None = Field(None, description="A Go plugin. Not supported by Wardgate.")
    opa_auth: OpaAuth | None = Field(None, description="Rego policies. Not supported by Wardgate.")
    ldap: Ldap | None = Field(None, description="An LDAP directory. Not supported by Wardgate.")
    jwt: Marker | None = Field(None, description="Result of a JWT policy. Not supported by Wardgate.")
    pass_through_auth: PassThroughAuth | None = Field(
        None, description="Another auth service. Not supported by Wardgate."
    )
    hmac_auth: HmacAuth | None = Field(None, description="Signed requests. Not supported by Wardgate.")
    opa_server_auth: OpaServerAuth | None = Field(None, description="An OPA server. Not supported by Wardgate.")
    portal_auth: ForeignModule | None = Field(None, description="The developer portal. Not supported by Wardgate.")

    @property
    def module(self) -> str:
        """Attribute name of the step's module; see ``AUTH_MODULES``."""
        return next(name for name in AUTH_MODULES if getattr(self, name) is not None)


class GlooAuth(ApiModel):
    """A chain of auth steps."""

    configs: Items[AuthStep] = Field(
        min_length=1, max_length=64, description="The steps, in order; all must pass unless booleanExpr says otherwise."
    )
    boolean_expr: Line | None = Field(
        None, description="Combines the names of steps with &&, ||, ! and parentheses; absent means that all must pass."
    )
    fail_on_redirect: Flag = Field(False, description="Answer 401 where a step would redirect.")


class CustomAuth(ApiModel):
    """Hand the decision to an auth service of the user's. Not supported by Wardgate."""

    context_extensions: Table[Line] = Field({}, max_length=256, description="Context handed to the service.")


class ExtAuthConfig(ApiModel):
    """The proof that callers must give."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            given("disable"),
            given("gloo_auth"),
            given("custom_auth"),
            message="Give exactly one of glooAuth, customAuth and disable; Wardgate implements glooAuth.",
        ),
    )

    server: ObjectReference | None = Field(
        None, description="The ExtAuthServer. Informative: Wardgate's proxy authenticates by itself."
    )
    gloo_auth: GlooAuth | None = Field(None, description="Steps that a caller has to pass.")
    custom_auth: CustomAuth | None = Field(None, description="An auth service of one's own. Not supported by Wardgate.")
    disable: bool | None = Field(None, description="Switch authentication off. Not supported by Wardgate.")


class ExtAuthPolicySpec(ApiModel):
    """Routes, and what their callers have to prove."""

    apply_to_routes: Items[RouteSelector] = Field((), max_length=256, description="Routes that the policy guards.")
    apply_to_destinations: Items[DestinationSelector] = Field(
        (),
        max_length=256,
        description="Services whose routes the policy guards; with applyToRoutes empty as well, every Service.",
    )
    config: ExtAuthConfig = Field(description="The proof that callers must give.")


class ExtAuthPolicy(KubernetesObject):
    """Guards routes: only callers with a valid credential get through."""

    spec: ExtAuthPolicySpec = Field(description="Routes, and what their callers have to prove.")
