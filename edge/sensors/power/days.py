"""Whole days: a feeder's share of all energy, and a day's curve. Pure.

Days are those of UTC; their lengths and halves count, not where they begin.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from edge.sensors.power.telling import Detail

BLOCKS = 144  # of ten minutes
_LEAST_DAYS, _MOST_DAYS = 4, 60
_SHARE_DAYS = 3
_SHARE_GREW, _SHARE_MORE = 1.3, 0.02  # of the usual share, and of everything: both
_KWH_GREW, _KWH_MORE = 1.25, 50.0  # its own energy: not only the others' fell
_FULL = 120  # blocks without which a day is not judged
_HALF = BLOCKS // 2
_RATIO_GREW = 1.5  # the screening figure of a province for night over day
_DAY_GREW, _DAY_MORE = 1.3, 60.0
_FOLLOWS = 0.03  # a day: what is usual goes with the season
_LEAST_KW = 0.5  # by less than this nothing is divided


def days_of(learning_days: float) -> int:
    """How many days make what is usual."""
    return max(_LEAST_DAYS, math.ceil(learning_days))


@dataclass(slots=True)
class Share:
    """What part of all energy one feeder takes: usually, and in the last three days."""

    days: int
    usual: list[tuple[float, float]] = field(default_factory=list)  # share and kWh of each day
    recent: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_SHARE_DAYS))

    def day(self, kwh: float, all_kwh: float) -> Detail | None:
        """Take a day; gives what explains it when the share has risen."""
        if all_kwh <= 0:
            return None
        today = (round(kwh / all_kwh, 5), round(kwh, 2))
        if len(self.usual) < min(self.days, _MOST_DAYS):
            self.usual.append(today)
            return None
        self.recent.append(today)
        share, kwh = (fmean(column) for column in zip(*self.recent, strict=True))
        usual, usual_kwh = (median(column) for column in zip(*self.usual, strict=True))
        risen = share >= max(_SHARE_GREW * usual, usual + _SHARE_MORE)
        if len(self.recent) < _SHARE_DAYS or not risen:
            return None
        if kwh < _KWH_GREW * usual_kwh + _KWH_MORE:
            return None
        return {
            "share_percent": round(100 * share, 2),
            "baseline_percent": round(100 * usual, 2),
            "kwh": round(kwh, 1),
            "baseline_kwh": round(usual_kwh, 1),
        }

    def data(self) -> Mapping[str, Any]:
        """What a record keeps."""
        return {
            "usual": [list(day) for day in self.usual],
            "recent": [list(d) for d in self.recent],
        }

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up what a record kept."""
        self.usual = [(float(share), float(kwh)) for share, kwh in data["usual"]]
        self.recent.extend((float(share), float(kwh)) for share, kwh in data["recent"])


@dataclass(slots=True)
class Curve:
    """How uneven a day is: its greatest half (on end) against the other, and its energy."""

    days: int
    ratios: list[float] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    usual: tuple[float, float] | None = None  # ratio and kWh
    number: int = -1
    blocks: dict[int, float] = field(default_factory=dict)  # of the day under way, kW
    over: bool = False
    """Whether a day was over with the block taken last."""
    found: Detail | None = None
    """What explains that the last day was like one of production."""
    judged: int = -1
    """Number of that day since 1970."""

    def block(self, number: int, kw: float) -> None:
        """Take ten minutes of the load without the machines that may run."""
        day, at = divmod(number, BLOCKS)
        self.over = day != self.number and len(self.blocks) >= _FULL
        if self.over:
            self._judge()
        if day != self.number:
            self.number, self.blocks = day, {}
        self.blocks[at] = kw

    def _judge(self) -> None:
        self.judged = self.number
        ratio, kwh = _ratio(self.blocks), fmean(self.blocks.values()) * 24
        self.found = None
        if self.usual is None:
            self.ratios.append(ratio)
            self.energies.append(kwh)
            if len(self.ratios) >= min(self.days, _MOST_DAYS):
                self.usual = median(self.ratios), median(self.energies)
                self.ratios, self.energies = [], []
            return
        usual, usual_kwh = self.usual
        grew = kwh >= _DAY_GREW * max(usual_kwh, 0.0) + _DAY_MORE
        if grew and ratio >= _RATIO_GREW * max(usual, 1.0):
            self.found = {
                "ratio": round(ratio, 2),
                "baseline_ratio": round(usual, 2),
                "kwh": round(kwh, 1),
                "baseline_kwh": round(usual_kwh, 1),
            }
            return
        self.usual = _follow(usual, ratio), _follow(usual_kwh, kwh)

    def data(self) -> Mapping[str, Any]:
        """What a record keeps."""
        return {
            "ratios": [round(ratio, 3) for ratio in self.ratios],
            "energies": [round(kwh, 1) for kwh in self.energies],
            "usual": [round(value, 3) for value in self.usual or ()],
        }

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up what a record kept."""
        self.ratios = [float(ratio) for ratio in data["ratios"]]
        self.energies = [float(kwh) for kwh in data["energies"]]
        self.usual = (float(data["usual"][0]), float(data["usual"][1])) if data["usual"] else None


def _ratio(blocks: Mapping[int, float]) -> float:
    """The greatest twelve hours on end against the other twelve."""
    middle = median(blocks.values())
    day = [blocks.get(at, middle) for at in range(BLOCKS)]
    return max(_halves(day))


def _halves(day: Sequence[float]) -> list[float]:
    total, inside = sum(day), sum(day[:_HALF])
    ratios = []
    for first in range(BLOCKS):
        ratios.append(max(inside, 0.0) / max(total - inside, _LEAST_KW * _HALF))
        inside += day[(first + _HALF) % BLOCKS] - day[first]
    return ratios


def _follow(usual: float, seen: float) -> float:
    step = _FOLLOWS * abs(usual)
    return usual + min(max(seen - usual, -step), step)
