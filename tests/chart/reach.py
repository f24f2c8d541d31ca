"""Reach under NetworkPolicies, by the rules of the API's reference: a small evaluator, and no network.

A pod that a policy selects for a direction may do what one rule of its policies says; a pod that none selects may do
everything. A connection needs the leave of both ends. A node always reaches its pods, which is how the kubelet probes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.chart.helm import Manifest

NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection. Without a namespace: an address outside the cluster."""

    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def passes(
    policies: Sequence[Manifest], source: End, target: End, *, port: int, protocol: str = "TCP", by_node: bool = False
) -> bool:
    """Tell whether a connection comes about. ``by_node``: from the target's own node."""
    asked = (port, protocol)
    leaves = _allowed(policies, source, target, "Egress", asked)
    return leaves and (by_node or _allowed(policies, target, source, "Ingress", asked))


def _allowed(policies: Sequence[Manifest], of: End, peer: End, direction: str, asked: tuple[int, str]) -> bool:
    chosen = [each for each in policies if _is_selected(each, of) and direction in each["spec"]["policyTypes"]]
    return not chosen or any(_policy_allows(each, peer, direction, asked) for each in chosen)


def _is_selected(policy: Manifest, end: End) -> bool:
    return policy["metadata"]["namespace"] == end.namespace and _matches(policy["spec"]["podSelector"], end.labels)


def _policy_allows(policy: Manifest, peer: End, direction: str, asked: tuple[int, str]) -> bool:
    side = {"Ingress": "from", "Egress": "to"}[direction]
    home = policy["metadata"]["namespace"]
    return any(
        _ports_allow(rule.get("ports", ()), asked) and _peers_allow(rule.get(side, ()), peer, home)
        for rule in policy["spec"].get(direction.lower(), ())
    )


def _ports_allow(ports: Sequence[Mapping[str, Any]], asked: tuple[int, str]) -> bool:
    port, protocol = asked
    return not ports or any(
        each.get("protocol", "TCP") == protocol and each.get("port", port) == port for each in ports
    )


def _peers_allow(peers: Sequence[Mapping[str, Any]], peer: End, home: str) -> bool:
    return not peers or any(_is_peer(each, peer, home) for each in peers)


def _is_peer(rule: Mapping[str, Any], peer: End, home: str) -> bool:
    if block := rule.get("ipBlock"):
        return _in(peer.address, block["cidr"]) and not any(_in(peer.address, each) for each in block.get("except", ()))
    if not peer.namespace:
        return False
    if "namespaceSelector" in rule:
        known = _matches(rule["namespaceSelector"], {NAMESPACE_NAME: peer.namespace})
    else:
        known = peer.namespace == home
    return known and _matches(rule.get("podSelector", {}), peer.labels)


def _in(address: str, network: str) -> bool:
    return ip_address(address) in ip_network(network)


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert set() == set(selector) - {"matchLabels"}, "The evaluator knows no other selectors."
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()
