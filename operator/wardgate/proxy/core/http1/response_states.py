"""How far a response of an upstream has come, and every way on from there; ``response_reader`` makes the moves."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class ResponseState(Enum):
    """Each says which byte of the upstream is the next one."""

    IDLE = "nobody's: nothing was asked, or all was answered"
    ASKED = "the first of a response"
    HEAD = "one of a head, or of the response behind an informational one"
    BODY = "one of a body that ends by its length or its last chunk"
    UNTIL_CLOSE = "one of a body that ends with the connection"
    SWITCHED = "one of another protocol"
    LAST = "nobody's: the response is whole, and no other may follow"
    BROKEN = "nobody's: what came is no response, or half of one"
    UNANSWERED = "none: the connection ended before a byte of the response"
    CLOSED = "none"

    # By identity: the hash of ``Enum`` is a function in Python, and each move asks for two.
    __hash__ = object.__hash__


class ResponseEvent(Enum):
    """Why the state changes."""

    REQUEST = "a request goes out"
    BYTES = "some of a head has arrived, or an informational response"
    BODY = "a head whose body has a length or chunks"
    BODY_UNTIL_CLOSE = "a head whose body has neither"
    SWITCH = "a switch to the protocol that was asked for"
    END = "the response is whole"
    LAST_END = "the response is whole, and its connection must not be used again"
    EXCESS = "bytes that answer nothing"
    FAULT = "bytes that are no response"
    CLOSE = "the connection ends"
    CUT = "the connection ends by an error"

    __hash__ = object.__hash__


_LOST: Final = {ResponseEvent.CLOSE: ResponseState.BROKEN, ResponseEvent.CUT: ResponseState.BROKEN}
_OVER: Final = {ResponseEvent.CLOSE: ResponseState.CLOSED, ResponseEvent.CUT: ResponseState.CLOSED}

MOVES: Final[Mapping[ResponseState, Mapping[ResponseEvent, ResponseState]]] = {
    # RFC 9112, 9.3: a connection persists between responses.
    ResponseState.IDLE: {
        ResponseEvent.REQUEST: ResponseState.ASKED,
        ResponseEvent.EXCESS: ResponseState.LAST,
        **_OVER,
    },
    ResponseState.ASKED: {
        ResponseEvent.BYTES: ResponseState.HEAD,
        ResponseEvent.BODY: ResponseState.BODY,
        ResponseEvent.BODY_UNTIL_CLOSE: ResponseState.UNTIL_CLOSE,
        ResponseEvent.SWITCH: ResponseState.SWITCHED,
        ResponseEvent.END: ResponseState.IDLE,
        ResponseEvent.LAST_END: ResponseState.LAST,
        ResponseEvent.FAULT: ResponseState.BROKEN,
        # RFC 9112, 9.3.1: a request may be sent again where nothing of a response has come.
        ResponseEvent.CLOSE: ResponseState.UNANSWERED,
        ResponseEvent.CUT: ResponseState.UNANSWERED,
    },
    # RFC 9112, 4 and 5; RFC 9110, 15.2: the final head may come in pieces, and behind informational ones.
    ResponseState.HEAD: {
        ResponseEvent.BODY: ResponseState.BODY,
        ResponseEvent.BODY_UNTIL_CLOSE: ResponseState.UNTIL_CLOSE,
        ResponseEvent.SWITCH: ResponseState.SWITCHED,
        ResponseEvent.END: ResponseState.IDLE,
        ResponseEvent.LAST_END: ResponseState.LAST,
        ResponseEvent.FAULT: ResponseState.BROKEN,
        **_LOST,
    },
    # RFC 9112, 6.3 (rules 4 to 6) and 7.1.
    ResponseState.BODY: {
        ResponseEvent.END: ResponseState.IDLE,
        ResponseEvent.LAST_END: ResponseState.LAST,
        ResponseEvent.FAULT: ResponseState.BROKEN,
        **_LOST,
    },
    # RFC 9112, 6.3 (rules 4 and 8) and 8: only an end without an error is the body's.
    ResponseState.UNTIL_CLOSE: {
        ResponseEvent.CLOSE: ResponseState.CLOSED,
        ResponseEvent.CUT: ResponseState.BROKEN,
    },
    # RFC 9110, 7.8: nothing of HTTP follows.
    ResponseState.SWITCHED: {
        ResponseEvent.CLOSE: ResponseState.CLOSED,
        ResponseEvent.CUT: ResponseState.BROKEN,
    },
    # RFC 9112, 6.3 (last paragraph) and 9.6.
    ResponseState.LAST: {ResponseEvent.EXCESS: ResponseState.LAST, **_OVER},
    ResponseState.BROKEN: _LOST,
    ResponseState.UNANSWERED: {
        ResponseEvent.CLOSE: ResponseState.UNANSWERED,
        ResponseEvent.CUT: ResponseState.UNANSWERED,
    },
    ResponseState.CLOSED: _OVER,
}
