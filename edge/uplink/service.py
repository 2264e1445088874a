"""The uplink: every record to the province at least once, alarms before routine.

Four tasks on one connection: `_pump` publishes records, `_seal` checkpoints, `_carry`
evidence, `_tell` the state. None of them keeps anything that the ledger does not have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from edge.clock import Clock, Stamp
from edge.domain.mine import Order
from edge.domain.record import Lane, Record
from edge.errors import StorageFull, UplinkUnavailable
from edge.ledger.checkpoint import Verifier
from edge.ledger.store import Ledger
from edge.uplink.codec import offline_state
from edge.uplink.connection import FAILURE, Connection
from edge.uplink.courier import Courier
from edge.uplink.cursors import Cursors
from edge.uplink.herald import Herald
from edge.uplink.inbox import Inbox
from edge.uplink.mqtt import Login, reason_name
from edge.uplink.outbox import READ_AHEAD, Outbox
from edge.uplink.session import Session
from edge.uplink.spec import BrokerSpec, ProvinceSpec
from edge.uplink.topics import Topics

CHECKPOINT_S = 10.0  # at most so long between checkpoints while there are new leaves
STATE_S = 30.0
IDLE_S = 1.0  # the ledger is looked at so often even if nobody wakes us
RETRY_S = 2.0
GOODBYE_S = 0.4  # of the time to stop, kept for the farewell

log = structlog.get_logger(__name__)


class Uplink:
    """The gateway's side of the contract in docs/asyncapi.yaml.

    Args:
        brokers: tried in this order.
        province: keys that orders and receipts must be signed with.
        mine_code: 12 digits.
        gateway: which box of the mine.
        ledger: what is to be delivered.
        clock: tells time.
        on_order: called with each accepted order.
        on_refused: called with reason and SHA-256 of orders that were not, at a bounded rate.
    """

    def __init__(
        self,
        brokers: tuple[BrokerSpec, ...],
        province: ProvinceSpec,
        *,
        mine_code: str,
        gateway: str,
        ledger: Ledger,
        clock: Clock,
        on_order: Callable[[Order], None],
        on_refused: Callable[[str, str], None],
    ) -> None:
        self._topics = Topics(mine_code, gateway)
        self._ledger = ledger
        self._clock = clock
        self._outbox = Outbox(ledger.cursor("alarm"), ledger.cursor("routine"))
        self._herald = Herald(ledger, self._topics, clock)
        self._courier = Courier(ledger, self._topics)
        self._cursors = Cursors(ledger)
        self._inbox = Inbox(
            self._topics,
            [Verifier.parse(key) for key in province.keys],
            ledger,
            clock,
            on_order=on_order,
            on_refused=on_refused,
        )
        self._session = Session(
            brokers,
            self._login,
            clock,
            on_message=self._inbox.take,
            on_up=self._up,
            on_down=self._outbox.reset,
        )
        self._work = asyncio.Event()  # records may go
        self._seal_due = asyncio.Event()
        self._carry_due = asyncio.Event()
        self._state_due = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopping = False
        self._refusing: dict[Lane, int] = {}
        self._puback: Stamp | None = None

    @property
    def connected(self) -> bool:
        """Whether a broker has let us in."""
        return self._session.connection is not None

    @property
    def broker(self) -> str:
        """`host:port` of the broker that took us last; empty before the first."""
        return self._session.broker

    @property
    def fault(self) -> str:
        """Why we are not connected; empty while we are."""
        return self._session.fault

    @property
    def newest_puback(self) -> Stamp | None:
        """When a record was last acknowledged by the broker."""
        return self._puback

    @property
    def newest_receipt(self) -> tuple[int, Stamp] | None:
        """Records that the newest receipt of this run covers, and when it came."""
        return self._inbox.newest_receipt

    @property
    def refused(self) -> Mapping[str, int]:
        """Messages from the broker that were not accepted: `order`, `receipt`, `topic`."""
        return self._inbox.refused

    @property
    def evidence(self) -> Mapping[str, int]:
        """Evidence files `sent`, `missing`, `kept_back`."""
        return self._courier.counts

    def wake(self, *, alarm: bool) -> None:
        """Records became durable. Call in the event loop."""
        for lane in self._outbox.lanes.values():
            lane.wake()
        self._work.set()
        if alarm:
            self._seal_due.set()

    async def run(self) -> None:
        """Deliver until `stop` is called or the task is cancelled."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (
                    self._session.run(),
                    self._cursors.run(),
                    self._inbox.keep_receipts(),
                    self._repeat(self._pump, self._work, IDLE_S),
                    self._repeat(self._seal, self._seal_due, CHECKPOINT_S),
                    self._repeat(self._carry, self._carry_due, IDLE_S),
                    self._repeat(self._tell, self._state_due, STATE_S),
                )
            ]
            await self._stopped.wait()
            for task in tasks:
                task.cancel()

    async def stop(self, timeout_s: float) -> None:
        """Deliver what waits as far as the time goes, say that we go, and disconnect.

        Raises:
            UplinkUnavailable: records still wait; the ledger keeps them.
        """
        until = asyncio.get_running_loop().time() + timeout_s
        self._stopping = True
        try:
            async with asyncio.timeout_at(until - GOODBYE_S):
                await self._drain()
        except TimeoutError:
            log.debug("not everything could be delivered before the stop")
        connection = self._session.connection
        if connection is not None:
            try:
                async with asyncio.timeout_at(until - GOODBYE_S / 2):
                    await self._herald.farewell(connection)
            except (TimeoutError, UplinkUnavailable, StorageFull) as error:
                log.debug("no farewell", error=str(error))
        left = until - asyncio.get_running_loop().time()
        await self._session.close(max(0.05, left))
        await self._cursors.flush()
        self._stopped.set()
        waiting = sum(self._ledger.backlog(lane)[0] for lane in Lane)
        if waiting:
            raise UplinkUnavailable(f"{waiting} records wait; {self.fault or 'no time was left'}")

    async def _drain(self) -> None:
        self.wake(alarm=False)
        self._carry_due.set()
        alarms = self._outbox.lanes[Lane.ALARM]
        while self.connected:
            await asyncio.sleep(0.01)
            if self._outbox.idle and self._courier.cursor >= alarms.cursor:
                return

    async def _repeat(self, work: Callable[[], Any], due: asyncio.Event, at_least_s: float) -> None:
        """Do `work` when it is due, and at least so often; again soon when it failed."""
        told = ""
        while True:
            # Not wait_for: in 3.11 it can swallow a cancellation that comes with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(at_least_s):
                    await due.wait()
            due.clear()
            try:
                await work()
            except (UplinkUnavailable, StorageFull) as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("not done; tried again", what=work.__name__, error=told)
                await asyncio.sleep(RETRY_S)
                due.set()
            else:
                told = ""

    def _login(self) -> Login:
        return Login(
            client_id=f"eseal-{self._topics.mine_code}-{self._topics.gateway}",
            will_topic=self._topics.state,
            will=offline_state("connection lost", self._clock.now().iso()),
            subscriptions=(self._topics.order, self._topics.receipt),
        )

    def _up(self, _connection: Connection) -> None:
        self._herald.forget()
        for due in (self._work, self._seal_due, self._carry_due, self._state_due):
            due.set()

    async def _pump(self) -> None:
        """Publish what the window has room for."""
        connection = self._session.connection
        if connection is None:
            return
        self._repeat_unreceipted()
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
            self._work.set()
            await asyncio.sleep(0)

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
            self._puback = now
            self._cursors.want({record.lane.value: lane.cursor})
            if record.lane is Lane.ALARM:
                log.info("alarm delivered", index=record.index, type=record.type.value)
                self._carry_due.set()
        self._work.set()

    async def _seal(self) -> None:
        await self._herald.seal(self._session.connection)

    def _repeat_unreceipted(self) -> None:
        """Send again what no receipt covers after a while."""
        receipt, now_s = self._ledger.receipt(), self._clock.now().mono_us / 1e6
        patience = self._herald.patience
        stretch = patience.due(receipt[0] if receipt else 0, now_s)
        if self._inbox.takes_receipts and stretch and self._outbox.repeat(*stretch):
            patience.spent(now_s)
            log.warning("no receipt came; sending again", start=stretch[0], end=stretch[1])

    async def _carry(self) -> None:
        connection = self._session.connection
        until = self._outbox.lanes[Lane.ALARM].cursor
        while connection is not None and self._courier.cursor < until:
            try:
                if not await self._courier.carry(connection, until):
                    return
            finally:
                self._cursors.want({"evidence": self._courier.cursor})

    async def _tell(self) -> None:
        connection = self._session.connection
        if connection is not None and not self._stopping:
            await self._herald.tell(
                connection, self._puback, self._inbox.refused, self._courier.counts
            )
