"""Tables and plots of meters are attached to their incidents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from edge.domain.observation import Observation, Quality, Reading, SourceLost
from edge.domain.record import Draft, RecordType
from edge.errors import StorageFull
from edge.ledger.store import Ledger
from edge.recorder import Recorder
from edge.rules.state import Attachment
from edge.traces import AT_ONCE, PER_HOUR, Traces
from tests.recording import Rig

METER = "hoist"


class Scene:
    """A recorder and its traces."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.attached: list[Attachment] = []
        self.drafts: list[Draft] = []
        ledger = cast("Ledger", self.rig.ledger)
        self.traces = Traces([METER], 8.0, ledger, self.rig.clock, self.attached.append)
        self.rig.recorder = Recorder(
            self.rig.seal,
            ledger,
            self.rig.bench,
            self.rig.clock,
            self.rig.on_durable,
            on_judged=self.judged,
        )

    def judged(self, draft: Draft) -> None:
        self.drafts.append(draft)
        self.traces.judged(draft)

    async def opened(self) -> Draft:
        await self.runs()
        return next(d for d in self.drafts if d.type is RecordType.INCIDENT_OPENED)

    async def see(self, observation: Observation) -> None:
        self.traces.observe(observation)
        self.rig.recorder.observe(observation)
        await self.rig.recorder.drain()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def runs(self, kw: float = 90.0) -> None:
        """The hoist stands, then runs."""
        for load in [0.2] * 60 + [kw] * 20:
            stamp = self.rig.clock.advance(2)
            await self.see(Reading(METER, stamp, Quality.GOOD, {"power_kw": load}))
        await self.settle()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    task = asyncio.create_task(scene.traces.run())
    await asyncio.sleep(0)
    yield scene
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_incident_of_a_meter_gets_its_readings_and_its_plot(scene: Scene):
    await scene.runs()
    [given] = scene.attached
    assert RecordType.INCIDENT_OPENED in scene.rig.types()
    assert [(ref.caption, ref.media_type) for ref in given.evidence] == [
        ("readings", "text/csv"),
        ("plot", "image/svg+xml"),
    ]
    kept, drawn = (scene.rig.ledger.evidence[ref.sha256] for ref in given.evidence)
    assert kept.count(b"\n") > 60
    assert "提升机".encode() in drawn or b"hoist" in drawn


async def test_an_incident_of_a_meter_that_never_gave_a_figure_has_nothing_to_show(scene: Scene):
    await scene.see(SourceLost(METER, scene.rig.clock.now(), "silent"))
    for _ in range(10):
        scene.rig.clock.advance(5)
        await scene.rig.recorder.drain()
    await scene.settle()
    assert RecordType.INCIDENT_OPENED in scene.rig.types()
    assert scene.attached == []


async def test_a_full_disk_leaves_the_alarm_without_its_trace_and_is_counted(scene: Scene):
    scene.rig.ledger.evidence_fault = StorageFull("full")
    await scene.runs()
    assert scene.attached == []
    assert scene.traces.dropped == {"traces: StorageFull": 1}


async def test_a_meter_that_flaps_gets_so_many_an_hour(scene: Scene):
    opened = await scene.opened()
    for _ in range(PER_HOUR + 1):
        scene.traces.judged(opened)
        await scene.settle()
    assert len(scene.attached) == PER_HOUR
    assert scene.traces.dropped == {"traces: enough in this hour": 2}


async def test_so_many_are_made_at_once(scene: Scene):
    opened = await scene.opened()
    scene.traces._under_way = AT_ONCE
    scene.traces.judged(opened)
    assert scene.traces.dropped == {"traces: too many at once": 1}
