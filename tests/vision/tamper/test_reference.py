from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Refused
from edge.vision.picture import Pixels
from edge.vision.tamper.reference import View, match
from edge.vision.tamper.sketch import SKETCH_BYTES, Sketch, Sketcher
from tests.vision.commissioned import infrared, place


def _sketch(picture: Pixels) -> Sketch:
    sketcher = Sketcher()
    sketcher.step(picture[21:159])
    return sketcher.step(picture[21:159])[0]


def _view(picture: Pixels) -> View:
    return View(_sketch(picture), 1280, 720)


@pytest.mark.parametrize("shown", [place(1), infrared(place(1)), place(1) // 4 + 140])
def test_the_same_place_agrees_where_it_is_in_any_light(shown):
    found = match(_sketch(shown).edges, _view(place(1)))
    assert found.agreement > 0.6
    assert found.shift_px < 1
    assert found.certainty > 6


@pytest.mark.parametrize("shift", [-90, -12, -6, 5, 9, 40, 120])
def test_a_shift_is_measured_to_a_fraction_of_a_cell(shift):
    found = match(_sketch(place(1, shift)).edges, _view(place(1)))
    assert found.shift_px == pytest.approx(abs(shift), abs=1.5)
    assert found.best > found.agreement or abs(shift) < 4


@pytest.mark.parametrize("angle", [-7, 7])
def test_a_view_turned_round_its_axis_is_moved_in_its_parts(angle):
    matrix = cv2.getRotationMatrix2D((160, 90), angle, 1.0)
    turned = cv2.warpAffine(place(1), matrix, (320, 180), borderMode=cv2.BORDER_REFLECT)
    assert match(_sketch(np.asarray(turned, np.uint8)).edges, _view(place(1))).displaced >= 0.5
    assert match(_sketch(infrared(place(1))).edges, _view(place(1))).displaced == 0
    assert match(_sketch(place(2)).edges, _view(place(1))).displaced < 0.5


def test_another_place_agrees_nowhere():
    found = match(_sketch(place(2)).edges, _view(place(1)))
    assert found.agreement < 0.2
    assert found.best < 0.3


def test_what_is_hidden_is_not_present_and_the_rest_is():
    half = place(1).copy()
    half[:, :160] = 100
    presence = match(_sketch(half).edges, _view(place(1))).presence
    assert np.median(presence[:, :9]) < 0.1
    assert np.median(presence[:, 11:][presence[:, 11:] > 0]) > 0.9


def test_nothing_is_compared_with_a_view_or_a_picture_without_edges():
    blank = np.full((180, 320), 90, np.uint8)
    assert match(_sketch(place(1)).edges, _view(blank)).certainty == 0
    assert match(_sketch(blank).edges, _view(place(1))).agreement == 0


def test_a_view_survives_its_record():
    view = _view(place(1))
    again = View.parse(view.data())
    assert (again.width, again.height) == (1280, 720)
    assert match(again.sketch.edges, view).agreement > 0.99


@pytest.mark.parametrize(
    "data", [{}, {"sketch": "%"}, {"sketch": "AAAA", "width": 1, "height": 1}, {"sketch": 5}]
)
def test_data_of_another_version_is_refused(data):
    with pytest.raises(Refused):
        View.parse(data)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_any_two_sketches_compare_to_finite_figures(a, b):
    sketch = Sketch.unpack(np.random.default_rng(a).bytes(SKETCH_BYTES))
    other = Sketch.unpack(np.random.default_rng(b).bytes(SKETCH_BYTES))
    found = match(sketch.edges, View(other, 1, 1))
    assert -1.001 <= found.agreement <= found.best + 1e-6 <= 1.01
    assert np.isfinite([found.certainty, found.shift_px]).all()
    assert np.isfinite(found.presence).all()
