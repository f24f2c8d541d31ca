"""One HTTP route of a RouteTable: which requests it takes, and the one thing it does with them.

Timeouts and retries are no part of it: the Gloo API keeps them in a kind of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from wardgate.api.kinds.matchers import HttpRequestMatcher
from wardgate.api.kinds.references import DestinationReference
from wardgate.api.kinds.selectors import ObjectSelector
from wardgate.api.rules.bounds import Document, Flag, Host, Items, Label, Line, Name, Path, Regex, Table, null_is
from wardgate.api.rules.model import ApiModel, JsonObject, OpenModel
from wardgate.api.rules.rules import Rule, at_most_one, exactly_one, given, is_true

_SUMMED: Final = 8
"""Destinations whose weights the CEL rule adds up; with more of them only the status tells.

Term by term, because older API servers cannot estimate what ``map(...).sum()`` costs and refuse the whole CRD.
"""


def _weight(index: int) -> str:
    entry = f"self.destinations[{index}]"
    return f"(size(self.destinations) > {index} && has({entry}.weight) ? {entry}.weight : 0)"


_SUM: Final = " + ".join(_weight(index) for index in range(_SUMMED))


def _weights_fit(forward: ForwardTo) -> bool:
    if len(forward.destinations) < 2:
        return True
    weights = [destination.weight for destination in forward.destinations]
    return sum(weights) == 100 or (0 in weights and sum(weights) < 100)


class RegexPattern(ApiModel):
    """A pattern in RE2 syntax."""

    regex: Regex = Field(min_length=1, description="The pattern.")


class RegexRewrite(ApiModel):
    """Replace what a pattern finds in the path."""

    pattern: RegexPattern = Field(description="What is replaced.")
    substitution: Annotated[Path, null_is("")] = Field(
        "", description="What it is replaced by; \\1 stands for the first group."
    )


class ForwardTo(ApiModel):
    """Send the request to a destination."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            given("path_rewrite"), given("regex_rewrite"), message="Give either pathRewrite or regexRewrite, not both."
        ),
        at_most_one(
            given("host_rewrite"),
            is_true("auto_host_rewrite"),
            message="Give either hostRewrite or autoHostRewrite, not both.",
        ),
        Rule(
            f"!has(self.destinations) || size(self.destinations) < 2 || size(self.destinations) > {_SUMMED} || "
            f"{_SUM} == 100 || "
            f"({_SUM} < 100 && self.destinations.exists(d, !has(d.weight) || d.weight == 0))",
            "The weights of several destinations must add up to 100; one without weight takes what is left.",
            _weights_fit,
        ),
    )

    destinations: Items[DestinationReference] = Field(
        (), max_length=100, description="Where requests go; empty means defaultDestination of the RouteTable."
    )
    path_rewrite: Path | None = Field(
        None, description="Replaces the prefix that matched, or the whole path if the matcher is exact."
    )
    regex_rewrite: RegexRewrite | None = Field(None, description="Replaces what a pattern finds in the path.")
    host_rewrite: Line | None = Field(None, description="Host that the destination sees.")
    auto_host_rewrite: Flag = Field(False, description="The destination sees its own host name.")


class Redirect(ApiModel):
    """Answer with another URL."""

    host_redirect: Host | None = Field(None, description="Host of the other URL; that of the request if absent.")
    path_redirect: Path | None = Field(None, description="Path of the other URL; that of the request if absent.")
    response_code: Annotated[
        Literal["MOVED_PERMANENTLY", "FOUND", "SEE_OTHER", "TEMPORARY_REDIRECT", "PERMANENT_REDIRECT"],
        null_is("MOVED_PERMANENTLY"),
    ] = Field("MOVED_PERMANENTLY", description="Status of the answer; 301 if absent.")


class DirectResponse(ApiModel):
    """Answer at once."""

    status: Annotated[int, Field(ge=200, le=599)] = Field(description="Status of the answer.")
    body: Document | None = Field(None, description="Body of the answer.")


class AllowedRoute(ApiModel):
    """Limits which routes may be attached."""

    matchers: Items[HttpRequestMatcher] = Field(
        (), max_length=16, description="A route is allowed if it lies within one of these."
    )
    allowed_actions: Items[Name] = Field((), max_length=16, description="Actions that a route may have.")


class Delegate(ApiModel):
    """Let other RouteTables decide."""

    route_tables: Items[ObjectSelector] = Field(
        min_length=1, max_length=64, description="The RouteTables, by name or by labels and namespace."
    )
    allowed_routes: Items[AllowedRoute] = Field(
        (), max_length=8, description="Routes that they may contribute; empty means all."
    )
    sort_method: Annotated[Literal["TABLE_WEIGHT", "ROUTE_SPECIFICITY"], null_is("TABLE_WEIGHT")] = Field(
        "TABLE_WEIGHT",
        description="Order of their routes: by the table's weight (if absent), or the most specific first.",
    )


class GraphQl(OpenModel):
    """Answer GraphQL queries. Not supported by Wardgate."""

    schema_: JsonObject | None = Field(None, description="The schema to serve.")
    stitched_schema: JsonObject | None = Field(None, description="Several schemas served as one.")
    options: JsonObject | None = Field(None, description="How queries are served and logged.")


REDIRECT_CODES: Final[Mapping[str, int]] = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
"""The statuses of redirects by their names."""
ACTIONS = ("forward_to", "redirect", "direct_response", "delegate", "graphql")
"""Attributes of ``HttpRoute`` of which exactly one is given."""


class HttpRoute(ApiModel):
    """Takes the requests that match, and does one thing with them."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            *(given(action) for action in ACTIONS),
            message="Name exactly one action: forwardTo, redirect, directResponse or delegate.",
        ),
    )

    name: Name | None = Field(None, description="Name of the route in logs and statuses; unique within the table.")
    labels: Table[Label] = Field({}, max_length=64, description="Labels by which policies select the route.")
    matchers: Items[HttpRequestMatcher] = Field(
        (),
        max_length=32,
        description="Requests that the route takes; one match is enough, none at all takes every request.",
    )
    forward_to: ForwardTo | None = Field(None, description="Send the request to a destination.")
    redirect: Redirect | None = Field(None, description="Answer with another URL.")
    direct_response: DirectResponse | None = Field(None, description="Answer at once.")
    delegate: Delegate | None = Field(None, description="Let other RouteTables decide.")
    graphql: GraphQl | None = Field(None, description="Answer GraphQL queries. Not supported by Wardgate.")
