"""Challenge lamps: who sees them, who does not, and what happens when they cannot be switched."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from itertools import pairwise
from typing import cast

import numpy as np
import pytest

from edge import challenges as module
from edge.challenges import Challenges
from edge.clock import ManualClock
from edge.domain.observation import ChallengeRun, Observation, SourceBack, SourceLost
from edge.errors import SourceError, StorageFull
from edge.ledger.store import Ledger
from edge.sensors.plan import Span
from edge.sensors.spec import ChallengeSpec, ViewSpec
from edge.vision.glimpse import Glimpses
from edge.vision.picture import Picture
from tests.recording import Bench, FakeLedger

BOX = (0.4, 0.4, 0.6, 0.6)


class Lamp:
    """A bus with one coil."""

    def __init__(self) -> None:
        self.on = False
        self.switched: list[bool] = []
        self.failures = 0  # that come yet

    async def write_coil(self, unit: int, address: int, on: bool) -> None:
        assert (unit, address) == (20, 3)
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise SourceError("no answer")
        self.on = on
        self.switched.append(on)

    async def read(
        self, unit: int, span: Span, timeout_s: float | None = None, listen_s: float = 0.0
    ) -> list[int]:
        raise AssertionError

    def close(self) -> None: ...


class World:
    """A lamp, cameras that look at it or do not, and what is said of them."""

    def __init__(self, *cameras: str) -> None:
        self.clock = ManualClock()
        self.lamp = Lamp()
        self.glimpses = Glimpses()
        self.ledger = FakeLedger()
        self.said: list[Observation] = []
        self.stuck: set[str] = set()  # cameras that show a recording
        views = tuple(ViewSpec(camera=camera, box=BOX) for camera in cameras)
        spec = ChallengeSpec(code="lamp", bus="pit", unit=20, coil=3, view=views, mean_h=1.0)
        self.challenges = Challenges(
            [spec],
            {"pit": self.lamp},
            self.glimpses,
            cast("Ledger", self.ledger),
            Bench(),
            self.clock,
            self.said.append,
            random.Random(4),
        )

    def wake(self, camera: str) -> None:
        """The camera looks a second later, as those do that decode key pictures alone."""
        asyncio.get_running_loop().call_soon(self._look, camera)

    def _look(self, camera: str) -> None:
        frame = np.full((90, 160, 3), 50, np.uint8)
        frame[36:54, 64:96] += 40 * (self.lamp.on and camera not in self.stuck)
        self.glimpses.seen(camera, Picture(frame, self.clock.advance(0.9)))

    def runs(self) -> list[tuple[str, bool, int]]:
        return [
            (run.source, run.seen, run.runs) for run in self.said if isinstance(run, ChallengeRun)
        ]


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  a manual clock: nothing waits
        await asyncio.sleep(0)


async def test_a_camera_that_sees_the_lamp_passes_and_the_lamp_is_dark_afterwards():
    world = World("cam")
    with world.glimpses.offered("cam", lambda: world.wake("cam")):
        (run,) = await world.challenges.once("lamp")
    assert run.seen
    assert run.step == pytest.approx(40, abs=0.1)
    assert len(run.pattern) == len(run.levels) == 6
    assert run.evidence == ()
    assert world.said == [run]
    assert world.lamp.switched == [bit == "1" for bit in run.pattern] + [False]


async def test_a_recording_fails_after_two_patterns_with_pictures_while_the_others_pass():
    world = World("cam", "fake")
    world.stuck.add("fake")
    with (
        world.glimpses.offered("cam", lambda: world.wake("cam")),
        world.glimpses.offered("fake", lambda: world.wake("fake")),
    ):
        await world.challenges.once("lamp")
    assert world.runs() == [("cam", True, 1), ("fake", False, 2)]
    failed = world.said[-1]
    assert isinstance(failed, ChallengeRun)
    assert [ref.caption for ref in failed.evidence] == ["lamp off", "lamp on"]
    assert {ref.sha256 for ref in failed.evidence} == set(world.ledger.evidence)


async def test_somebody_who_hides_the_lamp_for_one_pattern_is_no_failure():
    world = World("cam")
    world.stuck.add("cam")

    def wake() -> None:
        if len(world.lamp.switched) > 7:
            world.stuck.clear()
        world.wake("cam")

    with world.glimpses.offered("cam", wake):
        await world.challenges.once("lamp")
    assert world.runs() == [("cam", True, 2)]


async def test_a_full_disk_does_not_hide_a_failure():
    world = World("cam")
    world.stuck.add("cam")
    world.ledger.evidence_fault = StorageFull("full")
    with world.glimpses.offered("cam", lambda: world.wake("cam")):
        (run,) = await world.challenges.once("lamp")
    assert (run.seen, run.evidence) == (False, ())


async def test_a_lamp_that_does_not_answer_is_lost_and_nobody_has_failed():
    world = World("cam")
    world.lamp.failures = 2 * module.TRIES + 2
    with world.glimpses.offered("cam", lambda: world.wake("cam")):
        for _ in range(2):
            with pytest.raises(SourceError, match="no answer"):
                await world.challenges.once("lamp")
        (lost,) = world.said
        assert isinstance(lost, SourceLost)
        assert lost.source == "lamp"
        world.clock.advance(30.0)
        await world.challenges.once("lamp")
    _lost, back, run = world.said
    assert isinstance(back, SourceBack)
    assert back.lost_s == pytest.approx(30.0)
    assert isinstance(run, ChallengeRun)


async def test_one_lost_frame_is_no_loss():
    world = World("cam")
    world.lamp.failures = module.TRIES - 1
    with world.glimpses.offered("cam", lambda: world.wake("cam")):
        (run,) = await world.challenges.once("lamp")
    assert run.seen


async def test_a_camera_without_pictures_has_not_failed():
    world = World("cam", "dead")
    with world.glimpses.offered("cam", lambda: world.wake("cam")):
        await world.challenges.once("lamp")
    assert world.runs() == [("cam", True, 1)]
    with pytest.raises(SourceError, match="no camera"):
        await world.challenges.once("lamp")


async def test_challenges_repeat_at_moments_of_chance_until_cancelled_and_leave_the_lamp_dark():
    world = World("cam")
    begun = world.clock.now()
    with world.glimpses.offered("cam", lambda: world.wake("cam")):
        task = asyncio.create_task(world.challenges.run())
        await until(lambda: len(world.runs()) >= 20 and world.lamp.on)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert world.lamp.switched[-1] is False
    stamps = [run.stamp for run in world.said]
    gaps = [after.since(before) for before, after in pairwise([begun, *stamps])]
    assert min(gaps) >= module.LEAST * 3600
    assert max(gaps) <= module.MOST * 3600 + 60
    assert len({round(gap / 60) for gap in gaps}) > 10


async def test_a_lamp_that_is_lost_is_tried_again_soon():
    world = World("cam")
    world.lamp.failures = 50
    task = asyncio.create_task(world.challenges.run())
    with world.glimpses.offered("cam", lambda: world.wake("cam")):
        await until(world.runs)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    lost, back, _run = world.said
    assert isinstance(lost, SourceLost)
    assert isinstance(back, SourceBack)
    assert back.lost_s < 50 * module.AGAIN_S / module.TRIES


async def test_a_bus_that_hangs_does_not_keep_the_daemon_from_stopping(monkeypatch):
    monkeypatch.setattr(module, "OFF_S", 0.01)
    world = World("cam")

    async def hang(unit: int, address: int, on: bool) -> None:
        del unit, address, on
        await asyncio.Event().wait()

    world.lamp.write_coil = hang  # type: ignore[method-assign]
    task = asyncio.create_task(world.challenges.run())
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 2)
