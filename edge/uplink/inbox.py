"""What comes down: orders and receipts, judged, counted, and never able to stop anything."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable

import structlog

from edge.clock import Clock, Stamp
from edge.domain.mine import Order
from edge.domain.record import RecordType
from edge.errors import Refused, StorageFull
from edge.ledger.checkpoint import Verifier
from edge.ledger.store import Ledger
from edge.uplink.limits import Bucket
from edge.uplink.orders import OrderDesk
from edge.uplink.receipts import COSIGNATURE, read_receipt
from edge.uplink.topics import Topics

VERIFY_MOST, VERIFY_PER_S = 200, 50.0  # messages whose signature is looked at
REPORT_MOST, REPORT_PER_S = 10, 1 / 60  # refusals that become records: then one a minute

log = structlog.get_logger(__name__)


class Inbox:
    """Takes messages on the topics `order` and `receipt`.

    Args:
        topics: of this gateway.
        keys: the province's. Plain Ed25519 keys sign orders, cosignature keys receipts.
        ledger: knows the orders accepted before, and keeps receipts.
        clock: tells expiry.
        on_order: called with each accepted order.
        on_refused: called with reason and SHA-256 of refused orders, at a bounded rate.
    """

    def __init__(
        self,
        topics: Topics,
        keys: Iterable[Verifier],
        ledger: Ledger,
        clock: Clock,
        *,
        on_order: Callable[[Order], None],
        on_refused: Callable[[str, str], None],
    ) -> None:
        keys = tuple(keys)
        self._topics = topics
        self._ledger = ledger
        self._clock = clock
        self._on_order = on_order
        self._on_refused = on_refused
        self._cosigners = [key for key in keys if key.algorithm == COSIGNATURE]
        used = (leaf["data"]["nonce"] for leaf in ledger.leaves_of({RecordType.ORDER_ACCEPTED}))
        self._desk = OrderDesk(
            f"{topics.mine_code}/{topics.gateway}",
            [key for key in keys if key.algorithm != COSIGNATURE],
            used,
        )
        self._order_check = Bucket(VERIFY_MOST, VERIFY_PER_S)
        self._order_report = Bucket(REPORT_MOST, REPORT_PER_S)
        self._receipt_check = Bucket(VERIFY_MOST, VERIFY_PER_S)
        self._receipt_report = Bucket(REPORT_MOST, REPORT_PER_S)
        self._unreported = 0
        self._waiting: tuple[int, bytes, Stamp] | None = None
        self._came = asyncio.Event()
        self.refused: Counter[str] = Counter()
        self.newest_receipt: tuple[int, Stamp] | None = None

    @property
    def takes_receipts(self) -> bool:
        """Whether a key that cosigns is enrolled."""
        return bool(self._cosigners)

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message from the broker; never raises."""
        now = self._clock.now()
        if topic == self._topics.order:
            self._take_order(payload, now)
        elif topic == self._topics.receipt:
            self._take_receipt(payload, now)
        else:
            self.refused["topic"] += 1

    def _take_order(self, payload: bytes, now: Stamp) -> None:
        if not self._order_check.take(now.mono_us / 1e6):
            self._refuse_order("orders come faster than they can be checked", payload, now)
            return
        try:
            order = self._desk.read(payload, now)
        except Refused as error:
            self._refuse_order(str(error), payload, now)
            return
        log.info("order accepted", kind=order.kind.value, nonce=order.nonce)
        self._on_order(order)

    def _refuse_order(self, reason: str, payload: bytes, now: Stamp) -> None:
        self.refused["order"] += 1
        if not self._order_report.take(now.mono_us / 1e6):
            self._unreported += 1
            return
        if self._unreported:
            reason = f"{reason} (and {self._unreported} more orders were refused before it)"
            self._unreported = 0
        digest = hashlib.sha256(payload).hexdigest()
        log.warning("order refused", reason=reason, sha256=digest)
        self._on_refused(reason, digest)

    def _take_receipt(self, payload: bytes, now: Stamp) -> None:
        if not self._receipt_check.take(now.mono_us / 1e6):
            self._refuse_receipt("receipts come faster than they can be checked", now)
            return
        try:
            size, _unix_s = read_receipt(
                payload, origin=self._ledger.origin, size=self._ledger.size, keys=self._cosigners
            )
        except Refused as error:
            self._refuse_receipt(str(error), now)
            return
        if self._waiting is None or self._waiting[0] < size:
            self._waiting = (size, payload, now)
            self._came.set()

    async def keep_receipts(self) -> None:
        """Hand verified receipts to the ledger, for ever; of several that wait, the furthest."""
        while True:
            await self._came.wait()
            self._came.clear()
            if self._waiting is None:
                continue
            size, payload, now = self._waiting
            self._waiting = None
            held = self._ledger.receipt()
            if held is not None and held[0] >= size:
                continue  # it covers nothing more
            try:
                await asyncio.wrap_future(self._ledger.add_receipt(payload, size))
            except Refused as error:
                self._refuse_receipt(str(error), now)
            except StorageFull as error:
                log.warning("receipt not kept", error=str(error))
            else:
                self.newest_receipt = (size, now)

    def _refuse_receipt(self, reason: str, now: Stamp) -> None:
        self.refused["receipt"] += 1
        if self._receipt_report.take(now.mono_us / 1e6):
            log.warning("receipt refused", reason=reason)
