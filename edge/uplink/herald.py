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

REMEMBERED = 64  # checkpoints whose first saying is remembered
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
        self._first: dict[int, Stamp] = {}
        self.patience = Patience()

    def forget(self) -> None:
        """A new connection: it has had nothing."""
        self._said = None

    def said_at(self, size: int) -> Stamp | None:
        """When the checkpoint of this size was first said; None if not in this run, or long ago."""
        return self._first.get(size)

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
        size = parse_note(note).checkpoint.size
        self._first.setdefault(size, now)
        if len(self._first) > REMEMBERED:
            del self._first[next(iter(self._first))]
        await connection.send(self._topics.checkpoint, note, retain=True)
        self._said, self._said_at = note, now
        self.patience.told(size, now.mono_us / 1e6)

    async def tell(
        self,
        connection: Connection,
        puback: Stamp | None,
        receipted: tuple[int, Stamp] | None,
        refused: Mapping[str, int],
        evidence: Mapping[str, int],
    ) -> None:
        """Say how we are. Raises UplinkUnavailable."""
        ledger = self._ledger
        note, receipt, now = ledger.checkpoint(), ledger.receipt(), self._clock.now()
        waiting = {lane.value: ledger.backlog(lane) for lane in Lane}
        state: dict[str, Any] = {
            "online": True,
            "stamp": now.iso(),
            "version": edge.__version__,
            "mqtt": connection.version,
            "origin": ledger.origin,
            "vkey": ledger.vkey,
            "size": ledger.size,
            "checkpoint": parse_note(note).checkpoint.size if note else None,
            "receipt": receipt[0] if receipt else None,
            "receipted": receipted[1].iso() if receipted else None,
            "puback": puback.iso() if puback else None,
            "newest": {lane.value: ledger.newest(lane) for lane in Lane},
            "next": {lane.value: ledger.cursor(lane.value) for lane in Lane},
            "backlog": {lane: count for lane, (count, _oldest) in waiting.items()},
            "waits_s": {lane: _age_s(oldest, now) for lane, (_count, oldest) in waiting.items()},
            "refused": dict(refused),
            "evidence": dict(evidence),
        }
        await connection.send(self._topics.state, rfc8785.dumps(state), retain=True)

    async def farewell(self, connection: Connection, *, seal: bool = True) -> None:
        """The last checkpoint unless it may not be said, and that we go. Raises as `seal`."""
        await self.seal(connection if seal else None)
        state = offline_state("stopped", self._clock.now().iso())
        await connection.send(self._topics.state, state, retain=True)

    async def moved(self, connection: Connection) -> None:
        """To a broker that is left for a better one. Raises UplinkUnavailable."""
        state = offline_state("moved to another broker", self._clock.now().iso())
        await connection.send(self._topics.state, state, retain=True)


def _age_s(oldest_us: int | None, now: Stamp) -> float:
    """How long the oldest waits; 0 where none does, or a clock that was set back hides it."""
    return 0.0 if oldest_us is None else round(max(0, now.wall_us - oldest_us) / 1e6, 3)
