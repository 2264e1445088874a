"""Moves the ledger's cursors behind the PUBACKs: one write under way each, the newest wins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from edge.errors import StorageFull
from edge.ledger.store import Ledger

PAUSE_S = 0.2  # a write a PUBACK would wear out a memory card; a crash re-sends this much

log = structlog.get_logger(__name__)


class Cursors:
    """Where each cursor should be; `run` brings the ledger there."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._wanted: dict[str, int] = {}
        self._moved = asyncio.Event()
        self._failing = False

    def want(self, positions: Mapping[str, int]) -> None:
        """Note how far the lanes have come."""
        for name, index in positions.items():
            if index > self._wanted.get(name, self._ledger.cursor(name)):
                self._wanted[name] = index
                self._moved.set()

    async def run(self) -> None:
        """Move for ever."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            if not await self.flush():
                self._moved.set()
            await asyncio.sleep(PAUSE_S)

    async def flush(self) -> bool:
        """Move now, and wait until it is durable. False when the disk takes nothing."""
        moves = [
            asyncio.wrap_future(self._ledger.move_cursor(name, index))
            for name, index in self._wanted.items()
            if index > self._ledger.cursor(name)
        ]
        try:
            await asyncio.gather(*moves)
        except StorageFull as error:
            if not self._failing:
                log.error("cursors cannot be stored; records may arrive twice", error=str(error))
            self._failing = True
            return False
        self._failing = False
        return True
