"""Orders that come down: judged, counted, and never able to stop anything."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from edge.clock import Clock, Stamp
from edge.domain.mine import Order
from edge.domain.permit import moment_us
from edge.domain.record import RecordType
from edge.errors import Refused
from edge.ledger.checkpoint import COSIGNATURE, Verifier
from edge.ledger.store import Ledger
from edge.uplink.limits import Bucket
from edge.uplink.nonces import Nonces, Repeated
from edge.uplink.orders import OrderDesk
from edge.uplink.topics import Topics

VERIFY_MOST, VERIFY_PER_S = 200, 50.0  # messages whose signature is looked at
REPORT_MOST, REPORT_PER_S = 10, 1 / 60  # refusals that become records: then one a minute

Recorded = asyncio.Future[None] | None

log = structlog.get_logger(__name__)


def _used(leaf: Mapping[str, Any]) -> tuple[str, int]:
    data = leaf["data"]
    return data["nonce"], moment_us(data["expires"])


class Inbox:
    """Takes messages on the topic `order`.

    Args:
        topics: of this gateway.
        keys: the province's. Plain Ed25519 keys sign orders, cosignature keys don't.
        ledger: knows the orders accepted before.
        clock: tells expiry.
        on_order: called with each accepted order; what it returns resolves once the order is
            recorded (None: it is).
        on_refused: called with reason and SHA-256 of refused orders, at a bounded rate.
    """

    def __init__(
        self,
        topics: Topics,
        keys: Iterable[Verifier],
        ledger: Ledger,
        clock: Clock,
        *,
        on_order: Callable[[Order], Recorded],
        on_refused: Callable[[str, str], None],
    ) -> None:
        self._topics = topics
        self._ledger = ledger
        self._clock = clock
        self._on_order = on_order
        self._on_refused = on_refused
        begun = next(ledger.leaves_of({RecordType.EPOCH_BEGUN}), None)
        used = map(_used, ledger.leaves_of({RecordType.ORDER_ACCEPTED}))
        self._desk = OrderDesk(
            f"{topics.mine_code}/{topics.gateway}",
            [key for key in keys if key.algorithm != COSIGNATURE],
            Nonces(used),
            begun_us=0 if begun is None else moment_us(begun["time"]),
        )
        self._recording: dict[str, asyncio.Future[None]] = {}
        self._order_check = Bucket(VERIFY_MOST, VERIFY_PER_S)
        self._order_report = Bucket(REPORT_MOST, REPORT_PER_S)
        self._unreported = 0
        self.refused: Counter[str] = Counter()

    def take(self, topic: str, payload: bytes) -> Recorded:
        """Take one message from the broker; never raises.

        Returns:
            What the broker's PUBACK waits for: that an order is recorded. An order that comes
            again meanwhile (the connection was lost) waits for the same.
        """
        now = self._clock.now()
        if topic == self._topics.order:
            return self._take_order(payload, now)
        self.refused["topic"] += 1
        return None

    def _take_order(self, payload: bytes, now: Stamp) -> Recorded:
        if not self._order_check.take(now.mono_us / 1e6):
            self._refuse_order("orders come faster than they can be checked", payload, now)
            return None
        try:
            order = self._desk.read(payload, now)
        except Repeated as error:
            if error.nonce in self._recording:
                return self._recording[error.nonce]
            self._refuse_order(str(error), payload, now)
            return None
        except Refused as error:
            self._refuse_order(str(error), payload, now)
            return None
        log.info("order accepted", kind=order.kind.value, nonce=order.nonce)
        recorded = self._on_order(order)
        if recorded is not None and not recorded.done():
            self._recording[order.nonce] = recorded
            recorded.add_done_callback(lambda _future: self._recording.pop(order.nonce, None))
        return recorded

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
