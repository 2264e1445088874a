"""Whether a unit on a bus answers: when to ask it, how long to wait, when it is lost. Pure.

How long to wait is learned much as TCP learns it (RFC 6298): a smoothed time and its spread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Stamp

LOST_AFTER = 3
"""Failures in a row until a unit counts as lost: one lost frame on a noisy line is no loss."""

FIRST_BACKOFF_S = 2.0
MAX_BACKOFF_S = 30.0

MIN_PATIENCE_S = 0.1
_RISE, _FALL, _SPREAD_SHARE, _SPREADS = 1 / 2, 1 / 8, 1 / 4, 4

LISTEN_S = 3.0
"""For so long a unit that was just lost is listened to once: it may merely be late."""


@dataclass(frozen=True, slots=True)
class Health:
    """State of one unit.

    Attributes:
        failures: in a row.
        failing_since: when the first of them happened.
        lost: whether the loss was said.
        due_us: monotonic time before which the unit is left alone; None = ask at every sweep.
        suspect: an answer of it may still be under way; ask it with a probe first.
        thinks_s: for how long it usually thinks before it answers; None is not known.
        spread_s: of that.
        late_s: after so long an answer came when nobody waited for it any more; None is not known.
        listened: it was listened to since it is lost.
        disturbed: when it failed last, something else was heard on the line.
    """

    failures: int = 0
    failing_since: Stamp | None = None
    lost: bool = False
    due_us: int | None = None
    suspect: bool = False
    thinks_s: float | None = None
    spread_s: float = 0.0
    late_s: float | None = None
    listened: bool = False
    disturbed: bool = False

    def due(self, now: Stamp) -> bool:
        """Whether to ask it in this sweep."""
        return self.due_us is None or now.mono_us >= self.due_us

    def patience_s(self, limit_s: float) -> float:
        """For how long to wait for it. After a failure as long as allowed: it may be slower now."""
        if self.thinks_s is None or self.failures:
            return limit_s
        return min(max(self.thinks_s + _SPREADS * self.spread_s, MIN_PATIENCE_S), limit_s)

    @property
    def likely_well(self) -> bool:
        """Whether its failures tell of the line rather than of the unit."""
        return self.disturbed and 0 < self.failures < LOST_AFTER

    @property
    def overdue_s(self) -> float:
        """For how long its last answer was under way when it did not come in time; 0 not known."""
        return 1.25 * self.late_s if self.late_s is not None else 0.0

    @property
    def listen_s(self) -> float:
        """For how long to leave the line to it, if there is time for that."""
        return self.overdue_s or (LISTEN_S if self.lost and not self.listened else 0.0)


def thought(health: Health, seconds: float) -> Health:
    """After an answer that it thought about for so long."""
    if health.thinks_s is None:
        return replace(health, thinks_s=seconds, spread_s=seconds / 2, late_s=None)
    off_s = seconds - health.thinks_s
    return replace(
        health,
        thinks_s=health.thinks_s + (_RISE if off_s > 0 else _FALL) * off_s,
        spread_s=health.spread_s + _SPREAD_SHARE * (abs(off_s) - health.spread_s),
        late_s=None,
    )


def overheard(
    health: Health, late_s: float | None, *, listened: bool, disturbed: bool = False
) -> Health:
    """After an answer that did not come in time.

    Args:
        health: before.
        late_s: after so long it came all the same; None if it did not.
        listened: the line was left to the unit for as long as that takes.
        disturbed: something else was heard instead.
    """
    return replace(
        health,
        late_s=late_s or health.late_s,
        listened=listened or health.listened,
        disturbed=disturbed,
    )


def doubted(health: Health) -> Health:
    """After an answer that did not come and can be done without: it may still come."""
    return replace(health, suspect=True)


def answered(health: Health, now: Stamp) -> tuple[Health, float | None]:
    """After a good answer: the new state, and for how long it had been lost if it is back."""
    well = replace(
        health,
        failures=0,
        failing_since=None,
        lost=False,
        due_us=None,
        suspect=False,
        listened=False,
    )
    if health.lost and health.failing_since is not None:
        return well, now.since(health.failing_since)
    return well, None


def failed(
    health: Health,
    now: Stamp,
    *,
    patient: bool,
    answers: bool = False,
    stagger: float = 0.0,
) -> tuple[Health, bool]:
    """After a failure: the new state, and whether it is lost from now on.

    Args:
        health: before.
        now: when it failed.
        patient: leave the unit alone for a growing time once it is lost. False where the whole
            bus is down: then the bus backs off, and its units are asked as soon as it is up.
        answers: it did answer, and what it said is no use.
        stagger: part by which the growing time is longer, another for each unit: else the late
            answer of one would meet the same other one every time.
    """
    failures = min(health.failures + 1, LOST_AFTER + 10)
    lost = failures >= LOST_AFTER
    due_us = None
    if lost and patient:
        wait_s = min(FIRST_BACKOFF_S * 2.0 ** (failures - LOST_AFTER), MAX_BACKOFF_S)
        due_us = now.mono_us + round(wait_s * (1 + stagger) * 1e6)
    new = replace(
        health,
        failures=failures,
        failing_since=health.failing_since or now,
        lost=lost,
        due_us=due_us,
        suspect=not answers,
    )
    return new, lost and not health.lost
