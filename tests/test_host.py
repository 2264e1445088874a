"""The gateway as a source: a clock that is moved shows, and health is told regularly."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock, Stamp
from edge.domain.observation import ClockStepped
from edge.domain.record import Draft, RecordType
from edge.errors import StorageFull
from edge.host import HEALTH_PERIOD_S, newest_record, stepped_by, tell_health, watch_clock
from edge.ledger.keys import load_or_create
from edge.ledger.store import Ledger

NOON = Stamp(1_750_000_000_000_000, 5_000_000, "a")


class Pacing(ManualClock):
    """Ends the work after so many sleeps; `between` happens during each."""

    def __init__(self, sleeps, between=None):
        super().__init__()
        self._left = sleeps
        self._between = between or {}
        self.slept = 0

    async def sleep(self, seconds):
        if self.slept == self._left:
            raise asyncio.CancelledError
        self.slept += 1
        self.advance(seconds)
        self.step_wall(self._between.get(self.slept, 0.0))


async def steps(clock, last=None):
    seen: list[ClockStepped] = []
    with pytest.raises(asyncio.CancelledError):
        await watch_clock(clock, seen.append, last)
    return [round(observation.step_s, 3) for observation in seen]


async def test_each_step_of_the_clock_is_told_once_and_slewing_is_not():
    assert await steps(Pacing(9, {2: 3600.0, 5: -7200.0, 7: 0.2})) == [3600.0, -7200.0]


@pytest.mark.parametrize("step_s", [-86_400.0, 86_400.0])
async def test_a_clock_that_was_set_while_we_were_stopped_shows_at_the_start(step_s):
    clock = Pacing(3)
    before = clock.now()
    clock.advance(60.0)
    clock.step_wall(step_s)
    assert await steps(clock, before) == [step_s]


async def test_a_stop_and_a_start_are_no_step():
    clock = Pacing(3)
    before = clock.now()
    clock.advance(86_400.0)
    assert await steps(clock, before) == []


async def test_after_a_reboot_a_clock_that_went_back_shows_and_an_outage_does_not():
    now = Pacing(0).now()
    long_ago = Stamp(0, 7_000_000, "an earlier one")
    an_hour_ahead = Stamp(now.wall_us + 3_600_000_000, 7_000_000, "an earlier one")
    assert await steps(Pacing(3), long_ago) == []
    assert await steps(Pacing(3), an_hour_ahead) == [-3600.0]


@given(st.integers(0, 10**12), st.integers(-(10**12), 10**12))
def test_within_one_boot_a_step_is_what_the_wall_clock_gained_on_time_since_boot(passed, step):
    now = Stamp(NOON.wall_us + passed + step, NOON.mono_us + passed, "a")
    told = stepped_by(NOON, now)
    assert told == (pytest.approx(step / 1e6, abs=1e-3) if abs(step) >= 1_001_000 else told)
    assert told == 0 or abs(told) >= 1


def test_the_newest_record_of_either_lane_tells_when_it_was_made(tmp_path):
    clock = ManualClock()
    signer = load_or_create(tmp_path / "gateway.key", "eseal/220100000001/main")
    ledger = Ledger.open(
        tmp_path / "store", origin="eseal/220100000001/main", signer=signer, clock=clock
    )
    try:
        assert newest_record(ledger) is None
        for kind in (RecordType.ORDER_DONE, RecordType.GATEWAY_STOPPED, RecordType.ORDER_DONE):
            made = clock.advance(10.0)
            ledger.submit([Draft(kind, made, {})]).result(10)
            assert newest_record(ledger) == made
    finally:
        ledger.close()


async def test_health_is_told_every_five_minutes_and_goes_on_where_the_ledger_cannot_be_read():
    told: list[Draft] = []
    answers = iter([{"works": True}, StorageFull("gone"), {"works": False}])

    def health():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    clock = Pacing(3)
    begun = clock.now()
    with pytest.raises(asyncio.CancelledError):
        await tell_health(clock, health, told.append)
    assert [draft.data for draft in told] == [{"works": True}, {"works": False}]
    assert [draft.stamp.since(begun) for draft in told] == [HEALTH_PERIOD_S, 3 * HEALTH_PERIOD_S]
