"""Faults of meters' data: each changes what it says, where it says, and nothing before."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from simulators.power.faulted import SWAPPED, with_fault
from simulators.power.faults import FAULTS
from simulators.power.labels import FaultLabel
from simulators.power.mechanisms import CLEAN
from simulators.power.meters import Trace
from simulators.power.week import Week, week


@cache
def base() -> Week:
    return week(31, "feeders", CLEAN, days=2, learn=2)


def spoilt(kind: str, draw: int) -> tuple[Trace, Trace, FaultLabel]:
    """The trace before and after, and what was done to it."""
    one = with_fault(base(), kind, draw)
    label = one.faults[-1]
    before, after = (
        next(trace for trace in found.traces if trace.code == label.sources[0])
        for found in (base(), one)
    )
    return before, after, label


@pytest.mark.parametrize("kind", [*FAULTS, SWAPPED])
@pytest.mark.parametrize("draw", range(3))
def test_a_fault_begins_when_it_says_and_changes_nothing_before(kind, draw):
    before, after, label = spoilt(kind, draw)
    assert label.kind == kind
    assert base().learned_us <= label.begin_us < label.end_us <= base().end_us
    early = after.at_us < label.begin_us
    assert np.array_equal(after.at_us[early], before.at_us[: early.sum()])
    for name, column in after.values.items():
        assert len(column) == len(after.at_us) == len(after.serials)
        if not (kind == "roll-over" and name == "energy_import_kwh"):
            known = before.values[name][: early.sum()]
            assert np.array_equal(column[early], known, equal_nan=True), name


@pytest.mark.parametrize("kind", [*FAULTS, SWAPPED])
def test_the_same_draw_is_the_same_fault_and_another_draw_another(kind):
    first, again, other = (with_fault(base(), kind, draw).faults[-1] for draw in (4, 4, 5))
    assert first == again
    assert first != other


def within(trace: Trace, label: FaultLabel) -> np.ndarray:
    return (trace.at_us >= label.begin_us) & (trace.at_us < label.end_us)


@pytest.mark.parametrize("draw", range(3))
def test_each_fault_is_what_it_is_called(draw):
    def of(kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        before, after, label = spoilt(kind, draw)
        return before.values[name][within(before, label)], after.values[name][within(after, label)]

    assert len(of("gap", "power_kw")[1]) == 0
    assert len(set(of("frozen", "power_kw")[1].tolist())) == 1
    was, told = of("reversed", "power_kw")
    assert np.array_equal(told, -was)
    was, told = of("phase-reversed", "power_kw")
    assert np.sum(told) < np.sum(was)
    was, told = of("phase-lost", "power_kw")
    assert 0.4 < np.sum(told) / np.sum(was) < 0.9
    was, told = of("spike", "power_kw")
    assert 1 <= np.sum(was != told) <= 5
    was, told = of("ratio-changed", "ct_ratio")
    assert np.nanmax(told) != np.nanmax(was)
    assert not of("voltage-gone", "voltage_l2_v")[1].any()
    was, told = of("too-perfect", "voltage_l1_v")
    assert len(set(told.tolist())) <= 121


def test_a_counter_that_rolls_over_goes_on_at_nothing():
    _before, after, label = spoilt("roll-over", 1)
    counter = after.values["energy_import_kwh"]
    known = counter[np.isfinite(counter)]
    steps = np.diff(known)
    assert (steps < -90_000).sum() == 1
    assert known.min() >= 0
    assert label.kind == "roll-over"


def test_a_counter_set_back_falls_once():
    _before, after, label = spoilt("set-back", 0)
    counter = after.values["energy_import_kwh"]
    known = np.isfinite(counter)
    falls = np.flatnonzero(np.diff(counter[known]) < -10)
    assert len(falls) == 1
    assert abs(int(after.at_us[known][falls[0] + 1]) - label.begin_us) < 180e6


def test_a_meter_changed_has_another_serial_for_good():
    before, after, label = spoilt("serial-changed", 0)
    late = after.serials[after.at_us >= label.begin_us]
    assert before.serial not in set(late.tolist())
    assert len(set(late.tolist()) - {""}) == 1


def test_meters_swapped_answer_for_each_other_and_back():
    one = with_fault(base(), SWAPPED, 0)
    label = one.faults[-1]
    before = {trace.code: trace for trace in base().traces}
    after = {trace.code: trace for trace in one.traces}
    here, there = label.sources
    told = after[here].serials[within(after[here], label)]
    assert set(told.tolist()) - {""} == {before[there].serial}
    assert np.all(np.diff(after[here].at_us) > 0)


def test_energy_that_does_not_match_differs_from_what_the_power_adds_up_to():
    for draw in range(4):
        _before, after, label = spoilt("energy-mismatch", draw)
        part = within(after, label)
        counter = after.values["energy_import_kwh"][part]
        known = np.flatnonzero(np.isfinite(counter))
        told = counter[known[-1]] - counter[known[0]]
        power = after.values["power_kw"][part][known[0] : known[-1]]
        hours = np.diff(after.at_us[part][known[0] : known[-1] + 1]) / 3.6e9
        assert abs(told / (power * hours).sum() - 1) > 0.2
