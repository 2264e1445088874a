"""A meter's last day as a drawing that any browser shows. Pure; no script, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.sax.saxutils import escape

from edge.domain.names import Name
from edge.sensors.evidence.trace import Minute

_WIDE, _HIGH = 960, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 40, 36  # margins; names of the levels stand at the right
_GAP_US = 150_000_000  # minutes farther apart are not joined
_HOUR_US = 3_600_000_000
_LEVELS = {
    "baseline_kw": Name("基线", "baseline"),
    "idle_kw": Name("空载", "idle"),
    "limit_kw": Name("上限", "limit"),
}
"""Figures of an activity that are levels of the load."""


class _Frame:
    """Where a moment and a load lie in the drawing."""

    def __init__(self, begin_us: int, end_us: int, least: float, most: float) -> None:
        self.begin_us, self.end_us = begin_us, max(end_us, begin_us + 60_000_000)
        self.step = _nice((most - least) / 5)
        self.low = math.floor(least / self.step) * self.step
        self.high = max(math.ceil(most / self.step) * self.step, self.low + self.step)

    def x(self, wall_us: int) -> float:
        part = (wall_us - self.begin_us) / (self.end_us - self.begin_us)
        return _LEFT + min(max(part, 0.0), 1.0) * (_WIDE - _LEFT - _RIGHT)

    def y(self, kw: float) -> float:
        part = (kw - self.low) / (self.high - self.low)
        return _HIGH - _BOTTOM - part * (_HIGH - _TOP - _BOTTOM)


def plot(
    title: str,
    minutes: Sequence[Minute],
    detail: Mapping[str, object],
    started_us: int,
    utc_offset_h: float,
) -> bytes:
    """SVG of at most 200 kB.

    Args:
        title: of the drawing; any text.
        minutes: oldest first, at least one.
        detail: of the activity; what of it is a level of the load is drawn.
        started_us: when the activity began (wall clock, µs UTC); from there on it is shaded.
        utc_offset_h: hours by which local time, which the axis shows, is ahead of UTC.
    """
    levels = [
        (name, float(value))
        for key, name in _LEVELS.items()
        if isinstance(value := detail.get(key), int | float) and math.isfinite(value)
    ]
    loads = [load for minute in minutes for load in (minute.least, minute.most)]
    loads += [0.0, *(kw for _, kw in levels)]
    frame = _Frame(minutes[0].wall_us, minutes[-1].wall_us, min(loads), max(loads))
    size = f'viewBox="0 0 {_WIDE} {_HIGH}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDE}" height="{_HIGH}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
        _shade(frame, started_us),
        *_axes(frame, utc_offset_h),
        *_curves(frame, minutes),
        *_lines(frame, levels),
        "</svg>",
    ]
    return "\n".join(parts).encode()


def _nice(step: float) -> float:
    """The next larger of 1, 2, 5 times a power of ten."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * 0.999)


def _shade(frame: _Frame, started_us: int) -> str:
    left, right = frame.x(started_us), frame.x(frame.end_us)
    high = _HIGH - _TOP - _BOTTOM
    return (
        f'<rect x="{left:.1f}" y="{_TOP}" width="{max(right - left, 1):.1f}" height="{high}" '
        'fill="#fdd"/>'
    )


def _axes(frame: _Frame, utc_offset_h: float) -> Iterable[str]:
    right = _WIDE - _RIGHT
    yield f'<text x="8" y="{_TOP - 6}">kW</text>'
    for number in range(round((frame.high - frame.low) / frame.step) + 1):
        kw = frame.low + number * frame.step
        y = frame.y(kw)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{kw:g}</text>'
    offset_us = round(utc_offset_h * _HOUR_US)
    every_h = max(1, math.ceil((frame.end_us - frame.begin_us) / _HOUR_US / 12))
    first = -(-(frame.begin_us + offset_us) // _HOUR_US)
    last = (frame.end_us + offset_us) // _HOUR_US
    for hour in range(first, last + 1):
        if hour % every_h:
            continue
        x = frame.x(hour * _HOUR_US - offset_us)
        local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        form = "%m-%d" if hour % 24 == 0 else "%H:00"
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HIGH - _BOTTOM}" stroke="#eee"/>'
        yield f'<text x="{x:.1f}" y="{_HIGH - 16}" text-anchor="middle">{local:{form}}</text>'


def _curves(frame: _Frame, minutes: Sequence[Minute]) -> Iterable[str]:
    """For each stretch without a gap: the band from least to most, and the mean."""
    stretch = [minutes[0]]
    for before, after in pairwise(minutes):
        if not 0 <= after.wall_us - before.wall_us <= _GAP_US:
            yield from _stretch(frame, stretch)
            stretch = []
        stretch.append(after)
    yield from _stretch(frame, stretch)


def _stretch(frame: _Frame, minutes: Sequence[Minute]) -> Iterable[str]:
    upper = [(minute.wall_us, minute.most) for minute in minutes]
    lower = [(minute.wall_us, minute.least) for minute in reversed(minutes)]
    yield f'<polygon points="{_points(frame, upper + lower)}" fill="#bcd" stroke="#bcd"/>'
    mean = _points(frame, [(minute.wall_us, minute.mean) for minute in minutes])
    yield f'<polyline points="{mean}" fill="none" stroke="#036"/>'


def _points(frame: _Frame, course: Iterable[tuple[int, float]]) -> str:
    return " ".join(f"{frame.x(wall_us):.1f},{frame.y(kw):.1f}" for wall_us, kw in course)


def _lines(frame: _Frame, levels: Iterable[tuple[Name, float]]) -> Iterable[str]:
    right = _WIDE - _RIGHT
    for name, kw in levels:
        y = frame.y(kw)
        yield (
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#c60" '
            'stroke-dasharray="6 4"/>'
        )
        yield f'<text x="{right + 6}" y="{y + 4:.1f}">{name.zh} {name.en} {kw:g}</text>'
