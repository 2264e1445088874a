"""Labelled weeks: the same from the same seed, and labels lie where the load is."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from edge.domain.activity import Duty
from simulators.power.mechanisms import CLEAN, MECHANISMS
from simulators.power.mine import INCOMING, LAYOUTS
from simulators.power.week import DEVELOPMENT, HELD_OUT, ORDER, Week, layout_of, mechanism_of, week


@cache
def short(seed: int, layout: str, mechanism: str) -> Week:
    return week(seed, layout, mechanism, days=2, learn=2)


def test_the_same_seed_gives_the_same_week_and_another_seed_another():
    one, again, other = (
        week(seed, "feeders", "night-hoist", days=2, learn=2) for seed in (4, 4, 5)
    )
    assert (one.episodes, one.windows, one.declared) == (
        again.episodes,
        again.windows,
        again.declared,
    )
    for mine, same in zip(one.traces, again.traces, strict=True):
        assert np.array_equal(mine.at_us, same.at_us)
        assert np.array_equal(mine.serials, same.serials)
        for name, column in mine.values.items():
            assert np.array_equal(column, same.values[name], equal_nan=True), name
    assert one.traces[0].at_us[0] != other.traces[0].at_us[0]


def test_a_third_of_all_weeks_is_clean_and_every_mechanism_comes_with_both_layouts():
    seeds = range(2 * len(ORDER))
    drawn = {(mechanism_of(seed), layout_of(seed)) for seed in seeds}
    assert drawn == {(name, layout) for name in (*MECHANISMS, CLEAN) for layout in LAYOUTS}
    assert ORDER.count(CLEAN) >= len(ORDER) / 3
    assert HELD_OUT not in DEVELOPMENT


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_incoming_meter_is_there_and_alone_where_there_are_no_feeder_meters(layout):
    codes = {trace.code for trace in short(3, layout, CLEAN).traces}
    assert INCOMING in codes
    assert (codes == {INCOMING}) == (layout == INCOMING)
    assert layout == INCOMING or {"fan", "pump", "living"} <= codes


@pytest.mark.parametrize("mechanism", [*MECHANISMS])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_episodes_lie_after_the_commissioning_and_are_named_by_their_mechanism(layout, mechanism):
    one = week(1, layout, mechanism, days=4, learn=4)
    assert one.episodes
    for episode in one.episodes:
        assert one.learned_us <= episode.begin_us < episode.end_us <= one.end_us
        assert episode.mechanism == mechanism
        assert episode.kw > 0
        assert episode.end_us - episode.begin_us >= 600e6
    assert (mechanism == "contaminated-start") == bool(one.contamination)
    assert all(episode.end_us <= one.learned_us for episode in one.contamination)


def test_a_clean_week_has_no_episode_and_something_honest_happens():
    one = short(12, "feeders", CLEAN)
    assert not one.episodes
    assert len(one.happenings) >= 2


def test_a_hoist_draws_power_in_its_episodes_and_windows_and_else_none():
    for seed in range(20):
        one = short(seed, "feeders", "night-hoist")
        hoist = next((trace for trace in one.traces if trace.code == "hoist"), None)
        if hoist is not None:
            break
    assert hoist is not None
    allowed = np.zeros(len(hoist.at_us), dtype=bool)
    times = [(label.begin_us, label.end_us) for label in (*one.episodes, *one.contamination)]
    times += [(window.begin_us, window.end_us) for window in one.windows]
    for begin, end in times:
        allowed |= (hoist.at_us >= begin) & (hoist.at_us <= end)
    works = hoist.values["power_kw"] > 5
    assert works.any()
    assert not (works & ~allowed).any()


def test_work_on_an_unmetered_branch_shows_in_what_comes_in_and_in_no_feeder():
    one = short(6, "feeders", "unmetered")
    whole, *feeders = one.traces
    episode = one.episodes[0]
    residual = whole.values["power_kw"].copy()
    for trace in feeders:
        residual -= np.interp(whole.at_us, trace.at_us, trace.values["power_kw"])
    within = (whole.at_us >= episode.begin_us) & (whole.at_us < episode.end_us)
    before = (whole.at_us >= episode.begin_us - 3600e6) & (whole.at_us < episode.begin_us)
    assert residual[within].mean() - residual[before].mean() > episode.kw / 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_counters_count_what_flows(layout):
    for trace in short(9, layout, CLEAN).traces:
        counter = trace.values["energy_import_kwh"]
        known = np.flatnonzero(np.isfinite(counter))
        told = counter[known[-1]] - counter[known[0]]
        part = slice(known[0], known[-1] + 1)
        hours = np.diff(trace.at_us[part]) / 3.6e9
        power = trace.values["power_kw"][part]
        flows = float(((power[1:] + power[:-1]) / 2 * hours).sum())
        assert told == pytest.approx(flows, rel=0.04, abs=2.0), trace.code


def test_phases_sum_to_the_whole_and_currents_fit_the_power():
    for trace in short(9, "feeders", CLEAN).traces:
        values = trace.values
        phases = sum(values[f"power_l{phase}_kw"] for phase in (1, 2, 3))
        assert values["power_kw"] == pytest.approx(phases)
        apparent = values["voltage_l1_v"] * values["current_l1_a"] * values["power_factor"] / 1000
        loaded = values["power_l1_kw"] > 3
        assert apparent[loaded] == pytest.approx(values["power_l1_kw"][loaded], rel=0.05)


def test_samples_come_every_half_minute_with_jitter_and_counters_about_each_minute():
    trace = short(3, INCOMING, CLEAN).traces[0]
    gaps = np.diff(trace.at_us) / 1e6
    assert np.median(gaps) == pytest.approx(30, abs=0.5)
    assert gaps.min() > 20
    assert len(set(gaps.tolist())) > 100
    told = np.isfinite(trace.values["energy_import_kwh"])
    assert 0.4 < told.mean() < 0.6
    assert np.array_equal(told, trace.serials == trace.serial)


def test_what_a_technician_declares_names_every_machine_that_keeps_the_mine_alive():
    one = short(3, "feeders", CLEAN)
    duties = [duty for _name, duty, _kw in one.declared]
    assert {Duty.FAN, Duty.PUMP, Duty.LIVING} <= set(duties)
    assert all(kw > 0 for _name, _duty, kw in one.declared)


def test_a_tampered_meter_is_tampered_with_before_the_work_begins():
    one = week(2, "incoming", "reversed-ct", days=4, learn=4)
    for episode in one.episodes:
        label = next(f for f in one.faults if f.begin_us == episode.hidden_us)
        assert label.begin_us < episode.begin_us < episode.end_us < label.end_us
        assert label.sources == (INCOMING,)


def test_a_power_cut_silences_all_meters():
    for seed in range(60):
        one = short(seed, "feeders", CLEAN)
        cuts = [fault for fault in one.faults if fault.kind == "power-cut"]
        if cuts:
            break
    [cut] = cuts
    for trace in one.traces:
        assert not ((trace.at_us >= cut.begin_us) & (trace.at_us < cut.end_us)).any()


def test_leave_covers_the_test_that_it_is_given_for():
    for seed in range(60):
        one = short(seed, "feeders", CLEAN)
        tests = [event for event in one.happenings if event.kind == "machine-test"]
        if tests:
            break
    [test], [window] = tests, [w for w in one.windows if w.what == "machine-test"]
    assert window.begin_us < test.begin_us < test.end_us < window.end_us
    assert set(window.feeders) <= {trace.code for trace in one.traces}
