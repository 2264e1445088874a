"""What can be wrong with a meter's data: one injector a fault, with its moment and size by chance.

Each takes a trace and the samples concerned, and gives the trace that the gateway would read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.power.meters import PHASES, Trace
from simulators.power.moments import Floats, Rng

Part = NDArray[np.bool_]
Change = Callable[[Rng, Trace, Part], Trace]
_POWERS = ("power_kw", "power_l1_kw", "power_l2_kw", "power_l3_kw")


def _with(trace: Trace, changed: dict[str, Floats]) -> Trace:
    return replace(trace, values={**trace.values, **changed})


def gap(chance: Rng, trace: Trace, part: Part) -> Trace:  # noqa: ARG001 - one form for all
    """No answer."""
    return trace.kept(~part)


def frozen(chance: Rng, trace: Trace, part: Part) -> Trace:
    """It tells what it told when it froze: everything, or all but the counters."""
    first = max(int(np.flatnonzero(part)[0]) - 1, 0)
    counters = chance.random() < 0.7
    changed = {}
    for name, column in trace.values.items():
        if name.startswith("energy") and not counters:
            continue
        known = column[: first + 1][np.isfinite(column[: first + 1])]
        held = known[-1] if len(known) else column[np.isfinite(column)][0]
        changed[name] = np.where(part & np.isfinite(column), held, column)
    return _with(trace, changed)


def reversed_all(chance: Rng, trace: Trace, part: Part) -> Trace:  # noqa: ARG001
    """All CTs turned round: power is negative, the export counter runs."""
    changed = {name: np.where(part, -trace.values[name], trace.values[name]) for name in _POWERS}
    return _with(trace, changed | _recounted(trace, changed["power_kw"], part))


def reversed_phase(chance: Rng, trace: Trace, part: Part) -> Trace:
    """One CT turned round: a third is subtracted instead of added."""
    return _scaled_phases(trace, part, {int(chance.choice(PHASES)): -1.0})


def phase_lost(chance: Rng, trace: Trace, part: Part) -> Trace:
    """One phase gives nothing: its CT is shorted, or its voltage lead is off."""
    phase = int(chance.choice(PHASES))
    lost = _scaled_phases(trace, part, {phase: 0.0})
    lead = f"{'voltage' if chance.random() < 0.5 else 'current'}_l{phase}_"
    changed = {
        name: np.where(part, 0.0, column)
        for name, column in lost.values.items()
        if name.startswith(lead)
    }
    return _with(lost, changed)


def unbalanced(chance: Rng, trace: Trace, part: Part) -> Trace:
    """One phase tells a third to two thirds of what it carries: a CT partly shorted."""
    phase, share = int(chance.choice(PHASES)), float(chance.uniform(0.3, 0.65))
    changed = _scaled_phases(trace, part, {phase: share})
    name = f"current_l{phase}_a"
    column = trace.values[name]
    return _with(changed, {name: np.where(part, column * share, column)})


def spike(chance: Rng, trace: Trace, part: Part) -> Trace:
    """Single samples that no mine can draw, a few in the time."""
    index = np.flatnonzero(part)
    hit = chance.choice(index, min(len(index), int(chance.integers(1, 6))), replace=False)
    total = trace.values["power_kw"].copy()
    peak = max(float(np.abs(total).max()), 5.0)
    total[hit] = peak * chance.uniform(20, 2000, len(hit)) * chance.choice([1, 1, -1], len(hit))
    return _with(trace, {"power_kw": total})


def energy_mismatch(chance: Rng, trace: Trace, part: Part) -> Trace:
    """The counter counts a share of what flows, or the power register tells a share of it."""
    share = float(chance.choice([chance.uniform(0.1, 0.7), chance.uniform(1.5, 3.0)]))
    if chance.random() < 0.5:
        column = trace.values["energy_import_kwh"]
        return _with(trace, {"energy_import_kwh": _slowed(column, part, share)})
    share = min(share, 0.7) if share < 1 else share
    changed = {name: np.where(part, column * share, column) for name, column in _powers(trace)}
    changed |= {
        name: np.where(part, column * share, column)
        for name, column in trace.values.items()
        if name.startswith("current")
    }
    return _with(trace, changed)


def roll_over(chance: Rng, trace: Trace, part: Part) -> Trace:  # noqa: ARG001
    """No fault: the counter comes to its last digit and begins anew."""
    column = trace.values["energy_import_kwh"]
    first = int(np.flatnonzero(part)[0])
    top = np.nanmax(column)
    for limit in (1e5, 1e6, 1e7):
        if limit > top - column[np.isfinite(column)][0]:
            break
    before = column[:first][np.isfinite(column[:first])]
    base = before[-1] if len(before) else column[np.isfinite(column)][0]
    return _with(trace, {"energy_import_kwh": (column - base + limit - 0.5) % limit})


def set_back(chance: Rng, trace: Trace, part: Part) -> Trace:
    """The counter is reset, or set back to what it was."""
    first = int(np.flatnonzero(part)[0])
    column = trace.values["energy_import_kwh"].copy()
    now = column[:first][np.isfinite(column[:first])][-1]
    back = now if chance.random() < 0.5 else float(chance.uniform(20, min(5000, max(now, 21))))
    column[first:] = np.round(column[first:] - back, 1)
    return _with(trace, {"energy_import_kwh": column})


def ratio_changed(chance: Rng, trace: Trace, part: Part) -> Trace:
    """The ratio register is set to another value: all that depends on it shrinks."""
    factor = float(chance.choice([0.1, 0.2, 0.25, 0.5, 0.75]))
    ratio = trace.values["ct_ratio"]
    changed = {"ct_ratio": np.where(part, np.maximum(np.round(ratio * factor), 1), ratio)}
    real = float(np.nanmin(changed["ct_ratio"]) / np.nanmax(ratio))
    if real == 1.0:  # a meter without CTs: somebody sets it all the same
        real = 2.0
        changed["ct_ratio"] = np.where(part, ratio * real, ratio)
    for name, column in trace.values.items():
        if name.startswith(("power_kw", "power_l", "current")):
            changed[name] = np.where(part, column * real, column)
    return _with(trace, changed)


def serial_changed(chance: Rng, trace: Trace, part: Part) -> Trace:
    """Another meter in its place: serial, counter, phases, gain are its own."""
    first = int(np.flatnonzero(part)[0])
    other = str(int(chance.integers(10**9, 10**10)))
    serials = trace.serials.copy()
    serials[first:] = np.where(serials[first:] == "", "", other)
    column = trace.values["energy_import_kwh"].copy()
    begins = float(chance.uniform(0, 5e5))
    column[first:] = np.round(column[first:] - column[np.isfinite(column)][0] + begins, 1)
    return replace(_with(trace, {"energy_import_kwh": column}), serials=serials)


def too_perfect(chance: Rng, trace: Trace, part: Part) -> Trace:
    """A simulator answers: no noise, equal phases, a formula or a recorded hour again and again."""
    index = np.flatnonzero(part)
    mean = float(np.abs(trace.values["power_kw"][: index[0]]).mean())
    way = int(chance.integers(3))
    if way == 2:
        return _replayed(chance, trace, index)
    seconds = (trace.at_us[index] - trace.at_us[index[0]]) / 1e6
    total = np.full(len(index), round(mean, 2))
    if way == 1:
        total = np.round(
            mean * (1 + 0.1 * np.sin(2 * np.pi * seconds / chance.uniform(300, 3600))), 2
        )
    nominal = float(np.round(np.median(trace.values["voltage_l1_v"])))
    flat: dict[str, Floats | float] = {"power_kw": total, "power_factor": 0.9, "frequency_hz": 50.0}
    for phase in PHASES:
        flat[f"power_l{phase}_kw"] = total / 3
        flat[f"voltage_l{phase}_v"] = nominal
        flat[f"current_l{phase}_a"] = total / 3 * 1000 / 0.9 / nominal
    changed = {}
    for name, value in flat.items():
        changed[name] = trace.values[name].copy()
        changed[name][index] = value
    return _with(trace, changed | _recounted(trace, changed["power_kw"], part))


def voltage_gone(chance: Rng, trace: Trace, part: Part) -> Trace:  # noqa: ARG001
    """Its voltage leads are off, or the breaker is, while the fan must run."""
    changed = {
        name: np.where(part, 0.0, column)
        for name, column in trace.values.items()
        if name.startswith(("power", "voltage", "current"))
    }
    return _with(trace, changed | _recounted(trace, changed["power_kw"], part))


def swapped(one: Trace, other: Trace, begin_us: int, end_us: int) -> tuple[Trace, Trace]:
    """Two meters change addresses for a while: each answers where the other did."""
    return _spliced(one, other, begin_us, end_us), _spliced(other, one, begin_us, end_us)


def _spliced(one: Trace, other: Trace, begin_us: int, end_us: int) -> Trace:
    mine = (one.at_us < begin_us) | (one.at_us >= end_us)
    theirs = ~((other.at_us < begin_us) | (other.at_us >= end_us))
    at = np.concatenate((one.at_us[mine], other.at_us[theirs]))
    order = np.argsort(at, kind="stable")
    values = {
        name: np.concatenate((column[mine], other.values[name][theirs]))[order]
        for name, column in one.values.items()
    }
    serials = np.concatenate((one.serials[mine], other.serials[theirs]))[order]
    return replace(one, at_us=at[order], values=values, serials=serials)


def _replayed(chance: Rng, trace: Trace, index: NDArray[np.intp]) -> Trace:
    """A recorded stretch before, over and over; the counter goes on by it."""
    length = int(min(chance.uniform(20, 120), max(index[0] - 2, 2)))
    source = index[0] - length + np.arange(len(index)) % length
    changed = {}
    for name, column in trace.values.items():
        if name.startswith(("power", "voltage", "current", "frequency")):
            changed[name] = column.copy()
            changed[name][index] = column[source]
    part = np.zeros(len(trace.at_us), dtype=bool)
    part[index] = True
    return _with(trace, changed | _recounted(trace, changed["power_kw"], part))


def _powers(trace: Trace) -> list[tuple[str, Floats]]:
    return [(name, trace.values[name]) for name in _POWERS]


def _scaled_phases(trace: Trace, part: Part, scales: dict[int, float]) -> Trace:
    changed = {}
    for phase, scale in scales.items():
        name = f"power_l{phase}_kw"
        changed[name] = np.where(part, trace.values[name] * scale, trace.values[name])
    powers = [changed.get(f"power_l{p}_kw", trace.values[f"power_l{p}_kw"]) for p in PHASES]
    changed["power_kw"] = np.where(part, np.sum(powers, axis=0), trace.values["power_kw"])
    return _with(trace, changed | _recounted(trace, changed["power_kw"], part))


def _slowed(column: Floats, part: Part, share: float) -> Floats:
    """A counter that counts `share` of what it should in these samples."""
    known = np.flatnonzero(np.isfinite(column))
    steps = np.diff(column[known], prepend=column[known[0]])
    counted = column[known[0]] + np.cumsum(np.where(part[known], steps * share, steps))
    result = column.copy()
    result[known] = counted
    return _digits(column, result, part)


def _recounted(trace: Trace, power: Floats, part: Part) -> dict[str, Floats]:
    """Counters that go by another power than flows: import and export."""
    hours = np.diff(trace.at_us, prepend=trace.at_us[0]) / 3.6e9
    told = np.where(part, power, 0.0) * hours
    counters = {}
    for name, sign in (("energy_import_kwh", 1.0), ("energy_export_kwh", -1.0)):
        column = trace.values[name]
        kept = _slowed(column, part, 0.0)
        extra = np.cumsum(np.maximum(sign * told, 0.0))
        counters[name] = _digits(trace.values["energy_import_kwh"], kept + extra, part)
        counters[name] = np.where(_since(part), counters[name], column)
    return counters


def _since(part: Part) -> Part:
    """From the first sample concerned on."""
    return np.asarray(np.logical_or.accumulate(part))


def _digits(like: Floats, counter: Floats, part: Part) -> Floats:
    """A counter with as many digits as another; as it was before the first sample concerned."""
    known = like[np.isfinite(like)]
    fits = [s for s in (1.0, 0.1) if np.allclose(known / s, np.round(known / s), rtol=0, atol=1e-4)]
    step = fits[0] if fits else 0.01
    rounded = np.round(np.floor(counter / step + 1e-6) * step, 2)
    return np.where(_since(part), rounded, counter)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault: what makes it, how long it lasts (hours), and the alarm that names it."""

    change: Change
    hours: tuple[float, float]
    alarm: str


FAULTS: dict[str, FaultKind] = {
    "gap": FaultKind(gap, (0.3, 5), "meter-gap"),
    "frozen": FaultKind(frozen, (2, 12), "meter-frozen"),
    "reversed": FaultKind(reversed_all, (1, 24), "meter-reversed"),
    "phase-reversed": FaultKind(reversed_phase, (1, 24), "meter-reversed"),
    "phase-lost": FaultKind(phase_lost, (1, 24), "meter-phase-lost"),
    "unbalanced": FaultKind(unbalanced, (2, 24), "meter-unbalanced"),
    "spike": FaultKind(spike, (0.5, 4), "meter-spike"),
    "energy-mismatch": FaultKind(energy_mismatch, (6, 30), "meter-energy-mismatch"),
    "roll-over": FaultKind(roll_over, (1, 4), ""),
    "set-back": FaultKind(set_back, (1, 4), "meter-energy-set-back"),
    "ratio-changed": FaultKind(ratio_changed, (2, 30), "meter-ratio-changed"),
    "serial-changed": FaultKind(serial_changed, (2, 30), "meter-changed"),
    "too-perfect": FaultKind(too_perfect, (3, 24), "meter-too-perfect"),
    "voltage-gone": FaultKind(voltage_gone, (0.5, 8), "meter-voltage-gone"),
}
"""A new fault is one function and one line here. `swapped` concerns two traces and stands alone."""
SWAPPED_ALARM = "meters-swapped"
