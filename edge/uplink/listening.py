"""What comes down, orders and receipts, and whether we may speak before we have listened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from edge.clock import Clock, Stamp
from edge.domain.mine import Order
from edge.domain.observation import ClockCompared
from edge.ledger.checkpoint import Verifier
from edge.ledger.store import Ledger
from edge.ledger.succession import Break
from edge.uplink.hearing import QUIET_S, Hearing
from edge.uplink.inbox import Inbox, Recorded
from edge.uplink.receipt_desk import Hooks, ReceiptDesk
from edge.uplink.topics import Topics

log = structlog.get_logger(__name__)


class Listening:
    """Hands messages to the inbox or to the receipt desk, and judges when records may go.

    Args:
        topics: of this gateway.
        keys: the province's.
        ledger: what receipts are held against.
        clock: the time.
        ask_s: so long, at most, records wait for a receipt after the first connection.
        on_order, on_refused: as `Inbox`.
        said, on_break, on_compared: as `Hooks`.
        on_heard: called when records may go because a receipt came.

    Attributes:
        receipts: the desk.
        hearing: the wait.
    """

    def __init__(
        self,
        topics: Topics,
        keys: Sequence[Verifier],
        ledger: Ledger,
        clock: Clock,
        ask_s: float,
        *,
        on_order: Callable[[Order], Recorded],
        on_refused: Callable[[str, str], None],
        said: Callable[[int], Stamp | None],
        on_heard: Callable[[], None],
        on_break: Callable[[Break], bool],
        on_compared: Callable[[ClockCompared], None],
    ) -> None:
        self._topics = topics
        self._clock = clock
        self._on_heard = on_heard
        self._on_break = on_break
        self._inbox = Inbox(topics, keys, ledger, clock, on_order=on_order, on_refused=on_refused)
        hooks = Hooks(said, self._heard, self._broke, on_compared)
        self.receipts = ReceiptDesk(keys, ledger, clock, hooks)
        self.hearing = Hearing(ask_s if self.receipts.open else 0.0)

    @property
    def may_speak(self) -> bool:
        """Whether records and checkpoints may be published."""
        return self.hearing.over(self._clock.now().mono_us / 1e6)

    @property
    def refused(self) -> Counter[str]:
        """Messages that were not accepted: `order`, `receipt`, `topic`."""
        return self._inbox.refused + self.receipts.refused

    def take(self, topic: str, payload: bytes) -> Recorded:
        """Take one message; gives what the broker's PUBACK waits for. Never raises."""
        if topic != self._topics.receipt:
            return self._inbox.take(topic, payload)
        self.receipts.take(payload)
        return None

    def warn(self) -> None:
        """Say once that there is no key to check receipts with."""
        if not self.receipts.open:
            log.warning(
                "no province key for receipts is configured: nothing tells what the province has",
                remedy="set keys in [province] of seal.toml",
            )

    def connected(self) -> None:
        """A broker took us."""
        self.hearing.connected(self._clock.now().mono_us / 1e6)

    def answered(self) -> None:
        """The broker acknowledged something."""
        if not self.may_speak:
            self.hearing.answered(self._clock.now().mono_us / 1e6)
            asyncio.get_running_loop().call_later(QUIET_S, self._on_heard)

    def _heard(self) -> None:
        self.hearing.heard()
        self._on_heard()

    def _broke(self, broken: Break) -> bool:
        taken = self._on_break(broken)
        if taken:
            self.hearing.mute()
        return taken
