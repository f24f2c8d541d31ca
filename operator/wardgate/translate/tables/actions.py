"""Reads a route's action: forward, redirect, answer directly, delegate.

An action that this gateway cannot do closes the route (500) and makes its table INVALID, with the name of the
unsupported field: a request must not be handled in some other way than its owner wrote down. An empty text counts as
absent, as everywhere in the Gloo API.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.api.kinds import http_route as api
from wardgate.api.kinds.references import DestinationReference
from wardgate.http_grammar import IP_LITERAL, PORT
from wardgate.ir import DirectResponse, PrefixRewrite, Redirect, Refuse, RegexRewrite
from wardgate.problems import FieldPath, ObjectRef, Reason, format_path
from wardgate.translate.findings import Findings
from wardgate.translate.matching.matcher_reader import MatcherReader
from wardgate.translate.matching.route_filters import read_filters
from wardgate.translate.plans.table_plans import (
    ActionPlan,
    DelegatePlan,
    DestinationPlan,
    ForwardToPlan,
    TableSelector,
)
from wardgate.translate.tables.rewrite_checks import RewriteReader

ROUTE_INVALID: Final = Refuse(500, "route_invalid")
_AUTHORITY: Final = re.compile(rf"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|{IP_LITERAL}){PORT}")
"""Narrower than what the proxy reads (``http_grammar.HOST``): an owner's name begins and ends as a label does."""


@dataclass(frozen=True, slots=True)
class ActionReader:
    """Reads the actions of one table; problems go to ``findings``."""

    ref: ObjectRef
    findings: Findings
    matchers: MatcherReader
    default: DestinationReference | None

    @property
    def rewrites(self) -> RewriteReader:
        """The checks of rewritten paths."""
        return RewriteReader(self.ref, self.findings)

    def read(self, route: api.HttpRoute, field: FieldPath) -> ActionPlan:
        """The action. A caller that finds an error in ``findings`` must not use it."""
        if route.forward_to is not None:
            return self._forward(route.forward_to, (*field, "forwardTo"))
        if route.redirect is not None:
            return self._redirect(route.redirect, (*field, "redirect"))
        if route.direct_response is not None:
            return DirectResponse(route.direct_response.status, route.direct_response.body or "")
        if route.delegate is not None:
            return self._delegate(route.delegate, (*field, "delegate"))
        self._error(Reason.UNSUPPORTED, "is not supported by this gateway", field=(*field, "graphql"))
        return ROUTE_INVALID

    def _forward(self, forward: api.ForwardTo, field: FieldPath) -> ForwardToPlan:
        named: Sequence[tuple[DestinationReference, FieldPath]] = [
            (one, (*field, "destinations", index)) for index, one in enumerate(forward.destinations)
        ]
        if not named and self.default is not None:
            named = [(self.default, ("spec", "defaultDestination"))]
        host = forward.host_rewrite or None
        if host is not None and not _AUTHORITY.fullmatch(host):
            self._error(Reason.INVALID, "is not a host name, with or without a port", field=(*field, "hostRewrite"))
        return ForwardToPlan(
            destinations=tuple(self._destination(one, place) for one, place in named),
            path_rewrite=self._rewrite(forward, field),
            host_rewrite=host,
            auto_host_rewrite=forward.auto_host_rewrite,
        )

    def _destination(self, one: DestinationReference, field: FieldPath) -> DestinationPlan:
        if one.subset:
            self._error(Reason.UNSUPPORTED, "is not supported by this gateway; remove it", field=(*field, "subset"))
        if one.ref is None:
            self._error(Reason.UNSUPPORTED, "is not supported by this gateway; use ref", field=(*field, "awsLambda"))
            return DestinationPlan("AWS_LAMBDA", self.ref.namespace, "", None, 0, field)
        port = (one.port.number or one.port.name) if one.port else None
        return DestinationPlan(
            kind=one.kind,
            namespace=one.ref.namespace or self.ref.namespace,
            name=one.ref.name,
            port=port,
            weight=one.weight,
            field=field,
            cluster=one.ref.cluster or None,
            kind_given="kind" in one.model_fields_set,
        )

    def _rewrite(self, forward: api.ForwardTo, field: FieldPath) -> PrefixRewrite | RegexRewrite | None:
        if forward.path_rewrite:
            self.rewrites.check_prefix(forward.path_rewrite, (*field, "pathRewrite"))
            return PrefixRewrite(forward.path_rewrite)
        if forward.regex_rewrite is None:
            return None
        rewrite = RegexRewrite(forward.regex_rewrite.pattern.regex, forward.regex_rewrite.substitution)
        self.rewrites.check_regex(rewrite, (*field, "regexRewrite"))
        return rewrite

    def _redirect(self, redirect: api.Redirect, field: FieldPath) -> Redirect:
        if redirect.path_redirect:
            self.rewrites.check_redirect(redirect.path_redirect, (*field, "pathRedirect"))
        if redirect.host_redirect is not None and not _AUTHORITY.fullmatch(redirect.host_redirect):
            self._error(Reason.INVALID, "is not the name of a host", field=(*field, "hostRedirect"))
        status = api.REDIRECT_CODES[redirect.response_code]
        return Redirect(status, redirect.host_redirect, redirect.path_redirect or None)

    def _delegate(self, delegate: api.Delegate, field: FieldPath) -> DelegatePlan:
        selectors = tuple(
            TableSelector(one.name or None, one.namespace or None, frozenset(one.labels.items()), one.cluster or None)
            for one in delegate.route_tables
        )
        return DelegatePlan(
            selectors=selectors,
            allowed=read_filters(delegate.allowed_routes, self.matchers, field=(*field, "allowedRoutes")),
            by_specificity=delegate.sort_method == "ROUTE_SPECIFICITY",
        )

    def _error(self, reason: Reason, what: str, *, field: FieldPath) -> None:
        self.findings.error(self.ref, reason, message=f"{format_path(field)} of {self.ref} {what}.", field=field)
