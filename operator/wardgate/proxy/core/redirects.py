"""Targets of redirects: the URL of the request, but for the parts that the route or the listener changes."""

from __future__ import annotations

from wardgate.proxy.core.fields.pseudo import request_path
from wardgate.proxy.core.messages import Reply, Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS, redirect
from wardgate.proxy.core.routing.plans import Redirection


def to_https(request: Request) -> Reply:
    """Send the caller to the same URL with ``https``."""
    if not request.authority:
        return REFUSALS[ReplyReason.BAD_HOST]
    return redirect(301, b"https://" + request.authority.removesuffix(b":80") + request_path(request))


def target_of(action: Redirection, request: Request) -> bytes:
    """Return the URL that a route's redirect leads to; a path alone where no host is known."""
    path = request.path if action.path is None else action.path
    query = b"" if request.query is None else b"?" + request.query
    host = action.host or request.authority
    return request.scheme + b"://" + host + path + query if host else path + query
