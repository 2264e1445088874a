"""Clips are asked for, checked, stored and attached; alarms do not wait for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from edge.clips import Clips
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.record import Draft, RecordType
from edge.errors import StorageFull
from edge.ledger.store import Ledger
from edge.recorder import Recorder
from edge.rules.state import Attachment
from edge.vision.camera.channel import ClipMessage, FactsMessage
from edge.vision.camera.commands import Command
from edge.vision.cameras import WAKE_S, Cameras
from edge.vision.spec import ClipSpec
from edge.vision.stream.policy import Decoding, Facts, Policy, Reason
from edge.vision.stream.ring import KEEP_S
from tests.recording import Rig
from tests.seals import sighting
from tests.vision.evidence.test_mp4 import a_file

CAMERA = "shaft-cam"
FACTS = FactsMessage(
    Facts("h264", 320, 180, 25, 2, 900), Policy(Decoding.KEYS, Reason.SHORT_GROUPS)
)


class Scene:
    """A recorder, its clips, and a camera that obeys the test."""

    def __init__(self, spec: ClipSpec) -> None:
        self.rig = Rig()
        self.cameras = Cameras()
        self.told: list[tuple[Command, float]] = []
        ledger = cast("Ledger", self.rig.ledger)
        self.clips = Clips(spec, {CAMERA}, self.cameras, ledger, self.rig.clock, self.attach)
        self.rig.recorder = Recorder(
            self.rig.seal,
            ledger,
            self.rig.bench,
            self.rig.clock,
            self.rig.on_durable,
            self.rig.errands.append,
            self.clips.activity,
            self.clips.judged,
        )
        self.stack = ExitStack()

    def attach(self, given: Attachment) -> None:
        self.rig.recorder.attach(given)

    def connect(self) -> None:
        self.stack.enter_context(self.cameras.connected(CAMERA, self.tell))

    def tell(self, what: Command, number: float) -> None:
        self.told.append((what, number))

    def asked(self) -> list[Command]:
        return [what for what, _ in self.told]

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        await self.rig.recorder.drain()

    async def person(self) -> None:
        await self.rig.see_person(self.rig.picture())
        await self.settle()

    async def leaves(self) -> None:
        for _ in range(6):
            self.rig.recorder.observe(sighting(self.rig.clock.advance(1.0)), None)
            await self.rig.recorder.drain()
        await self.settle()

    async def comes(self, data: bytes, pictures: int = 500) -> None:
        self.cameras.clip_came(CAMERA, ClipMessage(memoryview(data), 20.0, 19.8, pictures))
        for _ in range(20):
            await asyncio.sleep(0.001)
            await self.rig.recorder.drain()

    def newest(self) -> Any:
        leaves = [json.loads(r.leaf) for r in self.rig.ledger.records if b"incident" in r.leaf]
        return leaves[-1]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene(ClipSpec(per_hour=2))
    work = asyncio.create_task(scene.clips.run())
    await asyncio.sleep(0)
    scene.connect()
    yield scene
    scene.stack.close()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_a_clip_is_attached_with_a_manifest_by_a_later_record(scene: Scene) -> None:
    scene.cameras.facts[CAMERA] = FACTS
    await scene.person()
    assert scene.newest()["type"] == RecordType.INCIDENT_OPENED
    (asked,) = scene.told
    assert asked[0] is Command.CLIP
    assert 50 < asked[1] < 80  # tenths of a second: 5 s before it began
    await scene.comes(a_file())
    told = scene.newest()
    assert told["type"] == RecordType.INCIDENT_UPDATED
    clip, manifest = told["data"]["evidence"][-2:]
    assert clip["media_type"] == "video/mp4"
    assert scene.rig.ledger.evidence[clip["sha256"]] == a_file()
    said = json.loads(scene.rig.ledger.evidence[manifest["sha256"]])
    assert said["clip"]["sha256"] == clip["sha256"]
    assert [shown["caption"] for shown in said["snapshots"]] == ["annotated", "clean"]
    assert said["watched"]["reason"] == "short-groups"
    assert (said["codec"], said["width"], said["pictures"]) == ("h264", 320, 500)
    assert said["begin"] < said["end"]


async def test_a_clip_that_comes_after_the_end_is_attached_to_the_closed_incident(
    scene: Scene,
) -> None:
    await scene.person()
    await scene.leaves()
    assert scene.asked() == [Command.CLIP, Command.CLIP_ENDS]
    scene.rig.clock.advance(600)
    await scene.settle()
    assert scene.newest()["type"] == RecordType.INCIDENT_CLOSED
    before = scene.newest()["data"]
    await scene.comes(a_file())
    told = scene.newest()
    assert told["type"] == RecordType.INCIDENT_CLOSED
    assert len(told["data"]["evidence"]) == len(before["evidence"]) + 2
    assert told["data"]["closed"] == before["closed"]


@pytest.mark.parametrize("data", [b"", b"not a film", a_file()[:-1], a_file(codec=b"mp4v")])
async def test_what_is_no_clip_is_not_stored(scene: Scene, data: bytes) -> None:
    await scene.person()
    stored = len(scene.rig.ledger.evidence)
    await scene.comes(data, pictures=1 if data else 0)
    assert len(scene.rig.ledger.evidence) == stored
    assert scene.newest()["type"] == RecordType.INCIDENT_OPENED
    assert sum(scene.clips.dropped.values()) == 1


async def test_a_camera_that_is_lost_meanwhile_gives_no_clip(scene: Scene) -> None:
    await scene.person()
    scene.stack.close()
    await scene.settle()
    assert scene.clips.dropped == {"clips: SourceError": 1}
    await scene.comes(a_file())


async def test_a_full_disk_costs_the_clip_and_nothing_else(scene: Scene) -> None:
    await scene.person()
    scene.rig.ledger.evidence_fault = StorageFull("disk full")
    await scene.comes(a_file())
    assert scene.clips.dropped == {"clips: StorageFull": 1}


async def test_clips_of_one_camera_are_bounded_and_what_is_not_made_is_counted(
    scene: Scene,
) -> None:
    for _ in range(4):
        await scene.person()
        await scene.comes(a_file())
        await scene.leaves()
        scene.rig.clock.advance(600)
        await scene.settle()
    assert scene.asked().count(Command.CLIP) == 2
    assert scene.clips.dropped == {"clips: enough in this hour": 2}
    scene.rig.clock.advance(3600)
    await scene.person()
    assert scene.asked().count(Command.CLIP) == 3


async def test_one_clip_at_a_time_for_a_camera_and_so_many_in_all() -> None:
    scene = Scene(ClipSpec(at_once=1))
    await scene.person()
    assert scene.clips.dropped == {"clips: too many at once": 1}  # not running yet


async def test_what_happens_while_a_clip_is_made_gets_none_of_its_own(scene: Scene) -> None:
    await scene.person()
    await scene.leaves()
    scene.rig.clock.advance(600)
    await scene.settle()
    await scene.person()
    assert scene.clips.dropped == {"clips: one of this camera is under way": 1}


async def test_a_clip_of_an_incident_that_is_not_remembered_changes_nothing(scene: Scene) -> None:
    records = len(scene.rig.ledger.records)
    scene.attach(Attachment("no-such-incident", ()))
    await scene.rig.recorder.drain()
    assert len(scene.rig.ledger.records) == records


def opened(scene: Scene, kind: ActivityKind, phase: Phase, ago_s: float = 0.0) -> Draft:
    """An incident that is told `ago_s` after its activity began."""
    now = scene.rig.clock.now()
    reason = {"kind": kind.value, "phase": phase.value, "started": now.moved(-ago_s).iso()}
    data = {"incident": "1", "source": CAMERA, "place": "", "evidence": [], "reasons": [reason]}
    return Draft(RecordType.INCIDENT_OPENED, now, data)


async def test_what_is_over_when_it_is_told_is_filmed_to_its_end_only(scene: Scene) -> None:
    scene.clips.judged(opened(scene, ActivityKind.UNNAMED_MOTION, Phase.ENDED))
    await scene.settle()
    assert scene.asked() == [Command.CLIP, Command.CLIP_ENDS]


@pytest.mark.parametrize(("ago_s", "asked"), [(KEEP_S, [Command.CLIP]), (KEEP_S + 1, [])])
async def test_who_spoilt_a_camera_is_filmed_as_long_as_the_pictures_before_are_held(
    scene: Scene, ago_s: float, asked: list[Command]
) -> None:
    scene.clips.judged(opened(scene, ActivityKind.PICTURE_COVERED, Phase.STARTED, ago_s))
    await scene.settle()
    assert scene.asked() == asked
    assert scene.clips.dropped == {}


@pytest.mark.parametrize("kind", [ActivityKind.LOAD_RUNNING, ActivityKind.CONTACT_OPEN])
async def test_a_feeder_or_a_contact_wakes_the_cameras(scene: Scene, kind: ActivityKind) -> None:
    now = scene.rig.clock.now()
    for phase in Phase:
        scene.clips.activity(Activity(kind, "hoist", "", "hoist", phase, now, now))
    assert scene.told == [(Command.WAKE, WAKE_S)]


async def test_whoever_is_seen_wakes_nobody(scene: Scene) -> None:
    await scene.person()
    assert Command.WAKE not in scene.asked()
