"""From observations to durable records: one consumer, in order of arrival.

Each observation is judged, the activities that need it get their snapshot, and the drafts
are appended. Nothing is reported onward before it is durable.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from edge.clock import Clock
from edge.domain.activity import Activity, ActivityKind, EvidenceRef, Phase, evidence_data
from edge.domain.mine import Order
from edge.domain.observation import Observation, Sighting
from edge.domain.record import Draft, Record, RecordType
from edge.errors import StorageFull
from edge.incoming import Incoming, Item, Resumed
from edge.ledger.store import Ledger
from edge.outgoing import Outgoing
from edge.rules.orders import ERRANDS, accepted
from edge.rules.state import Attachment
from edge.seal import Outcome, Seal
from edge.vision.evidence.snapshot import Workbench, encode
from edge.vision.picture import Picture

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
        ActivityKind.PICTURE_WITHOUT_DAYLIGHT,
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

    Attributes:
        dropped: what was left out, by kind.
        outgoing: what is on its way into the ledger.
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
        self._inbox = Incoming(self.dropped)
        self.outgoing = Outgoing(ledger, clock, self.dropped, self._appended)
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._finished = False
        self._ticked = clock.now()

    @property
    def waiting(self) -> Mapping[str, int]:
        """Lengths of the bounded queues, for health."""
        return {"observations": len(self._inbox), "held_drafts": len(self.outgoing)}

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
            await self.outgoing.append([], again=True)
        if self.outgoing:  # at a stop they are lost
            log.error("records are held in memory only", records=len(self.outgoing))

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
                    await self.outgoing.append([accepted(order, self._clock.now())])
                case Resumed(order):
                    await self.outgoing.append(self._obey(order))
                case Draft() as draft:
                    await self.outgoing.append([draft])
                case Attachment() as given:
                    await self.outgoing.append(self._seal.attach(given, self._clock.now()))
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
        await self.outgoing.append(drafts)

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

    def _appended(self, drafts: list[Draft], records: list[Record]) -> list[Draft]:
        self._on_durable(records)
        return [answer for draft in drafts for answer in self._recorded(draft)]

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


def order_refused(reason: str, digest: str, clock: Clock) -> Draft:
    """The record of an order that was not accepted."""
    return Draft(
        RecordType.ORDER_REFUSED, clock.now(), {"reason": reason, "digest": digest, "count": 1}
    )


def evidence_lost(ref: EvidenceRef, why: str, clock: Clock) -> Draft:
    """The record of a file that cannot be sent: it is missing or damaged."""
    data = {"sha256": ref.sha256, "size": ref.size, "reason": why}
    return Draft(RecordType.EVIDENCE_LOST, clock.now(), data)
