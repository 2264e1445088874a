"""What travels beside the two lanes: evidence, and what an order asks for again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from edge.clock import Clock
from edge.errors import UplinkUnavailable
from edge.ledger.spare import Spare
from edge.ledger.store import Ledger
from edge.uplink.connection import Connection
from edge.uplink.courier import Courier, OnLost
from edge.uplink.limits import Pace
from edge.uplink.resender import Range, Resender
from edge.uplink.topics import Topics

RETRY_S = 2.0
_BURST_BYTES = 65_536


class Freight:
    """Carries evidence at a bounded rate, and answers requests for old records and files.

    Args:
        ledger: has them.
        topics: of this gateway.
        clock: for paces and pauses.
        bytes_s: of evidence a second; 0 for no bound.
        records: the pace of routine, which records that are asked for keep to as well.
        progress: file that remembers how far a large file has come; None for memory only.
        on_lost: told once of each file that is missing or damaged.
        connection: gives the connection of the moment.

    Attributes:
        due: set when there may be something to carry.
    """

    def __init__(
        self,
        ledger: Ledger,
        topics: Topics,
        clock: Clock,
        *,
        bytes_s: float,
        records: Pace,
        progress: Spare | None,
        on_lost: OnLost,
        connection: Callable[[], Connection | None],
    ) -> None:
        self._clock = clock
        self._connection = connection
        self._pace = Pace(bytes_s, _BURST_BYTES)
        self._courier = Courier(
            ledger, topics, clock, pace=self._pace, progress=progress, on_lost=on_lost
        )
        self._resender = Resender(ledger, topics, clock, records)
        self.due = asyncio.Event()

    @property
    def cursor(self) -> int:
        """Next index of the alarm lane whose snapshots are not PUBACKed."""
        return self._courier.cursor

    @property
    def counts(self) -> Mapping[str, int]:
        """Evidence files `sent`, `missing`, `damaged`, `kept_back`."""
        return self._courier.counts

    def hurry(self) -> None:
        """Little time is left: no pace any more."""
        self._pace.lift()

    async def carry(self, until: int, moved: Callable[[int], None]) -> None:
        """Send what waits, of alarms below `until`.

        Args:
            until: alarms below this index are delivered.
            moved: called with the cursor when it may have moved.

        Raises:
            UplinkUnavailable: a part was not taken; it goes again.
        """
        connection = self._connection()
        while connection is not None and connection is self._connection():
            try:
                if not await self._courier.carry(connection, until):
                    return
            finally:
                moved(self._courier.cursor)

    async def fetch(self, sha256: str) -> str:
        """Send one file; resolves with "" once the broker has it, or why it cannot be sent."""
        sent = self._courier.ask(sha256)
        self.due.set()
        return await sent

    async def resend(self, start: int, end: int) -> int:
        """Send the records in [start, end) that are still there; gives how many."""
        asked = Range(start, end)
        while True:
            connection = self._connection()
            if connection is not None:
                with suppress(UplinkUnavailable):  # gone on with on the next connection
                    await self._resender.send(connection, asked)
                    return asked.sent
            await self._clock.sleep(RETRY_S)
