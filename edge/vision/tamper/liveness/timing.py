"""Whether the clock in a camera's picture tells our time, and runs. Pure."""

from __future__ import annotations

import statistics
from collections import deque
from datetime import UTC, datetime, timedelta

from edge.clock import Stamp
from edge.vision.spec import ClockSpec

READS = 5  # in a row are judged together: one may be misread
JUMPED_S = 10.0  # by which its distance to ours may change: it jumped, went back, or stands
ACCEPTED_S = 600.0  # after so long at another distance, which is small enough, it was set
STEPPED_S = 1.5  # our own wall clock was set by more than this
DAY_S = 86_400


class ClockJudge:
    """One camera's clock.

    Attributes:
        offset_s: by how much it was ahead of ours at the last reads; None before.
        why: what is wrong: `offset`, `date`, `jump`, or nothing.
    """

    def __init__(self, spec: ClockSpec) -> None:
        self._spec = spec
        self._offsets: deque[float] = deque(maxlen=READS)
        self._dates: deque[bool] = deque(maxlen=READS)
        self._base: float | None = None
        self._moved: Stamp | None = None
        self._newest: Stamp | None = None
        self.offset_s: float | None = None
        self.why = ""

    def step(self, second: float, date: float, now: Stamp) -> bool | None:
        """Take what was read: the second of the day, and eight digits of a date or 0.

        Returns:
            Whether it is wrong; None while nothing was read.
        """
        self._mind_our_own(now)
        if second < 0:
            return None
        local = datetime.fromtimestamp(now.wall_us / 1e6, UTC)
        local += timedelta(hours=self._spec.utc_offset_h)
        ours = (local - local.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        self._offsets.append((second - ours + DAY_S / 2) % DAY_S - DAY_S / 2)
        self._dates.append(date > 0 and not self._is_today(round(date), local))
        if len(self._offsets) < READS:
            return None
        self.offset_s = statistics.median(self._offsets)
        self.why = self._wrong(self.offset_s, now)
        return bool(self.why)

    def _mind_our_own(self, now: Stamp) -> None:
        """If it is our clock that was set, the distance changed by as much."""
        before, self._newest = self._newest, now
        if before is None:
            return
        step_s = (now.wall_us - before.wall_us) / 1e6 - now.since(before)
        if abs(step_s) > STEPPED_S:
            self._offsets.clear()
            if self._base is not None:
                self._base -= step_s

    def _wrong(self, offset_s: float, now: Stamp) -> str:
        if abs(offset_s) > self._spec.most_off_s:
            return "offset"
        if all(self._dates):
            return "date"
        if self._base is None:
            self._base = offset_s
        if abs(offset_s - self._base) <= JUMPED_S:
            self._base += 0.02 * (offset_s - self._base)
            self._moved = None
            return ""
        self._moved = self._moved or now
        if now.since(self._moved) > ACCEPTED_S and max(self._offsets) - min(self._offsets) < 3:
            self._base, self._moved = offset_s, None
            return ""
        return "jump"

    def _is_today(self, date: int, local: datetime) -> bool:
        """In any order of its parts; or no date at all."""
        text = f"{date:08d}"
        near = timedelta(seconds=self._spec.most_off_s)
        days = {(local + by).strftime(form) for by in (-near, near) for form in _FORMS}
        return text in days or not any(_is_date(text, form) for form in _FORMS)


_FORMS = ("%Y%m%d", "%d%m%Y", "%m%d%Y")


def _is_date(text: str, form: str) -> bool:
    try:
        year = datetime.strptime(text, form).replace(tzinfo=UTC).year
    except ValueError:
        return False
    return 2000 <= year < 2100
