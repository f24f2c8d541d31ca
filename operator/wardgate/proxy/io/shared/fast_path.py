"""The fast path of one worker: a lane for each listener, and the responses of all of them."""

from __future__ import annotations

from collections.abc import Callable

from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.fast_path.lane import Lane, LaneLimits
from wardgate.proxy.core.fast_path.line_memory import LineMemory, write_line
from wardgate.proxy.core.fast_path.plain_responses import PlainResponses
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.core.routing.table import Table
from wardgate.proxy.core.upstream.lots import Lots
from wardgate.proxy.io.upstream.request_sender import MOST_HELD
from wardgate.proxy.settings import Limits


class FastPath:
    """``limits.remembered_lines`` bounds the lines, the ways and the outcomes that are remembered, each by itself."""

    __slots__ = ("_limits", "_lots", "_mark", "_memory", "_next_id", "_table", "lanes", "responses")

    def __init__(self, limits: Limits, *, mark: LoopMark, next_id: Callable[[], bytes], lots: Lots) -> None:
        self._limits = limits
        self._mark = write_line(*mark.after(()))
        self._next_id = next_id
        self._lots = lots
        self._table: Table | None = None
        self._memory = LineMemory(limits.remembered_lines)
        self.lanes: dict[int, Lane] = {}
        """By the listener's port. One may be of a table or an index of keys that is in force no more: ask ``lane``."""
        self.responses = PlainResponses(LineMemory(limits.remembered_lines), head_bytes=limits.response_head_bytes)

    def lane(self, table: Table, credentials: CredentialIndex, *, port: int) -> Lane | None:
        """Return the lane of a listener, by what is in force now; None: the table has no such listener."""
        if self._table is not table:
            # The routes' readers of lines go with their table.
            self._table, self.lanes, self._memory = table, {}, LineMemory(self._limits.remembered_lines)
        lane = self.lanes.get(port)
        if lane is None:
            lane = self._make(table, port)
            if lane is None:
                return None
            self.lanes[port] = lane
        if lane.credentials is not credentials:
            lane.renew(credentials)
        return lane

    def _make(self, table: Table, port: int) -> Lane | None:
        listener = table.listeners.get(port)
        if listener is None:
            return None
        return Lane(
            table,
            listener,
            memory=self._memory,
            limits=LaneLimits(
                lines=self._limits.remembered_lines,
                # A head as long as a target may be holds none that is too long.
                head_bytes=min(self._limits.head_bytes, self._limits.target_bytes),
                header_count=self._limits.header_count,
                body_bytes=min(self._limits.body_bytes, MOST_HELD),
                response_head_bytes=self._limits.response_head_bytes,
            ),
            mark=self._mark,
            next_id=self._next_id,
            lots=self._lots,
        )
