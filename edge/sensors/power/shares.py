"""SHARE_RISEN: what part of a site's energy its production feeders take, day by day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import PRODUCTION_DUTIES, Activity, ActivityKind, Duty
from edge.sensors.power.days import Share, days_of
from edge.sensors.power.minutes import Minute
from edge.sensors.power.telling import Telling
from edge.sensors.spec import MeterSpec

_DAY_MINUTES = 1440
_DAYS_S = 3 * 86_400.0  # that a share speaks of
_HOURS = 24.0


class _Feeder:
    """A production feeder's share and what is told of it."""

    __slots__ = ("share", "telling")

    def __init__(self, meter: MeterSpec) -> None:
        self.share = Share(days_of(meter.learning_days))
        self.telling = Telling(ActivityKind.SHARE_RISEN, meter.code, meter.duty.value)


class Shares:
    """Mean load of each meter through the day; at its end, the shares."""

    def __init__(self, meters: Iterable[MeterSpec]) -> None:
        specs = list(meters)
        incoming = {spec.code for spec in specs if spec.duty is Duty.INCOMING}
        self._whole = incoming or {spec.code for spec in specs}
        self._feeders = {
            spec.code: _Feeder(spec) for spec in specs if spec.duty in PRODUCTION_DUTIES
        }
        self._day = -1
        self.news: set[str] = set()
        """Codes of the feeders of which a record should tell."""
        self._sums: dict[str, list[float]] = {spec.code: [0.0, 0.0] for spec in specs}

    def minute(self, code: str, minute: Minute, stamp: Stamp) -> list[Activity]:
        """Take a meter's minute; tells what the day before shows once the next one begins."""
        day = minute.number // _DAY_MINUTES
        told: list[Activity] = []
        if day != self._day:
            if self._day >= 0:
                told = self._over(stamp)
            self._day = day
            self._sums = {code: [0.0, 0.0] for code in self._sums}
        mine = self._sums[code]
        mine[0] += minute.kw
        mine[1] += 1
        return told

    def _over(self, stamp: Stamp) -> list[Activity]:
        means = {code: kw / n for code, (kw, n) in self._sums.items() if n}
        if not self._whole <= set(means):
            return []  # a meter was silent all day
        all_kwh = _HOURS * sum(means[code] for code in self._whole)
        told: list[Activity] = []
        for code, feeder in self._feeders.items():
            if code not in means:
                continue
            found = feeder.share.day(_HOURS * means[code], all_kwh)
            self.news.add(code)
            since = stamp.moved(-_DAYS_S) if found else None
            told += feeder.telling.say(since, stamp, lambda found=found: found or {})  # type: ignore[misc]
        return told

    def data(self, code: str) -> Mapping[str, Any] | None:
        """What was learned of a meter's share; None where nothing is."""
        feeder = self._feeders.get(code)
        if feeder is None:
            return None
        self.news.discard(code)
        return feeder.share.data()

    def recall(self, code: str, data: Mapping[str, Any]) -> None:
        """Take up what a record kept."""
        if code in self._feeders:
            self._feeders[code].share.recall(data)
