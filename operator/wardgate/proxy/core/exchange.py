"""One request and its response, from arrival to answer: the order in which everything happens.

Rule 1: route; a closed route answers at once.
Rule 2: what a client may not bring is removed on arrival (invariant 2).
Rule 3: preAuthz transformations; then authentication, which removes the keys (invariant 3) and sets the metadata
        headers; then postAuthz transformations; then the route's own rewriting of path and host.
Rule 4: a transformation that recalculates may send the request to another route: of its owner's own, and after
        authentication only to one with the same authentication plan. The request then is that route's alone: its plans
        of this phase and the later ones run, none twice for one request, and nothing of the first route's is left.
Rule 5: whether tokens may leave is checked on the route that the request leaves by (invariant 11, ``token_rules``).
Rule 6: responses, and every answer of the gateway's own, pass the phases in reverse, each only if its phase has seen
        the request. Answers that ``start`` and ``advance`` return have passed them already; the I/O passes its own
        answers (413, 502 ...) through ``local_reply``.

A body is asked for (``NeedBody``) only when a transformation that reads it is next.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from wardgate.proxy.core.auth.authentication import CompiledAuth
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.auth.grants import USER_ID, Grant
from wardgate.proxy.core.departure import rewrite
from wardgate.proxy.core.fields.folded import drop, without
from wardgate.proxy.core.fields.pseudo import request_path
from wardgate.proxy.core.header_watch import HeaderWatch
from wardgate.proxy.core.http1.framing import is_bodiless
from wardgate.proxy.core.messages import Facts, Incoming, NeedBody, Outgoing, Reply, Request, Step
from wardgate.proxy.core.observer import Observer
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.redaction import is_long_enough, redact_escaped
from wardgate.proxy.core.redirects import target_of, to_https
from wardgate.proxy.core.replies import REFUSALS, fields_of_own, redirect, take_place_of
from wardgate.proxy.core.routing.derived import spread
from wardgate.proxy.core.routing.matching import CompiledMatch
from wardgate.proxy.core.routing.plans import NOWHERE, CompiledRoute, ForwardPlan, Redirection
from wardgate.proxy.core.routing.table import CompiledListener, Table
from wardgate.proxy.core.token_rules import headers_of, is_foreign_to_owner, secrets_of, seen_by, token_refusal
from wardgate.proxy.core.transform.message_view import RequestView, ResponseView
from wardgate.proxy.core.transform.surroundings import Surroundings
from wardgate.proxy.core.transform.transformation import CompiledTransformation, in_response_order
from wardgate.proxy.core.transform.veil import Veil
from wardgate.proxy.core.upstream.destinations import CompiledUpstream

_AUTH_METADATA = "envoy.filters.http.ext_authz"
_NO_HEADERS: frozenset[str] = frozenset()


class Exchange:
    """See the rules above. ``now`` is in unix seconds; ``pick(n)`` chooses a number from 0 below ``n``.

    The I/O calls ``start``, then ``advance`` after each ``NeedBody``; with the upstream's response ``response`` and
    ``finish_response``.
    """

    __slots__ = (
        "_answered",
        "_authenticated",
        "_caller",
        "_credentials",
        "_grants",
        "_index",
        "_listener",
        "_match",
        "_now",
        "_pick",
        "_ran",
        "_route",
        "_upstream",
        "_veil",
        "_view",
        "_watch",
        "around",
        "facts",
        "holder",
        "request",
        "responses",
        "table",
    )

    def __init__(
        self,
        table: Table,
        credentials: CredentialIndex,
        *,
        listener: CompiledListener,
        request: Request,
        caller: Caller,
        now: float,
        pick: Callable[[int], int],
        observer: Observer | None = None,
    ) -> None:
        self.table = table
        self.request = request
        self.facts = Facts(listener=listener.name)
        self.holder: Hashable = caller.address
        """Whom budgets count: the key or the user that authenticated the request, and before that the address."""
        self._caller = caller
        self._credentials = credentials
        self._listener = listener
        self._now = now
        self._pick = pick
        self._watch = None if observer is None else HeaderWatch(observer, request)
        self._view = RequestView(request)
        self.around = Surroundings(self._view)
        self._route: CompiledRoute = NOWHERE
        self._match: CompiledMatch | None = None
        self._upstream: CompiledUpstream | None = None
        self._grants: tuple[Grant, ...] = ()
        self._authenticated = False
        self._index = 0
        self._veil: Veil | None = None
        """Hides a token from tenants whose it is not, once there is one on the request."""
        self._ran: tuple[CompiledTransformation, ...] = ()
        self.responses: tuple[CompiledTransformation, ...] = ()  # the plans that have a say in the response
        self._answered: Reply | None = None

    @property
    def credentials_used(self) -> tuple[CompiledCredential, ...]:
        """Keys that authenticated this request; ``CredentialIndex.holds`` tells whether they still would."""
        return tuple(grant.credential for grant in self._grants if grant.credential is not None)

    def holds_secret(self, text: bytes) -> bool:
        """Whether an accepted key, or anything that its Secret holds, stands in a text as it is."""
        return any(secret in text and is_long_enough(secret) for secret in secrets_of(self._grants))

    def redacted(self, text: str) -> str:
        """Take the accepted keys out of the request as the access log shows it (invariant 7)."""
        return redact_escaped(text, [key for grant in self._grants for key in grant.keys])

    def start(self) -> Step:
        """Decide what to do with the request; ``NeedBody`` asks for ``advance``."""
        if self._watch is not None:
            self._watch.observer.decided("listener", self._listener.name)
        if self._listener.https_redirect and self.request.scheme != b"https":
            return self._answer(to_https(self.request))
        found = self._listener.find(self.request)
        if found is None:
            return self._answer(REFUSALS[ReplyReason.NO_ROUTE])
        refusal = self._enter(*found)
        if refusal is not None:
            return self._answer(refusal)
        return self._run()

    def advance(self, body: bytes, *, credentials: CredentialIndex | None = None, now: float | None = None) -> Step:
        """Go on with the whole body that ``NeedBody`` asked for.

        ``credentials`` and ``now``: those of this moment. A key that was revoked, or that expired, while the body was
        on its way must not authenticate the request any more.
        """
        self._view.body = body
        self._credentials = self._credentials if credentials is None else credentials
        self._now = self._now if now is None else now
        return self._run()

    def response_needs_body(self, status: int) -> bool:
        """Whether ``finish_response`` needs the whole body; if not, give None, or ``b""`` where there is none."""
        if not self.responses or is_bodiless(status=status, head_request=self.request.method == b"HEAD"):
            return False
        return any(plan.reads_response for plan in self.responses)

    def finish_response(self, incoming: Incoming) -> Incoming:
        """Transform an upstream's response, in place. A body that is not None afterwards replaces what was there."""
        if self.responses:
            self.around.budget = None  # the work on the request is long done
            self._transform_response(incoming)
        return incoming

    def _transform_response(self, incoming: Incoming) -> None:
        view = ResponseView(incoming)
        for plan, response in in_response_order(self.responses):
            failure = response.run(view, self.around)
            if failure is not None:
                self._blame(plan)
                reply = self._route.form.of(failure.redacted(secrets_of(self._grants)).response_reply())
                # Of two failures the log names the first: it is the cause.
                self.facts.reason = self.facts.reason or reply.reason
                take_place_of(incoming, reply)

    def local_reply(self, reply: Reply) -> Reply:
        """Pass an answer of the gateway's own through the response transformations, once."""
        # By identity: an answer that ``start`` or ``advance`` returned has passed the transformations.
        return reply if reply is self._answered else self._answer(reply)

    def _answer(self, reply: Reply) -> Reply:
        self.facts.reason = reply.reason
        reply = self._route.form.of(reply)
        if self.responses:
            # Out of what the request has left: both may happen in one go, and then count as one.
            incoming = Incoming(reply.status, list(reply.headers), reply.body, fields_of_own(reply.body))
            self._transform_response(incoming)
            reply = Reply(incoming.status, reply.reason, tuple(incoming.headers), incoming.body or b"")
        self._answered = reply
        return reply

    def _enter(self, match: CompiledMatch, route: CompiledRoute) -> Reply | None:
        """Take a route; return the answer if it is closed."""
        self._match = match
        self._route = route
        self.facts.route = route.name
        self.facts.policy = "" if route.auth is None else route.auth.policy
        self.around.metadata_headers = _NO_HEADERS if route.auth is None else route.auth.metadata_headers
        if self._veil is not None:
            self._hide_tokens(route, spread(self._veil, route.pre + route.post))
        elif not self._authenticated:
            self.around.veil = route.veil_on_arrival
        if self._watch is not None:
            self._watch.tell_route(route.name, policy=self.facts.policy)
        self.responses = ()
        if route.closed is not None:
            return route.closed
        self.responses = route.pre_responses + route.post_responses if self._authenticated else route.pre_responses
        if not self._authenticated:
            self.request.headers = without(self.request.headers, route.strip)
            if self._watch is not None:
                self._watch.keep_secret(() if route.auth is None else route.auth.secret_headers)
                self._watch.report("arrival")
        return None

    def _run(self) -> Step:
        """Go on from wherever the request stands."""
        if not self._authenticated:
            step = self._transform(self._route.pre)
            if step is not None:
                return step
            route = self._route
            refusal = self._authenticate(route)
            if refusal is not None:
                return self._answer(refusal)
            self._authenticated = True
            self._index = 0
            self.responses += route.post_responses
        step = self._transform(self._route.post)
        return self._dispatch(self._route) if step is None else step

    @property
    def _plans(self) -> tuple[CompiledTransformation, ...]:
        """Transformations of the phase that the request is in, on the route that it is on."""
        return self._route.post if self._authenticated else self._route.pre

    def _transform(self, plans: tuple[CompiledTransformation, ...]) -> Step | None:
        """Run the rest of a phase; None: it is over."""
        while self._index < len(plans):
            plan = plans[self._index]
            # After a reroute a plan of this route may have run on the one before: none runs twice for one request.
            if not self._ran or plan not in self._ran:
                step = self._apply(plan)
                if step is not None:
                    return step
                if plan.recalculate:
                    plans = self._plans
            self._index += 1
        return None

    def _apply(self, plan: CompiledTransformation) -> Step | None:
        """Transform the request, and send it to another route where the plan asks for that; None: it goes on."""
        if plan.request is not None:
            if plan.request.needs_body and self._view.body is None:
                return NeedBody(plan.request.longest_body)
            if plan.owner and not self._authenticated and self._route.veil_on_arrival is not None:
                self._route.erase_copies(self.request, self._credentials)
            failure = plan.request.run(self._view, self.around)
            if failure is not None:
                self._blame(plan)
                return self._answer(failure.redacted(secrets_of(self._grants)).request_reply())
            if self._watch is not None:
                self._watch.report(plan.policy)
        refusal = self._reroute(plan) if plan.recalculate else None
        return None if refusal is None else self._answer(refusal)

    def _blame(self, plan: CompiledTransformation) -> None:
        """Name the policy whose transformation failed, unless something else had failed before."""
        if not self.facts.reason:
            self.facts.policy = plan.policy

    def _reroute(self, plan: CompiledTransformation) -> Reply | None:
        """Find the route that the request has now; return the answer if it may not, or cannot, go on there."""
        found = self._find_again()
        if found is None:
            return REFUSALS[ReplyReason.NO_ROUTE]
        match, route = found
        if route is self._route:
            self._match = match
            return None
        hidden = self.around.veil
        if plan.owner and (plan.owner != route.owner or (hidden is not None and hidden.hides_target)):
            self._blame(plan)
            return REFUSALS[ReplyReason.REROUTE_NOT_PERMITTED]
        if self._authenticated and route.closed is None and route.auth is not self._route.auth:
            return REFUSALS[ReplyReason.REROUTED_PAST_AUTH]
        self._leave(route)
        refusal = self._enter(match, route)
        if refusal is None and self._authenticated:
            drop(self.request.headers, USER_ID)  # the former route's upstream asked for it; the new one may not
            self._choose_upstream(route)
        return refusal

    def _find_again(self) -> tuple[CompiledMatch, CompiledRoute] | None:
        """Find a route; a tenant's matchers see nothing of another owner's token."""
        if self._veil is None:
            return self._listener.find(self.request)
        return self._listener.find_again(self.request, seen_by(self._grants, veil=self._veil, request=self.request))

    def _hide_tokens(self, route: CompiledRoute, veil: Veil) -> None:
        """Hide the tokens, and what came of them, from the route's owner, unless they are the owner's."""
        self._veil = veil
        self.around.veil = veil if is_foreign_to_owner(self._grants, route) else None

    def _leave(self, following: CompiledRoute) -> None:
        """Forget the route, but for the plans that have run, and take off the keys that only its policy reads."""
        self._ran += self._plans[: self._index + 1]
        self._index = -1  # _transform, which goes on from here, adds one: the new route's first plan is next
        auth = self._route.auth
        if auth is not None and not self._authenticated:
            unread = auth.consumed if following.auth is None else auth.consumed - following.auth.keys
            self.request.headers = without(self.request.headers, unread)

    def _authenticate(self, route: CompiledRoute) -> Reply | None:
        auth = route.auth
        if auth is not None:
            observer = None if self._watch is None else self._watch.observer
            verdict = auth.authenticate(
                self.request.headers, self._credentials, caller=self._caller, now=self._now, observer=observer
            )
            if isinstance(verdict, Reply):
                return verdict
            self._grant(auth, verdict)
            if route.veil is not None:
                self._hide_tokens(route, route.veil)
            # A request that may still move to another route is checked there (rule 5).
            refusal = None if route.recalculates else token_refusal(verdict, route)
            if refusal is not None:
                return refusal
        self._choose_upstream(route)
        if self._watch is not None:
            self._watch.report("authentication")
        return None

    def _grant(self, auth: CompiledAuth, grants: tuple[Grant, ...]) -> None:
        """Take the keys off the request and put on it what the passed steps give; a later step's header wins."""
        auth.erase(self.request, grants, credentials=self._credentials)
        self._grants = grants
        first = grants[0]
        self.request.hidden_keys = (
            first.keys if len(grants) == 1 else tuple(key for each in grants for key in each.keys)
        )
        self.holder = (auth.policy, first.user) if first.credential is None else first.user
        self.facts.credential = first.user if len(grants) == 1 else ",".join(grant.user for grant in grants)
        self.request.headers += first.headers if len(grants) == 1 else headers_of(grants)
        for grant in grants:
            if grant.credential is not None:
                self.around.leave(_AUTH_METADATA, "userId", value=grant.credential.name)
        if self._watch is not None:
            self._watch.keep_secret((), secrets_of(self._grants))

    def _choose_upstream(self, route: CompiledRoute) -> None:
        if not isinstance(route.action, ForwardPlan):
            return
        self._upstream = route.action.destinations.choose(self._pick)
        if self._upstream is not None and self._upstream.send_user_id:
            for credential in self.credentials_used[-1:]:
                self.request.headers.append((USER_ID, credential.user_id))

    def _dispatch(self, route: CompiledRoute) -> Step:
        if route.recalculates or self._ran:
            # Only now it is known by which route the request leaves.
            refusal = token_refusal(self._grants, route)
            if refusal is not None:
                return self._answer(refusal)
        action = route.action
        if isinstance(action, ForwardPlan):
            return self._forward(action)
        if isinstance(action, Redirection):
            return self._answer(redirect(action.code, target_of(action, self.request)))
        assert action is not None
        return self._answer(action)

    def _forward(self, action: ForwardPlan) -> Step:
        upstream, request = self._upstream, self.request
        if upstream is None:
            return self._answer(REFUSALS[ReplyReason.NO_DESTINATION])
        refusal = rewrite(request, action, match=self._match, grants=self._grants, is_told=upstream.send_forwarded)
        if refusal is not None:
            return self._answer(refusal)
        self.facts.upstream = upstream.name
        if self._watch is not None:
            self._watch.report("route")
        body = self._view.body
        return Outgoing(
            method=request.method,
            target=request_path(request),
            headers=[(b"host", request.authority), *request.headers],
            body=body if body or request.has_body else None,
            upstream=upstream,
            auto_host=action.auto_host,
        )
