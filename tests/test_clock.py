"""Moments are told twice: wall time for people, monotonic time for durations."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock, Stamp, SystemClock

WALL_US = st.integers(0, 4_102_444_800_000_000)  # until 2100


@given(WALL_US)
def test_wall_time_is_written_exactly_to_the_microsecond(wall_us: int) -> None:
    text = Stamp(wall_us, 0, "boot").iso()
    moment = datetime.fromisoformat(text)
    assert text.endswith("Z")
    assert moment.tzinfo == UTC
    seconds = int(moment.replace(microsecond=0).timestamp())
    assert seconds * 1_000_000 + moment.microsecond == wall_us


@given(WALL_US, WALL_US, st.integers(0, 10**12), st.integers(0, 10**12))
def test_durations_follow_the_wall_only_across_a_reboot(
    wall: int, later_wall: int, mono: int, later_mono: int
) -> None:
    earlier = Stamp(wall, mono, "boot")
    assert Stamp(later_wall, later_mono, "boot").since(earlier) == (later_mono - mono) / 1e6
    assert Stamp(later_wall, later_mono, "next").since(earlier) == (later_wall - wall) / 1e6


def test_a_hand_on_the_clock_moves_no_duration() -> None:
    clock = ManualClock()
    before = clock.now()
    clock.advance(10)
    after = clock.step_wall(-3600)
    assert after.since(before) == 10
    assert after.wall_us == before.wall_us - 3_590_000_000


async def test_sleeping_moves_a_manual_clock_at_once() -> None:
    clock = ManualClock()
    before = clock.now()
    await clock.sleep(3600)
    assert clock.now().since(before) == 3600


async def test_the_machines_clock_runs_and_names_its_boot() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.01)
    after = clock.now()
    assert after.boot == before.boot == SystemClock().now().boot
    assert 0.009 <= after.since(before) < 5
    assert abs(after.wall_us / 1e6 - time.time()) < 5


async def test_a_sleep_can_be_cancelled() -> None:
    task = asyncio.create_task(SystemClock().sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_without_a_boot_id_each_clock_counts_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreadable(*_args: object, **_kwargs: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.read_text", unreadable)
    assert SystemClock().now().boot != SystemClock().now().boot
