"""From observations to durable records: one consumer, in order of arrival.

Each observation is judged, the activities that need it get their snapshot, and the drafts
are appended. Nothing is reported onward before it is durable.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import structlog

from edge.clock import Clock, Stamp
from edge.domain.activity import Activity, ActivityKind, EvidenceRef, Phase, evidence_data
from edge.domain.mine import Order
from edge.domain.observation import Observation, Sighting
from edge.domain.record import Draft, Lane, Record, RecordType
from edge.errors import StorageFull
from edge.incoming import Incoming, Item, Resumed
from edge.ledger.policy import SPARE
from edge.ledger.store import Ledger
from edge.rules.orders import ERRANDS, accepted
from edge.rules.state import Attachment
from edge.seal import Outcome, Seal
from edge.vision.evidence.snapshot import Workbench, encode
from edge.vision.picture import Picture

HELD_LIMIT = 10_000  # drafts kept in memory while the disk takes nothing
BATCH = 500  # drafts in one append
RETRY_S = 2.0  # between attempts while the disk takes nothing
TICK_S = 0.25
SNAPSHOT_S = 1.0  # longer than this an alarm does not wait for its picture
_SHOWN = frozenset(
    {
        ActivityKind.PERSON_IN_ZONE,
        ActivityKind.VEHICLE_IN_ZONE,
        ActivityKind.UNNAMED_MOTION,
        ActivityKind.PICTURE_COVERED,
        ActivityKind.PICTURE_FROZEN,
        ActivityKind.PICTURE_MOVED,
        ActivityKind.PICTURE_SWAPPED,
        ActivityKind.PICTURE_BLURRED,
        ActivityKind.PICTURE_DARK,
        ActivityKind.PICTURE_OVEREXPOSED,
        ActivityKind.PICTURE_SHAKING,
        ActivityKind.PICTURE_RESIZED,
        ActivityKind.PICTURE_REPLAYED,
        ActivityKind.PICTURE_STILL_PHOTO,
        ActivityKind.PICTURE_CLOCK_WRONG,
    }
)

log = structlog.get_logger(__name__)


class Recorder:
    """The only caller of the seal and of `Ledger.submit` while the daemon runs.

    Args:
        seal: judges.
        ledger: keeps.
        workbench: encodes pictures.
        clock: tells time.
        on_durable: called with records once they are durable.
        on_errand: called with each recorded order that the seal itself cannot obey.
        on_activity: called with each activity, once it is judged.
        on_judged: called with each draft that comes of it.
    """

    def __init__(
        self,
        seal: Seal,
        ledger: Ledger,
        workbench: Workbench,
        clock: Clock,
        on_durable: Callable[[list[Record]], None],
        on_errand: Callable[[Order], None] = lambda _order: None,
        on_activity: Callable[[Activity], None] = lambda _activity: None,
        on_judged: Callable[[Draft], None] = lambda _draft: None,
    ) -> None:
        self._seal = seal
        self._ledger = ledger
        self._workbench = workbench
        self._clock = clock
        self._on_durable = on_durable
        self._on_errand = on_errand
        self._on_activity = on_activity
        self._on_judged = on_judged
        self._orders: dict[str, tuple[Order, asyncio.Future[None]]] = {}  # not recorded yet
        self.dropped: Counter[str] = Counter()
        self.shedding = False  # whether what room is left is for alarms and what must be kept
        self._inbox = Incoming(self.dropped)
        self._held: deque[Draft] = deque()
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._finished = False
        self._ticked = clock.now()
        self._failed: Stamp | None = None  # when storage last refused

    @property
    def waiting(self) -> Mapping[str, int]:
        """Lengths of the bounded queues, for health."""
        return {"observations": len(self._inbox), "held_drafts": len(self._held)}

    def observe(self, observation: Observation, picture: Picture | None = None) -> None:
        """Take an observation and the picture that shows it."""
        self._put((observation, picture))

    def order(self, order: Order) -> asyncio.Future[None]:
        """Take a verified order; it is recorded, then obeyed. Resolves once it is recorded."""
        recorded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders[order.nonce] = (order, recorded)
        self._put(order)
        return recorded

    def resume(self, order: Order) -> None:
        """Obey an order that was recorded before a restart and not answered."""
        self._put(Resumed(order))

    def note(self, draft: Draft) -> None:
        """Take a fact that needs no judgement."""
        self._put(draft)

    def attach(self, given: Attachment) -> None:
        """Take evidence for an incident that was told without it."""
        self._put(given)

    def _put(self, item: Item) -> None:
        self._inbox.put(item)
        self._wake.set()

    async def run(self) -> None:
        """Consume until `finish` or until cancelled."""
        while not self._finished:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._wake.wait()
            self._wake.clear()
            async with self._one_at_a_time:
                if not self._finished:
                    await self._consume()

    async def drain(self) -> None:
        """Judge everything that waits, and try once more to append it all."""
        async with self._one_at_a_time:
            await self._consume()
            await self._append([], again=True)
        if self._held:  # at a stop they are lost
            log.error("records are held in memory only", records=len(self._held))

    async def finish(self, last: Draft) -> None:
        """Judge what waits, append it and the `last` record, and take nothing more."""
        async with self._one_at_a_time:
            self._finished = True
        self.note(last)
        await self.drain()

    async def _consume(self) -> None:
        while self._inbox:
            match self._inbox.take():
                case Order() as order:
                    await self._append([accepted(order, self._clock.now())])
                case Resumed(order):
                    await self._append(self._obey(order))
                case Draft() as draft:
                    await self._append([draft])
                case Attachment() as given:
                    await self._append(self._seal.attach(given, self._clock.now()))
                case seen:
                    observation, picture = seen
                    outcome = self._seal.observe(observation)
                    await self._settle(outcome, observation, picture)
            await self._tick()
        await self._tick()

    async def _tick(self) -> None:
        """Time passes also while observations pour in; not behind the last record."""
        now = self._clock.now()
        if now.since(self._ticked) >= TICK_S and not self._finished:
            self._ticked = now
            await self._settle(self._seal.tick(now))

    async def _settle(
        self,
        outcome: Outcome,
        observation: Observation | None = None,
        picture: Picture | None = None,
    ) -> None:
        drafts = [await self._with_picture(fact, picture) for fact in outcome.facts]
        for activity in outcome.activities:
            shown = activity
            if (
                picture is not None
                and activity.phase is Phase.STARTED
                and activity.kind in _SHOWN
                and self._seal.forbids(activity, self._clock.now())
            ):
                sighting = observation if isinstance(observation, Sighting) else None
                shown = replace(activity, evidence=await self._snapshot(picture, sighting))
            drafts += self._seal.judge(shown, self._clock.now())
            self._on_activity(activity)
        for draft in drafts:
            self._on_judged(draft)
        await self._append(drafts)

    async def _with_picture(self, fact: Draft, picture: Picture | None) -> Draft:
        """A camera's reference is recorded together with a picture of it."""
        if fact.type is not RecordType.CAMERA_REFERENCE or picture is None:
            return fact
        refs = [ref for ref in await self._snapshot(picture, None) if ref.caption == "clean"]
        return replace(fact, data={**fact.data, "evidence": [evidence_data(ref) for ref in refs]})

    async def _snapshot(
        self, picture: Picture, sighting: Sighting | None
    ) -> tuple[EvidenceRef, ...]:
        refs: list[EvidenceRef] = []
        try:
            async with asyncio.timeout(SNAPSHOT_S):
                clean, drawn = await self._workbench.run(encode, picture, sighting)
                for data, caption in ((drawn, "annotated"), (clean, "clean")):
                    stored = self._ledger.put_evidence(data, "image/jpeg", caption)
                    refs.append(await asyncio.wrap_future(stored))
        except (StorageFull, TimeoutError) as error:
            # The alarm matters more than its picture.
            log.warning("an alarm goes out without all its pictures", error=repr(error))
            self.dropped["snapshots"] += 1
        return tuple(refs)

    async def _append(self, drafts: list[Draft], *, again: bool = False) -> None:
        """Append what is held and `drafts`; hold what storage does not take."""
        taken = [draft for draft in drafts if not self.shedding or draft.type not in SPARE]
        if len(taken) < len(drafts):
            self.dropped["records shed"] += len(drafts) - len(taken)
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
            self._on_durable(records)
            for draft in batch:
                self._held.extend(self._recorded(draft))
        self._shed()

    def _recorded(self, draft: Draft) -> list[Draft]:
        """If it is an order that became durable: whoever sent it may be told, and it is obeyed."""
        if (
            draft.type is not RecordType.ORDER_ACCEPTED
            or draft.data.get("nonce") not in self._orders
        ):
            return []
        order, recorded = self._orders.pop(draft.data["nonce"])
        if not recorded.done():
            recorded.set_result(None)
        return self._obey(order)

    def _obey(self, order: Order) -> list[Draft]:
        if order.kind not in ERRANDS:
            return self._seal.obey(order, self._clock.now())
        self._on_errand(order)
        return []

    def _shed(self) -> None:
        """Keep the held drafts bounded: routine goes first, the oldest first."""
        surplus = len(self._held) - HELD_LIMIT
        if surplus <= 0:
            return
        held = list(self._held)
        by_worth = sorted(range(len(held)), key=lambda i: (_is_worthy(held[i]), i))
        shed = set(by_worth[:surplus])
        self.dropped.update(f"{held[i].lane.value} drafts" for i in shed)
        self._held = deque(draft for i, draft in enumerate(held) if i not in shed)


def _is_worthy(draft: Draft) -> bool:
    return draft.lane is Lane.ALARM or draft.type is RecordType.ORDER_ACCEPTED


def order_refused(reason: str, digest: str, clock: Clock) -> Draft:
    """The record of an order that was not accepted."""
    return Draft(
        RecordType.ORDER_REFUSED, clock.now(), {"reason": reason, "digest": digest, "count": 1}
    )


def evidence_lost(ref: EvidenceRef, why: str, clock: Clock) -> Draft:
    """The record of a file that cannot be sent: it is missing or damaged."""
    data = {"sha256": ref.sha256, "size": ref.size, "reason": why}
    return Draft(RecordType.EVIDENCE_LOST, clock.now(), data)
