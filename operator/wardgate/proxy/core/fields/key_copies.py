"""Invariant 3: copies of the accepted key, removed wherever a caller's headers, cookies and query hold them.

An SDK that is given a gateway's key sends it the way its provider reads keys, and key helpers send it in two ways at
once. So beside the header that a policy names, authentication removes

Rule 1: every header and every query parameter that holds the accepted key, of a cookie header the cookies that do, and
        of the subprotocols of a WebSocket those that do;
Rule 2: every header and parameter that carries credentials by its name and holds another key of the policy: a caller
        who rotates keys may send the old one beside the new one. So does a subprotocol: a browser lets a page set no
        header of a WebSocket but this one, in which it sends ``openai-insecure-api-key.KEY``.

A text holds a key that stands in it as a word: behind a scheme or not, in percent-escapes or not, or as the name or the
password of basic authentication. A short key could be a word of any language, so it must be the whole value.

Bodies and paths are left as they are: no SDK puts a key there, and a body streams past. Few requests hold a copy; three
searches over all values at once tell so of the rest.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Iterator
from itertools import islice
from urllib.parse import unquote_to_bytes

from wardgate.field_names import CREDENTIAL_HEADERS
from wardgate.proxy.core.fields.folded import fold, folded_names
from wardgate.proxy.core.grammar import members
from wardgate.proxy.core.messages import Header, HeaderList, Request

Knows = Callable[[bytes], bool]
"""Whether the policy's steps know a text as a key."""

NAMED = folded_names(CREDENTIAL_HEADERS - {"cookie"})
"""Headers that carry credentials by their names (rule 2); folded."""
_COOKIE = b"cookie"
_SUBPROTOCOLS = b"sec-websocket-protocol"
WATCHED = NAMED | {_SUBPROTOCOLS}
"""Headers that may hold another key than the accepted one; folded."""
_MOST_SUBPROTOCOLS = 32
"""Of one field; each costs the digests of two texts. Those behind them are removed unread."""
_NAMED_PARAMETERS = folded_names({"access-token", "api-key", "apikey", "auth", "key", "token", "x-api-key"})
"""Folded."""
_SHORTEST_NAMED = len(b"key=a")
_SCHEMES = frozenset({b"apikey", b"api-key", b"basic", b"bearer", b"key", b"token"})
_BASIC = re.compile(rb"\bbasic[ +]+([0-9A-Za-z+/_-]+=*)", re.IGNORECASE)
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")
_WORD = re.compile(rb"(?<![0-9A-Za-z_-])\0(?![0-9A-Za-z_-])")
_WHOLE = re.compile(rb"(?:[0-9A-Za-z_-]+[ =:]+)*[\"']?\0[\"']?")
_SUSPECT_QUERY = re.compile(rb"[%+]|auth|basic|key|token")
"""Every query that holds a copy of a key in another form than the key's own matches, once it is in lower case."""
_SUSPECTS = 1000
"""Parameters of one query that are taken apart although they do not show the key."""
_PERCENT = ord("%")
_SHORT = 8
"""Bytes below which a key could be a word."""


def remove_copies(request: Request, key: bytes, *, knows: Knows, named: bool) -> None:
    """Remove copies of the accepted ``key``, in place; it is not empty and has no scheme before it.

    ``named``: a header of ``WATCHED`` may be there.
    """
    # Every request pays for these searches. CPython answers ``find`` sooner than ``in``, except for a single byte.
    headers, query = request.headers, request.query
    text = b"\n".join([value for _, value in headers])
    if named or text.find(key) >= 0 or may_hide_key(text):
        request.headers = _clean_headers(headers, key, knows=knows)
    if query and (query.find(key) >= 0 or may_hide_key_in_query(query)):
        request.query = _clean_query(query, key, knows=knows)


def may_hide_key(text: bytes) -> bool:
    """Whether a field's value may hold a key in another form than the key's own."""
    return _PERCENT in text or text.lower().find(b"asic ") >= 0


def may_hide_key_in_query(query: bytes) -> bool:
    """Whether a query may hold a key in another form than the key's own, or another key of the policy."""
    return _SUSPECT_QUERY.search(query.lower()) is not None


def without_scheme(value: bytes) -> bytes:
    """Take off the scheme of a credential, if there is one."""
    scheme, blank, bare = value.partition(b" ")
    return bare.strip(b" ") if blank and scheme.lower() in _SCHEMES else value


def holds(text: bytes, key: bytes) -> bool:
    """Whether a header's, cookie's or parameter's value holds the key."""
    if _shows(text, key):
        return True
    plain = unquote_to_bytes(text) if b"%" in text else text
    return (plain is not text and _shows(plain, key)) or any(_is_of_pair(pair, key) for pair in _basic_pairs(plain))


def _shows(text: bytes, key: bytes) -> bool:
    if key not in text:
        return False
    # NUL stands in no header: marked by it, the key is searched for by a pattern that is compiled once.
    marked = text.replace(key, b"\0")
    return (_WHOLE.fullmatch(marked) if len(key) < _SHORT else _WORD.search(marked)) is not None


def _basic_pairs(text: bytes) -> Iterator[bytes]:
    for found in _BASIC.finditer(text):
        try:
            yield b64decode(found[1].translate(_STANDARD_ALPHABET).rstrip(b"=") + b"==")
        except Error:
            continue


def _is_of_pair(pair: bytes, key: bytes) -> bool:
    return pair == key or pair.startswith(key + b":") or pair.endswith(b":" + key)


def _is_other_key(value: bytes, knows: Knows) -> bool:
    bare = without_scheme(value)
    pair = next(_basic_pairs(value), b"").split(b":", 1)
    return any(knows(each) for each in {value, bare, *pair} if each)


def _clean_headers(headers: HeaderList, key: bytes, *, knows: Knows) -> HeaderList:
    return [kept for field in headers for kept in _clean_field(field, key, knows=knows)]


def _clean_field(field: Header, key: bytes, *, knows: Knows) -> Iterator[Header]:
    name, value = field
    if name == _COOKIE:
        cookies = value.split(b";")
        value = b";".join(each for each in cookies if len(each) < len(key) or not _pair_holds(each, key))
        if value:
            yield name, value.strip(b" ")
    elif fold(name) == _SUBPROTOCOLS and b"," not in key:
        subprotocols = islice(members((value,)), _MOST_SUBPROTOCOLS)
        kept = [each for each in subprotocols if not _subprotocol_holds(each, key, knows=knows)]
        if kept:
            yield name, b", ".join(kept)
    elif not holds(value, key) and not (fold(name) in NAMED and _is_other_key(value, knows)):
        yield field


def _subprotocol_holds(subprotocol: bytes, key: bytes, *, knows: Knows) -> bool:
    """Whether a subprotocol, which may be a key behind a name and a dot, holds this key or another one."""
    bare = subprotocol.partition(b".")[2]
    return bare == key or holds(subprotocol, key) or any(knows(each) for each in (subprotocol, bare) if each)


def _clean_query(query: bytes, key: bytes, *, knows: Knows) -> bytes | None:
    """Return the query without the parameters that hold a key; None: no parameter is left."""
    given = query.split(b"&")
    worth_a_look = _Glance(key)
    kept = [each for each in given if not (worth_a_look(each) and _parameter_holds(each, key, knows=knows))]
    return query if len(kept) == len(given) else b"&".join(kept) or None


class _Glance:
    """Tells which parameters of one query could hold a key; of those that do not show it, so many at most.

    Thousands of parameters fit into a request, and taking one apart costs microseconds.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._shortest = min(len(key), _SHORTEST_NAMED)
        self._left = _SUSPECTS

    def __call__(self, parameter: bytes) -> bool:
        if len(parameter) < self._shortest:
            return False
        if self._key in parameter:
            return True
        if self._left == 0 or _SUSPECT_QUERY.search(parameter.lower()) is None:
            return False
        self._left -= 1
        return True


def _parameter_holds(parameter: bytes, key: bytes, *, knows: Knows) -> bool:
    # A plus is a blank to most readers. To some it is a plus, and few SDKs escape those of a key in base64.
    spaced = parameter.replace(b"+", b" ")
    if _pair_holds(parameter, key) or (spaced != parameter and _pair_holds(spaced, key)):
        return True
    name, _, value = spaced.partition(b"=")
    named = fold(unquote_to_bytes(name).lower()) in _NAMED_PARAMETERS
    return named and _is_other_key(unquote_to_bytes(value), knows)


def _pair_holds(pair: bytes, key: bytes) -> bool:
    """Whether ``name=value`` holds the key; a key too short to be looked for as a word must be all of the value."""
    return holds(pair, key) or (len(key) < _SHORT and holds(pair.partition(b"=")[2].strip(b" "), key))
