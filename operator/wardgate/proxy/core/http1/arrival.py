"""The request that the core decides about, made of a head that was read."""

from __future__ import annotations

from wardgate.proxy.core.http1.paths import read_target
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.messages import Header, Request


def arrived(head: RequestHead, *, scheme: bytes = b"http", forwarded: tuple[Header, ...] = ()) -> Request | None:
    """Return the request, its path normalised; None: its target is none.

    The authority of a target that is a whole URL counts before Host (RFC 9112, 3.2.2).
    """
    target = read_target(head.target, method=head.method)
    if target is None:
        return None
    return Request(
        method=head.method,
        path=target.path,
        query=target.query,
        authority=head.host if target.authority is None else target.authority,
        headers=head.headers,
        scheme=scheme,
        has_body=head.has_body,
        connection_fields=head.connection_fields,
        forwarded=forwarded,
    )
