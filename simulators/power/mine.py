"""A mine as built: which branches it has, which of them are metered, what keeps it alive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.domain.activity import Duty
from simulators.power.fan import Fan
from simulators.power.living import Living
from simulators.power.moments import Floats, Rng, Span, log_uniform, smooth
from simulators.power.sump import Drainage, Station, drain, draw_station
from simulators.power.weather import Event, Weather

LAYOUTS = ("feeders", "incoming")
INCOMING = "incoming"
UNMETERED = "unmetered"
PUMP = "pump"
_IDLE = (Duty.HOIST, Duty.BELT, Duty.COMPRESSOR, Duty.FACE)


@dataclass(frozen=True)
class Mine:
    """What was built.

    Attributes:
        layout: one of `LAYOUTS`.
        meters: code of each meter but the incoming one → its duty.
        station: the pumps.
        fan: the main fan.
        living: the guard house.
        warmer_kw: the heater that keeps the shaft from freezing, 0 without one.
        other_kw: small things of no name.
        idle_kw: what stands still and is not dead: control, heating of cabinets; by branch.
        copper: losses at peak as a share.
        iron_kw: losses of the transformer at no load.
    """

    layout: str
    meters: dict[str, Duty]
    station: Station
    fan: Fan
    living: Living
    warmer_kw: float
    other_kw: float
    idle_kw: dict[str, float]
    copper: float
    iron_kw: float


def draw_mine(chance: Rng, layout: str, *, big_pump: bool = False) -> Mine:
    """A mine of this layout; with feeder meters, a quarter have none at what must stand still."""
    meters: dict[str, Duty] = {}
    if layout == "feeders":
        meters = {"fan": Duty.FAN, PUMP: Duty.PUMP, "living": Duty.LIVING}
        if chance.random() < 0.75:
            meters["hoist"] = Duty.HOIST
            for duty in (Duty.BELT, Duty.COMPRESSOR, Duty.FACE, Duty.OTHER):
                if chance.random() < 0.4:
                    meters[duty.value] = duty
    idle = {duty.value: float(chance.choice([0.0, chance.uniform(0.05, 1.2)])) for duty in _IDLE}
    return Mine(
        layout,
        meters,
        draw_station(chance, big=big_pump),
        Fan(chance),
        Living(chance),
        log_uniform(chance, 12, 60) if chance.random() < 0.25 else 0.0,
        log_uniform(chance, 0.3, 3.0),
        idle,
        float(chance.uniform(0.004, 0.02)),
        log_uniform(chance, 0.4, 3.0),
    )


@dataclass
class Alive:
    """What keeps the mine alive, by step.

    Attributes:
        branches: branch → kW.
        drainage: what the pumps did.
        dark: where the mine has no power, 0 or 1.
    """

    branches: dict[str, Floats]
    drainage: Drainage
    dark: NDArray[np.bool_]

    def add(self, branch: str, first: int, kw: Floats) -> None:
        """A load on a branch from this step on, while there is power."""
        if branch not in self.branches:
            self.branches[branch] = np.zeros(len(self.dark))
        part = self.branches[branch][first : first + len(kw)]
        part += np.where(self.dark[first : first + len(kw)], 0.0, kw[: len(part)])

    def total(self) -> Floats:
        """What flows into all branches, without losses."""
        total: Floats = np.sum(list(self.branches.values()), axis=0)
        return total


def keep_alive(chance: Rng, mine: Mine, span: Span, sky: Weather, events: list[Event]) -> Alive:
    """Permitted loads of the span."""
    dark = np.zeros(span.size, dtype=bool)
    for event in events:
        if event.kind == "power-cut":
            dark[span.step(event.begin_s) : span.step(event.end_s)] = True
    drainage = drain(chance, span, mine.station, sky.wetness, dark)
    pumps = np.sum(drainage.kw, axis=0) + float(chance.uniform(0.02, 0.4))
    branches = {
        "fan": mine.fan.kw(chance, span, sky.temperature, events) + 0.3,
        PUMP: pumps,
        "living": mine.living.kw(chance, span, sky.temperature, events),
        "other": mine.other_kw * (1 + smooth(chance, span, 1800, 0.06)),
    }
    if mine.warmer_kw:
        branches["other"] += _warmer(mine.warmer_kw, sky.temperature)
    for branch, kw in mine.idle_kw.items():
        branches[branch] = kw * (1 + smooth(chance, span, 3600, 0.05))
    for power in branches.values():
        power[dark] = 0.0
    return Alive(branches, drainage, dark)


def incoming(mine: Mine, total: Floats) -> Floats:
    """What the incoming meter is given: all branches and the losses on the way."""
    peak = max(float(total.max()), 1.0)
    alive = total > 0
    return total * (1 + mine.copper * total / peak) + np.where(alive, mine.iron_kw, 0.0)


def _warmer(kw: float, temperature: Floats) -> Floats:
    """Three stages that keep the shaft's air above two degrees, with hysteresis of 1.5 K."""
    power = np.zeros(len(temperature))
    for stage, limit in enumerate((2.0, -6.0, -14.0)):
        power += np.where(_hysteresis(temperature, limit, limit + 1.5 + 0.1 * stage), kw / 3, 0.0)
    return power


def _hysteresis(value: Floats, on_below: float, off_above: float) -> NDArray[np.bool_]:
    known = np.where(value < on_below, 1, np.where(value > off_above, 0, -1))
    index = np.maximum.accumulate(np.where(known >= 0, np.arange(len(value)), 0))
    return np.asarray(known[index] == 1)
