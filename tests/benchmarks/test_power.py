"""The benchmark of power: what it plays is what a gateway reads, and it counts what happened."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks import power, power_faults, power_peers, power_play, power_real, power_score
from benchmarks.power_play import Raised
from edge.domain.activity import Duty
from edge.domain.observation import Reading, SourceBack, SourceLost
from simulators.power.labels import Episode, FaultLabel
from simulators.power.mechanisms import CLEAN
from simulators.power.meters import Trace
from simulators.power.week import Week, week

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
START_US = 1_775_000_000_000_000 // DAY_US * DAY_US


def trace(kw: np.ndarray, code: str = "incoming") -> Trace:
    """A meter that was asked every half minute."""
    at = START_US + np.arange(len(kw), dtype=np.int64) * 30_000_000
    ratio = np.where(np.arange(len(kw)) % 2 == 0, 1.0, np.nan)
    serials = np.where(np.isfinite(ratio), "7", "")
    values = {"power_kw": kw, "ct_ratio": ratio}
    return Trace(code, Duty(code), 10.0, "7", at, values, serials)


def labelled(**changes: object) -> Week:
    """Two days learned, two that count, an episode in the second night."""
    kw = np.full(4 * 2880, 20.0)
    begin = START_US + 2 * DAY_US + 16 * HOUR_US
    kw[2 * 2880 + 16 * 120 : 2 * 2880 + 19 * 120] = 90.0
    found = Week(
        seed=1, layout="incoming", mechanism="belt", start_us=START_US,
        learned_us=START_US + 2 * DAY_US, end_us=START_US + 4 * DAY_US, traces=(trace(kw),),
        declared=(("fan", Duty.FAN, 18.0),),
        episodes=(Episode(begin, begin + 3 * HOUR_US, "belt", 70.0, "unmetered"),),
        contamination=(), windows=(), faults=(), happenings=(),
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def said(kind: str, hours: float, since: float | None = None, source: str = "incoming") -> Raised:
    """An incident so many hours after the commissioning."""
    at = START_US + 2 * DAY_US + round(hours * HOUR_US)
    begun = at if since is None else START_US + 2 * DAY_US + round(since * HOUR_US)
    return Raised(kind, kind, source, at, begun, "")


@pytest.mark.parametrize(
    ("raised", "found", "false"),
    [
        ([], 0, 0),
        ([said("unexplained-load", 16.1)], 1, 0),
        ([said("unexplained-load", 19.1)], 1, 0),
        ([said("unexplained-load", 19.3)], 0, 1),
        ([said("share-risen", 24.0, since=0.0)], 0, 0),
        ([said("share-risen", 44.0)], 0, 0),
        ([said("share-risen", 8.0)], 0, 1),
        ([said("load-running", 10.0)], 0, 1),
        ([said("load-running", -3.0)], 0, 0),
        ([said("meter-frozen", 17.0)], 0, 0),
        ([said("meter-frozen", 5.0)], 0, 1),
        ([said("meter-lost", 5.0), said("clock-stepped", 6.0)], 0, 0),
        ([said("unexplained-load", 17.0), said("unexplained-load", 18.0)], 1, 0),
    ],
)
def test_an_episode_is_found_by_what_is_said_in_its_time_and_the_rest_is_false(
    raised, found, false
):
    scored = power_score.score(labelled(), raised)
    assert sum(one.delay_s is not None for one in scored.found) == found
    assert len(scored.false) == false


def test_a_delay_counts_from_the_begin_of_the_work():
    [found] = power_score.score(labelled(), [said("residual-load", 16.25)]).found
    assert found.delay_s == pytest.approx(900)
    assert (found.by, found.load) == ("residual-load", True)


def test_where_the_meter_was_tampered_with_telling_that_is_finding_it():
    one = labelled()
    hidden = one.episodes[0].begin_us - HOUR_US
    episode = replace(one.episodes[0], mechanism="frozen", hidden_us=hidden)
    fault = FaultLabel(hidden, episode.end_us, "frozen", ("incoming",))
    one = replace(one, mechanism="frozen", episodes=(episode,), faults=(fault,))
    scored = power_score.score(one, [said("meter-frozen", 15.5)])
    assert (scored.found[0].delay_s, scored.found[0].load) == (0.0, False)
    assert not scored.false


def test_a_fault_named_in_its_time_is_not_false_but_load_then_is():
    begin = START_US + 2 * DAY_US + HOUR_US
    one = labelled(faults=(FaultLabel(begin, begin + HOUR_US, "gap", ("incoming",)),))
    told = [said("meter-gap", 1.5), said("load-running", 1.5), said("meter-gap", 1.5, source="fan")]
    assert power_score.score(one, told).false == told[1:]


def test_each_peer_finds_a_step_and_says_nothing_of_the_days_before():
    for name in power_peers.PEERS:
        alarms = power_peers.raised_by(name, labelled())
        scored = power_score.score(labelled(), alarms)
        assert scored.found[0].delay_s is not None, name
        assert not scored.false, name


def test_readings_are_what_the_poller_would_make_and_a_silent_meter_is_lost():
    whole, fan = trace(np.arange(40.0)), trace(np.ones(40), "fan")
    keep = np.ones(40, dtype=bool)
    keep[10:20] = False
    seen = list(power_play._observations((whole, fan.kept(keep))))
    assert all(a.stamp.wall_us <= b.stamp.wall_us for a, b in pairwise(seen))
    readings = [one for one in seen if isinstance(one, Reading)]
    assert len(readings) == 40 + 30
    assert [dict(one.values) for one in readings if one.source == "incoming"][:2] == [
        {"power_kw": 0.0, "ct_ratio": 1.0},
        {"power_kw": 1.0},
    ]
    assert [one.serial for one in readings][:4] == ["7", "7", "", ""]
    [lost] = [one for one in seen if isinstance(one, SourceLost)]
    [back] = [one for one in seen if isinstance(one, SourceBack)]
    assert lost.source == back.source == "fan"
    assert back.lost_s == pytest.approx(330)
    assert lost.stamp.since(readings[0].stamp) == pytest.approx(9 * 30 + 105, abs=1)


def test_a_week_is_played_with_its_permits_and_its_declared_machines():
    one = week(31, "incoming", CLEAN, days=2, learn=1)
    [meter] = power_play.site(one).bus[0].meter
    assert meter.learning_days == 1
    assert {machine.duty for machine in meter.permitted} >= {Duty.FAN, Duty.PUMP}
    assert isinstance(power_play.play(one), list)


def test_machines_that_have_a_meter_are_declared_there():
    one = week(31, "feeders", CLEAN, days=2, learn=1)
    meters = {meter.code: meter for meter in power_play.site(one).bus[0].meter}
    assert {machine.duty for machine in meters["fan"].permitted} == {Duty.FAN}
    assert Duty.FAN not in {machine.duty for machine in meters["incoming"].permitted}


def test_a_fault_is_found_named_and_not_called_load():
    label = FaultLabel(START_US, START_US + HOUR_US, "frozen", ("fan",))
    job = power_faults.Job("frozen", 0, 1)
    at = START_US + HOUR_US // 2
    named = Raised("meter-frozen", "meter-frozen", "fan", at, at, "")
    other = replace(named, code="meter-gap", kind="meter-gap")
    load = replace(named, code="production-load", kind="load-running")

    def judge(*raised: Raised) -> tuple[bool, bool, bool]:
        told = power_faults.judge(job, label, raised, "feeders")
        return told.found, told.named, told.activity

    assert judge(named) == (True, True, False)
    assert judge(other) == (True, False, False)
    assert judge(named, load) == (True, True, True)
    assert judge(replace(named, source="pump")) == (False, False, False)


def test_a_counter_that_rolls_over_must_not_be_told():
    label = FaultLabel(START_US, START_US + HOUR_US, "roll-over", ("fan",))
    job = power_faults.Job("roll-over", 0, 1)
    alarm = Raised("meter-energy-set-back", "meter-energy-set-back", "fan", START_US, START_US, "")
    assert power_faults.judge(job, label, [], "feeders").named
    assert not power_faults.judge(job, label, [alarm], "feeders").named


def test_real_traces_are_read_and_dinners_are_no_end(tmp_path):
    rows = ["ts,p_kw,label,note"]
    for quarter in range(96):
        hour = quarter / 4
        lit = 8 <= hour < 12 or 13 <= hour < 17 or hour >= 20
        rows.append(f"2026-03-01T{int(hour):02}:{quarter % 4 * 15:02}:00Z,5.5,{int(lit)},")
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    listed = [{"id": "x", "file": "x.csv.gz", "interval_s": 900}, {"id": "y", "file": "y.csv.gz"}]
    (tmp_path / "manifest.json").write_text(json.dumps({"scenarios": listed}), "utf-8")
    assert power_real.scenarios(tmp_path) == ["x"]
    assert power_real.scenarios(tmp_path / "none") == []
    found = power_real.episodes(power_real.load(tmp_path, "x"))
    assert [(one.end_us - one.begin_us) / HOUR_US for one in found] == [9.0, 4.0]
    name, scored, _raised, _lines = power_real.work(tmp_path, "x")
    assert (name, len(scored.found)) == ("x", 0)  # all of it is learned


def test_seeds_and_layouts_are_chosen_on_the_command_line():
    args = power.parser().parse_args(["--seeds", "3:5", "--layout", "incoming", "--no-peers"])
    [first, second] = power.jobs(args)
    assert (first.seed, second.seed, first.layout, first.peers) == (3, 4, "incoming", False)


def test_the_figures_are_those_of_the_table():
    job = power.Job(1, "incoming", "belt", peers=False)
    scored = power_score.score(labelled(), [said("unexplained-load", 17), said("load-running", 1)])
    done = [power.Done(job, {power.OURS: scored}, [])]
    assert power.figures(done, power.OURS, "incoming") == (1.0, 0.5)
    assert power.figures(done, power.OURS, "feeders") == (None, None)
    assert power.summary(done)["delay_p50_min"] == 60
    assert any("belt" in row and "3600" in row for row in power.table(done, "incoming"))
