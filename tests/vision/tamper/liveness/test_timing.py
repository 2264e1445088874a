"""The clock in the picture against ours: far off, standing, jumping, of another day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge.clock import ManualClock
from edge.vision.spec import ClockSpec
from edge.vision.tamper.liveness.timing import ACCEPTED_S, ClockJudge

NOON = int(datetime(2026, 5, 1, 4, 0, tzinfo=UTC).timestamp()) * 1_000_000  # 12:00 in China
TODAY, YESTERDAY = 20260501, 20260430


class Camera:
    def __init__(self, ahead_s: float = 0.0, date: int = TODAY, **spec: float) -> None:
        self.clock, self.judge = ManualClock(NOON), ClockJudge(ClockSpec(**spec))
        self.ahead_s, self.date = ahead_s, date
        self.said: list[bool | None] = []

    def run(self, seconds: int, *, runs: bool = True) -> bool | None:
        said = None
        for _ in range(seconds):
            now = self.clock.advance(1.0)
            if not runs:
                self.ahead_s -= 1.0
            second = int(now.wall_us // 1_000_000 + 8 * 3600 + self.ahead_s) % 86_400
            said = self.judge.step(float(second), float(self.date), now)
            self.said.append(said)
        return said


@pytest.mark.parametrize("ahead_s", [0.0, 90.0, -110.0])
def test_a_clock_that_runs_near_ours_is_right_also_over_midnight(ahead_s):
    camera = Camera(ahead_s, date=0)
    assert camera.run(20) is False
    camera.clock.advance(12 * 3600 - 300.0)
    assert camera.run(600) is False
    assert not any(camera.said)


@pytest.mark.parametrize("ahead_s", [200.0, -3600.0, 40_000.0])
def test_a_clock_that_is_far_off_is_wrong_after_five_reads(ahead_s):
    camera = Camera(ahead_s)
    assert camera.run(4) is None
    assert camera.run(1) is True
    assert camera.judge.why == "offset"
    assert camera.judge.offset_s == pytest.approx(ahead_s, abs=1)


def test_another_time_zone_and_another_bound_are_configured():
    assert Camera(-8 * 3600.0, date=0, utc_offset_h=0.0).run(10) is False
    assert Camera(200.0, most_off_s=300.0).run(10) is False


@pytest.mark.parametrize("jump_s", [30.0, -45.0])
def test_a_clock_that_jumps_within_the_bound_is_wrong_until_it_is_accepted_as_set(jump_s):
    camera = Camera()
    camera.run(30)
    camera.ahead_s = jump_s
    assert camera.run(10) is True
    assert camera.judge.why == "jump"
    assert camera.run(round(ACCEPTED_S)) is False
    camera.ahead_s = 0.0
    assert camera.run(10) is True


def test_a_clock_that_stands_is_wrong_within_half_a_minute_and_stays_so():
    camera = Camera()
    camera.run(30)
    assert camera.run(20, runs=False) is True
    assert camera.run(900, runs=False) is True


def test_yesterdays_recording_of_the_same_hour_is_told_by_its_date():
    camera = Camera(date=YESTERDAY)
    assert camera.run(5) is True
    assert camera.judge.why == "date"
    assert Camera(date=1052026).run(5) is False  # day first
    assert Camera(date=5012026).run(5) is False  # month first
    assert Camera(date=99999999).run(5) is False  # no date: another number


def test_when_it_is_our_clock_that_is_set_the_cameras_is_not_blamed():
    camera = Camera()
    camera.run(30)
    camera.clock.step_wall(60.0)
    camera.ahead_s = -60.0
    assert camera.run(60) is False


def test_what_is_not_read_is_not_judged():
    camera = Camera()
    assert camera.judge.step(-1.0, 0.0, camera.clock.now()) is None
    assert camera.judge.offset_s is None


def test_our_own_clock_set_before_the_first_reads_are_judged_changes_nothing():
    camera = Camera()
    camera.run(2)
    camera.clock.step_wall(60.0)
    assert camera.run(20) is False
