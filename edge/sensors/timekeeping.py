"""Whether our wall clock agrees with the province's, as its receipts tell it. Pure.

The province's signature on a receipt carries its time. That works where there is no NTP, and a
clock that somebody sets together with a false NTP server shows all the same.
"""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import ClockCompared

MOST_OFF_S = 60.0  # beyond this the clock is wrong; a drift of a day is a few seconds


class Timekeeper:
    """Makes an activity of a clock that is wrong."""

    def __init__(self) -> None:
        self._since: Stamp | None = None

    def step(self, seen: ClockCompared, *, reported: bool = False) -> list[Activity]:
        """Judge one comparison.

        Args:
            seen: between which bounds the offset lies.
            reported: an incident about it is open, perhaps since before a restart.
        """
        least_s, most_s = seen.least_s, seen.most_s
        if least_s is not None and least_s > MOST_OFF_S:
            return [self._wrong(seen, least_s)]
        if most_s < -MOST_OFF_S:
            return [self._wrong(seen, most_s)]
        agrees = least_s is not None and least_s >= -MOST_OFF_S and most_s <= MOST_OFF_S
        if not agrees or (self._since is None and not reported):
            return []  # slow on its way, so nothing is known; or nothing new
        since, self._since = self._since or seen.stamp, None
        return [_activity(Phase.ENDED, since, seen.stamp, most_s)]

    def _wrong(self, seen: ClockCompared, offset_s: float) -> Activity:
        if self._since is None:
            self._since = seen.stamp
            return _activity(Phase.STARTED, seen.stamp, seen.stamp, offset_s)
        return _activity(Phase.GOES_ON, self._since, seen.stamp, offset_s)


def _activity(phase: Phase, since: Stamp, now: Stamp, offset_s: float) -> Activity:
    detail = {"offset_s": round(offset_s, 1)}
    return Activity(ActivityKind.CLOCK_WRONG, "host", "", "", phase, since, now, detail)
