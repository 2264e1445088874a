"""Sends records again that an order asks for, beside the lanes and slower than they."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from edge.clock import Clock
from edge.domain.record import Lane, Record
from edge.errors import UplinkUnavailable
from edge.ledger.store import Ledger
from edge.uplink.connection import Connection
from edge.uplink.limits import Pace
from edge.uplink.topics import Topics

_READ = 100


@dataclass(slots=True)
class Range:
    """The records in [start, end) that are still there, and how far they have come.

    Attributes:
        sent: records that have their PUBACK.
        after: of each lane begun, the next index.
    """

    start: int
    end: int
    sent: int = 0
    after: dict[Lane, int] = field(default_factory=dict)


class Resender:
    """One range at a time; each record waits for its PUBACK, so that alarms overtake it.

    Args:
        ledger: has the records.
        topics: of this gateway.
        clock: for the pace.
        pace: that of the routine which is sent after an outage; what is asked for is in no hurry.
    """

    def __init__(self, ledger: Ledger, topics: Topics, clock: Clock, pace: Pace) -> None:
        self._ledger = ledger
        self._topics = topics
        self._clock = clock
        self._pace = pace

    async def send(self, connection: Connection, asked: Range) -> None:
        """Send what has no PUBACK yet.

        Raises:
            UplinkUnavailable: the connection ended, or one was not taken; go on with the next.
        """
        for lane in Lane:
            waiting: deque[Record] = deque()
            after = asked.after.setdefault(lane, asked.start)
            while True:
                if not waiting:
                    read = self._ledger.pending(lane, after, _READ)
                    waiting.extend(record for record in read if record.index < asked.end)
                if not waiting:
                    break
                record = waiting.popleft()
                await self._one(connection, record)
                after = asked.after[lane] = record.index + 1
                asked.sent += 1

    async def _one(self, connection: Connection, record: Record) -> None:
        wait_s = self._pace.wait_s(self._clock.now().mono_us / 1e6)
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        self._pace.spend(1)
        if connection.ended.done():
            raise UplinkUnavailable("the connection ended")
        await connection.send(self._topics.lane(record.lane), record.leaf)
