"""Power at one site: what each meter shows by its duty, and what the incoming one has left over.

A feeder's machine runs or not (`running`); what may run but must not hide anything (pumps, fans,
the guard house) is watched for what is unlike it; so is what the incoming meters show beyond the
feeders, or beyond what is permitted where they are alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Duty
from edge.domain.observation import Reading
from edge.domain.record import Draft, RecordType
from edge.sensors.power.figures import power_of
from edge.sensors.power.minutes import Minute, Minutes
from edge.sensors.power.running import Running
from edge.sensors.power.shares import Shares
from edge.sensors.power.telling import Detail, Telling
from edge.sensors.power.watch import FLOOR_KW, Found, Watch
from edge.sensors.spec import MeterSpec

_STALE_US = 900_000_000
_USUAL_GAP_US = 300_000_000  # a third of it; who reads more rarely is waited for longer
_MOST_GAP_US = 3_600_000_000
_NEVER_US = 1 << 62
_DAY_S = 86_400.0
_UNLIKE_KW, _UNLIKE_SHARE = 30.0, 1.5
_UNLIKE = {
    Duty.PUMP: ActivityKind.PUMP_UNLIKE,
    Duty.FAN: ActivityKind.UNEXPLAINED_LOAD,
    Duty.LIVING: ActivityKind.UNEXPLAINED_LOAD,
    Duty.OTHER: ActivityKind.UNEXPLAINED_LOAD,
}
"""As what a feeder is watched whose load is permitted; the others' machines run or do not."""


class _Watched:
    """A watch and what is told of it."""

    __slots__ = ("_day", "_telling", "watch")

    def __init__(self, watch: Watch, kind: ActivityKind, meter: MeterSpec) -> None:
        self.watch = watch
        self._telling = Telling(kind, meter.code, meter.duty.value)
        self._day = Telling(ActivityKind.DAY_LIKE_PRODUCTION, meter.code, meter.duty.value)

    @property
    def open(self) -> bool:
        return self._telling.since is not None

    def day(self, stamp: Stamp) -> list[Activity]:
        """What there is to tell of the day that is over, if one is."""
        curve = self.watch.curve
        if curve is None or not curve.over:
            return []
        curve.over = False
        found = curve.found
        since = stamp.moved(curve.judged * _DAY_S - stamp.wall_us / 1e6) if found else None
        return self._day.say(since, stamp, lambda: found or {})

    def say(self, stamp: Stamp, more: Detail | None = None) -> list[Activity]:
        found = self.watch.found

        def detail() -> Detail:
            return {**(found or _nothing(stamp)).detail(), **(more or {})}

        return self._telling.say(found.since if found else None, stamp, detail)


def _nothing(stamp: Stamp) -> Found:
    return Found(stamp, 0.0, 0.0, 0.0, 0.0, 0.0, None)


class _Meter:
    """One meter and what is made of it."""

    __slots__ = ("judged", "kw", "minutes", "newest", "running", "silent_us", "spec", "watched")

    def __init__(self, spec: MeterSpec) -> None:
        self.spec = spec
        self.running = None if spec.duty is Duty.INCOMING else Running(spec)
        self.watched: _Watched | None = None
        if spec.duty in _UNLIKE:
            watch = Watch(spec.learning_days, spec.permitted, _floor_kw(spec))
            self.watched = _Watched(watch, _UNLIKE[spec.duty], spec)
        self.minutes = Minutes()
        self.newest: Stamp | None = None
        self.judged: Stamp | None = None
        self.kw = 0.0
        self.silent_us = _STALE_US  # so long without a reading, and nothing is known any more

    @property
    def open(self) -> bool:
        """Whether anything is told that its silence would end."""
        running, watched = self.running, self.watched
        return (running is not None and running.open) or (watched is not None and watched.open)


def _floor_kw(spec: MeterSpec) -> float:
    """From where what may run behind a feeder is looked into.

    A guard house may switch on all that it has, and what it has is guessed; a fan may go faster.
    Pumps do neither.
    """
    if spec.duty is Duty.PUMP:
        return FLOOR_KW
    rated = sum(item.rated_kw * item.count for item in spec.permitted)
    return max(_UNLIKE_KW, _UNLIKE_SHARE * rated)


def _silent_us(gap_us: int) -> int:
    return 3 * min(gap_us, _MOST_GAP_US)


class PowerAnalyser:
    """All meters of a site. Activities' aspect is the meter's duty."""

    def __init__(self, meters: Iterable[MeterSpec]) -> None:
        self._meters = {spec.code: _Meter(spec) for spec in meters}
        self._open: list[_Meter] = []  # those that something is told of
        self._incoming = [m for m in self._meters.values() if m.spec.duty is Duty.INCOMING]
        self._feeders = [m for m in self._meters.values() if m.spec.duty is not Duty.INCOMING]
        if self._incoming:
            main = self._incoming[0]
            permitted = tuple(item for m in self._incoming for item in m.spec.permitted)
            kind = ActivityKind.RESIDUAL_LOAD if self._feeders else ActivityKind.UNEXPLAINED_LOAD
            watch = Watch(main.spec.learning_days, permitted, curve=True)
            main.watched = _Watched(watch, kind, main.spec)
        self._shares = Shares(meter.spec for meter in self._meters.values())

    def step(self, reading: Reading) -> list[Activity]:
        """Judge one reading of one of the meters given; those without a figure say nothing."""
        signed = power_of(reading)
        if signed is None:
            return []
        meter = self._meters[reading.source]
        kw, stamp = abs(signed), reading.stamp
        told: list[Activity] = []
        newest = meter.newest
        if newest is not None:
            gap_us = stamp.mono_us - newest.mono_us
            if gap_us >= meter.silent_us:
                told = self._silent(meter)
            meter.silent_us = _STALE_US if gap_us <= _USUAL_GAP_US else _silent_us(gap_us)
        meter.newest = stamp
        over = meter.minutes.step(kw, stamp.wall_us)
        if over and meter.minutes.last is not None:
            told += self._shares.minute(reading.source, meter.minutes.last, stamp)
        if meter.running is None:
            meter.kw = kw
            if meter is self._incoming[0]:
                told += self._left_over(meter, over, stamp)
            return self._noted(told) if told else told
        meter.kw = kw
        told += meter.running.step(kw, stamp)
        if meter.watched is not None:
            told += self._watch(meter, meter.watched, kw, over, stamp)
        return self._noted(told) if told else told

    def learned(self, source: str) -> list[Draft]:
        """POWER_BASELINE when what is usual at a meter has moved; ask after each of its readings.

        `data`: {"source", "idle_kw", "blocks" (ten-minute blocks it rests on)} and what the
        meter's watch ("usual") and its days ("share") have taught, where they do.
        """
        meter = self._meters[source]
        stamp = meter.newest
        if stamp is None:
            return []
        watched, running = meter.watched, meter.running
        fresh = (watched is not None and watched.watch.fresh) or source in self._shares.news
        if not fresh and (running is None or not running.news or not running.moved(stamp)):
            return []
        watch = watched.watch if watched is not None else None
        data: dict[str, Any] = {"source": source}
        if meter.running is not None:
            meter.running.recorded(stamp)
            data |= {
                "idle_kw": round(meter.running.idle.level, 3),
                "blocks": meter.running.idle.blocks,
            }
        if watch is not None:
            data["usual"] = watch.data()
        share = self._shares.data(source)
        if share is not None:
            data["share"] = share
        return [Draft(RecordType.POWER_BASELINE, stamp, data)]

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up a POWER_BASELINE record's data after a restart; other meters' are passed over.

        Without it a machine that runs across the restart would pass for its own idle level, and
        the commissioning would begin anew.
        """
        meter = self._meters.get(data["source"])
        if meter is None:
            return
        if meter.running is not None and "idle_kw" in data:
            meter.running.recall(data["idle_kw"], data["blocks"])
        if meter.watched is not None and "usual" in data:
            meter.watched.watch.recall(data["usual"])
        if "share" in data:
            self._shares.recall(data["source"], data["share"])

    def tick(self, now: Stamp) -> list[Activity]:
        """End what no reading has confirmed for long."""
        told: list[Activity] = []
        for meter in self._open:
            newest = meter.newest
            if newest is not None and now.mono_us - newest.mono_us >= meter.silent_us:
                told += self._silent(meter)
        return self._noted(told) if told else told

    def _noted(self, told: list[Activity]) -> list[Activity]:
        self._open = [meter for meter in self._meters.values() if meter.open]
        return told

    @property
    def due_us(self) -> int:
        """When `tick` may have something to end, monotonic µs; far off while nothing is open."""
        if not self._open:
            return _NEVER_US
        return min(meter.newest.mono_us + meter.silent_us for meter in self._open if meter.newest)

    def _silent(self, meter: _Meter) -> list[Activity]:
        assert meter.newest is not None
        told: list[Activity] = []
        if meter.running is not None:
            told += meter.running.silent(meter.newest)
        if meter.watched is not None:
            meter.watched.watch.silent()
            told += meter.watched.say(meter.newest)
        return told

    def _watch(
        self, meter: _Meter, watched: _Watched, kw: float, over: bool, stamp: Stamp
    ) -> list[Activity]:
        turned = watched.watch.reading(kw, stamp)
        if not over and not turned:
            return []
        minute = meter.minutes.last
        if over and minute is not None:
            gap_s = 60.0 if meter.judged is None else stamp.since(meter.judged)
            watched.watch.minute(minute, stamp, gap_s)
            meter.judged = stamp
        return watched.say(stamp) + watched.day(stamp)

    def _left_over(self, meter: _Meter, over: bool, stamp: Stamp) -> list[Activity]:
        """What the incoming meters show beyond the feeders."""
        watched = meter.watched
        assert watched is not None
        if not self._feeders and len(self._incoming) == 1:
            return self._watch(meter, watched, meter.kw, over, stamp)
        minute = meter.minutes.last
        if not over or minute is None:
            return []
        incoming = _sum(self._incoming, minute.number)
        feeders = _sum(self._feeders, minute.number)
        if incoming is None or feeders is None:
            return []  # a meter is missing: what is left over is not known
        left = incoming - feeders
        gap_s = 60.0 if meter.judged is None else stamp.since(meter.judged)
        watched.watch.minute(Minute(minute.number, left, left, left), stamp, gap_s, feeders)
        meter.judged = stamp
        more = {"incoming_kw": round(incoming, 3), "feeders_kw": round(feeders, 3)}
        return watched.say(stamp, more) + watched.day(stamp)


def _sum(meters: Iterable[_Meter], number: int) -> float | None:
    """What they showed in that minute together; None where one did not show any."""
    total = 0.0
    for meter in meters:
        kw = meter.minutes.at(number)
        if kw is None:
            return None
        total += kw
    return total
