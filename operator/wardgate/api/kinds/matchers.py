"""Which requests a route takes. Within one matcher everything must hold; of several matchers one is enough."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from wardgate.api.rules.bounds import Flag, HeaderName, Items, Line, Name, Path, Port
from wardgate.api.rules.model import ApiModel
from wardgate.api.rules.rules import Rule, at_most_one, given


class StringMatch(ApiModel):
    """A text compared as a whole, from its beginning, or by pattern."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            given("exact"),
            given("prefix"),
            given("regex"),
            given("suffix"),
            message="Give only one of exact, prefix, regex and suffix.",
        ),
    )

    exact: Path | None = Field(None, description="The whole text.")
    prefix: Path | None = Field(None, description="The beginning of the text.")
    regex: Path | None = Field(None, description="A pattern in RE2 syntax that the whole text must match.")
    suffix: Path | None = Field(None, description="The end of the text. Not supported for paths.")
    ignore_case: Flag = Field(
        False, description="Compare without regard to case; a regex ignores it and takes (?i) instead."
    )


class HeaderMatcher(ApiModel):
    """A condition on one header."""

    name: HeaderName = Field(min_length=1, description="Name of the header, in any case.")
    value: Line | None = Field(None, description="Its value or pattern; absent asks only whether the header is there.")
    regex: Flag = Field(False, description="The value is a pattern in RE2 syntax.")
    invert_match: Flag = Field(
        False, description="Take the requests that do not meet this condition, those without the header among them."
    )


class QueryParameterMatcher(ApiModel):
    """A condition on one parameter of the query string."""

    name: Line = Field(min_length=1, description="Name of the parameter.")
    value: Line | None = Field(None, description="Its value or pattern; absent asks only whether it is there.")
    regex: Flag = Field(False, description="The value is a pattern in RE2 syntax.")


class HttpRequestMatcher(ApiModel):
    """Conditions on one request; all of them must hold."""

    name: Name | None = Field(None, description="A name for people; it matches nothing.")
    uri: StringMatch | None = Field(None, description="Condition on the path, without the query string.")
    headers: Items[HeaderMatcher] = Field((), max_length=64, description="Conditions on headers.")
    query_parameters: Items[QueryParameterMatcher] = Field(
        (), max_length=64, description="Conditions on the query string."
    )
    method: Name | None = Field(None, description="The request's method, for example GET.")
    port: Port | None = Field(None, description="Number of the listener's port.")
