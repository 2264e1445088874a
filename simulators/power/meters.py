"""What a meter tells of the power that flows through it: phases, noise, resolution, counter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edge.domain.activity import Duty
from simulators.power.moments import DAY_S, HOUR_S, STEP_S, Floats, Rng, Span, smooth

PERIOD_S = 30
PHASES = (1, 2, 3)
_LOW_V, _HIGH_V, _HIGH_KW = 220.0, 1000.0, 150.0


@dataclass(frozen=True, slots=True)
class Trace:
    """One meter through a week, sample by sample.

    Attributes:
        code: of the meter.
        duty: of its feeder.
        rated_kw: as a technician would declare it.
        serial: the meter's own.
        at_us: moments of the samples, µs since 1970 UTC, rising.
        values: quantity → array of the same length, NaN where that sweep did not read it.
        serials: the number read in that sweep, empty where it was not read.
    """

    code: str
    duty: Duty
    rated_kw: float
    serial: str
    at_us: NDArray[np.int64]
    values: dict[str, Floats]
    serials: NDArray[np.str_]

    def kept(self, keep: NDArray[np.bool_]) -> Trace:
        """The same with these samples only."""
        values = {name: column[keep] for name, column in self.values.items()}
        return replace(self, at_us=self.at_us[keep], values=values, serials=self.serials[keep])


@dataclass(frozen=True)
class Grid:
    """The supply, the same for all meters of a mine.

    Attributes:
        nominal_v: phase voltage where it comes in.
        voltage: by step, as a share of the nominal one.
        hertz: by step.
    """

    nominal_v: float
    voltage: Floats
    hertz: Floats


def draw_grid(chance: Rng, span: Span, total_kw: Floats) -> Grid:
    """A supply that sags with the mine's load and with the hour."""
    nominal = float(chance.choice([_LOW_V, _LOW_V, 381.0, 3464.0, 5774.0]))
    sag = float(chance.uniform(0.005, 0.03)) / max(float(total_kw.max()), 1.0)
    voltage = float(chance.uniform(0.98, 1.05)) * (1 - sag * total_kw)
    voltage *= 1 + 0.008 * np.cos(2 * np.pi * (span.hour - 3) / 24)
    voltage *= 1 + smooth(chance, span, HOUR_S, 0.004) + smooth(chance, span, 60, 0.0015)
    return Grid(nominal, voltage, 50 + smooth(chance, span, 300, 0.018))


@dataclass(frozen=True)
class Fitting:
    """How a meter was fitted.

    Attributes:
        gain: of its CTs, about 1.
        noise: of one sample, as a share.
        step_kw: resolution of its power.
        step_kwh: resolution of its counter.
        floor_kw: below this it reads nothing.
        ct, pt: ratios.
        nominal_v: phase voltage of the feeder.
        power_factor: of the feeder at load.
        phases: share of each phase.
        counter_kwh: where its counter began.
    """

    gain: float
    noise: float
    step_kw: float
    step_kwh: float
    floor_kw: float
    ct: float
    pt: float
    nominal_v: float
    power_factor: float
    phases: Floats = field(default_factory=lambda: np.ones(3) / 3)
    counter_kwh: float = 1000.0


def draw_fitting(chance: Rng, duty: Duty, peak_kw: float, nominal_v: float) -> Fitting:
    """A meter of class 0.5 or 1 whose CTs suit the feeder; small feeders have low voltage."""
    if nominal_v > _HIGH_V and duty is not Duty.INCOMING and peak_kw < _HIGH_KW:
        nominal_v = _LOW_V
    pt = {3464.0: 60.0, 5774.0: 100.0}.get(nominal_v, 1.0)
    amps = max(peak_kw, 2.0) * 1000 / 3 / nominal_v / 0.85
    sizes = np.array([5, 30, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1000, 1500, 2000, 3000])
    fits = sizes[sizes >= min(amps * float(chance.uniform(1.0, 2.0)), 3000)]
    primary = float(fits[0])
    full_kw = primary * 3 * nominal_v / 1000
    uneven = chance.normal(0, 0.12 if duty is Duty.LIVING else 0.006, 3)
    phases = (1 + uneven) / (3 + uneven.sum())
    return Fitting(
        gain=1 + float(chance.normal(0, 0.004)),
        noise=float(chance.uniform(0.0005, 0.003)),
        step_kw=float(chance.choice([0.001, 0.01, 0.1])) * max(1.0, full_kw / 500),
        step_kwh=float(chance.choice([0.01, 0.1, 1.0])),
        floor_kw=full_kw * float(chance.uniform(0.0002, 0.001)),
        ct=primary / 5,
        pt=pt,
        nominal_v=nominal_v,
        power_factor=float(chance.uniform(0.78, 0.92)),
        phases=phases,
        counter_kwh=float(chance.uniform(500, 700_000)),
    )


def sample_times(chance: Rng, span: Span, lost: float) -> tuple[NDArray[np.int64], Floats]:
    """Moments of the samples with jitter, some lost: µs, and seconds since the start."""
    seconds = np.arange(PERIOD_S, span.length_s - PERIOD_S, PERIOD_S, dtype=np.float64)
    seconds += np.clip(chance.normal(0, 0.15, len(seconds)), -2, 2)
    keep = chance.random(len(seconds)) >= lost
    for _ in range(int(chance.poisson(span.length_s / (3 * DAY_S)))):  # a noisy minute
        at = float(chance.uniform(0, span.length_s))
        keep &= ~((seconds > at) & (seconds < at + chance.uniform(20, 80)))
    seconds = seconds[keep]
    return (seconds * 1e6).astype(np.int64) + span.start_us, seconds


def read(
    chance: Rng,
    span: Span,
    grid: Grid,
    fit: Fitting,
    kw: Floats,
    code: str,
    duty: Duty,
    rated_kw: float,
    lost: float,
    per_phase: Floats | None = None,
) -> Trace:
    """What a meter fitted so tells of `kw` (by step; `per_phase`: 3 × steps where it is known)."""
    at_us, seconds = sample_times(chance, span, lost)
    index = np.minimum((seconds / STEP_S).astype(np.int64), span.size - 1)
    phased = np.outer(fit.phases, kw) if per_phase is None else per_phase
    phased = phased[:, index] * fit.gain
    phased = phased * (1 + chance.normal(0, fit.noise, phased.shape))
    phased[np.abs(phased) * 3 < fit.floor_kw] = 0.0
    phased = np.round(phased / fit.step_kw) * fit.step_kw
    total = phased.sum(axis=0)
    volts = fit.nominal_v * grid.voltage[index] * (1 + chance.normal(0, 0.0006, (3, len(index))))
    volts *= 1 + chance.normal(0, 0.003, (3, 1))
    idle = np.clip(np.abs(total) / max(0.3 * float(np.abs(kw).max()), 0.1), 0, 1)
    factor = fit.power_factor * (0.35 + 0.65 * np.sqrt(idle)) + chance.normal(0, 0.003, len(index))
    factor = np.clip(factor, 0.05, 1.0)
    values = {"power_kw": total}
    for phase, power, volt in zip(PHASES, phased, volts, strict=True):
        values[f"power_l{phase}_kw"] = power
        values[f"voltage_l{phase}_v"] = np.round(volt, 1)
        values[f"current_l{phase}_a"] = np.round(np.abs(power) * 1000 / factor / volt, 2)
    values["power_factor"] = np.round(np.where(total == 0, 1.0, factor), 3)
    values["frequency_hz"] = np.round(grid.hertz[index] + chance.normal(0, 0.004, len(index)), 2)
    values |= _slow(seconds, index, fit, kw)
    serial = f"{int(chance.integers(10**9, 10**10))}"
    slow = np.isfinite(values["ct_ratio"])
    return Trace(code, duty, rated_kw, serial, at_us, values, np.where(slow, serial, ""))


def _slow(seconds: Floats, index: NDArray[np.int64], fit: Fitting, kw: Floats) -> dict[str, Floats]:
    """What is read about once a minute: counters and ratios."""
    minute = (seconds // 60).astype(np.int64)
    slow = np.concatenate(([True], np.diff(minute) > 0))
    energy = np.concatenate(([0.0], np.cumsum(kw * fit.gain) * STEP_S / HOUR_S))[index]
    counter = np.floor((fit.counter_kwh + np.maximum(energy, 0)) / fit.step_kwh) * fit.step_kwh
    columns = {
        "energy_import_kwh": counter,
        "energy_export_kwh": np.zeros(len(index)),
        "ct_ratio": np.full(len(index), fit.ct),
        "pt_ratio": np.full(len(index), fit.pt),
    }
    return {name: np.where(slow, column, np.nan) for name, column in columns.items()}
