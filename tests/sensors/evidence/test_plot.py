"""The drawing of a meter's day."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sensors.evidence.plot import plot
from edge.sensors.evidence.trace import MINUTES, Minute

SVG = "{http://www.w3.org/2000/svg}"
START_US = 1_772_380_800_000_000  # 2026-03-01T16:00:00Z, midnight at the site
MINUTE_US = 60_000_000


def _day(kw=lambda _: 50.0, count: int = MINUTES) -> list[Minute]:
    return [
        Minute(START_US + number * MINUTE_US, kw(number) - 1, kw(number), kw(number) + 1)
        for number in range(count)
    ]


def _drawn(minutes, detail=None, started_us=START_US, title="hoist"):
    return ET.fromstring(plot(title, minutes, detail or {}, started_us, 8.0))


def _texts(drawing) -> list[str]:
    return [text.text or "" for text in drawing.iter(f"{SVG}text")]


def test_a_day_shows_its_load_its_levels_and_local_hours():
    detail = {"baseline_kw": 52.5, "idle_kw": 1, "kw": 90.0, "limit_kw": float("nan")}
    drawing = _drawn(_day(), detail)
    texts = _texts(drawing)
    assert texts[0] == "hoist"
    assert "基线 baseline 52.5" in texts
    assert "空载 idle 1" in texts
    assert not any("limit" in text for text in texts)
    assert {"03-02", "02:00", "22:00"} <= set(texts)
    assert len(list(drawing.iter(f"{SVG}polyline"))) == 1


def test_what_was_not_measured_is_not_drawn():
    minutes = _day(count=60)
    drawing = _drawn(minutes[:20] + minutes[40:])
    assert len(list(drawing.iter(f"{SVG}polyline"))) == 2


def test_the_activity_is_shaded_from_its_begin_on():
    half = START_US + MINUTES // 2 * MINUTE_US
    shade = list(_drawn(_day(), started_us=half).iter(f"{SVG}rect"))[1]
    whole = list(_drawn(_day(), started_us=0).iter(f"{SVG}rect"))[1]
    assert float(shade.get("width", 0)) == pytest.approx(float(whole.get("width", 0)) / 2, rel=0.01)


def test_a_title_is_text_whatever_it_says():
    title = "<script>&"
    assert _texts(_drawn(_day(count=3), title=title))[0] == title


def test_a_clock_that_went_back_breaks_the_line():
    minutes = _day(count=10)
    drawing = _drawn([*minutes[5:], *minutes[:5]])
    assert len(list(drawing.iter(f"{SVG}polyline"))) == 2


loads = st.floats(-1e6, 1e6)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(-(10**12), 10**12), loads), min_size=1, max_size=40),
    st.dictionaries(st.sampled_from(["baseline_kw", "idle_kw"]), st.one_of(loads, st.text())),
    st.integers(0, 2 * START_US),
)
def test_any_past_gives_a_drawing_of_bounded_size(course, detail, started_us):
    minutes = [Minute(START_US + step, kw - 1, kw, kw + 1) for step, kw in course]
    drawing = plot("m", minutes, detail, started_us, 8.0)
    assert len(drawing) < 200_000
    for element in ET.fromstring(drawing).iter():
        for name in ("x", "x1", "x2", "y", "y1", "y2"):
            assert -1 <= float(element.get(name, 0)) <= 1000


def test_a_restless_day_stays_below_its_bound():
    assert len(plot("m", _day(lambda n: 1000.0 * (n % 7)), {}, START_US, 8.0)) < 200_000


def test_a_feeder_that_draws_nothing_is_a_line_at_nothing():
    minutes = [Minute(START_US + number * MINUTE_US, 0.0, 0.0, 0.0) for number in range(3)]
    assert {"0", "1"} <= set(_texts(_drawn(minutes)))
