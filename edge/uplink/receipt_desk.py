"""Receipts that come down: judged, compared with the ledger, kept; never able to stop anything."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from edge.clock import Clock, Stamp
from edge.domain.observation import ClockCompared
from edge.errors import LedgerCorrupt, Refused, StorageFull
from edge.ledger.checkpoint import COSIGNATURE, Checkpoint, Verifier
from edge.ledger.origin import key_name
from edge.ledger.store import Ledger
from edge.ledger.succession import Break
from edge.uplink.limits import Bucket
from edge.uplink.receipts import (
    Standing,
    break_of,
    clock_compared,
    compare,
    read_receipt,
)

VERIFY_MOST, VERIFY_PER_S = 200, 50.0  # receipts whose signature is looked at
REPORT_MOST, REPORT_PER_S = 10, 1 / 60  # refusals that are logged

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the desk tells, in the event loop.

    Attributes:
        said: when a checkpoint of this size was said in this run; None if it was not.
        heard: a receipt came that our ledger can stand by.
        broke: one came that it cannot; gives whether something is done about it.
        compared: one told the province's time.
    """

    said: Callable[[int], Stamp | None]
    heard: Callable[[], None]
    broke: Callable[[Break], bool]
    compared: Callable[[ClockCompared], None]


class ReceiptDesk:
    """Takes messages on the topic `receipt`.

    Args:
        keys: the province's; those for cosignatures count.
        ledger: keeps receipts.
        clock: the time.
        hooks: what is told.

    Attributes:
        refused: receipts that were not accepted, under the key `receipt`.
        newest: records that the newest receipt of this run covers, and when it came.
    """

    def __init__(
        self, keys: Iterable[Verifier], ledger: Ledger, clock: Clock, hooks: Hooks
    ) -> None:
        self._cosigners = [key for key in keys if key.algorithm == COSIGNATURE]
        self._ledger = ledger
        self._clock = clock
        self._hooks = hooks
        self._started_with = ledger.size
        self._check = Bucket(VERIFY_MOST, VERIFY_PER_S)
        self._report = Bucket(REPORT_MOST, REPORT_PER_S)
        self._waiting: tuple[int, bytes, Stamp] | None = None
        self._came = asyncio.Event()
        self._broken = False
        self.refused: Counter[str] = Counter()
        self.newest: tuple[int, Stamp] | None = None

    @property
    def open(self) -> bool:
        """Whether a key that cosigns is enrolled."""
        return bool(self._cosigners)

    def take(self, payload: bytes) -> None:
        """Take one message from the broker; never raises."""
        now = self._clock.now()
        if not self.open or self._broken:
            self.refused["receipt"] += not self.open  # that there is no key is said once, elsewhere
            return
        if not self._check.take(now.mono_us / 1e6):
            self._refuse("receipts come faster than they can be checked", now)
            return
        ledger = self._ledger
        try:
            head, unix_s = read_receipt(
                payload, gateway=key_name(ledger.origin), keys=self._cosigners
            )
            standing = compare(head, ledger.origin, ledger.size, ledger.root_at)
        except (Refused, LedgerCorrupt, StorageFull) as error:
            self._refuse(str(error), now)
            return
        said = self._hooks.said(head.size) if standing is Standing.COVERS else None
        self._hooks.compared(clock_compared(unix_s, said, now))
        if standing in {Standing.MORE, Standing.OTHER}:
            self._break(head, unix_s, standing, now)
            return
        self._hooks.heard()
        newer = self._waiting is None or self._waiting[0] < head.size
        if standing is Standing.COVERS and newer:
            self._waiting = (head.size, payload, now)
            self._came.set()

    def _break(self, head: Checkpoint, unix_s: int, standing: Standing, now: Stamp) -> None:
        broken = break_of(head, unix_s, standing, self._started_with)
        self._broken = self._hooks.broke(broken)
        if not self._broken:
            self._refuse(f"{broken.detail}, and this ledger has {self._ledger.size}", now)

    async def keep(self) -> None:
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
                self._refuse(str(error), now)
            except StorageFull as error:
                log.warning("receipt not kept", error=str(error))
            else:
                self.newest = (size, now)

    def _refuse(self, reason: str, now: Stamp) -> None:
        self.refused["receipt"] += 1
        if self._report.take(now.mono_us / 1e6):
            log.warning("receipt refused", reason=reason)
