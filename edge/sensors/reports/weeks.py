"""Where a feeder's use is going: this week beside the four before it. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from edge.clock import Stamp
from edge.domain.names import ASPECT_NAMES, Name
from edge.domain.record import Draft, RecordType

WEEKS = 4  # that a week is compared with
KEPT_DAYS = 7 * (WEEKS + 1)
WHOLE = 1200  # minutes with a figure from which a day counts
STEADY = 0.15  # a change by less than this share is none
_LEAST_KWH = 1.0  # a day; below it a share says nothing

Day = Mapping[str, Any]
Week = tuple[int, int]  # ISO year and number


@dataclass(frozen=True, slots=True)
class _Use:
    """One feeder's whole days in some weeks."""

    duty: str
    per_day_kwh: list[float]
    night_shares: list[float]


class Weeks:
    """One POWER_WEEK when a week is over.

    `data`: {"week" (ISO, as 2026-W48), "meters": [{"source", "duty", "days" (whole ones),
    "per_day_kwh" (their median), "night_share", and once there are days of the four weeks before
    "usual_per_day_kwh", "usual_night_share", "change" (share of the usual by which a day uses
    more)}], "said": {"zh", "en"} (a sentence for each feeder)}.
    """

    def __init__(self) -> None:
        self._days: deque[Day] = deque(maxlen=KEPT_DAYS)

    def recall(self, day: Day) -> None:
        """Take up a day of before a restart."""
        self._days.append(day)

    def step(self, day: Day, stamp: Stamp) -> list[Draft]:
        """Take a day that is over; gives the week before if it begins a new one."""
        last = self._days[-1] if self._days else None
        self._days.append(day)
        if last is None or _week(last) >= _week(day):
            return []
        return [self._draft(_week(last), stamp)]

    def _draft(self, week: Week, stamp: Stamp) -> Draft:
        now = _uses(day for day in self._days if _week(day) == week)
        before = _uses(day for day in self._days if _week(day) < week)
        meters = [_told(source, use, before.get(source)) for source, use in sorted(now.items())]
        said = [_words(meter) for meter in meters]
        data = {
            "week": f"{week[0]}-W{week[1]:02d}",
            "meters": meters,
            "said": {
                "zh": "；".join(words.zh for words in said),
                "en": "; ".join(words.en for words in said),
            },
        }
        return Draft(RecordType.POWER_WEEK, stamp, data)


def _week(day: Day) -> Week:
    year, number, _ = date.fromisoformat(day["day"]).isocalendar()
    return year, number


def _uses(days: Iterable[Day]) -> dict[str, _Use]:
    uses: dict[str, _Use] = {}
    for day in days:
        for meter in day["meters"]:
            if meter["minutes"] < WHOLE:
                continue
            use = uses.setdefault(meter["source"], _Use(meter["duty"], [], []))
            use.per_day_kwh.append(meter["energy_kwh"])
            if meter["energy_kwh"] >= _LEAST_KWH:
                use.night_shares.append(meter["night_kwh"] / meter["energy_kwh"])
    return uses


def _told(source: str, use: _Use, before: _Use | None) -> dict[str, Any]:
    told: dict[str, Any] = {"source": source, "duty": use.duty, "days": len(use.per_day_kwh)}
    told["per_day_kwh"] = round(median(use.per_day_kwh), 3)
    if use.night_shares:
        told["night_share"] = round(median(use.night_shares), 3)
    if before is None:
        return told
    usual = median(before.per_day_kwh)
    told["usual_per_day_kwh"] = round(usual, 3)
    if before.night_shares:
        told["usual_night_share"] = round(median(before.night_shares), 3)
    if usual >= _LEAST_KWH:
        told["change"] = round(told["per_day_kwh"] / usual - 1, 3)
    return told


def _words(meter: Mapping[str, Any]) -> Name:
    """One feeder's sentence."""
    source, duty, kwh = meter["source"], ASPECT_NAMES[meter["duty"]], meter["per_day_kwh"]
    zh, en = f"{duty.zh} {source} 日用电 {kwh:g} kWh", f"{duty.en} {source} {kwh:g} kWh a day"
    if "usual_per_day_kwh" not in meter:
        return Name(f"{zh}，尚无可比", f"{en}, nothing to compare with yet")
    change = meter.get("change")
    usual = meter["usual_per_day_kwh"]
    if change is None:
        return Name(f"{zh}，前四周 {usual:g}", f"{en}, {usual:g} in the four weeks before")
    if abs(change) < STEADY:
        return Name(f"{zh}，平稳", f"{en}, steady")
    word = Name("上升", "up") if change > 0 else Name("下降", "down")
    return Name(f"{zh}，{word.zh} {abs(change):.0%}", f"{en}, {word.en} {abs(change):.0%}")
