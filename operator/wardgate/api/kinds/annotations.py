"""Annotations and labels that mean something to Wardgate, and how their values are read.

A value that cannot be read is an ``AnnotationError`` *value*, never an exception: what a bad value costs (a key, a
policy) is decided in ``translate``. Its text says what should stand there and does not repeat what does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Network, ip_network
from itertools import islice
from typing import Final

FORWARD_CREDENTIAL: Final = "wardgate.dev/forward-credential"
"""On an ExtAuthPolicy: ``"true"`` leaves the caller's key on the request that goes upstream (invariant 3)."""
CREDENTIAL_HEADERS: Final = "wardgate.dev/credential-headers"
"""On a TransformationPolicy: further headers, comma-separated, that are credentials and never sent half-empty
(invariant 4)."""
EXPIRES_AT: Final = "wardgate.dev/expires-at"
"""On a key Secret: RFC 3339 time from which the key is refused (invariant 5)."""
UPSTREAM_HOSTS: Final = "wardgate.dev/upstream-hosts"
"""On a key Secret: the only hosts, comma-separated, that may get what the Secret holds (invariant 11)."""
SHARE_WITH: Final = "wardgate.dev/share-with"
"""On a platform's key Secret: the tenants' namespaces, comma-separated, whose policies and routes may use it. On a
provider Secret: the namespaces whose key Secrets may take from it."""
METADATA_FROM: Final = "wardgate.dev/metadata-from"
"""On a key Secret: the Secret of type ``wardgate.dev/provider-token`` that gives it further entries."""
ALLOW_FROM: Final = "wardgate.dev/allow-from"
"""On a key Secret: the only networks, comma-separated, that the key may be sent from."""
DELEGATE_FROM: Final = "wardgate.dev/delegate-from"
"""On a platform's RouteTable: the tenants' namespaces, comma-separated, whose tables may delegate to it."""
TRUSTED_HOPS: Final = "wardgate.dev/trusted-hops"
"""On a VirtualGateway: how many of the last addresses in ``X-Forwarded-For`` were written by proxies in front of it."""
PROXY_PROTOCOL: Final = "wardgate.dev/proxy-protocol"
"""On a VirtualGateway: ``"true"``, or the ports, comma-separated, whose connections begin with a PROXY header."""
TRUSTED_PROXIES: Final = "wardgate.dev/trusted-proxies"
"""On a VirtualGateway: the only networks, comma-separated, whose connections are believed what they say of callers."""
REQUIRE_AUTH: Final = "gateway.gloo.solo.io/require_auth"
"""Label of a route or a RouteTable: ``"true"`` refuses every request while no valid ExtAuthPolicy guards the route."""

KNOWN_ON: Final[Mapping[str, str]] = {
    FORWARD_CREDENTIAL: "ExtAuthPolicy",
    CREDENTIAL_HEADERS: "TransformationPolicy",
    EXPIRES_AT: "Secret",
    UPSTREAM_HOSTS: "Secret",
    SHARE_WITH: "Secret",
    METADATA_FROM: "Secret",
    ALLOW_FROM: "Secret",
    DELEGATE_FROM: "RouteTable",
    TRUSTED_HOPS: "VirtualGateway",
    PROXY_PROTOCOL: "VirtualGateway",
    TRUSTED_PROXIES: "VirtualGateway",
}
"""Every annotation of ours, with the kind that it means something on."""
MAX_NETWORKS: Final = 256
"""Networks of one list: each request from elsewhere is compared with all of them."""
MAX_STRAY: Final = 20
"""Annotations without effect that are reported for one object."""

_OURS: Final = "wardgate"
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OBJECT_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_HOPS: Final = re.compile(r"[0-9]{1,2}", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_HIGHEST_PORT: Final = 65535
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:)(\d\d)((\.\d+)?([Zz]|[+-]\d\d:\d\d))", re.ASCII)


@dataclass(frozen=True, slots=True)
class AnnotationError:
    """``expected`` continues the sentence "The annotation must be ..."."""

    expected: str


@dataclass(frozen=True, slots=True)
class StrayAnnotation:
    """One that looks like ours and means nothing on its object. ``complaint`` follows the annotation's name."""

    name: str
    complaint: str


def stray_annotations(names: Iterable[object], kind: str) -> Iterator[StrayAnnotation]:
    """Those of an object of ``kind`` that somebody will have expected something of."""
    return islice(_stray(names, kind), MAX_STRAY)


def _stray(names: Iterable[object], kind: str) -> Iterator[StrayAnnotation]:
    for name in names:
        if not isinstance(name, str) or not name.lower().startswith(_OURS) or KNOWN_ON.get(name) == kind:
            continue
        if name in KNOWN_ON:
            complaint = f"has no effect: it belongs on an object of kind {KNOWN_ON[name]}. Move it there, or remove it."
        else:
            near = difflib.get_close_matches(name.lower(), KNOWN_ON, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(sorted(KNOWN_ON))}."
            complaint = f"is not known and has no effect. {remedy}"
        yield StrayAnnotation(name, complaint)


def parse_flag(text: str) -> bool | AnnotationError:
    """``true`` or ``false``, in any case."""
    match text.strip().lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            return AnnotationError('"true" or "false"')


def parse_time(text: str) -> int | AnnotationError:
    """RFC 3339 (section 5.6) to Unix seconds; a fraction is cut off, so that nothing lives longer than written.

    Unix time has no leap seconds: one is taken as the second after it.
    """
    try:
        if written := _RFC_3339.fullmatch(text.strip()):
            return _leap_second(*written.group(1, 3)) if written[2] == "60" else _seconds(written[0])
    except (ValueError, OverflowError):
        pass
    return AnnotationError("an RFC 3339 time with a zone, such as 2030-01-31T12:00:00Z")


def _leap_second(minute: str, rest: str) -> int:
    """The second after it. Raises ``ValueError`` where none can be: they come at the end of a month (section 5.7)."""
    following = _seconds(f"{minute}59{rest}") + 1
    if datetime.fromtimestamp(following, UTC).timetuple()[2:6] != (1, 0, 0, 0):
        msg = "A leap second is the last one of a month in UTC."
        raise ValueError(msg)
    return following


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text.upper()).timestamp() // 1)


def parse_list(text: str) -> tuple[str, ...]:
    """A comma-separated list in lower case, without blanks, empty parts and repetitions, in the order written."""
    parts = (part.strip().lower() for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def parse_namespaces(text: str) -> tuple[str, ...] | AnnotationError:
    """A list of at least one namespace, sorted."""
    names = parse_list(text)
    if names and all(map(is_namespace, names)):
        return tuple(sorted(names))
    return AnnotationError("names of namespaces, separated by commas, such as team-a,team-b")


def parse_secret_name(text: str, *, namespace: str) -> tuple[str, str] | AnnotationError:
    """The namespace and name of a Secret, written ``namespace/name``, or as a name in this ``namespace``."""
    space, slash, name = text.strip().rpartition("/")
    if (is_namespace(space) or not slash) and _OBJECT_NAME.fullmatch(name):
        return (space or namespace, name)
    return AnnotationError("the name of a Secret, or its namespace and name such as platform/openai")


def parse_hops(text: str) -> int | AnnotationError:
    """A number of proxies."""
    digits = text.strip()
    if _HOPS.fullmatch(digits):
        return int(digits)
    return AnnotationError("a number from 0 to 99")


def parse_ports(text: str) -> bool | tuple[int, ...] | AnnotationError:
    """All of a gateway's ports or none of them (``true``, ``false``), or a list of ports, sorted."""
    flag = parse_flag(text)
    if not isinstance(flag, AnnotationError):
        return flag
    ports = parse_list(text)
    if ports and all(_PORT.fullmatch(port) and int(port) <= _HIGHEST_PORT for port in ports):
        return tuple(sorted(map(int, ports)))
    return AnnotationError('"true", "false", or ports of the gateway, separated by commas, such as 80,443')


def parse_networks(text: str) -> tuple[str, ...] | AnnotationError:
    """A list of one to ``MAX_NETWORKS`` networks or addresses, sorted and without repetitions.

    Callers with IPv4 have IPv4 addresses, so a network of mapped ones (``::ffff:10.0.0.0/104``) would hold nobody.
    """
    try:
        networks = {ip_network(part) for part in parse_list(text)}
        if any(network.subnet_of(_MAPPED) for network in networks if isinstance(network, IPv6Network)):
            return AnnotationError("IPv4 networks as such, 10.0.0.0/8 and not ::ffff:10.0.0.0/104")
    except ValueError:
        networks = set()
    if len(networks) > MAX_NETWORKS:
        return AnnotationError(f"at most {MAX_NETWORKS} networks")
    if networks:
        return tuple(sorted(map(str, networks)))
    return AnnotationError(
        "networks such as 10.0.0.0/8, separated by commas and with no address bits behind the prefix"
    )


def is_namespace(name: str) -> bool:
    """Whether a namespace can have this name (RFC 1123, a label)."""
    return _NAMESPACE.fullmatch(name) is not None
