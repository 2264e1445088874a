"""What goes up: records, checkpoints, evidence, the state.

Four tasks on one connection: `_pump` publishes records, `_seal` checkpoints, `_carry` evidence and
what is asked for, `_tell` the state. None of them keeps anything that the ledger does not have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import SystemRandom
from typing import Any

import structlog

from edge.clock import Clock
from edge.domain.record import Lane
from edge.ledger.spare import Spare
from edge.ledger.store import Ledger
from edge.uplink.connection import Connection
from edge.uplink.courier import OnLost
from edge.uplink.cursors import Cursors
from edge.uplink.freight import Freight
from edge.uplink.herald import Herald
from edge.uplink.limits import Pace
from edge.uplink.listening import Listening
from edge.uplink.outbox import Outbox
from edge.uplink.publisher import IDLE_S, Publisher
from edge.uplink.repeating import repeat
from edge.uplink.spec import UplinkSpec
from edge.uplink.topics import Topics

CHECKPOINT_S = 10.0  # at most so long between checkpoints while there are new leaves
STATE_S = 30.0

_chance = SystemRandom().random

log = structlog.get_logger(__name__)


class Delivery:
    """Publishes on the connection of the moment.

    Args:
        ledger: what is to be delivered.
        topics: of this gateway.
        clock: tells time.
        spec: paces.
        herald: says checkpoints and the state.
        listening: whether we may speak, and what came down.
        connection: gives the connection of the moment.
        progress, on_lost: as `Freight`.

    Attributes:
        publisher: of the records.
        freight: beside them.
        cursors: how far both have come.
    """

    def __init__(
        self,
        ledger: Ledger,
        topics: Topics,
        clock: Clock,
        spec: UplinkSpec,
        herald: Herald,
        listening: Listening,
        *,
        connection: Callable[[], Connection | None],
        progress: Spare | None,
        on_lost: OnLost,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._jitter_s = spec.replay_jitter_s
        self._herald = herald
        self._listening = listening
        self._connection = connection
        pace = Pace(spec.replay_records_s, max(10, spec.replay_records_s / 10))
        self._outbox = Outbox(ledger.cursor("alarm"), ledger.cursor("routine"), pace)
        self.freight = Freight(
            ledger,
            topics,
            clock,
            bytes_s=spec.evidence_kb_s * 1000,
            records=pace,
            progress=progress,
            on_lost=on_lost,
            connection=connection,
        )
        self.cursors = Cursors(ledger)
        self.publisher = Publisher(
            ledger, topics, clock, self._outbox, self.cursors, self.freight.due.set
        )
        self._seal_due = asyncio.Event()
        self._state_due = asyncio.Event()
        self._waited = True  # for the province; over once the first record may go
        self._stopping = False
        self._leaving: Connection | None = None

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """The tasks; each goes on until it is cancelled."""
        return [
            self.cursors.run(),
            repeat(self._pump, self.publisher.due, IDLE_S),
            repeat(self._seal, self._seal_due, CHECKPOINT_S),
            repeat(self._carry, self.freight.due, IDLE_S),
            repeat(self._tell, self._state_due, STATE_S),
        ]

    def wake(self, *, alarm: bool) -> None:
        """Records became durable."""
        for lane in self._outbox.lanes.values():
            lane.wake()
        self.publisher.due.set()
        if alarm:
            self._seal_due.set()

    def heard(self) -> None:
        """The province has been listened to: records may go."""
        self.publisher.due.set()
        self._seal_due.set()

    def up(self, _connection: Connection) -> None:
        """There is a new connection."""
        self._herald.forget()
        jitter_s = self._jitter_s * _chance()
        self._outbox.pace.hold(0.0 if self._stopping else self._now_s + jitter_s)
        for due in (self.publisher.due, self._seal_due, self.freight.due, self._state_due):
            due.set()

    def down(self) -> None:
        """The connection is over."""
        self._outbox.reset()

    async def leave(self, connection: Connection) -> None:
        """A better broker has let us in: bring what is under way to its PUBACK, say that we go."""
        self._leaving = connection
        while connection.under_way:  # noqa: ASYNC110  PUBACKs have no common event
            await asyncio.sleep(0.01)
        await self._herald.moved(connection)

    async def drain(self) -> None:
        """We are about to stop: send what waits without any pace, as long as we are connected."""
        self._stopping = True
        self.wake(alarm=False)
        self._outbox.pace.lift()
        self.freight.hurry()
        self.freight.due.set()
        alarms = self._outbox.lanes[Lane.ALARM]
        while self._connection() is not None:
            await asyncio.sleep(0.01)
            if self._outbox.idle and self.freight.cursor >= alarms.cursor:
                return

    @property
    def _now_s(self) -> float:
        return self._clock.now().mono_us / 1e6

    async def _pump(self) -> None:
        """Publish what the window has room for."""
        connection = self._connection()
        if connection is None or connection is self._leaving or not self._listening.may_speak:
            return
        if self._waited:
            self._waited = False
            self._seal_due.set()
        self._repeat_unreceipted()
        await self.publisher.pump(connection)

    def _repeat_unreceipted(self) -> None:
        """Send again what no receipt covers after a while."""
        receipt, now_s = self._ledger.receipt(), self._now_s
        patience = self._herald.patience
        stretch = patience.due(receipt[0] if receipt else 0, now_s)
        if self._listening.receipts.open and stretch and self._outbox.repeat(*stretch):
            patience.spent(now_s)
            log.warning("no receipt came; sending again", start=stretch[0], end=stretch[1])

    async def _seal(self) -> None:
        await self._herald.seal(self._connection() if self._listening.may_speak else None)

    async def _carry(self) -> None:
        connection = self._connection()
        if connection is None or connection is self._leaving:
            return
        until = self._outbox.lanes[Lane.ALARM].cursor
        await self.freight.carry(until, lambda at: self.cursors.want({"evidence": at}))

    async def _tell(self) -> None:
        connection = self._connection()
        if connection is not None and not self._stopping:
            await self._herald.tell(
                connection,
                self.publisher.puback,
                self._listening.receipts.newest,
                self._listening.refused,
                self.freight.counts,
            )
            self._listening.answered()
