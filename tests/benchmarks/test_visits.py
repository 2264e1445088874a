"""The benchmark of visits: what it scripts is what it says, and what it counts is what happened."""

from __future__ import annotations

import argparse
from typing import cast

import numpy as np
import pytest

from benchmarks import visits, visits_clip, visits_run
from benchmarks.visits_clip import Clip, Visit
from benchmarks.visits_run import Opened, Played
from benchmarks.visits_stream import FPS, GOP_S, LazyStream
from edge.domain.observation import Label
from edge.vision.detect.detector import Detection, Detector
from simulators.cameras.scene import Scene
from simulators.cameras.scene.weather import SETTINGS

SIZE = (320, 180)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(visits_clip, "SIZE", SIZE)


@pytest.fixture(scope="module", autouse=True)
def painted_anew():
    visits_clip._painted.cache_clear()
    yield
    visits_clip._painted.cache_clear()


@pytest.mark.parametrize("view", visits_clip.VIEWS)
def test_visits_last_as_long_as_they_should_and_do_not_touch(view):
    clip = visits_clip.visits("day", view, 0, 12)
    assert len(clip.visits) == 12
    end = 0.0
    for visit in clip.visits:
        assert 2 <= visit.end - visit.begin <= 20
        assert visit.begin > end + 15
        end = visit.end
    assert clip.seconds > end
    middle = (clip.visits[0].begin + clip.visits[0].end) / 2
    assert any(box.label == "person" for box in clip.scene.boxes(middle))


@pytest.mark.parametrize("setting", SETTINGS)
def test_empty_hours_hold_nuisances_and_nobody(setting):
    clip = visits_clip.empty(setting, "near", 0, 7200.0)
    assert not clip.visits
    assert len(clip.events) > 5
    assert all(0 < event.begin < event.end for event in clip.events)
    assert all(actor.kind.label == "animal" for actor in clip.scene.actors)
    again = visits_clip.empty(setting, "near", 0, 7200.0)
    assert again.events == clip.events


def test_a_stream_makes_only_pictures_that_are_asked_for_and_begins_at_a_key():
    stream = LazyStream(visits_clip.build("ir-night-8", "near", 0))
    coming = list(stream.pictures(2 * GOP_S))
    assert len(coming) == round(2 * GOP_S * FPS)
    assert [item.since_key for item in coming].count(0) == 2
    assert stream.asked == 0
    late = coming[30].decode()  # inside the second group
    assert (late.width, late.height) == SIZE
    assert stream.asked == 1
    plain = stream._scene.render(coming[30].t)
    shown = late.to_ndarray(format="bgr24")
    assert np.abs(shown.astype(int) - plain).mean() < 8
    assert 16 <= stream.qp <= 46


def test_animals_go_through_the_zone_one_after_another():
    clip = visits_clip.animals("day", "near", 0, 3)
    assert [actor.kind.label for actor in clip.scene.actors] == ["animal"] * 3
    zone = clip.scene.layout.zones["shaft-mouth"]
    for actor, event in zip(clip.scene.actors, clip.events, strict=True):
        pose = actor.at((event.begin + event.end) / 2)
        assert pose is not None
        assert visits_clip.within(pose.place, zone)


class _Knows:
    """Finds whoever is there: the truth of the scene."""

    batches = False
    input = (1280, 720)

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def detect(self, pictures):
        boxes = self._scene.boxes(self._scene._last_t)
        found = [
            Detection(Label.PERSON, 0.9, (box.x1, box.y1, box.x2, box.y2))
            for box in boxes
            if box.label == "person"
        ]
        return [found for _ in pictures]


def test_visits_that_a_perfect_detector_sees_are_found_and_told_in_time():
    clip = visits_clip.visits("day", "near", 0, 2)
    played = visits_run.run(clip, cast("Detector", _Knows(clip.scene)))
    alarms = [visits_run.found(visit, played) for visit in clip.visits]
    assert all(alarms)
    assert played.asked < clip.seconds * FPS / 2
    assert {opened.code for opened in played.opened} == {"person-at-shaft"}


def played(*, pictures=0, people=0, inner=0, active=0, opened=()):
    ts = [10.0 + 0.2 * step for step in range(pictures)]
    return Played(
        opened=list(opened),
        people=ts[:people],
        told=[(t, step < inner) for step, t in enumerate(ts)],
        active=ts[:active],
    )


VISIT = Visit(10.0, 15.0, "walks in")


@pytest.mark.parametrize(
    ("at", "code", "counts"),
    [
        (9.5, "person-at-shaft", True),
        (16.5, "unnamed-motion", True),
        (8.0, "person-at-shaft", False),
        (17.5, "person-at-shaft", False),
        (12.0, "camera-covered", False),
    ],
)
def test_an_incident_counts_for_a_visit_by_its_kind_and_time(at, code, counts):
    opened = Opened(at, code)
    assert visits_run.found(VISIT, played(opened=[opened])) == (opened if counts else None)


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({}, "gate"),
        ({"pictures": 9, "people": 1}, "detector"),
        ({"pictures": 9, "people": 5, "inner": 1}, "tracker"),
        ({"pictures": 9, "people": 5, "inner": 4}, "zone"),
        ({"pictures": 9, "people": 5, "inner": 4, "active": 1}, "rule"),
    ],
)
def test_a_missed_visit_says_where_it_was_lost(facts, where):
    assert visits_run.why_missed(VISIT, played(**facts)).startswith(where)


def test_a_false_incident_names_what_happened_then():
    events = (visits_clip.Event(5, 9, "Cloud"), visits_clip.Event(100, 105, "Lamp"))
    clip = Clip(visits_clip.build("day", "near", 0), 200.0, (), events)
    assert visits._cause(clip, Opened(8.0, "unnamed-motion")) == "with Cloud"
    assert "nothing" in visits._cause(clip, Opened(50.0, "unnamed-motion"))


def test_the_worst_condition_is_reported():
    good = visits.Tally(visits=40, found=40, empty_s=7200.0)
    bad = visits.Tally(visits=40, found=30, empty_s=7200.0, false=1)
    found = {("eseal", "day"): good, ("eseal", "fog"): bad, ("mog2", "day"): good}
    assert visits.figures(found, "eseal") == {"recall_min": 0.75, "false_per_day_max": 12.0}
    assert visits.figures({}, "mog2") == {"recall_min": None, "false_per_day_max": None}
    assert "| fog | 40 | 30 |" in visits.table(found, "eseal", ["day", "fog"])
    good.add(bad)
    assert (good.visits, good.false, good.recall) == (80, 1, 0.875)


def test_what_a_log_keeps_is_not_played_again(tmp_path, monkeypatch):
    args = argparse.Namespace(
        condition=["fog"], bench=["mog2"], visits=4, hours=0.0, baseline_hours=0.1, model="none"
    )
    args.log = tmp_path / "visits.jsonl"
    assert list(visits.kept(args.log)) == []
    wanted = list(visits.jobs(args))
    assert {job.bench for job in wanted} == {"mog2"}
    assert {job.kind for job in wanted} == {"visits", "empty", "animals"}
    for job in wanted:
        visits.keep(args.log, job, visits.Tally(visits=10, found=9, lines=["missed: one"]))
    found = visits.measure(args)
    assert found["mog2", "fog"].recall == 0.9
    assert visits.Tally(visits=10, found=9).words == "9 of 10 visits found"
    assert visits.Tally(animals=2, alarmed_at=1).words == "alarmed at 1 of 2 animals"
    assert visits.Tally(empty_s=90, false=1).words == "1 false in 90 s"
