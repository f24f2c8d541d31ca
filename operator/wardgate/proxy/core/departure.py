"""The last step before a request goes upstream: the route's own rewriting, and the checks of what it made."""

from __future__ import annotations

from collections.abc import Iterable

from wardgate.proxy.core.auth.grants import Grant
from wardgate.proxy.core.fields.forwarded import tell
from wardgate.proxy.core.http1.content_coding import ask_for_identity
from wardgate.proxy.core.http1.max_forwards import count_down
from wardgate.proxy.core.messages import Reply, Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.core.routing.matching import CompiledMatch
from wardgate.proxy.core.routing.plans import ForwardPlan
from wardgate.proxy.core.token_rules import names_bound_host
from wardgate.url_path import settle


def rewrite(
    request: Request,
    action: ForwardPlan,
    *,
    match: CompiledMatch | None,
    grants: Iterable[Grant],
    is_told: bool,
) -> Reply | None:
    """Rewrite path, host and the headers of this hop, in place; return the answer if it does not leave, or may not so.

    With ``auto_host`` the host becomes the dialled one, which is bound already. ``is_told``: the upstream learns where
    the request comes from.
    """
    request.barred_trailers = action.barred_trailers
    if request.method == b"OPTIONS":
        answer = count_down(request)
        if answer is not None:
            return answer
    if action.rewrite is not None:
        assert match is not None
        rewritten = action.rewrite(request.path, match)
        rewritten = None if rewritten is None else settle(rewritten)
        if rewritten is None:
            return REFUSALS[ReplyReason.BAD_TARGET]
        request.path = rewritten
    if is_told:
        tell(request, host_changes=action.auto_host or action.host is not None)
    if action.host is not None:
        request.authority = action.host
    if action.asks_identity:
        ask_for_identity(request.headers)
    if action.auto_host or names_bound_host(grants, request.authority):
        return None
    return REFUSALS[ReplyReason.TOKEN_BOUND_ELSEWHERE]
