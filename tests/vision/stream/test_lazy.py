"""What is decoded, with a decoder made by hand; a real one is in camera/test_stream.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.vision.stream.lazy import MAX_PENDING, MAX_PENDING_BYTES, LazyDecoder
from edge.vision.stream.ring import Held


@dataclass(frozen=True)
class Packet:
    """A packet, and the picture in it."""

    pts: int
    is_keyframe: bool = False
    size: int = 1000


@dataclass
class Fake:
    """Gives each picture at once; tells what it was asked."""

    told: list[int | str] = field(default_factory=list)

    def decode(self, packet: Packet) -> Sequence[Packet]:
        self.told.append(packet.pts)
        return [packet]

    def drain(self) -> Sequence[Packet]:
        return []

    def restart(self) -> None:
        self.told.append("restart")

    def rest(self) -> None:
        self.told.append("rest")


def _taken(lazy: LazyDecoder[Packet, Packet], *packets: Packet) -> list[int]:
    """Take these; the pictures that come out."""
    for packet in packets:
        lazy.take(Held(packet, packet.pts / 25))
    shown = []
    while (seen := lazy.next(alone=True)) is not None:
        shown.append(seen.frame.pts)
    return shown


def test_after_a_rest_decoding_goes_on_with_the_key_once_more():
    codec = Fake()
    lazy = LazyDecoder(codec)
    assert _taken(lazy, Packet(0, True)) == [0]
    lazy.rest()
    assert _taken(lazy, Packet(1), Packet(2)) == [0, 1, 2]
    assert codec.told == [0, "rest", 0, 1, 2]


def test_after_a_rest_the_next_key_needs_nothing_before_it():
    codec = Fake()
    lazy = LazyDecoder(codec)
    _taken(lazy, Packet(0, True))
    lazy.rest()
    assert _taken(lazy, Packet(25, True)) == [25]
    assert codec.told == [0, "rest", 25]


def test_it_rests_after_a_key_alone_and_only_once():
    codec = Fake()
    lazy = LazyDecoder(codec)
    lazy.rest()
    _taken(lazy, Packet(0, True), Packet(1))
    lazy.rest()
    _taken(lazy, Packet(25, True))
    lazy.take(Held(Packet(26), 1.0))
    lazy.rest()
    assert codec.told == [0, 1, 25]
    _taken(lazy, Packet(50, True))
    lazy.rest()
    lazy.rest()
    assert codec.told == [0, 1, 25, 50, "rest"]


@dataclass
class Reordering(Fake):
    """Holds back the newest picture until the next packet; cannot begin without a key."""

    held: Packet | None = None
    newest: int | None = None
    torn: frozenset[int] = frozenset()

    def decode(self, packet: Packet) -> Sequence[Packet]:
        self.told.append(packet.pts)
        if packet.pts in self.torn or not (packet.is_keyframe or self.newest == packet.pts - 1):
            raise Refused("torn")
        before, self.held, self.newest = self.held, packet, packet.pts
        return [before] if before else []

    def drain(self) -> Sequence[Packet]:
        held = self.held
        self.restart()
        return [held] if held else []

    def restart(self) -> None:
        super().restart()
        self.held = self.newest = None

    def rest(self) -> None:
        super().rest()
        self.held = self.newest = None


def test_a_lone_key_that_is_held_back_for_reordering_is_shown_at_once_and_only_once_more():
    lazy = LazyDecoder(Reordering())
    assert _taken(lazy, Packet(0, True)) == [0]
    # Decoding goes on with the key, as the decoder has begun anew.
    assert _taken(lazy, Packet(1), Packet(2)) == [0, 1]


def test_a_key_is_not_drained_when_more_is_decoded_soon():
    codec = Reordering()
    lazy = LazyDecoder(codec)
    lazy.take(Held(Packet(0, True), 0.0))
    assert lazy.next(alone=False) is None
    lazy.take(Held(Packet(1), 0.04))
    seen = lazy.next(alone=True)
    assert seen is not None
    assert (seen.frame.pts, seen.since_key) == (0, 0)
    assert codec.told == [0, 1]


def test_a_picture_held_back_from_before_the_key_is_not_told_as_the_key_s():
    lazy = LazyDecoder(Reordering())
    assert _taken(lazy, Packet(0, True), Packet(1)) == [0]
    assert _taken(lazy, Packet(2, True), Packet(3)) == [2]


def test_after_a_torn_packet_nothing_is_decoded_before_the_next_key():
    codec = Fake()
    lazy = LazyDecoder(codec)
    codec.decode = Reordering(codec.told, torn=frozenset({1})).decode  # type: ignore[method-assign]
    assert _taken(lazy, Packet(0, True), Packet(1), Packet(2)) == []
    assert _taken(lazy, Packet(3)) == []
    assert lazy.next_at is None
    assert _taken(lazy, Packet(4, True), Packet(5)) == [4]
    assert codec.told == [0, 1, 4, 5]


@pytest.mark.parametrize(
    ("number", "size"),
    [(MAX_PENDING, 1), (4, MAX_PENDING_BYTES // 4)],
    ids=["many packets", "many bytes"],
)
def test_too_much_that_nobody_looks_at_is_told_until_it_is_decoded(number, size):
    lazy = LazyDecoder(Fake())
    lazy.take(Held(Packet(0, True, size), 0.0))
    for i in range(1, number):
        assert not lazy.full
        lazy.take(Held(Packet(i, size=size), i / 25))
    assert lazy.full
    assert len(_taken(lazy)) == number
    assert not lazy.full


def test_what_is_rewound_is_decoded_instead_of_what_was_held():
    codec = Fake()
    lazy = LazyDecoder(codec)
    lazy.take(Held(Packet(50, True), 2.0))
    lazy.rewind([Held(Packet(i, i == 0), i / 25) for i in range(3)])
    assert lazy.next_at == 0.0
    assert _taken(lazy) == [0, 1, 2]
    lazy.rewind([Held(Packet(50, True), 2.0)], rest=True)
    assert _taken(lazy, Packet(51)) == [50, 51]
    assert codec.told == ["restart", 0, 1, 2, "rest", 50, 51]


def test_rewound_to_nothing_it_waits_for_a_key():
    codec = Fake()
    lazy = LazyDecoder(codec)
    _taken(lazy, Packet(0, True), Packet(1))
    lazy.rewind([], rest=True)
    assert _taken(lazy, Packet(2)) == []
    assert _taken(lazy, Packet(3, True)) == [3]


def test_the_time_of_what_waits_is_that_of_the_next_picture():
    lazy = LazyDecoder(Reordering())
    lazy.keep = True
    for packet in (Packet(0, True), Packet(25, True), Packet(26)):
        lazy.take(Held(packet, packet.pts / 25))
    assert lazy.next_at == 0.0
    assert _taken(lazy) == [25]
    pairs = Fake()
    pairs.decode = lambda packet: [packet, packet]  # type: ignore[method-assign]
    lazy = LazyDecoder(pairs)
    lazy.take(Held(Packet(0, True), 0.0))
    lazy.take(Held(Packet(1), 0.04))
    for at in (0.0, 0.04, 0.04, None):
        assert lazy.next(alone=True) is not None
        assert lazy.next_at == at


_STEPS = st.lists(
    st.sampled_from(["key", "packet", "packet", "packet", "torn", "look", "alone", "rest", "keep"]),
    max_size=60,
)


@given(_STEPS)
def test_whatever_comes_pictures_are_whole_and_in_order_and_numbered_from_their_key(steps):
    torn = frozenset(i for i, step in enumerate(steps) if step == "torn")
    lazy = LazyDecoder(Reordering(torn=torn))
    key, newest, ready = 0, -1, []
    for i, step in enumerate(steps):
        match step:
            case "key" | "packet" | "torn":
                lazy.take(Held(Packet(i, step == "key"), float(i)))
            case "rest":
                lazy.rest()
            case "keep":
                lazy.keep = not lazy.keep
        while step in {"look", "alone"} and (seen := lazy.next(alone=step == "alone")) is not None:
            ready.append(seen)
    for seen in ready:
        assert seen.frame.pts not in torn
        if seen.since_key == 0:
            assert seen.frame.is_keyframe
            key = seen.frame.pts
        assert key <= seen.frame.pts
        # A key that was shown alone is decoded once more; nothing else comes twice.
        assert seen.frame.pts > newest or (seen.since_key == 0 and seen.frame.pts == newest)
        newest = seen.frame.pts
