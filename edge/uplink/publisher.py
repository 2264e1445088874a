"""Publishes records from the outbox as the window has room, and takes their PUBACKs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from edge.clock import Clock, Stamp
from edge.domain.record import Lane, Record
from edge.ledger.store import Ledger
from edge.uplink.connection import FAILURE, Connection
from edge.uplink.cursors import Cursors
from edge.uplink.mqtt import reason_name
from edge.uplink.outbox import READ_AHEAD, Outbox
from edge.uplink.topics import Topics

IDLE_S = 1.0  # the ledger is looked at so often even if nobody wakes us

log = structlog.get_logger(__name__)


class Publisher:
    """Both lanes over one connection.

    Args:
        ledger: has the records.
        topics: of this gateway.
        clock: tells time.
        outbox: says what goes next.
        cursors: keep how far the lanes have come.
        on_alarm: called when a record of the alarm lane was delivered.

    Attributes:
        due: set when records may go.
        puback: when a record was last acknowledged by the broker.
    """

    def __init__(
        self,
        ledger: Ledger,
        topics: Topics,
        clock: Clock,
        outbox: Outbox,
        cursors: Cursors,
        on_alarm: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._topics = topics
        self._clock = clock
        self._outbox = outbox
        self._cursors = cursors
        self._on_alarm = on_alarm
        self._refusing: dict[Lane, int] = {}
        self.due = asyncio.Event()
        self.puback: Stamp | None = None

    async def pump(self, connection: Connection) -> None:
        """Publish what the window has room for."""
        for lane, queue in self._outbox.lanes.items():
            if (start := queue.wanted) is not None:
                queue.offer(self._ledger.pending(lane, start, READ_AHEAD), READ_AHEAD)
        now_s = self._clock.now().mono_us / 1e6
        while record := self._outbox.take(now_s, connection.free, connection.window):
            connection.publish(
                self._topics.lane(record.lane),
                record.leaf,
                lambda code, sent=record: self._answered(sent, code),  # type: ignore[misc]
            )
        if connection.free and any(q.wanted is not None for q in self._outbox.lanes.values()):
            self.due.set()
            await asyncio.sleep(0)
        self._wake_later(now_s)

    def _wake_later(self, now_s: float) -> None:
        """The pace holds routine back: go on as soon as it allows."""
        wait_s = self._outbox.pace.wait_s(now_s)
        if 0 < wait_s < IDLE_S and not self._outbox.lanes[Lane.ROUTINE].idle:
            asyncio.get_running_loop().call_later(wait_s, self.due.set)

    def _answered(self, record: Record, code: int | None) -> None:
        """A PUBACK came, or (None) will not come: then the record is still pending."""
        if code is None:
            return
        lane = self._outbox.lanes[record.lane]
        now = self._clock.now()
        if code >= FAILURE:
            lane.refused(record.index, now.mono_us / 1e6)
            if self._refusing.get(record.lane) != code:
                self._refusing[record.lane] = code
                log.warning("broker refuses records", lane=record.lane, code=reason_name(code))
        else:
            lane.delivered(record.index)
            self._refusing.pop(record.lane, None)
            self.puback = now
            self._cursors.want({record.lane.value: lane.cursor})
            if record.lane is Lane.ALARM:
                log.info("alarm delivered", index=record.index, type=record.type.value)
                self._on_alarm()
        self.due.set()
