"""Remedies of tables and of routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.remedies.gateway import GONE, GUARDED
from tests.remedies.parts import BELOW, ISOLATED, child, copy_of, delegating, prefix, route
from tests.remedies.row import Row, row

_H: Final = "rt http 0"
_F: Final = f"{_H} forwardTo"
_L: Final = "gw listeners 0"
_BOTH: Final = {"llm": GUARDED, "below": GUARDED}
_TWICE: Final = {"llm": GUARDED, "other": GUARDED}


_SERVICE: Final = {"destinations": [{"ref": {"name": "web"}, "port": {"number": 80}}]}
_TENANTS: Final = {**child(route("below", "/llm/t", forwardTo=_SERVICE), namespace="t")}

TABLES: Final[tuple[Row, ...]] = (
    row("Correct spec.hosts.", {"rt hosts": {"x": 1}}, {"rt hosts": ["api.example.com"]}),
    row(
        "remove those, with its virtualGateways",
        {**delegating("/llm"), "+child": child(route("below"), hosts=["x.test"], virtualGateways=[{"name": "gw"}])},
        {"+child hosts": GONE, "+child virtualGateways": GONE},
        then=BELOW,
    ),
    row(
        "List namespaces, separated by commas.",
        {"rt metadata annotations": {"wardgate.dev/delegate-from": "A B"}},
        {"rt metadata annotations wardgate.dev/delegate-from": "t, u"},
    ),
    row("Choose another name.", {"rt http 1": route("llm", "/x")}, {"rt http 1 name": "other"}, then=_TWICE),
    row("so it serves nothing here. Name one.", {"rt virtualGateways": GONE}, {"rt virtualGateways": [{"name": "gw"}]}),
    row("forwards HTTP only. Remove it.", {"rt tcp": [{}]}, {"rt tcp": GONE}),
    row(
        "Delete the table, or give it routes under http instead.",
        {"rt http": GONE, "rt tcp": [{}]},
        {"rt tcp": GONE, "rt http": [route("llm")]},
    ),
    row(
        "Delete the table, or give it routes under http instead.",
        {"+l4": {**copy_of("rt"), "spec": {"hosts": ["tcp.test"], "virtualGateways": [{"name": "gw"}], "tls": [{}]}}},
        {"+l4": GONE},
    ),
    row(
        "Delegate to it, or give it hosts and virtualGateways.",
        {"+child": child(route("below", "/below"))},
        {"rt http 1": delegating("/below")[_H]},
        {"+child hosts": ["x.test"], "+child virtualGateways": [{"name": "gw"}]},
        then=_BOTH,
    ),
    row(
        "Change its matchers, or remove this route.",
        {"rt http 1": route("other", "/llm")},
        {"rt http 1 matchers": [prefix("/other")]},
        then=_TWICE,
    ),
    row("Change its matchers, or remove this route.", {"rt http 1": route("other", "/llm")}, {"rt http 1": GONE}),
    row(
        "Change or remove the others.",
        {"rt http 1": route("other", "/llm", "/other")},
        {"rt http 1 matchers 0": prefix("/third")},
        {"rt http 1 matchers 0": GONE},
        then=_TWICE,
    ),
    row(
        "delegates to no RouteTable; check delegate.routeTables.",
        {**delegating("/llm", labels={"x": "none"}), "+child": child(route("below"))},
        {f"{_H} delegate routeTables 0": {"name": "child"}},
        then=BELOW,
    ),
    row(
        "exclude each other; correct one of them",
        {**delegating("/llm"), "+child": child(route("below", "/other"))},
        {"+child http 0 matchers 0": prefix("/llm/x")},
        {f"{_H} matchers 0": prefix("/other")},
        then=BELOW,
    ),
    row(
        "exclude them; correct or remove them.",
        {**delegating("/llm"), "+child": child(route("below", "/llm/a", "/other"))},
        {"+child http 0 matchers 1": prefix("/llm/b")},
        {"+child http 0 matchers 1": GONE},
        then=BELOW,
    ),
    row(
        "delegates to it, and is closed there; begin each path with /llm/",
        {
            **delegating("/llm/", namespace="t"),
            "+child": _TENANTS,
            "+child http 0 matchers 0": {"uri": {"regex": "/llm/.*|/x"}},
        },
        {"+child http 0 matchers 0": {"uri": {"regex": "/llm/.*"}}},
        settings=ISOLATED,
        then=BELOW,
    ),
    row(
        "put it before that, or end the prefix with a slash.",
        {**delegating("/llm", namespace="t"), "+child": _TENANTS, "rt http 1": route("llm", "/llm-two")},
        {f"{_H} matchers 0": prefix("/llm/")},
        {"rt http": [route("llm", "/llm-two"), delegating("/llm", namespace="t")[_H]]},
        settings=ISOLATED,
        then=_BOTH,
    ),
    row(
        "was there first and takes requests of the same paths, whatever weights and patterns are. Change its matchers.",
        {
            f"{_L} allowedRouteTables": [
                {"host": "*", "selector": {"namespace": "a"}},
                {"host": "api.example.com", "selector": {"namespace": "t"}},
            ],
            "rt http 0 matchers": [prefix("/llm")],
            "+child": {
                **_TENANTS,
                "spec": {
                    "hosts": ["api.example.com"],
                    "virtualGateways": [{"name": "gw", "namespace": "a"}],
                    "http": [route("below", "/llm/t", forwardTo=_SERVICE)],
                },
            },
        },
        {"+child http 0 matchers 0": prefix("/t")},
        settings=ISOLATED,
        then=_BOTH,
    ),
    row(
        "Ask for an entry of your own host in the gateway's allowedRouteTables.",
        {
            f"{_L} allowedRouteTables": [
                {"host": "*", "selector": {"namespace": "a"}},
                {"host": "*", "selector": {"namespace": "t"}},
            ],
            "rt hosts": ["*"],
            "+child": {
                **_TENANTS,
                "spec": {
                    "hosts": ["t.example.com"],
                    "virtualGateways": [{"name": "gw", "namespace": "a"}],
                    "http": [route("below", "/t", forwardTo=_SERVICE)],
                },
            },
        },
        {f"{_L} allowedRouteTables 1 host": "t.example.com"},
        settings=replace(ISOLATED, guest_tables=0),
        then=_BOTH,
    ),
)
ROUTES: Final[tuple[Row, ...]] = (
    row(
        "has pathRewrite with a regex matcher; use regexRewrite",
        {f"{_H} matchers 0 uri": {"regex": "/a.*"}, f"{_F} pathRewrite": "/b"},
        {f"{_F} pathRewrite": GONE, f"{_F} regexRewrite": {"pattern": {"regex": "^/a"}, "substitution": "/b"}},
    ),
    row(
        "begin the pattern with (?i) instead.",
        {f"{_H} matchers 0 uri": {"regex": "/a", "ignoreCase": True}},
        {f"{_H} matchers 0 uri": {"regex": "(?i)/a"}},
    ),
    row(
        "is not supported; use regex",
        {f"{_H} matchers 0 uri": {"suffix": "/a"}},
        {f"{_H} matchers 0 uri": {"regex": ".*/a"}},
    ),
    row(
        "because a method in lower case is refused; write that",
        {f"{_H} matchers 0 method": "get"},
        {f"{_H} matchers 0 method": "GET"},
    ),
    row(
        "the form that every request's path has; write that",
        {f"{_H} matchers 0 uri prefix": "/a//b"},
        {f"{_H} matchers 0 uri prefix": "/a/b"},
    ),
    row("no % but before two hex digits; correct it", {f"{_F} pathRewrite": "/a/../b"}, {f"{_F} pathRewrite": "/b"}),
    row(
        "holds a query, which no path has; remove pathRewrite, and let",
        {f"{_F} pathRewrite": "/a?b=1"},
        {f"{_F} pathRewrite": GONE, "tp config request injaTemplate headers :path": {"text": "/a?b=1"}},
    ),
    row(
        "use regexRewrite with the substitution to insert a group",
        {f"{_F} pathRewrite": "/a/$1"},
        {
            f"{_F} pathRewrite": GONE,
            f"{_F} regexRewrite": {"pattern": {"regex": "^/llm(/.*)"}, "substitution": "/a\\1"},
        },
    ),
    row(
        "remove the query: that of the request is kept",
        {_F: GONE, f"{_H} redirect": {"pathRedirect": "/a?b=1"}},
        {f"{_H} redirect pathRedirect": "/a"},
    ),
    row(
        "write the path itself",
        {_F: GONE, f"{_H} redirect": {"pathRedirect": "/a/$1"}},
        {f"{_H} redirect pathRedirect": "/a"},
    ),
    row(
        "is not a pattern that RE2 takes: ",
        {f"{_F} regexRewrite": {"pattern": {"regex": "("}, "substitution": "/"}},
        {f"{_F} regexRewrite pattern regex": "a"},
    ),
    row(
        "which no path can hold; write %20 for a blank",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/a b"}},
        {f"{_F} regexRewrite substitution": "/a%20b"},
    ),
    row(
        "write \\1 for the group",
        {f"{_F} regexRewrite": {"pattern": {"regex": "(a)"}, "substitution": "/$1"}},
        {f"{_F} regexRewrite substitution": "/\\1"},
    ),
    row(
        "put what is meant in parentheses in the pattern, and write \\1",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/$1"}},
        {f"{_F} regexRewrite": {"pattern": {"regex": "(a)"}, "substitution": "/\\1"}},
    ),
    row(
        "to no other group; write a backslash as",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/\\x"}},
        {f"{_F} regexRewrite substitution": "/\\\\x"},
    ),
    row(
        "nor letters beyond ASCII; write %20 for a blank",
        {f"{_F} pathRewrite": "/a b"},
        {f"{_F} pathRewrite": "/a%20b"},
    ),
    row(
        "stands as a second one; let a TransformationPolicy",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/b?c=1"}},
        {f"{_F} regexRewrite": GONE, "tp config request injaTemplate headers :path": {"text": "/b?c=1"}},
    ),
)

ROWS: Final = TABLES + ROUTES
