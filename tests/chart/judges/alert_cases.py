"""For each alert: series after which it fires, with what it says then, and series after which it must be quiet.

Series are sampled once a minute and looked at after half an hour. ``0+60x40`` grows by one a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PROXY = {"namespace": "wardgate", "pod": "wardgate-proxy-1"}
OPERATOR = {"namespace": "wardgate", "pod": "wardgate-operator-1"}
A_SECOND = "0+60x40"


@dataclass(frozen=True, slots=True)
class Case:
    """``labels``: of the alert, besides its severity. ``summary``: empty where it is quiet."""

    alert: str
    series: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def fires(self) -> bool:
        """Tell whether the alert is expected."""
        return bool(self.summary)


def _name(metric: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{inside}}}"


def _proxy(metric: str, **labels: str) -> str:
    return _name(f"wardgate_{metric}", {**PROXY, **labels})


def _operator(metric: str, **labels: str) -> str:
    return _name(f"wardgate_operator_{metric}", {**OPERATOR, **labels})


def _per_second(number: float) -> str:
    return f"0+{number * 60:g}x40"


FIRING = (
    Case("WardgateProxiesMissing", {}, summary="No Wardgate proxy serves."),
    Case(
        "WardgateProxiesMissing",
        {_proxy("workers"): "0x40", 'wardgate_workers{namespace="other",pod="wardgate-proxy-1"}': "2x40"},
        summary="No Wardgate proxy serves.",
    ),
    Case(
        "WardgateConfigOld",
        {_proxy("config_age_seconds"): "0+60x40"},
        PROXY,
        "Proxy wardgate-proxy-1 serves a config that nobody has confirmed for 30m 0s.",
    ),
    Case(
        "WardgateConfigRefused",
        {_proxy("config_refused_total", cause="schema"): "0+1x40"},
        {**PROXY, "cause": "schema"},
        "Proxy wardgate-proxy-1 refuses newer configs (schema).",
    ),
    Case(
        "WardgateProxiesDisagree",
        {_proxy("config_info", revision="a"): "1x40"}
        | {_name("wardgate_config_info", {**PROXY, "pod": "wardgate-proxy-2", "revision": "b"}): "1x40"},
        summary="The proxies serve 2 different configs.",
    ),
    Case(
        "WardgateListenerUnserved",
        {_proxy("listener_unserved", listener="infra/gw:81"): "1x40"},
        {**PROXY, "listener": "infra/gw:81"},
        "Proxy wardgate-proxy-1 cannot bind the port of listener infra/gw:81.",
    ),
    Case(
        "WardgateRoutesClosed",
        {_proxy("closed_routes"): "3x40", _proxy("refused_keys"): "0x40"},
        PROXY,
        "Proxy wardgate-proxy-1 is older than its config and keeps 3 routes or keys closed.",
    ),
    Case(
        "WardgateRoutesClosed",
        {_proxy("closed_routes"): "0x40", _proxy("refused_keys"): "2x40"},
        PROXY,
        "Proxy wardgate-proxy-1 is older than its config and keeps 2 routes or keys closed.",
    ),
    Case(
        "WardgateWorkersDie",
        {_proxy("worker_restarts_total"): "0+1x40"},
        PROXY,
        "Workers of proxy wardgate-proxy-1 die, 15 in 15 minutes.",
    ),
    Case(
        "WardgateGatewayErrors",
        {
            _proxy("requests_total", code_class="5xx", reason="upstream_timeout"): _per_second(1),
            _proxy("requests_total", code_class="2xx", reason=""): _per_second(9),
        },
        summary="The gateway answers 10% of all requests with an error of its own.",
    ),
    Case(
        "WardgateOverloaded",
        {
            _proxy("requests_total", code_class="5xx", reason="upstream_overload"): _per_second(1),
            _proxy("connections_refused_total", reason="connections"): _per_second(2),
        },
        summary="Proxies turn away 3 requests and connections a second for want of room.",
    ),
    Case(
        "WardgateUpstreamFails",
        {
            _proxy("upstream_errors_total", upstream="openai", reason="upstream_reset"): _per_second(1),
            _proxy("upstream_responses_total", upstream="openai", status="200"): _per_second(3),
        },
        {"upstream": "openai"},
        "25% of the requests to upstream openai fail.",
    ),
    Case(
        "WardgateUpstreamFails",
        {_proxy("upstream_errors_total", upstream="openai", reason="upstream_unreachable"): _per_second(1)},
        {"upstream": "openai"},
        "100% of the requests to upstream openai fail.",
    ),
    Case(
        "WardgateProviderLimits",
        {
            _proxy("upstream_responses_total", upstream="openai", status="429"): _per_second(1),
            _proxy("upstream_responses_total", upstream="openai", status="200"): _per_second(1),
        },
        {"upstream": "openai"},
        "Provider openai answers 50% of all requests with 429.",
    ),
    Case(
        "WardgateKeysGuessed",
        {_proxy("requests_total", code_class="4xx", reason="key_unknown"): _per_second(10)},
        summary="10 wrong keys or passwords a second.",
    ),
    Case(
        "WardgateAccessLogLost",
        {_proxy("access_log_lines_dropped_total"): "0+2x40"},
        PROXY,
        "Proxy wardgate-proxy-1 lost 30 lines of its access log.",
    ),
    Case("WardgateNobodyLeads", {}, summary="No Wardgate operator leads."),
    Case("WardgateNobodyLeads", {_operator("leader"): "0x40"}, summary="No Wardgate operator leads."),
    Case(
        "WardgatePublishFails",
        {_operator("publish_failures_total"): "0+1x40"},
        OPERATOR,
        "Operator wardgate-operator-1 cannot publish.",
    ),
    Case(
        "WardgateOperatorBug",
        {_operator("internal_errors_total"): "0x25 1x15"},
        OPERATOR,
        "Operator wardgate-operator-1 ran into a bug of its own.",
    ),
    Case(
        "WardgateWatchSilent",
        {_operator("watch_age_seconds", kind="Secret"): "0+60x40"},
        {"pod": OPERATOR["pod"], "kind": "Secret"},
        "Operator wardgate-operator-1 has heard nothing of Secret for 30m 0s.",
    ),
    Case(
        "WardgatePoliciesLost",
        {_operator("lost_policies"): "4x40"},
        summary="4 ExtAuthPolicies went away with their definition, and are not back.",
    ),
    Case(
        "WardgateApiErrors",
        {_operator("api_errors_total"): A_SECOND},
        {"pod": OPERATOR["pod"]},
        "1 requests a second of operator wardgate-operator-1 to the API server fail.",
    ),
)

_GOOD_REQUESTS = {_proxy("requests_total", code_class="2xx", reason=""): _per_second(100)}
QUIET = (
    Case("WardgateProxiesMissing", {_proxy("workers"): "2x40"}),
    Case("WardgateConfigOld", {_proxy("config_age_seconds"): "16x40"}),
    Case("WardgateConfigRefused", {_proxy("config_refused_total", cause="schema"): "7x40"}),
    Case(
        "WardgateProxiesDisagree",
        {
            _proxy("config_info", revision="a"): "1x40",
            _name("wardgate_config_info", {**PROXY, "pod": "wardgate-proxy-2", "revision": "a"}): "1x40",
            'wardgate_config_info{namespace="other",pod="wardgate-proxy-1",revision="b"}': "1x40",
        },
    ),
    Case("WardgateListenerUnserved", {_proxy("listener_unserved", listener="infra/gw:80"): "1x5 _x35"}),
    Case("WardgateRoutesClosed", {_proxy("closed_routes"): "0x40", _proxy("refused_keys"): "0x40"}),
    Case("WardgateWorkersDie", {_proxy("worker_restarts_total"): "0x25 1x15"}),
    Case(
        "WardgateGatewayErrors",
        {
            _proxy("requests_total", code_class="4xx", reason="key_missing"): _per_second(50),
            _proxy("requests_total", code_class="5xx", reason=""): _per_second(50),
        },
    ),
    Case("WardgateOverloaded", {**_GOOD_REQUESTS, _proxy("connections_refused_total", reason="share"): "0x40"}),
    Case(
        "WardgateUpstreamFails",
        {
            _proxy("upstream_errors_total", upstream="openai", reason="endpoint_ejected"): _per_second(5),
            _proxy("upstream_errors_total", upstream="openai", reason="upstream_reset"): _per_second(0.1),
            _proxy("upstream_responses_total", upstream="openai", status="200"): _per_second(5),
        },
    ),
    Case(
        "WardgateProviderLimits",
        {
            _proxy("upstream_responses_total", upstream="openai", status="429"): _per_second(1),
            _proxy("upstream_responses_total", upstream="openai", status="200"): _per_second(9),
        },
    ),
    Case("WardgateKeysGuessed", {_proxy("requests_total", code_class="4xx", reason="key_missing"): _per_second(50)}),
    Case("WardgateAccessLogLost", {_proxy("access_log_lines_dropped_total"): "9x40"}),
    Case(
        "WardgateNobodyLeads",
        {
            _operator("leader"): "1x40",
            _name("wardgate_operator_leader", {**OPERATOR, "pod": "wardgate-operator-2"}): "0x40",
        },
    ),
    Case("WardgatePublishFails", {_operator("publish_failures_total"): "3x40"}),
    Case("WardgateOperatorBug", {_operator("internal_errors_total"): "1x40"}),
    Case("WardgateWatchSilent", {_operator("watch_age_seconds", kind="Secret"): "70x40"}),
    Case("WardgatePoliciesLost", {_operator("lost_policies"): "0x40"}),
    Case("WardgateApiErrors", {_operator("api_errors_total"): "0+1x40"}),
)
