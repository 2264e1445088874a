"""Faults put into the traces of a week: tampering and power cuts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.power.faults import FAULTS
from simulators.power.labels import FaultLabel
from simulators.power.mechanisms import Tamper
from simulators.power.meters import Trace
from simulators.power.moments import Rng, Span
from simulators.power.weather import Event


def spoiled(
    chance: Rng, span: Span, traces: Sequence[Trace], tampers: Iterable[Tamper], events: list[Event]
) -> tuple[list[Trace], list[FaultLabel]]:
    """Meters that were tampered with, and those that a power cut silences."""
    by_code = {trace.code: trace for trace in traces}
    labels = []
    for tamper in tampers:
        begin, end = span.us(tamper.begin_s), span.us(tamper.end_s)
        label = FaultLabel(begin, end, tamper.kind, (tamper.source,))
        by_code[tamper.source] = spoil(chance, by_code[tamper.source], label)
        labels.append(label)
    for event in events:
        if event.kind == "power-cut":
            begin, end = span.us(event.begin_s), span.us(event.end_s)
            by_code = {
                code: trace.kept((trace.at_us < begin) | (trace.at_us >= end))
                for code, trace in by_code.items()
            }
            labels.append(FaultLabel(begin, end, event.kind, tuple(by_code)))
    return list(by_code.values()), labels


def spoil(chance: Rng, trace: Trace, label: FaultLabel) -> Trace:
    """A trace with the fault of this label."""
    part = part_of(trace, label)
    return FAULTS[label.kind].change(chance, trace, part) if part.any() else trace


def part_of(trace: Trace, label: FaultLabel) -> NDArray[np.bool_]:
    """The samples within a fault's time."""
    return np.asarray((trace.at_us >= label.begin_us) & (trace.at_us < label.end_us))
