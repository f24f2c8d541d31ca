"""Where a caller's connection stands, and every way on from there; ``server_connection`` makes the moves."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class ServerState(Enum):
    """Each says which byte of the caller is the next one."""

    IDLE = "the first of a request"
    HEAD = "one of a head, some of which is here"
    BODY = "one of a body, whose request is being answered"
    ANSWERING = "one of the next request, which waits until this one is answered"
    SWITCHED = "one of another protocol"
    LEFTOVER = "one of a body, whose request was answered before it was whole"
    BROKEN = "nobody's: the body's end is lost, and its request has to be answered"
    REFUSED = "nobody's: the request is refused, and so is all that follows"
    DISCARDING = "thrown away: the response is out, and our side of the connection closed"
    CLOSED = "not read"

    # By identity: the hash of ``Enum`` is a function in Python, and each move asks for two.
    __hash__ = object.__hash__


class ServerEvent(Enum):
    """Why the state changes."""

    HEAD_BEGINS = "some of a head has arrived"
    REQUEST = "a head without a body"
    REQUEST_WITH_BODY = "a head that announces a body"
    BODY_ENDS = "the last byte of a body"
    BODY_BREAKS = "a chunk that is none"
    ANSWERED = "the response is written, and another may follow"
    SWITCH = "the response is written, and another protocol follows"
    REFUSE = "the request cannot be served, nor what follows it"
    LINGER = "the connection ends, and the caller may still send"
    CLOSE = "the connection ends"

    __hash__ = object.__hash__


MOVES: Final[Mapping[ServerState, Mapping[ServerEvent, ServerState]]] = {
    # RFC 9112, 9.3: a connection persists between requests.
    ServerState.IDLE: {
        ServerEvent.HEAD_BEGINS: ServerState.HEAD,
        ServerEvent.REQUEST: ServerState.ANSWERING,
        ServerEvent.REQUEST_WITH_BODY: ServerState.BODY,
        ServerEvent.REFUSE: ServerState.REFUSED,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    # RFC 9112, 2.1 to 5: a head is read whole.
    ServerState.HEAD: {
        ServerEvent.REQUEST: ServerState.ANSWERING,
        ServerEvent.REQUEST_WITH_BODY: ServerState.BODY,
        ServerEvent.REFUSE: ServerState.REFUSED,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    # RFC 9112, 6 and 7: the body ends by its length or its chunks. Its response may be whole before (9.3, 9.6).
    ServerState.BODY: {
        ServerEvent.BODY_ENDS: ServerState.ANSWERING,
        ServerEvent.BODY_BREAKS: ServerState.BROKEN,
        ServerEvent.ANSWERED: ServerState.LEFTOVER,
        ServerEvent.REFUSE: ServerState.REFUSED,
        ServerEvent.LINGER: ServerState.DISCARDING,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    # RFC 9112, 9.3.2: responses are sent in the order of their requests, so the next one waits.
    ServerState.ANSWERING: {
        ServerEvent.ANSWERED: ServerState.IDLE,
        ServerEvent.SWITCH: ServerState.SWITCHED,
        ServerEvent.REFUSE: ServerState.REFUSED,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    # RFC 9110, 7.8: nothing of HTTP follows.
    ServerState.SWITCHED: {
        ServerEvent.LINGER: ServerState.DISCARDING,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    # RFC 9112, 9.3: to keep the connection, a server reads the whole body or closes after its response.
    ServerState.LEFTOVER: {
        ServerEvent.BODY_ENDS: ServerState.IDLE,
        ServerEvent.BODY_BREAKS: ServerState.BROKEN,
        ServerEvent.LINGER: ServerState.DISCARDING,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    # RFC 9112, 6.3 and 8: framing that cannot be told closes the connection.
    ServerState.BROKEN: {
        ServerEvent.LINGER: ServerState.DISCARDING,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    ServerState.REFUSED: {
        ServerEvent.REFUSE: ServerState.REFUSED,
        ServerEvent.LINGER: ServerState.DISCARDING,
        ServerEvent.CLOSE: ServerState.CLOSED,
    },
    # RFC 9112, 9.6: first the writing side is closed, then the rest.
    ServerState.DISCARDING: {ServerEvent.CLOSE: ServerState.CLOSED},
    ServerState.CLOSED: {ServerEvent.CLOSE: ServerState.CLOSED},
}
