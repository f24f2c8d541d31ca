"""Keys that lack something a step needs: entries for required headers, or for headers that ``match`` compares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from wardgate.field_names import CREDENTIAL_HEADERS, fold
from wardgate.http_grammar import BREAKS_FRAMING
from wardgate.ir import ApiKeyStep, Credential, MetadataEntry, MetadataHeader
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.keys.key_tally import folded, matched
from wardgate.translate.keys.token_flow import Credentials

_UNFRAMED: Final = frozenset(BREAKS_FRAMING)
"""Characters that the proxy puts into no header, even if a policy skips the validation."""
_MAKE_IT_TEXT: Final = "Make it UTF-8 text without control characters."


def shortcomings(credentials: Iterable[Credential], step: ApiKeyStep, *, tokens: Credentials) -> Iterator[Problem]:
    """A warning for every entry that a key should have for the step. They depend on ``needs`` alone.

    ``tokens``: the headers that transformations make credentials of.
    """
    names = matched(step)
    for credential in credentials:
        ref = ObjectRef("Secret", credential.namespace, credential.name)
        entries = {entry.name: entry for entry in credential.metadata}
        complaints = [
            _complaint(
                header,
                entries.get(header.entry),
                validated=not step.skip_metadata_validation,
                token_of=tokens.get(fold(header.header), ""),
            )
            for header in step.metadata_headers
        ]
        if names:
            comparable = dict(folded(credential))
            complaints += [_match_complaint(name, comparable.get(name)) for name in names]
        for complaint in filter(None, complaints):
            yield Problem(ProblemKind.WARNING, Reason.BAD_SECRET, f"{ref} {complaint}", ref)


def needs(step: ApiKeyStep, tokens: Credentials) -> object:
    """The step's needs; equal for steps with the same shortcomings."""
    made = tuple(sorted((header, policy) for header, policy in tokens.items()))
    return (step.metadata_headers, matched(step), step.skip_metadata_validation, made)


def needed_entries(step: ApiKeyStep, tokens: Credentials) -> list[str]:
    """The entries without which a key's requests are refused, or go to the provider without a token."""
    return [one.entry for one in step.metadata_headers if _is_needed(one, tokens.get(fold(one.header), ""))]


def _is_needed(header: MetadataHeader, token_of: str) -> bool:
    return header.required or bool(token_of) or fold(header.header) in CREDENTIAL_HEADERS


def _complaint(header: MetadataHeader, entry: MetadataEntry | None, *, validated: bool, token_of: str) -> str:
    """The reason why a header cannot be set from one Secret; empty if there is none worth a warning.

    ``token_of``: the transformation that makes a credential of the header; empty if none does.
    """
    effect = f'header "{header.header}" is not sent with its key'
    if header.required:
        effect = "its key is refused"
    elif token_of:
        effect = f"every request with its key is refused (403), because {token_of} makes a credential of it"
    if entry is None:
        if not _is_needed(header, token_of):
            return ""
        return f'has no entry "{header.entry}", or an empty one, so {effect}. Add the entry.'
    if not entry.legal_header and (validated or not _UNFRAMED.isdisjoint(entry.value.reveal())):
        return f'has an entry "{header.entry}" that no header can carry, so {effect}. {_MAKE_IT_TEXT}'
    return ""


def _match_complaint(name: str, entry: MetadataEntry | None) -> str:
    """The reason why a header never equals the entry of its name; empty if there is none."""
    if entry is None:
        return f'has no entry "{name}" to compare with the header in "match", so its key is refused. Add the entry.'
    if not entry.legal_header:
        return f'has an entry "{entry.name}" that no header can carry, so "match" refuses its key. {_MAKE_IT_TEXT}'
    return ""
