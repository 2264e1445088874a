"""The gateway itself as a source: steps of its wall clock, and its regular record of health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from edge.clock import Clock, Stamp
from edge.domain.observation import ClockStepped
from edge.domain.record import Draft, Lane, RecordType
from edge.errors import StorageFull
from edge.ledger.leaf import decode_leaf
from edge.ledger.store import Ledger
from edge.rules.recall import moment
from edge.seal import HOST

CLOCK_STEP_S = 1.0  # a slower drift is NTP's slewing
LOOK_S = 1.0
HEALTH_PERIOD_S = 300.0

log = structlog.get_logger(__name__)


def stepped_by(earlier: Stamp, now: Stamp) -> float:
    """Seconds by which the wall clock was moved between two stamps; 0 where none was.

    Within one boot that shows in both directions. Over a reboot only a clock that went back
    does: how long the box was without power nobody knows.
    """
    step_s = (now.wall_us - earlier.wall_us) / 1e6
    if now.boot == earlier.boot:
        step_s -= (now.mono_us - earlier.mono_us) / 1e6
    else:
        step_s = min(step_s, 0.0)
    return step_s if abs(step_s) >= CLOCK_STEP_S else 0.0


def newest_record(ledger: Ledger) -> Stamp | None:
    """When the newest record was made; None where there is none."""
    newest = {lane: index for lane in Lane if (index := ledger.newest(lane)) is not None}
    for lane in sorted(newest, key=newest.__getitem__)[-1:]:
        for record in ledger.pending(lane, newest[lane], 1):
            return moment(decode_leaf(record.leaf))
    return None


async def watch_clock(
    clock: Clock, observe: Callable[[ClockStepped], None], last: Stamp | None
) -> None:
    """Notice for ever a wall clock that is moved.

    Args:
        clock: that is watched, and paces it.
        observe: is told of each step.
        last: when the newest record before this start was made: to stop the daemon, set the
            clock and start it again must show too.
    """
    last = last or clock.now()
    while True:
        now = clock.now()
        step_s = stepped_by(last, now)
        if step_s:
            observe(ClockStepped(HOST, now, step_s))
        last = now
        await clock.sleep(LOOK_S)


async def tell_health(
    clock: Clock, health: Callable[[], Mapping[str, Any]], note: Callable[[Draft], None]
) -> None:
    """A regular record of how we are, so that silence in the chain means something."""
    while True:
        await clock.sleep(HEALTH_PERIOD_S)
        try:
            data = health()
        except StorageFull as error:  # the recorder holds what it cannot write; we must not end it
            log.error("health cannot be told: the ledger cannot be read", error=str(error))
            continue
        note(Draft(RecordType.GATEWAY_HEALTH, clock.now(), data))
