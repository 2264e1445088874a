"""When a unit's slow registers are read: each about once a minute, those of a bus spread. Pure.

Energies, ratios and serial numbers change slowly or never; read at every sweep they would take
a third of a 9600 baud line. Each of the reads that fetch them has its own moment in the minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.clock import Stamp
from edge.sensors.plan import Span

SLOW_S = 60.0
MAX_WAIT = 60
"""Minutes after which a read that a meter refuses is tried again at the latest."""


def phases(count: int) -> list[float]:
    """Moments within the minute for so many reads, seconds."""
    return [SLOW_S * number / count for number in range(count)]


@dataclass(slots=True)
class _Slow:
    span: Span
    phase_us: int
    due: int | None = None  # the minute, counted from its moment; None is at once
    failures: int = 0

    def minute(self, now: Stamp) -> int:
        return int((now.mono_us - self.phase_us) // (SLOW_S * 1e6))


class Rota:
    """The slow reads of one unit."""

    def __init__(self, spans: Iterable[Span], moments_s: Sequence[float]) -> None:
        """Everything is due at once at first.

        Args:
            spans: the reads.
            moments_s: of each, within the minute.
        """
        self._slow = [
            _Slow(span, round(moment * 1e6)) for span, moment in zip(spans, moments_s, strict=True)
        ]

    def due(self, now: Stamp) -> tuple[Span, ...]:
        """What to read in a sweep that asks the unit now."""
        return tuple(
            slow.span for slow in self._slow if slow.due is None or slow.minute(now) >= slow.due
        )

    def done(self, span: Span, now: Stamp) -> None:
        """`span` was read."""
        for slow in self._slow:
            if slow.span == span:
                slow.due, slow.failures = slow.minute(now) + 1, 0

    def put_off(self, span: Span, now: Stamp, *, refused: bool) -> None:
        """`span` was not read: try it again ever more rarely, so that the rest is not disturbed.

        A first time without an answer may be noise: then at the next sweep.
        """
        for slow in self._slow:
            if slow.span == span:
                wait = min(2**slow.failures, MAX_WAIT)
                if slow.failures or refused:
                    slow.due = slow.minute(now) + wait
                slow.failures = min(slow.failures + 1, MAX_WAIT)

    def anew(self) -> None:
        """The unit was away: somebody may have changed it, so everything is due at once."""
        for slow in self._slow:
            slow.due, slow.failures = None, 0
