"""A connection as its users see it: a window of publishes, each answered exactly once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from edge.errors import UplinkUnavailable
from edge.uplink.broker_faults import WRONG_VERSION, refusal
from edge.uplink.mqtt import Wire, reason_name
from edge.uplink.wire import HUNG_UP, MAX_PACKET, TOO_LARGE, Mark, Version, Welcome

OnMessage = Callable[[str, bytes], asyncio.Future[None] | None]
"""Takes topic and payload. The broker is told PUBACK once what it returns is done, or at once."""
Done = Callable[[int | None], None]  # PUBACK's reason code; None: the connection ended before it

ACK_TIMEOUT_S = 30.0  # no PUBACK at all for so long with publishes under way: the line is dead
SKIPPED_TIMEOUT_S = 120.0  # PUBACKs come in order: one that is so late was forgotten
UNANSWERED_MOST = 10_000  # messages from the broker that may wait for their PUBACK
TAKEN_OVER = 0x8E  # another client has come with our id
FAILURE = 0x80  # reason codes from here on are failures (MQTT 5, 2.4)
_OVERHEAD = 16  # bytes of a PUBLISH packet beside topic and payload, at most

log = structlog.get_logger(__name__)


class VersionRefused(UplinkUnavailable):
    """The broker does not speak this version of MQTT: it said so, fell silent, or hung up.

    Attributes:
        certain: it said so or fell silent (one for 3.1.1 may wait for bytes that a longer
            CONNECT seems to promise); hanging up may be just the line.
    """

    def __init__(self, text: str, *, certain: bool) -> None:
        super().__init__(text)
        self.certain = certain


class Oversized(UplinkUnavailable):
    """The broker sent a packet that is too large, and would do so again."""


class Connection:
    """One life of a connection to one broker. Everything here runs in the event loop.

    Attributes:
        version: of MQTT, as spoken.
        window: publishes that may be without PUBACK: ours, or the server's Receive Maximum.
        max_packet: largest packet that the server takes, bytes.
        ended: resolves with the reason when the connection is over.
        code: reason code of the broker's DISCONNECT; 0 if there was none.
    """

    def __init__(
        self,
        wire: Wire,
        version: Version,
        window: int,
        on_message: OnMessage,
    ) -> None:
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._pending: dict[int, tuple[Done, float]] = {}  # in the order of publishing
        self._slots: list[asyncio.Future[None]] = []
        self._unanswered: deque[tuple[Mark, asyncio.Future[None] | None]] = deque()
        self._progress = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._subscribes = False
        self._entry: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self.version: Version = version
        self.window = window
        self.max_packet = MAX_PACKET
        self.code = 0

    @property
    def let_in(self) -> bool:
        """Whether the broker welcomed us."""
        entry = self._entry
        return entry.done() and not entry.cancelled() and entry.exception() is None

    @property
    def oversized(self) -> bool:
        """Whether it ended because the broker sent a packet that is too large."""
        return self._wire.oversized

    @property
    def closed_in_order(self) -> bool:
        """Whether the broker closed it after letting us in: no word, no fault of the line."""
        return self.let_in and self.ended.done() and self.ended.result() == HUNG_UP

    @property
    def free(self) -> int:
        """Publishes that may be made now without waiting."""
        return max(0, self.window - len(self._pending) - len(self._slots))

    @property
    def under_way(self) -> int:
        """Publishes without PUBACK."""
        return len(self._pending)

    def publish(self, topic: str, payload: bytes, done: Done, *, retain: bool = False) -> None:
        """Publish at QoS 1; `done` is called once, later. The caller keeps to `free`."""
        if self.ended.done():
            self._loop.call_soon(done, None)
            return
        if len(payload) + len(topic.encode()) + _OVERHEAD > self.max_packet:
            self._loop.call_soon(done, TOO_LARGE)
            return
        now = self._loop.time()
        if not self._pending:
            self._progress = now
        mid = self._wire.publish(topic, payload, retain=retain)
        if mid is None:
            self._loop.call_soon(done, None)
        else:
            self._pending[mid] = (done, now)

    async def send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the PUBACK.

        Raises:
            UplinkUnavailable: it was refused, or the connection ended.
        """
        while len(self._pending) >= self.window and not self.ended.done():
            slot = self._loop.create_future()
            self._slots.append(slot)
            try:
                await slot
            finally:
                if slot in self._slots:
                    self._slots.remove(slot)
        answer: asyncio.Future[int | None] = self._loop.create_future()

        def answered(code: int | None) -> None:
            if not answer.done():
                answer.set_result(code)

        self.publish(topic, payload, answered, retain=retain)
        code = await answer
        if code is None:
            raise UplinkUnavailable("the connection ended before the broker answered")
        if code >= FAILURE:
            raise UplinkUnavailable(f"the broker refused a publish: {reason_name(code)}")

    async def close(self, timeout_s: float) -> None:
        """Say goodbye and close; the socket is closed after `timeout_s` in any case."""
        if not self.ended.done():
            self._closing = True
            self._wire.goodbye()
            await asyncio.wait([self.ended], timeout=timeout_s)
        self.drop("closed")

    def drop(self, reason: str) -> None:
        """Close now, without a word."""
        self._wire.drop()
        self.hung_up(reason)

    async def enter(self, subscriptions: tuple[str, ...]) -> None:
        """Wait to be let in. Raises UplinkUnavailable or VersionRefused."""
        self._subscribes = bool(subscriptions)
        self._wire.attach(self, subscriptions)
        self._tick()
        waiting: list[asyncio.Future[None] | asyncio.Future[str]] = [self._entry, self.ended]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self._entry.done():
            self._entry.result()
        elif self._wire.oversized:
            raise Oversized(self.ended.result())
        elif self._wire.fault:
            raise UplinkUnavailable(self.ended.result())
        else:
            text = f"{self.ended.result()} before it had answered; does it want TLS?"
            raise VersionRefused(text, certain=False)

    def welcomed(self, welcome: Welcome) -> None:
        """The broker lets us in."""
        self.window = max(1, min(self.window, welcome.receive_maximum))
        self.max_packet = welcome.max_packet
        if self._entry.done():
            return
        if welcome.max_qos < 1:
            self._entry.set_exception(UplinkUnavailable("it takes no QoS 1"))
        elif not self._subscribes:
            self._entry.set_result(None)

    def subscribed(self, refused: bool) -> None:
        """The broker answered our subscriptions; without them we can still deliver."""
        if refused:
            log.warning("broker refuses a subscription: no orders, no receipts from it")
        if not self._entry.done():
            self._entry.set_result(None)

    def turned_away(self, code: int, name: str) -> None:
        """The broker does not let us in."""
        if not self._entry.done():
            text = refusal(code, name)
            self._entry.set_exception(
                VersionRefused(text, certain=True)
                if code == WRONG_VERSION
                else UplinkUnavailable(text)
            )

    def acknowledged(self, mid: int, code: int) -> None:
        """A PUBACK came."""
        waiting = self._pending.pop(mid, None)
        self._progress = self._loop.time()
        if waiting is not None:
            waiting[0](code)
        self._free_slots(1)

    def received(self, topic: str, payload: bytes, mark: Mark | None) -> None:
        """A message came; `mark` names it to the broker if that wants a PUBACK."""
        taken = self._on_message(topic, payload)
        if mark is None:
            return
        self._unanswered.append((mark, taken))
        if len(self._unanswered) > UNANSWERED_MOST:
            # Not here: we are inside a callback of paho's, which holds a lock.
            self._loop.call_soon(self.drop, "it sends on without waiting for our answers")
        elif taken is None or taken.done():
            self._answer()
        else:
            taken.add_done_callback(lambda _taken: self._answer())

    def _answer(self) -> None:
        """PUBACK what is taken, in the order in which it came (MQTT 3.1.1 and 5, 4.6)."""
        while self._unanswered and not self.ended.done():
            mark, taken = self._unanswered[0]
            if taken is not None and not taken.done():
                return
            self._unanswered.popleft()
            self._wire.guarded(lambda mark=mark: self._wire.acknowledge(mark))  # type: ignore[misc]

    def hung_up(self, reason: str, code: int = 0) -> None:
        """The connection is over."""
        if self.ended.done():
            return
        self.code = code
        self.ended.set_result("closed" if self._closing else reason)
        if self._timer is not None:
            self._timer.cancel()
        pending, self._pending = self._pending, {}
        for done, _at in pending.values():
            done(None)
        self._free_slots(len(self._slots))

    def _tick(self) -> None:
        """Once a second: keep-alive, and a line that is dead though it looks open."""
        self._wire.tick()
        if self._pending:
            now = self._loop.time()
            _done, oldest = next(iter(self._pending.values()))
            if now - self._progress > ACK_TIMEOUT_S:
                self.drop(f"it acknowledged nothing for {ACK_TIMEOUT_S:.0f} s")
            elif now - oldest > SKIPPED_TIMEOUT_S:
                self.drop("it did not acknowledge one of our messages")
        if not self.ended.done():
            self._timer = self._loop.call_later(1.0, self._tick)

    def _free_slots(self, count: int) -> None:
        for slot in self._slots[:count]:
            if not slot.done():
                slot.set_result(None)
        del self._slots[:count]
