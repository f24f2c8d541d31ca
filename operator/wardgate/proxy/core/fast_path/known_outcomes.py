"""Outcomes that are known, and how one is found that is not: filled into a form, or else by the exchange.

Rule 1: outcomes count for one index of keys, and are forgotten with it. Forms count for every index.
Rule 2: a key whose kind has a form on its way costs no exchange. The first one of a kind costs two exchanges; each key
        that has no ordinary kind, or whose route does more than copy, costs one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.auth.kinds import Kind, kind_of
from wardgate.proxy.core.fast_path.bounded import Bounded
from wardgate.proxy.core.fast_path.forms import Form, form_of
from wardgate.proxy.core.fast_path.line_memory import LONGEST
from wardgate.proxy.core.fast_path.outcomes import Asked, PlainOutcome, Way, outcome_of
from wardgate.proxy.core.fast_path.plain_request import PlainRequest
from wardgate.proxy.core.routing.table import CompiledListener, Table

Which: TypeAlias = tuple[Way, bytes, int]
"""The way, the digest of the key and of the fields that plans read, and the destination's place."""
_DIGEST_BYTES: Final = 32
"""Of the key's digest, which comes first."""


class KnownOutcomes:
    """Those of one listener of one table. ``limit`` bounds outcomes and forms, each by itself.

    ``kept``: outcomes, to be looked up; ``asked``: bare requests that the exchange was asked about.
    """

    __slots__ = ("_forms", "_listener", "_next_id", "_outcomes", "_table", "asked", "credentials", "kept")

    def __init__(self, table: Table, listener: CompiledListener, *, limit: int, next_id: Callable[[], bytes]) -> None:
        self._table = table
        self._listener = listener
        self._next_id = next_id
        self._outcomes: Bounded[Which, PlainOutcome] = Bounded(limit)
        self._forms: Bounded[tuple[Way, bytes, int, Kind], Form | None] = Bounded(limit)
        self.kept = self._outcomes.kept
        self.credentials = CredentialIndex()
        self.asked = 0

    def renew(self, credentials: CredentialIndex) -> None:
        """Go by another index of keys (rule 1)."""
        self.credentials = credentials
        self._outcomes.forget()

    def find(
        self, plain: PlainRequest, credential: CompiledCredential, *, which: Which, body: bytes, now: float
    ) -> PlainOutcome | None:
        """Find the outcome of a request with this credential, and remember it; None: it is for the exchange.

        ``body``: the one that arrived, where a plan has made another one of it.
        """
        way, digest, place = which
        route, reading = way.route, digest[_DIGEST_BYTES:]
        assert route is not None, "Asked only of plain routes."
        asked = Asked((route.fields.key, plain.key), plain.reading, body, plain.body, plain.drawn)
        kind = kind_of(credential) if route.copies else None
        if kind is None:
            outcome = self._ask(way, asked, reading=reading, now=now)
        else:
            outcome = self._by_form(asked, credential, where=(way, reading, place, kind), now=now)
        if outcome is not None:
            self._outcomes.keep(which, outcome)
        return outcome

    def _by_form(
        self, asked: Asked, credential: CompiledCredential, *, where: tuple[Way, bytes, int, Kind], now: float
    ) -> PlainOutcome | None:
        form = self._forms.kept.get(where)
        outcome = None if form is None else form.filled(credential, asked.key[1], credentials=self.credentials)
        if outcome is None:
            outcome = self._ask(where[0], asked, reading=where[1], now=now)
            if outcome is not None and where not in self._forms.kept:
                self._forms.keep(where, self._form_of(where[0], asked, real=outcome, now=now))
        return outcome

    def _ask(self, way: Way, asked: Asked, *, reading: bytes, now: float) -> PlainOutcome | None:
        """Ask the exchange about one key."""
        # What a plan makes of fields stands in the outcome.
        if reading and (sum([len(value) for _, value in asked.reading]) > LONGEST or not way.takes(reading)):
            return None
        self.asked += 1
        return outcome_of(way, asked, table=self._table, listener=self._listener, credentials=self.credentials, now=now)

    def _form_of(self, way: Way, asked: Asked, *, real: PlainOutcome, now: float) -> Form | None:
        """Ask the exchange about the marks of a kind."""
        self.asked += 1
        return form_of(way, asked, real=real, table=self._table, listener=self._listener, now=now, fresh=self._next_id)
