"""Drafts on their way into the ledger; what storage does not take is held, within bounds."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import islice

import structlog

from edge.clock import Clock, Stamp
from edge.domain.record import Draft, Lane, Record, RecordType
from edge.errors import StorageFull
from edge.ledger.policy import SPARE
from edge.ledger.store import Ledger

HELD_LIMIT = 10_000  # drafts kept in memory while the disk takes nothing
BATCH = 500  # drafts in one append
RETRY_S = 2.0  # between attempts while the disk takes nothing

log = structlog.get_logger(__name__)


class Outgoing:
    """Appends in order; one call at a time.

    Args:
        ledger: keeps.
        clock: tells time.
        dropped: counts what is left out.
        on_durable: called with drafts and their records once they are durable; gives the drafts
            that follow from that.

    Attributes:
        shedding: whether what room is left is for alarms and what must be kept.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        dropped: Counter[str],
        on_durable: Callable[[list[Draft], list[Record]], Iterable[Draft]],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._dropped = dropped
        self._on_durable = on_durable
        self._held: deque[Draft] = deque()
        self._failed: Stamp | None = None  # when storage last refused
        self.shedding = False

    def __len__(self) -> int:
        return len(self._held)

    async def append(self, drafts: list[Draft], *, again: bool = False) -> None:
        """Append what is held and `drafts`; hold what storage does not take.

        Args:
            drafts: come after what is held.
            again: ask storage although it refused a moment ago.
        """
        taken = [draft for draft in drafts if not self.shedding or draft.type not in SPARE]
        if len(taken) < len(drafts):
            self._dropped["records shed"] += len(drafts) - len(taken)
        self._held.extend(taken)
        waits = self._failed is not None and self._clock.now().since(self._failed) < RETRY_S
        while self._held and (again or not waits):
            batch = list(islice(self._held, BATCH))
            try:
                records = await asyncio.wrap_future(self._ledger.submit(batch))
            except StorageFull as error:
                if self._failed is None:
                    log.error("storage takes no records; they are held", error=str(error))
                self._failed = self._clock.now()
                break
            for _ in batch:
                self._held.popleft()
            if self._failed is not None:
                log.info("storage takes records again")
                self._failed = None
            self._held.extend(self._on_durable(batch, records))
        self._shed()

    def _shed(self) -> None:
        """Keep the held drafts bounded: routine goes first, the oldest first."""
        surplus = len(self._held) - HELD_LIMIT
        if surplus <= 0:
            return
        held = list(self._held)
        by_worth = sorted(range(len(held)), key=lambda i: (_is_worthy(held[i]), i))
        shed = set(by_worth[:surplus])
        self._dropped.update(f"{held[i].lane.value} drafts" for i in shed)
        self._held = deque(draft for i, draft in enumerate(held) if i not in shed)


def _is_worthy(draft: Draft) -> bool:
    return draft.lane is Lane.ALARM or draft.type is RecordType.ORDER_ACCEPTED
