from __future__ import annotations

from edge.clock import ManualClock
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Measures, PictureQuality, Quality
from edge.vision.spec import CameraSpec
from edge.vision.tamper.blindness import BLIND_S, REPORT_S, SEES_S, GateAnalyser

CAMERA = CameraSpec.model_validate({"code": "cam-1", "url": "rtsp://h/x"})
START = ManualClock().now()


def _said(analyser: GateAnalyser, gate: str, begin: float, seconds: float) -> list[Activity]:
    told = []
    for t in range(int(begin), int(begin + seconds)):
        measures = Measures(100, 40, 500, 0)
        told += analyser.step(
            PictureQuality("cam-1", START.moved(t), Quality.GOOD, measures, gate, 17.25)
        )
    return told


def test_a_gate_that_is_blind_for_a_minute_is_told_and_so_is_its_end():
    analyser = GateAnalyser(CAMERA)
    assert _said(analyser, "quiet", 0, 10) == []
    told = _said(analyser, "blind", 10, BLIND_S + 30)
    assert [one.phase for one in told] == [Phase.STARTED, Phase.GOES_ON, Phase.GOES_ON]
    started = told[0]
    assert (started.kind, started.place) == (ActivityKind.GATE_BLIND, "")
    assert started.started.since(START) == 10
    assert started.detail == {"limit": 17.2}
    assert told[1].stamp.since(started.stamp) == REPORT_S
    assert _said(analyser, "quiet", 100, SEES_S) == []
    (ended,) = _said(analyser, "quiet", 100 + SEES_S, 5)
    assert ended.phase is Phase.ENDED
    assert ended.stamp.since(START) == 100


def test_blind_for_half_a_minute_is_nothing():
    analyser = GateAnalyser(CAMERA)
    for begin in range(0, 300, 50):
        assert _said(analyser, "blind", begin, BLIND_S / 2) == []
        assert _said(analyser, "quiet", begin + BLIND_S / 2, 10) == []


def test_a_blind_gate_that_opens_now_and_then_is_blind_all_the_same():
    analyser, told = GateAnalyser(CAMERA), []
    for begin in range(0, 120, 20):
        told += _said(analyser, "blind", begin, 15)
        told += _said(analyser, "open", begin + 15, 5)
    assert told[0].phase is Phase.STARTED


def test_it_stays_blind_until_it_has_seen_for_minutes():
    analyser = GateAnalyser(CAMERA)
    _said(analyser, "blind", 0, 90)
    told = _said(analyser, "quiet", 90, SEES_S - 10) + _said(analyser, "blind", 200, 30)
    assert {one.phase for one in told} == {Phase.GOES_ON}


def test_what_says_nothing_of_a_gate_is_left_out():
    analyser = GateAnalyser(CAMERA)
    assert _said(analyser, "", 0, 100) + _said(analyser, "calibrating", 100, 100) == []
