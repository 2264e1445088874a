"""Days that a meter kept while nobody read it. Pure.

After an outage the daily freezes of the days in between are asked for, one block at a time. The
order of the blocks is not relied on: each tells its day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from edge.sensors.plan import Span
from edge.sensors.quantity import History

MAX_FAILURES = 3
_EMPTY = 0xFFFF
_CENTURY = 2000


@dataclass(frozen=True, slots=True)
class Frozen:
    """One block.

    Attributes:
        moment: date and hour by the meter's clock.
        energy_kwh: what it kept, with the transformer ratios.
    """

    moment: datetime
    energy_kwh: float


class Backfill:
    """What is still to be asked of one meter's memory."""

    def __init__(self, history: History | None) -> None:
        self._history = history
        self._wanted: set[date] = set()
        self._block = 0
        self._failures = 0

    def missed(self, first: date, last: date) -> None:
        """Nothing was read from some moment of `first` to some moment of `last`.

        Where there is a midnight between them, what was frozen on these days is wanted.
        """
        if self._history is None or not first < last:
            return
        first = max(first, last - timedelta(days=self._history.blocks))
        self._wanted |= {first + timedelta(days=i) for i in range((last - first).days + 1)}
        self._block = self._failures = 0

    def next(self) -> Span | None:
        """What to read now; None when nothing is wanted."""
        if self._history is None or not self._wanted:
            return None
        return self._history.block(self._block)

    def take(self, words: list[int], ratio: float) -> Frozen | None:
        """The block that `next` named was read; gives what it says of a wanted day.

        Args:
            words: its registers.
            ratio: product of the transformer ratios that its energy has to be multiplied by.
        """
        assert self._history is not None
        self._failures = 0
        frozen = _parse(words, self._history.scale * ratio)
        self._advance(self._history.blocks)
        if frozen is None or frozen.moment.date() not in self._wanted:
            return None
        self._wanted.discard(frozen.moment.date())
        return frozen

    def failed(self, *, refused: bool) -> None:
        """It was not read: a few times may be noise; a meter that refuses keeps no history."""
        self._failures += 1
        if refused or self._failures >= MAX_FAILURES:
            self._wanted.clear()

    def _advance(self, blocks: int) -> None:
        self._block += 1
        if self._block >= blocks:
            self._wanted.clear()


def _parse(words: list[int], scale: float) -> Frozen | None:
    """A block: year and month, day and hour, each a byte; the energy, u32, is what it ends with."""
    if _EMPTY in words[:2]:
        return None
    (year, month), (day, hour) = (divmod(word, 256) for word in words[:2])
    raw = words[-2] << 16 | words[-1]
    try:
        moment = datetime(_CENTURY + year, month, day, hour)  # noqa: DTZ001 - the meter's own time
    except ValueError:
        return None
    return None if raw == 0xFFFFFFFF else Frozen(moment, raw * scale)
