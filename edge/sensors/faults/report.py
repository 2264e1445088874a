"""What the analysers of data faults share: a fault as an activity, and how unlikely a streak is."""

from __future__ import annotations

import math
from collections.abc import Mapping

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.sensors.spec import MeterSpec

Detail = Mapping[str, str | int | float | bool]

_GOES_ON_S = 300.0
_UNBELIEVABLE = math.log(1e-9)
_OTHERWISE = 30


class Fault:
    """One fault of one meter as an activity: started, now and then going on, ended."""

    __slots__ = ("_aspect", "_detail", "_kind", "_said", "_since", "_source")

    def __init__(self, kind: ActivityKind, meter: MeterSpec) -> None:
        self._kind = kind
        self._source, self._aspect = meter.code, meter.duty.value
        self._since: Stamp | None = None
        self._said: Stamp | None = None
        self._detail: Detail = {}

    @property
    def open(self) -> bool:
        """Whether it has been told and is not over."""
        return self._since is not None

    def there(self, since: Stamp, stamp: Stamp, detail: Detail) -> list[Activity]:
        """It is there, and has been `since`; told at once, then every five minutes."""
        if self._since is None or self._said is None:
            self._since, phase = since, Phase.STARTED
        elif stamp.since(self._said) < _GOES_ON_S:
            return []
        else:
            phase = Phase.GOES_ON
        self._said, self._detail = stamp, detail
        return [self._report(phase, self._since, stamp)]

    def gone(self, stamp: Stamp, **detail: str | float) -> list[Activity]:
        """It is not there, or not any more; what the end tells joins its figures."""
        if self._since is None:
            return []
        since, self._since = self._since, None
        self._detail = {**self._detail, **detail}
        return [self._report(Phase.ENDED, since, stamp)]

    def _report(self, phase: Phase, since: Stamp, stamp: Stamp) -> Activity:
        return Activity(
            self._kind, self._source, "", self._aspect, phase, since, stamp, self._detail
        )


class Streak:
    """For how many looks something shows that honest meters show too, never for so long.

    How often it shows is learned from the looks before, so a coarse meter earns more patience
    than a fine one. Until then it is taken for common: it shows in four of five looks.
    """

    __slots__ = ("_looks", "_shown", "count", "since")

    def __init__(self) -> None:
        self._shown, self._looks = 4, 5
        self.count = 0
        self.since: Stamp | None = None

    def step(self, shows: bool, stamp: Stamp) -> None:
        """One look further, which began at `stamp`."""
        if shows:
            self.since = self.since or stamp
            self.count += 1
            return
        self._looks += 1
        if self.count:
            if not self.unlikely:  # what was called a fault is no lesson
                self._shown += self.count
                self._looks += self.count
            self.drop()

    def drop(self) -> None:
        """It says nothing any more, and is no lesson."""
        self.count, self.since = 0, None

    def lasted(self, stamp: Stamp) -> float:
        """Seconds since it began to show; 0 where it does not."""
        return 0.0 if self.since is None else stamp.since(self.since)

    @property
    def unlikely(self) -> bool:
        """Whether an honest meter would not show it for so long: one chance in a billion."""
        return self.count * math.log(self._shown / self._looks) < _UNBELIEVABLE

    @property
    def known_otherwise(self) -> bool:
        """Whether the meter is known not to be always like that."""
        return self._looks - self._shown > _OTHERWISE
