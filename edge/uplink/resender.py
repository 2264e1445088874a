"""Sends records again that an order asks for, beside the lanes and slower than they."""

from __future__ import annotations

from collections import deque

from edge.clock import Clock
from edge.domain.record import Lane, Record
from edge.errors import UplinkUnavailable
from edge.ledger.store import Ledger
from edge.uplink.connection import Connection
from edge.uplink.limits import Pace
from edge.uplink.topics import Topics

RESENT_PER_S = 200.0
_READ = 100


class Resender:
    """One range at a time; each record waits for its PUBACK, so that alarms overtake it.

    Args:
        ledger: has the records.
        topics: of this gateway.
        clock: for the pace.
    """

    def __init__(self, ledger: Ledger, topics: Topics, clock: Clock) -> None:
        self._ledger = ledger
        self._topics = topics
        self._clock = clock
        self._pace = Pace(RESENT_PER_S, RESENT_PER_S / 10)

    async def send(self, connection: Connection, start: int, end: int) -> int:
        """Send the records in [start, end) that are still there; gives how many.

        Raises:
            UplinkUnavailable: the connection ended, or one was not taken; begin again.
        """
        sent = 0
        for lane in Lane:
            waiting: deque[Record] = deque()
            after = start
            while True:
                if not waiting:
                    read = self._ledger.pending(lane, after, _READ)
                    waiting.extend(record for record in read if record.index < end)
                if not waiting:
                    break
                record = waiting.popleft()
                await self._one(connection, record)
                sent, after = sent + 1, record.index + 1
        return sent

    async def _one(self, connection: Connection, record: Record) -> None:
        wait_s = self._pace.wait_s(self._clock.now().mono_us / 1e6)
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        self._pace.spend(1)
        if connection.ended.done():
            raise UplinkUnavailable("the connection ended")
        await connection.send(self._topics.lane(record.lane), record.leaf)
