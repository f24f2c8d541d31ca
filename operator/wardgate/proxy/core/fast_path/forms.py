"""Forms of outcomes: one for all keys of a kind, with places where a key's own texts stand.

A form is found by the exchange as well. It gets a credential of marks in the place of the real one; where a mark comes
out, the real text belongs. That holds for every key of the kind, because the route only copies what it is given
(``copying``), and nothing else looks at ordinary texts (``auth.kinds``). Filled in with the first real key, the form
must be what the exchange made of that key, or it counts for nothing: so each form is found with two sets of texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.auth.kinds import NAME, marked
from wardgate.proxy.core.fast_path.outcomes import Asked, Passage, PlainOutcome, Way, outcome_of, shown_path
from wardgate.proxy.core.routing.table import CompiledListener, Table


class Form:
    """All of an outcome but what is one key's own.

    ``pieces``: the lines that are added, taken apart at the ``places`` where texts of the key stand.
    """

    __slots__ = ("_passage", "_pieces", "_places", "_way")

    def __init__(self, way: Way, passage: Passage, *, pieces: list[bytes], places: Sequence[tuple[int, str]]) -> None:
        self._way = way
        self._passage = passage
        self._pieces = pieces
        self._places = places

    def filled(
        self, credential: CompiledCredential, value: bytes, *, credentials: CredentialIndex
    ) -> PlainOutcome | None:
        """Return the outcome of a key of the kind. ``value``: the field that holds it; None: not behind a scheme."""
        route = self._way.route
        assert route is not None, "Asked only of plain routes."
        (proof,) = route.auth.proofs(value)
        if not value.endswith(proof):
            return None
        label = credential.label
        pieces = self._pieces.copy()
        for at, entry in self._places:
            pieces[at] = credential.user_id if entry == NAME else credential.raw[entry]
        return PlainOutcome(
            self._passage,
            given=b"".join(pieces),
            facts=self._passage.facts.of_key(label),
            holder=label,
            path=shown_path(self._way, proof),
            credential=credential,
            credentials=credentials,
            key_at=len(value) - len(proof),
        )


def form_of(
    way: Way,
    asked: Asked,
    *,
    real: PlainOutcome,
    table: Table,
    listener: CompiledListener,
    now: float,
    fresh: Callable[[], bytes],
) -> Form | None:
    """Find the form of an outcome that the exchange has found; None: it has none.

    ``fresh``: as for ``marked``.
    """
    credential, marks = marked(real.credential, fresh)
    index = CredentialIndex()
    index.entries[credential.id] = credential
    model = outcome_of(way, asked, table=table, listener=listener, credentials=index, now=now)
    if model is None or not _is_of(credential, model, marks=marks):
        return None
    pieces, places = _taken_apart(model.given, marks)
    form = Form(way, model.passage(), pieces=pieces, places=places)
    filled = form.filled(real.credential, asked.key[1], credentials=real.credentials)
    return form if filled is not None and filled.equals(real) else None


def _taken_apart(text: bytes, marks: Mapping[bytes, str]) -> tuple[list[bytes], list[tuple[int, str]]]:
    """Split a text at marks; return the pieces, empty ones for marks, and the places of those, each with its entry."""
    pieces: list[bytes] = []
    places: list[tuple[int, str]] = []
    while found := [(at, mark) for mark in marks if (at := text.find(mark)) >= 0]:
        at, mark = min(found)
        places.append((len(pieces) + 1, marks[mark]))
        pieces += (text[:at], b"")
        text = text[at + len(mark) :]
    return [*pieces, text], places


def _is_of(credential: CompiledCredential, model: PlainOutcome, *, marks: Mapping[bytes, str]) -> bool:
    """Whether the credential's texts stand in the lines that are added, and its label where a label does."""
    if (model.holder, model.facts.credential) != (credential.label, credential.label):
        return False
    return not any(mark in text for mark in marks for text in (model.start, model.end, model.path))
