"""The uplink: every record to the province at least once, alarms before routine.

The session keeps a connection, `Delivery` sends what there is on it, `Listening` takes what comes
down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from edge.clock import Clock, Stamp
from edge.domain.mine import Order
from edge.domain.observation import ClockCompared
from edge.domain.record import Lane
from edge.errors import StorageFull, UplinkUnavailable
from edge.ledger.checkpoint import Verifier
from edge.ledger.spare import Spare
from edge.ledger.store import Ledger
from edge.ledger.succession import Break
from edge.uplink.codec import offline_state
from edge.uplink.connection import Connection
from edge.uplink.courier import OnLost
from edge.uplink.delivery import Delivery
from edge.uplink.hearing import WAIT_S
from edge.uplink.herald import Herald
from edge.uplink.inbox import Recorded
from edge.uplink.listening import Listening
from edge.uplink.session import OnTaken, Session
from edge.uplink.spec import UNBOUNDED, BrokerSpec, ProvinceSpec, UplinkSpec
from edge.uplink.topics import Topics
from edge.uplink.wire import Login

INBOUND_MOST = 100  # messages that the broker may send while ours wait to be recorded (MQTT 5)
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
        on_order: called with each accepted order; the broker is told PUBACK once what it
            returns is done: the order is recorded.
        on_refused: called with reason and SHA-256 of orders that were not, at a bounded rate.
        on_break: called with a receipt that our ledger cannot stand by; whether a new epoch begins.
        on_compared: called with what a receipt tells about our clock.
        on_taken: called with the broker and how often another client has taken our session
            over; with 0 when that is over.
        on_lost: told once of each evidence file that is missing or damaged.
        spec: paces, and when to return to a better broker.
        progress: file that remembers how far large evidence has come; None for memory only.
        ask_s: so long, at most, records wait for a receipt after the first connection.
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
        on_order: Callable[[Order], Recorded],
        on_refused: Callable[[str, str], None],
        on_break: Callable[[Break], bool] = lambda _broken: False,
        on_compared: Callable[[ClockCompared], None] = lambda _compared: None,
        on_taken: OnTaken = lambda _broker, _times: None,
        on_lost: OnLost = lambda _ref, _why: None,
        spec: UplinkSpec = UNBOUNDED,
        progress: Spare | None = None,
        ask_s: float = WAIT_S,
    ) -> None:
        self._topics = Topics(mine_code, gateway)
        self._ledger = ledger
        self._clock = clock
        self._herald = Herald(ledger, self._topics, clock)
        self._listening = Listening(
            self._topics,
            [Verifier.parse(key) for key in province.keys],
            ledger,
            clock,
            ask_s,
            on_order=on_order,
            on_refused=on_refused,
            said=self._herald.said_at,
            on_heard=lambda: self._delivery.heard(),  # noqa: PLW0108  it is made below
            on_break=on_break,
            on_compared=on_compared,
        )
        self._delivery = Delivery(
            ledger,
            self._topics,
            clock,
            spec,
            self._herald,
            self._listening,
            connection=lambda: self._session.connection,
            progress=progress,
            on_lost=on_lost,
        )
        self._session = Session(
            brokers,
            self._login,
            clock,
            on_message=self._listening.take,
            on_up=self._up,
            on_down=self._delivery.down,
            on_leave=self._delivery.leave,
            on_taken=on_taken,
            return_s=spec.return_s,
        )
        self._stopped = asyncio.Event()

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
        return self._delivery.publisher.puback

    @property
    def newest_receipt(self) -> tuple[int, Stamp] | None:
        """Records that the newest receipt of this run covers, and when it came."""
        return self._listening.receipts.newest

    @property
    def refused(self) -> Mapping[str, int]:
        """Messages from the broker that were not accepted: `order`, `receipt`, `topic`."""
        return self._listening.refused

    @property
    def evidence(self) -> Mapping[str, int]:
        """Evidence files `sent`, `missing`, `damaged`, `kept_back`."""
        return self._delivery.freight.counts

    async def fetch(self, sha256: str) -> str:
        """Send one evidence file; "" once the broker has it, or why it cannot be sent."""
        return await self._delivery.freight.fetch(sha256)

    async def resend(self, start: int, end: int) -> int:
        """Send the records in [start, end) that are still there; gives how many."""
        return await self._delivery.freight.resend(start, end)

    def wake(self, *, alarm: bool) -> None:
        """Records became durable. Call in the event loop."""
        self._delivery.wake(alarm=alarm)

    async def run(self) -> None:
        """Deliver until `stop` is called or the task is cancelled."""
        self._listening.warn()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (
                    self._session.run(),
                    self._listening.receipts.keep(),
                    *self._delivery.works(),
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
        self._listening.hearing.hurry()
        try:
            async with asyncio.timeout_at(until - GOODBYE_S):
                await self._delivery.drain()
        except TimeoutError:
            log.debug("not everything could be delivered before the stop")
        connection = self._session.connection
        if connection is not None:
            try:
                async with asyncio.timeout_at(until - GOODBYE_S / 2):
                    await self._herald.farewell(connection, seal=self._listening.may_speak)
            except (TimeoutError, UplinkUnavailable, StorageFull) as error:
                log.debug("no farewell", error=str(error))
        left = until - asyncio.get_running_loop().time()
        await self._session.close(max(0.05, left))
        await self._delivery.cursors.flush()
        self._stopped.set()
        waiting = sum(self._ledger.backlog(lane)[0] for lane in Lane)
        if waiting:
            raise UplinkUnavailable(f"{waiting} records wait; {self.fault or 'no time was left'}")

    def _login(self) -> Login:
        return Login(
            client_id=f"eseal-{self._topics.mine_code}-{self._topics.gateway}",
            will_topic=self._topics.state,
            will=offline_state("connection lost", self._clock.now().iso()),
            subscriptions=(self._topics.order, self._topics.receipt),
            receive_maximum=INBOUND_MOST,
        )

    def _up(self, connection: Connection) -> None:
        self._listening.connected()
        self._delivery.up(connection)
