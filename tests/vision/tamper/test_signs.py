"""What is missing counts against what was usual; where the camera looks, against the reference."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.vision.picture import Pixels
from edge.vision.tamper.reference import View
from edge.vision.tamper.signs import NOW_S, Memory, Signs, blend
from edge.vision.tamper.sketch import SKETCH_BYTES, Sketch, Sketcher
from tests.vision.commissioned import infrared, place

HERE, ELSEWHERE = place(1), place(2)
PACKED = st.one_of(
    st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).bytes(SKETCH_BYTES)),
    st.binary(min_size=1, max_size=40).map(lambda part: (part * SKETCH_BYTES)[:SKETCH_BYTES]),
)


def sketched(picture: Pixels) -> Sketch:
    sketcher = Sketcher()
    sketcher.step(picture[21:159])
    return sketcher.step(picture[21:159])[0]


REFERENCE = View(sketched(HERE), 1280, 720)


def covered(share: float) -> Pixels:
    """Grey paint over the left part."""
    shown = HERE.copy()
    shown[:, : round(320 * share)] = 90
    return shown


def seen(memory: Memory, picture: Pixels, looks: int = 12, view: View = REFERENCE) -> Signs:
    """So many looks, one a second, at the same picture; the signs of the last."""
    sketch = sketched(picture)
    for _ in range(looks):
        memory.take(sketch, 1.0)
    return memory.compare([view])


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    memory.expect([REFERENCE])
    return memory


def test_the_reference_itself_lacks_nothing(memory):
    signs = seen(memory, HERE)
    assert signs.agreement > 0.98
    assert signs.shift_px < 0.5
    assert (signs.lost, signs.hidden, signs.displaced, signs.expected) == (0, 0, 0, 1)
    assert signs.fine == pytest.approx(1, abs=0.02)
    assert signs.crisp == pytest.approx(1, abs=0.02)
    assert signs.tone > 0.98


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_what_paint_hides_is_lost_and_soft_and_the_rest_keeps_its_light(memory, share):
    signs = seen(memory, covered(share))
    assert signs.lost == pytest.approx(share, abs=0.15)
    assert signs.soft > 0.7
    assert signs.other_light < 0.3
    assert signs.hidden == pytest.approx(share, abs=0.15)


def test_another_place_hides_nothing_softly(memory):
    signs = seen(memory, ELSEWHERE)
    assert signs.agreement < 0.3
    assert signs.lost > 0.5
    assert signs.soft < 0.5
    assert signs.crisp > 0.5


def test_another_light_is_no_reason_to_miss_what_it_does_not_show(memory):
    """The corners of an infrared night are dark: not hidden, and after a while not expected."""
    signs = seen(memory, infrared(HERE))
    assert signs.hidden == 0.0
    assert signs.other_light >= 0.3
    for _ in range(40):
        memory.take(sketched(infrared(HERE)), 60.0)
        memory.compare([REFERENCE])
        memory.learn()
    assert seen(memory, infrared(HERE)).lost <= signs.lost
    assert seen(memory, infrared(HERE)).other_light < 0.3


def test_paint_soon_after_the_light_changed_is_new_and_the_rest_is_as_it_was(memory):
    for _ in range(20):
        memory.take(sketched(infrared(HERE)), 1.0)
        memory.compare([REFERENCE])
        memory.learn()
    signs = seen(memory, infrared(covered(0.5)))
    assert signs.newly > 0.3
    assert signs.new_light < 0.1
    assert signs.other_light >= 0.3


def test_what_was_lost_a_minute_ago_is_not_lost_newly(memory):
    for _ in range(3):
        seen(memory, covered(0.25))
        memory.learn()
    signs = seen(memory, covered(0.5))
    assert signs.newly < signs.lost - 0.1
    memory.forget()
    assert seen(memory, covered(0.5)).newly == pytest.approx(signs.lost)


def test_what_moves_where_the_view_is_hidden_is_noticed_and_a_change_of_light_is_not(memory):
    assert seen(memory, covered(0.5)).stirred == 0.0
    darker = np.asarray(covered(0.5) * 0.8, np.uint8)
    assert seen(memory, darker, looks=1).stirred == 0.0
    seen(memory, covered(0.5))
    lorry = covered(0.5)
    lorry[60:120, 40:120] = 120
    assert seen(memory, lorry, looks=1).stirred > 0.1
    assert seen(memory, lorry).stirred == 0.0


def test_what_goes_slowly_is_not_lost_but_no_longer_expected(memory):
    for _ in range(60):
        memory.take(sketched(covered(0.5)), 60.0)
        memory.compare([REFERENCE])
        memory.learn()
    signs = seen(memory, covered(0.5))
    assert signs.lost < 0.1
    assert signs.expected < 0.7
    memory.expect([REFERENCE])
    assert seen(memory, covered(0.5)).lost > 0.3


def test_one_look_at_something_else_is_averaged_and_after_a_silence_it_is_not(memory):
    seen(memory, HERE)
    memory.take(sketched(ELSEWHERE), NOW_S / 10)
    assert memory.compare([REFERENCE]).agreement > 0.9
    memory.forget()
    memory.take(sketched(ELSEWHERE), 100.0)
    assert memory.compare([REFERENCE]).agreement < 0.3


def test_the_best_view_is_compared_with_and_kinship_is_of_the_first(memory):
    other = View(sketched(ELSEWHERE), 1280, 720)
    for _ in range(12):
        memory.take(sketched(ELSEWHERE), 1.0)
    signs = memory.compare([REFERENCE, other])
    assert signs.agreement > 0.95
    assert signs.kinship < 0.3


def test_without_structure_nothing_is_told_of_it(memory):
    flat = View(sketched(np.full((180, 320), 100, np.uint8)), 1280, 720)
    memory = Memory()
    signs = seen(memory, np.full((180, 320), 100, np.uint8), view=flat)
    assert (signs.agreement, signs.lost, signs.expected, signs.hidden) == (0, 0, 0, 0)
    assert signs.fine == 1.0
    assert signs.tone == 0.0


@settings(max_examples=60, deadline=None)
@given(PACKED, PACKED, PACKED)
def test_whatever_a_camera_sends_gives_figures_in_their_bounds(first, second, known):
    memory, view = Memory(), View(Sketch.unpack(known), 1280, 720)
    for data in (first, second):
        memory.take(Sketch.unpack(data), 1.0)
        signs = memory.compare([view])
        memory.learn()
    assert all(math.isfinite(value) for value in astuple(signs))
    shares = (signs.displaced, signs.expected, signs.lost, signs.soft, signs.hidden, signs.stirred)
    assert all(0 <= share <= 1 for share in shares)
    assert -1.001 <= signs.agreement <= 1.001
    assert -1.001 <= signs.tone <= 1.001


@settings(max_examples=30, deadline=None)
@given(PACKED, PACKED, st.floats(0, 1))
def test_a_blend_lies_between(first, second, share):
    old, new = Sketch.unpack(first), Sketch.unpack(second)
    mixed = blend(old, new, share)
    for name in ("brightness", "fine", "coarse"):
        one, two, both = (getattr(sketch, name) for sketch in (old, new, mixed))
        slack = 1e-5 * (1 + np.abs(one) + np.abs(two))
        assert (both >= np.minimum(one, two) - slack).all()
        assert (both <= np.maximum(one, two) + slack).all()
    assert np.allclose(blend(old, new, 0).edges, old.edges)
    assert np.allclose(blend(old, new, 1).edges, new.edges, atol=1e-6)
