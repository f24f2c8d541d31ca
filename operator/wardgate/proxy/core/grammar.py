r"""The grammar of HTTP for bytes that arrive or leave: ``http_grammar`` compiled, and the lists that fields hold.

Every rule that two modules of the proxy ask stands here or there, and nowhere else; a test finds a second copy. Rules
of one reader alone stay with it: a chunk's size, a request's target.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from wardgate import field_names, http_grammar

TCHAR: Final = b"[" + http_grammar.TCHAR.encode() + b"]"
"""One character of a token, to be put into a longer pattern."""
METHOD: Final = http_grammar.METHOD.encode()
UNSENDABLE: Final = re.compile(b"[" + http_grammar.UNSENDABLE.encode() + b"]")
"""Finds what stands in no field's value."""
_SENDABLE: Final = b"".join(
    re.escape(bytes((byte,))) for byte in range(256) if UNSENDABLE.fullmatch(bytes((byte,))) is None
)
"""All the others. A negated class would cost each byte of a head a step more."""
FIELD_LINE: Final = TCHAR + b"++:[" + _SENDABLE + b"]*+"
r"""RFC 9112, 5: ``field-line = field-name ":" OWS field-value OWS``.

"No whitespace is allowed between the field name and colon" (5.1), and a folded line (5.2) is none. Quantifiers give
nothing back, so that a line is read in one pass.
"""

HOST: Final = re.compile(http_grammar.HOST.encode())
"""A value of Host, or the authority of a whole URL."""
_METHOD: Final = re.compile(METHOD)
_FIELD_NAME: Final = re.compile(TCHAR + b"+")
BREAKS_FRAMING: Final = tuple(character.encode() for character in http_grammar.BREAKS_FRAMING)
"""Bytes that end a line or a text for some reader."""
_UNSENDABLE_IN_PATH: Final = re.compile(b"[" + http_grammar.UNSENDABLE_IN_PATH.encode() + b"]")


def is_host(authority: bytes) -> bool:
    """Whether this is a name or an address with an optional port, and so fit for a Host header."""
    return HOST.fullmatch(authority) is not None


def is_method(method: bytes) -> bool:
    """Whether a request line may begin with this."""
    return _METHOD.fullmatch(method) is not None


def is_field_name(name: bytes) -> bool:
    """Whether a field may have this name."""
    return _FIELD_NAME.fullmatch(name) is not None


def is_sendable_path(path: bytes) -> bool:
    """Whether a path may stand in a request line; a query in it is none of this function's business."""
    return _UNSENDABLE_IN_PATH.search(path) is None


def members(values: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the members of a list that stands in one field or in several of one name.

    RFC 9110, 5.6.1: ``#element => [ element ] *( OWS "," OWS [ element ] )``; empty members, which are to be ignored,
    come too. A comma within a quoted string is taken for a separator: no list that is read here has any.
    """
    for value in values:
        for member in value.split(b","):
            yield member.strip(b" \t")


def spellings(names: Iterable[str]) -> frozenset[bytes]:
    """Every mixture of hyphens and underscores of a few short names, for a set that needs no folding to be asked."""
    return frozenset(
        "".join(each).encode() for name in names for each in product(*("-_" if c == "-" else c for c in name))
    )


PROXY_WRITTEN: Final = spellings(field_names.PROXY_WRITTEN)
"""``field_names.PROXY_WRITTEN`` in every spelling that some server takes for one of them."""

ORIGIN: Final = spellings(field_names.ORIGIN)
"""``field_names.ORIGIN`` likewise."""


def connection_options(values: Iterable[bytes]) -> frozenset[bytes]:
    """Return the options of ``Connection``, in lower case.

    RFC 9110, 7.6.1: ``Connection = #connection-option``, ``connection-option = token``; "connection options are
    case-insensitive". Each names a field that ends here, or says ``close`` (RFC 9112, 9.6) or ``keep-alive`` (9.3).
    """
    return frozenset(option.lower() for option in members(values))
