from __future__ import annotations

import pytest

from edge.vision.evidence import clip as module
from edge.vision.evidence.clip import POST_ROLL_S, TAIL_S, Clip
from edge.vision.stream.ring import Held
from tests.vision.stream.test_ring import FakePacket


def _held(number: int, *, key: bool = False, size: int = 1000) -> Held[FakePacket]:
    return Held(FakePacket(number, key, size), number / 25)


def test_a_clip_begins_with_a_key_and_ends_a_while_after_it_was_asked_for():
    clip = Clip([_held(0), _held(1, key=True), _held(2)], now=0.1)
    clip.put(_held(3))
    assert [held.packet.number for held in clip.packets] == [1, 2, 3]
    assert not clip.over(0.1 + POST_ROLL_S - 0.01)
    assert clip.over(0.1 + POST_ROLL_S)


def test_an_activity_that_ends_sooner_ends_it_sooner():
    clip = Clip([_held(0, key=True)], now=0.0)
    clip.end(2.0)
    assert not clip.over(2.0)
    assert clip.over(2.0 + TAIL_S)
    clip.end(99.0)
    assert clip.over(2.0 + TAIL_S)


def test_a_clip_with_nothing_before_it_waits_for_a_key():
    clip: Clip[FakePacket] = Clip([], now=0.0)
    clip.put(_held(1))
    assert clip.packets == []
    clip.put(_held(2, key=True))
    assert len(clip.packets) == 1


def test_a_clip_too_large_is_over_and_stays_whole(monkeypatch):
    monkeypatch.setattr(module, "MAX_CLIP", module.HEADROOM + 2500)
    clip = Clip([_held(0, key=True), _held(1), _held(2), _held(3, size=1)], now=0.0)
    assert [held.packet.number for held in clip.packets] == [0, 1]
    assert clip.over(0.0)


@pytest.mark.parametrize("ends", [True, False])
def test_asking_costs_nothing_when_nothing_comes(ends):
    clip: Clip[FakePacket] = Clip([], now=0.0)
    if ends:
        clip.end(0.0)
    assert clip.over(20.0)
    assert clip.packets == []
