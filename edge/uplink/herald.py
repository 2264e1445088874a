"""Says how the ledger stands: checkpoints at once and regularly, the state of the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import rfc8785

import edge
from edge.clock import Clock, Stamp
from edge.domain.record import Lane
from edge.ledger.checkpoint import parse_note
from edge.ledger.store import Ledger
from edge.uplink.codec import offline_state
from edge.uplink.connection import Connection
from edge.uplink.patience import Patience
from edge.uplink.topics import Topics

HEARTBEAT_S = 60.0  # the newest checkpoint is said again when nothing is new


class Herald:
    """Publishes the retained messages of one gateway.

    Attributes:
        patience: knows which checkpoints were said and wait for a receipt.
    """

    def __init__(self, ledger: Ledger, topics: Topics, clock: Clock) -> None:
        self._ledger = ledger
        self._topics = topics
        self._clock = clock
        self._said: bytes | None = None  # checkpoint that this connection has had
        self._said_at = clock.now()
        self.patience = Patience()

    def forget(self) -> None:
        """A new connection: it has had nothing."""
        self._said = None

    async def seal(self, connection: Connection | None) -> None:
        """Seal the head; say it if it is new, or if nothing was said for a while.

        Raises:
            StorageFull: it cannot be sealed.
            UplinkUnavailable: it was not taken.
        """
        note = await asyncio.wrap_future(self._ledger.seal_head())
        now = self._clock.now()
        if connection is None or (note == self._said and now.since(self._said_at) < HEARTBEAT_S):
            return
        await connection.send(self._topics.checkpoint, note, retain=True)
        self._said, self._said_at = note, now
        self.patience.told(parse_note(note).checkpoint.size, now.mono_us / 1e6)

    async def tell(
        self,
        connection: Connection,
        puback: Stamp | None,
        refused: Mapping[str, int],
        evidence: Mapping[str, int],
    ) -> None:
        """Say how we are. Raises UplinkUnavailable."""
        ledger = self._ledger
        note, receipt = ledger.checkpoint(), ledger.receipt()
        state: dict[str, Any] = {
            "online": True,
            "stamp": self._clock.now().iso(),
            "version": edge.__version__,
            "mqtt": connection.version,
            "vkey": ledger.vkey,
            "size": ledger.size,
            "checkpoint": parse_note(note).checkpoint.size if note else None,
            "receipt": receipt[0] if receipt else None,
            "puback": puback.iso() if puback else None,
            "newest": {lane.value: ledger.newest(lane) for lane in Lane},
            "backlog": {lane.value: ledger.backlog(lane)[0] for lane in Lane},
            "refused": dict(refused),
            "evidence": dict(evidence),
        }
        await connection.send(self._topics.state, rfc8785.dumps(state), retain=True)

    async def farewell(self, connection: Connection) -> None:
        """The last checkpoint, and that we go. Raises as `seal`."""
        await self.seal(connection)
        state = offline_state("stopped", self._clock.now().iso())
        await connection.send(self._topics.state, state, retain=True)
