"""One stream watched, with packets and pictures made by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.observation import Measures
from edge.errors import Refused
from edge.vision.camera.channel import Why
from edge.vision.camera.eye import LOOK_S
from edge.vision.camera.sight import CATCH_UP_S, Shown, Sight
from edge.vision.picture import Pixels
from edge.vision.stream import policy
from edge.vision.stream.policy import Decoding, Watch
from edge.vision.stream.ring import Ring

FPS = 25


@dataclass(frozen=True)
class Film:
    """A packet and the picture in it."""

    number: int
    is_keyframe: bool
    person: float | None  # where it is, 0..1
    size: int = 1000

    @property
    def pts(self) -> int:
        return self.number

    def luma(self) -> Pixels:
        picture = np.full((90, 160), 100, np.uint8)
        if self.person is not None:
            x = int(self.person * 140)
            picture[35:65, x : x + 12] = 220
        return picture


@dataclass
class Fake:
    """A decoder that says what it was given and refuses to begin without a key."""

    decoded: list[int] = field(default_factory=list)
    newest: int | None = None
    rests: int = 0
    conceals: bool = False  # what is missing, as real ones do

    def decode(self, packet: Film) -> Sequence[Film]:
        if not packet.is_keyframe and self.newest != packet.number - 1 and not self.conceals:
            raise Refused("torn")
        self.newest = packet.number
        self.decoded.append(packet.number)
        return [packet]

    def drain(self) -> Sequence[Film]:
        return []

    def restart(self) -> None:
        self.newest = None

    def rest(self) -> None:
        self.rests += 1
        self.newest = None


@dataclass
class Taker:
    """Takes a picture, and the next one only `pause_s` later."""

    pause_s: float = 0.0
    attentive: bool = False
    now: float = 0.0
    free_at: float = 0.0

    @property
    def leave(self) -> bool:
        return self.now >= self.free_at

    def took(self) -> None:
        self.free_at = self.now + self.pause_s


@dataclass
class Session:
    sight: Sight[Film, Film]
    codec: Fake
    taker: Taker
    shown: list[tuple[float, Shown[Film]]] = field(default_factory=list)
    measures: int = 0
    number: int = 0

    @property
    def now(self) -> float:
        return self.number / FPS

    def run(self, seconds: float, group: int, person_at: tuple[float, float] = (9e9, 9e9)) -> None:
        """So many seconds of film; somebody is in the picture between the two times."""
        for _ in range(round(seconds * FPS)):
            now = self.now
            inside = person_at[0] <= now < person_at[1]
            where = (now - person_at[0]) % 4 / 4 if inside else None
            packet = Film(self.number, self.number % group == 0, where)
            self.taker.now = now
            for news in self.sight.take(packet, now, self.taker):
                if isinstance(news, Measures):
                    self.measures += 1
                    continue
                self.shown.append((now, news))
                self.taker.took()
            self.number += 1


@pytest.fixture(autouse=True)
def _no_stream_is_small(monkeypatch):
    monkeypatch.setattr(policy, "CHEAP_PIXELS_S", 1.0)


def _session(watch: Watch = Watch.AUTO, pause_s: float = 0.0) -> Session:
    codec = Fake()
    return Session(Sight(codec, Film.luma, watch), codec, Taker(pause_s))


def test_once_the_groups_are_measured_only_keys_are_decoded_while_nothing_moves():
    session = _session()
    session.run(12, group=50)
    assert session.sight.policy.decoding is Decoding.KEYS
    session.codec.decoded.clear()
    session.run(30, group=50)
    assert session.codec.decoded == list(range(300, 1050, 50))
    assert session.measures >= 20


@pytest.mark.parametrize("watch", [Watch.AUTO, Watch.FULL])
def test_where_each_picture_stands_alone_only_those_looked_at_are_decoded(watch):
    session = _session(watch)
    session.sight.meter.codec = "mjpeg"
    session.run(20, group=1)
    session.codec.decoded.clear()
    session.run(10, group=1, person_at=(20, 30))
    assert len(session.codec.decoded) <= 10 * 6 + 2  # five a second of 25, and the first of a spell
    shown = [item.at for _, item in session.shown if item.why is Why.MOTION]
    assert max(b - a for a, b in pairwise(shown)) <= 0.3


@pytest.mark.parametrize("entry", [20.08, 20.5, 21.0, 21.6, 21.9])
def test_whoever_comes_in_between_two_keys_is_seen_from_the_beginning(entry):
    session = _session()
    session.run(20, group=50)
    session.shown.clear()
    session.run(4, group=50, person_at=(entry, 99))
    times = [item.at for _, item in session.shown if item.why is Why.MOTION]
    assert times[0] <= entry + LOOK_S  # the first picture with him, or one before it
    assert any(entry <= t <= entry + 0.25 for t in times)
    assert max(b - a for a, b in pairwise(times)) <= LOOK_S + 0.05
    assert next(now for now, item in session.shown if item.why is Why.MOTION) == 22.0


def test_pictures_decoded_back_say_what_moves_in_them():
    session = _session()
    session.run(20, group=50)
    session.shown.clear()
    session.run(2.2, group=50, person_at=(20.5, 99))
    late = {item.at: item.moving for now, item in session.shown if item.at < min(now, 22)}
    assert not any(moving for at, moving in late.items() if at < 20.5)
    assert all(moving for at, moving in late.items() if at > 20.5 + 2 * LOOK_S)
    assert len(late) >= 8


def test_what_was_looked_at_is_not_shown_again():
    session = _session()
    session.run(20, group=50)
    session.shown.clear()
    session.run(4, group=50, person_at=(20.5, 99))
    assert min(item.at for _, item in session.shown if item.why is Why.MOTION) > 20.0
    counted = Counter(item.at for _, item in session.shown)
    assert max(counted.values()) == 1


def test_whoever_comes_in_a_group_too_large_to_be_held_is_shown_from_the_key_on():
    session = _session()
    session.run(20, group=50)
    session.sight.ring = Ring(max_packets=40)
    session.codec.decoded.clear()
    session.run(5, group=50, person_at=(21, 99))
    assert session.codec.decoded == [500, *range(550, 625)]
    motion = [(now, item.at) for now, item in session.shown if item.why is Why.MOTION]
    assert motion[0] == (22.0, 22.0)


def test_a_group_that_was_decoded_wholly_is_not_decoded_back():
    session = _session(Watch.FULL)
    session.run(20, group=50)
    session.codec.decoded.clear()
    session.run(4, group=50, person_at=(22.0, 99))
    assert session.codec.decoded == list(range(500, 600))


def test_late_pictures_wait_for_leave_and_none_of_them_is_lost():
    session = _session(pause_s=0.1)
    session.run(20, group=50)
    session.shown.clear()
    session.run(6, group=50, person_at=(20.5, 99))
    late = [item.at for now, item in session.shown if now - item.at > 0.3]
    assert len(late) >= 10
    times = [item.at for _, item in session.shown]
    assert max(b - a for a, b in pairwise(times)) <= LOOK_S + 0.05
    now, last = session.shown[-1]
    assert now - last.at < 0.1  # caught up


def test_a_receiver_that_is_too_slow_is_not_waited_for_for_ever():
    session = _session(pause_s=0.6)
    session.run(20, group=50)
    session.shown.clear()
    session.run(12, group=50, person_at=(20.5, 99))
    opened = session.shown[0][0]
    assert all(now - item.at < 0.3 for now, item in session.shown if now > opened + CATCH_UP_S + 2)


def test_where_keys_come_too_rarely_nobody_is_unseen_for_long():
    session = _session()
    session.run(20, group=250)
    assert session.sight.policy.decoding is Decoding.BETWEEN
    session.shown.clear()
    session.run(6, group=250, person_at=(22.3, 99))
    motion = [(now, item.at) for now, item in session.shown if item.why is Why.MOTION]
    assert motion[0][0] <= 22.3 + 1.1
    assert motion[0][1] <= 22.3 + 0.45
    assert len(motion) > 10


def test_keys_alone_where_that_is_asked_whatever_the_groups():
    session = _session(Watch.KEYS)
    session.run(20, group=100)
    assert session.codec.decoded == [0, 100, 200, 300, 400]
    session.shown.clear()
    session.run(5, group=100, person_at=(21.0, 99))
    assert session.shown[0][0] == 24.0
    assert session.shown[0][1].at <= 20.3


def test_woken_everything_is_decoded_from_the_last_key_on_and_shown_once_a_second():
    session = _session()
    session.run(20.6, group=50)
    session.codec.decoded.clear()
    session.shown.clear()
    session.sight.wake(session.now + 5)
    session.run(5, group=50)
    assert session.codec.decoded == list(range(500, 640))
    assert 4 <= len(session.shown) <= 6
    session.codec.decoded.clear()
    session.run(10, group=50)
    assert len(session.codec.decoded) <= 7


def test_the_decoder_rests_after_each_key_while_quiet_and_can_be_woken_from_the_last_one():
    session = _session()
    session.run(20, group=50)
    session.run(3, group=50, person_at=(20.5, 22.5))
    rests = session.codec.rests
    session.run(1, group=50)
    assert session.codec.rests == rests
    session.run(4, group=50)
    assert not session.sight.eye.awake
    rests = session.codec.rests
    session.run(2, group=50)
    assert session.codec.rests == rests + 1
    session.run(0.6, group=50)
    session.codec.decoded.clear()
    session.sight.wake(session.now + 1)
    session.run(0.2, group=50)
    assert session.codec.decoded[0] in {750, 751}
    assert session.codec.decoded[-1] == 769


def test_a_group_too_large_to_be_held_is_decoded_on_without_a_gap_when_woken():
    session = _session(Watch.KEYS)
    session.codec.conceals = True
    session.sight.ring = Ring(max_packets=40)
    session.run(20, group=1000)
    session.sight.wake(session.now + 2)
    session.run(3, group=1000)
    assert session.sight.resting
    session.sight.wake(session.now + 1)
    session.run(1, group=1000)
    assert session.codec.decoded == [0, *range(600)]  # at rest since the key, then without a gap


def test_a_stream_that_begins_anew_keeps_what_was_learned_of_the_scene():
    session = _session()
    session.run(12, group=50)
    again = Fake()
    session.sight.resume(again)
    session.run(4, group=50)
    assert again.decoded == [300, 350]
    assert session.sight.policy.decoding is Decoding.KEYS


def test_all_pictures_keys_are_looked_at_now_and_then_only():
    session = _session(Watch.KEYS)
    session.run(10, group=1)
    assert len(session.codec.decoded) <= 24


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(Watch),
    st.sampled_from([1, 10, 25, 50, 100]),
    st.floats(0, 0.5),
    st.lists(st.tuples(st.floats(0.2, 4), st.booleans()), max_size=6),
)
def test_pictures_are_shown_in_the_order_of_time_and_not_too_fast(watch, group, pause_s, parts):
    session = _session(watch, pause_s)
    session.run(6, group)
    for seconds, person in parts:
        session.run(seconds, group, person_at=(session.now, 9e9) if person else (9e9, 9e9))
    times = [item.at for _, item in session.shown]
    assert all(b - a > 0.15 for a, b in pairwise(times))
    assert all(now - item.at <= 12 for now, item in session.shown)
