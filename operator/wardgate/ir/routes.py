"""Routes: the requests they take, their authentication, their transformations and their action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from wardgate.ir.matches import RouteMatch


@dataclass(frozen=True, slots=True)
class PrefixRewrite:
    """Replace the matched part: of a prefix match the prefix, of an exact match the whole path."""

    path: str


@dataclass(frozen=True, slots=True)
class RegexRewrite:
    """RE2 pattern and substitution (``\\1``), applied to the path without its query."""

    pattern: str
    substitution: str


@dataclass(frozen=True, slots=True)
class WeightedUpstream:
    """``weight`` is relative to the sum over the route; zero takes no traffic."""

    upstream: str
    weight: int


@dataclass(frozen=True, slots=True)
class Forward:
    """Send the request to one of ``upstreams``.

    ``host_rewrite`` None keeps the caller's Host; ``auto_host_rewrite`` takes the chosen endpoint's name instead.
    """

    upstreams: tuple[WeightedUpstream, ...]
    path_rewrite: PrefixRewrite | RegexRewrite | None = None
    host_rewrite: str | None = None
    auto_host_rewrite: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """Absent parts keep the request's own. ``path`` replaces the whole path; the query is kept."""

    code: int
    host: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class DirectResponse:
    """Answer at once."""

    status: int
    body: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The route is closed: every request gets ``status`` and is logged with ``reason`` (lower_snake_case)."""

    status: int
    reason: str


RouteAction: TypeAlias = Forward | Redirect | DirectResponse | Refuse


@dataclass(frozen=True, slots=True)
class Route:
    """``name`` is unique in the config. ``matches`` empty takes every request.

    ``auth`` names the ``AuthPlan`` that every request must pass before the action; None is an open route.
    ``transformations`` name plans in the order of execution on requests: all ``pre`` ones, then all ``post`` ones.
    ``owner`` is the tenant that owns the route; empty for the platform, or without tenants.
    """

    name: str
    action: RouteAction
    matches: tuple[RouteMatch, ...] = ()
    auth: str | None = None
    transformations: tuple[str, ...] = ()
    owner: str = ""
