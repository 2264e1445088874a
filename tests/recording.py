"""A recorder between a real seal and a ledger that obeys the test."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from hashlib import sha256
from typing import Any, cast

import numpy as np

from edge.clock import ManualClock
from edge.domain.activity import EvidenceRef
from edge.domain.mine import Order
from edge.domain.record import Draft, Record, RecordType
from edge.ledger.leaf import encode_leaf
from edge.ledger.store import Ledger
from edge.recorder import Recorder
from edge.rules.engine import initial
from edge.seal import Seal
from edge.vision.picture import Picture
from tests.seals import sighting, site


class FakeLedger:
    """Commits at once unless it is full, corrupt or held up."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.evidence: dict[str, bytes] = {}
        self.submitted = 0
        self.fault: Exception | None = None
        self.evidence_fault: Exception | None = None
        self.held_up: list[tuple[Future[list[Record]], list[Record]]] | None = None

    def submit(self, drafts: list[Draft]) -> Future[list[Record]]:
        self.submitted += 1
        future: Future[list[Record]] = Future()
        if self.fault is not None:
            future.set_exception(self.fault)
            return future
        first = len(self.records)
        new = [
            Record(first + i, draft.lane, draft.type, encode_leaf(draft, "o", first + i))
            for i, draft in enumerate(drafts)
        ]
        self.records += new
        if self.held_up is None:
            future.set_result(new)
        else:
            self.held_up.append((future, new))
        return future

    def put_evidence(self, data: bytes, media_type: str, caption: str) -> Future[EvidenceRef]:
        future: Future[EvidenceRef] = Future()
        if self.evidence_fault is not None:
            future.set_exception(self.evidence_fault)
        else:
            digest = sha256(data).hexdigest()
            self.evidence[digest] = data
            future.set_result(EvidenceRef(digest, media_type, len(data), caption))
        return future


class Bench:
    """The inference thread, without a thread."""

    def __init__(self) -> None:
        self.work = 0
        self.hangs = False

    async def run(self, work: Any, *args: Any) -> Any:
        self.work += 1
        if self.hangs:
            await asyncio.Event().wait()
        return work(*args)


class Rig:
    """A recorder between a real seal and a ledger that obeys the test."""

    def __init__(self) -> None:
        config = site()
        self.clock = ManualClock()
        self.ledger = FakeLedger()
        self.bench = Bench()
        self.durable: list[Record] = []
        self.opened = asyncio.Event()
        self.errands: list[Order] = []
        self.seal = Seal(config, initial(config.site.state))
        self.recorder = Recorder(
            self.seal,
            cast("Ledger", self.ledger),
            self.bench,
            self.clock,
            self.on_durable,
            self.errands.append,
        )

    def on_durable(self, records: list[Record]) -> None:
        self.durable += records
        if any(record.type is RecordType.INCIDENT_OPENED for record in records):
            self.opened.set()

    def types(self) -> list[RecordType]:
        return [record.type for record in self.ledger.records]

    def picture(self) -> Picture:
        return Picture(np.full((90, 160, 3), 99, np.uint8), self.clock.now())

    async def see_person(self, picture: Picture | None) -> None:
        for _ in range(3):
            self.recorder.observe(sighting(self.clock.advance(0.5), (0.5, 0.7)), picture)
            await self.recorder.drain()

    def note(self, number: int = 0) -> None:
        self.recorder.note(Draft(RecordType.GATEWAY_HEALTH, self.clock.now(), {"number": number}))
