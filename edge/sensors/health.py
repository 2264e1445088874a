"""Whether a unit on a bus answers: when to ask it next, when it is lost, when it is back. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Stamp

LOST_AFTER = 3
"""Failures in a row until a unit counts as lost: one lost frame on a noisy line is no loss."""

FIRST_BACKOFF_S = 2.0
MAX_BACKOFF_S = 30.0


@dataclass(frozen=True, slots=True)
class Health:
    """State of one unit.

    Attributes:
        failures: in a row.
        failing_since: when the first of them happened.
        lost: whether the loss was said.
        due_us: monotonic time before which the unit is left alone; None = ask at every sweep.
        suspect: an answer of it may still be under way; ask it with a probe first.
    """

    failures: int = 0
    failing_since: Stamp | None = None
    lost: bool = False
    due_us: int | None = None
    suspect: bool = False

    def due(self, now: Stamp) -> bool:
        """Whether to ask it in this sweep."""
        return self.due_us is None or now.mono_us >= self.due_us


def answered(health: Health, now: Stamp) -> tuple[Health, float | None]:
    """After a good answer: the new state, and for how long it had been lost if it is back."""
    if health.lost and health.failing_since is not None:
        return Health(), now.since(health.failing_since)
    return Health(), None


def failed(health: Health, now: Stamp, *, patient: bool) -> tuple[Health, bool]:
    """After a failure: the new state, and whether it is lost from now on.

    Args:
        health: before.
        now: when it failed.
        patient: leave the unit alone for a growing time once it is lost. False where the whole
            bus is down: then the bus backs off, and its units are asked as soon as it is up.
    """
    failures = min(health.failures + 1, LOST_AFTER + 10)
    lost = failures >= LOST_AFTER
    due_us = None
    if lost and patient:
        wait_s = min(FIRST_BACKOFF_S * 2.0 ** (failures - LOST_AFTER), MAX_BACKOFF_S)
        due_us = now.mono_us + round(wait_s * 1e6)
    new = replace(
        health,
        failures=failures,
        failing_since=health.failing_since or now,
        lost=lost,
        due_us=due_us,
        suspect=True,
    )
    return new, lost and not health.lost
