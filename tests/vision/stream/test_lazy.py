"""What is decoded, with a decoder made by hand; a real one is in camera/test_stream.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.vision.stream.lazy import LazyDecoder
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
