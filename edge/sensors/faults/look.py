"""A look: what some minutes of one meter's readings come to, side by side.

The analysers judge looks, not readings: what a fault shows, it shows for minutes, and a year of
readings is to be replayed in a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, get_args

from edge.clock import Stamp
from edge.sensors.profiles import Pace, pace
from edge.sensors.quantity import QuantityName

Values = Mapping[str, float]
Row = tuple[float, ...]
Three = tuple[float, float, float]

FAST = tuple(name for name in get_args(QuantityName) if pace(name) is Pace.FAST)
"""What a sweep reads each time; energies and ratios come about once a minute."""
_MOST = 1e9  # of any unit: a greater one is no figure
PHASES = ("L1", "L2", "L3")


class Layout:
    """Which of `FAST` a meter gives, power first, and how to take them out of a row.

    Attributes:
        names: the quantities of a row, in its order.
        row: from a reading's values to a row; KeyError where one is missing.
        powers: from a row to the powers of the phases; None where not all three are given.
        volts: likewise their voltages.
        currents: likewise their currents.
        factor: place of the power factor in a row, None without.
        breathes: an honest row never stands still: the grid's voltage or frequency is in it.
    """

    __slots__ = ("breathes", "currents", "factor", "names", "powers", "row", "volts")

    def __init__(self, names: tuple[str, ...]) -> None:
        at = {name: i for i, name in enumerate(names)}
        # With one name alone, itemgetter gives no tuple.
        picked: Any = itemgetter(*names) if len(names) > 1 else lambda values: (values[names[0]],)
        self.names = names
        self.row: Callable[[Values], Row] = picked
        self.powers = _three(at, "power_l{}_kw")
        self.volts = _three(at, "voltage_l{}_v")
        self.currents = _three(at, "current_l{}_a")
        self.factor = at.get("power_factor")
        self.breathes = self.volts is not None or "frequency_hz" in at


def _three(at: Mapping[str, int], name: str) -> Callable[[Row], Three] | None:
    places = [at[name.format(phase)] for phase in (1, 2, 3) if name.format(phase) in at]
    picked: Callable[[Row], Any] = itemgetter(*places) if places else tuple
    return picked if len(places) == len(PHASES) else None


class Look:
    """Readings of one meter, one after the other.

    Attributes:
        layout: of its rows.
        rows: one a reading that gave everything, oldest first; at least one.
        first: when the look before ended, at first the first reading's moment.
        last: the newest reading's moment.
        top: the row with the greatest power.
        bottom: the row with the least.
        peak: that of the two with more power, whatever its sign.
    """

    __slots__ = ("bottom", "first", "last", "layout", "peak", "rows", "top")

    def __init__(self, layout: Layout, rows: list[Row], first: Stamp, last: Stamp) -> None:
        self.layout = layout
        self.rows = rows
        self.first, self.last = first, last
        self.top, self.bottom = max(rows), min(rows)
        self.peak = self.top if self.top[0] >= -self.bottom[0] else self.bottom


ALONE = Layout(FAST[:1])


def layout_of(batch: Sequence[Values], known: Layout) -> Layout:
    """The layout of these values: what the richest of them gives; each has its power."""
    names = tuple(filter(max(batch, key=len).__contains__, FAST))
    return known if names == known.names else Layout(names)


def rows_of(batch: Sequence[Values], layout: Layout) -> list[Row]:
    """The rows that are whole and hold only what can be a figure."""
    try:
        rows = list(map(layout.row, batch))
    except KeyError:
        needed = layout.names
        rows = [layout.row(values) for values in batch if all(name in values for name in needed)]
    if not -_MOST < sum(map(sum, rows)) < _MOST:
        rows = [row for row in rows if sum(map(abs, row)) < _MOST]
    return rows
