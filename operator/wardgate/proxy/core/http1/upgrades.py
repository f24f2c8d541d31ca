"""Other protocols on a connection that began as HTTP/1.1 (RFC 9110, 7.8): who may ask for one, and when it has begun.

Rule 1: a request asks by GET, in HTTP/1.1, without a body, by ``Upgrade`` and a ``Connection`` that names it. Others,
        and those that ask for nothing that is allowed, go on as ordinary requests without ``Upgrade`` (7.8: "A server
        MAY ignore a received Upgrade header field"): the upstream answers them as it answers anybody.
Rule 2: the installation says which protocols are allowed. Another HTTP never is (``h2c``): requests in it would pass
        no authentication. The first one that the caller names and that is allowed is asked for, in the
        installation's spelling: no byte of the caller's field goes on.
Rule 3: the upstream has switched where its 101 names the protocol, and nothing else. For a WebSocket the request has
        one key, and the response proves that it was read (RFC 6455, 4.2.2). A 101 without proof is a broken response:
        where a server can be made to say 101 and goes on in HTTP, the connection would lead past the authentication.
Rule 4: what follows a switch is not read. It ends with the connection, the key, or the silence of both sides.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from wardgate.proxy.core.fields.folded import Taken, values_of
from wardgate.proxy.core.grammar import connection_options, members
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.messages import HeaderList, Outgoing

UPGRADE: Final = b"upgrade"
SWITCHING_PROTOCOLS: Final = 101
_WEBSOCKET: Final = b"websocket"
_KEY: Final = re.compile(rb"[0-9A-Za-z+/]{22}==")
"""Sixteen bytes in base64 (RFC 6455, 4.1)."""
_WEBSOCKET_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A protocol that an upstream is asked for, in lower case.

    ``proof``: what the upstream's ``Sec-WebSocket-Accept`` has to say; empty: the protocol has no proof.
    """

    protocol: bytes
    proof: bytes

    @property
    def fields(self) -> bytes:
        """The lines that ask for it, and those that say that it has begun."""
        return b"connection: upgrade\r\nupgrade: %b\r\n" % self.protocol

    def has_begun(self, headers: HeaderList, taken: Taken) -> bool:
        """Whether a response with status 101 and these fields begins it; ``taken``: those that end at this hop."""
        if [each.lower() for each in members(taken.get(UPGRADE, ()))] != [self.protocol]:
            return False
        return not self.proof or values_of(headers, b"sec-websocket-accept") == [self.proof]


def upgrade_of(head: RequestHead, outgoing: Outgoing, *, allowed: frozenset[bytes]) -> Upgrade | None:
    """Return what to ask the upstream for; None: an ordinary request (rule 1). ``allowed``: in lower case."""
    fields = head.connection_fields
    if head.http_1_0 or head.has_body or outgoing.body is not None or outgoing.method != b"GET":
        return None
    if UPGRADE not in connection_options(fields.get(b"connection", ())):
        return None
    for name in members(fields.get(UPGRADE, ())):
        protocol = name.lower()
        if protocol in allowed:
            return _websocket(outgoing.headers) if protocol == _WEBSOCKET else Upgrade(protocol, b"")
    return None


def _websocket(headers: HeaderList) -> Upgrade | None:
    """Return the upgrade to a WebSocket, if the request can be the opening of one."""
    keys = values_of(headers, b"sec-websocket-key")
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        return None
    digest = sha1(keys[0] + _WEBSOCKET_GUID, usedforsecurity=False).digest()
    return Upgrade(_WEBSOCKET, b64encode(digest))


def with_fields(head: bytes, fields: bytes) -> bytes:
    """Add lines of this hop to a head that is written."""
    return head[:-2] + fields + b"\r\n"
