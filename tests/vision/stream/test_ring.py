from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from edge.vision.stream.ring import Ring


@dataclass(frozen=True)
class FakePacket:
    number: int
    is_keyframe: bool
    size: int = 100
    pts: int | None = None


def _fill(ring: Ring[FakePacket], group: int, seconds: float, fps: int = 25, size: int = 100):
    packets = [FakePacket(i, i % group == 0, size) for i in range(int(seconds * fps))]
    for packet in packets:
        ring.put(packet, packet.number / fps)
    return packets


def test_what_reaches_the_time_back_is_kept_by_whole_groups_and_no_more():
    ring: Ring[FakePacket] = Ring(keep_s=5)
    _fill(ring, group=50, seconds=20)
    held = ring.since(0)
    assert held[0].packet.is_keyframe
    assert held[0].at <= 20 - 1 / 25 - 5
    assert held[0].at > 20 - 5 - 2 * 2
    assert ring.dropped == 0
    assert ring.size == 100 * len(held)


def test_a_request_begins_at_the_key_before_it():
    ring: Ring[FakePacket] = Ring(keep_s=8)
    _fill(ring, group=50, seconds=20)
    held = ring.since(15.3)
    assert held[0].at == 14.0
    assert held[0].packet.is_keyframe
    assert ring.since(19.99)[0].at == 18.0
    numbers = [item.packet.number for item in held]
    assert numbers == list(range(numbers[0], numbers[0] + len(held)))


def test_the_group_before_the_newest_is_had_whole_however_long_it_is():
    ring: Ring[FakePacket] = Ring(keep_s=1)
    _fill(ring, group=100, seconds=9)
    assert [held.packet.number for held in ring.last_two()] == list(range(100, 225))


def test_before_the_second_key_there_is_no_group_before_it():
    ring: Ring[FakePacket] = Ring()
    ring.put(FakePacket(0, False), 0.0)
    assert ring.since(0) == []
    _fill(ring, group=50, seconds=1.9)
    assert ring.last_two() == []


def test_the_group_under_way_is_had_from_its_key_on_unless_a_bound_dropped_it():
    ring: Ring[FakePacket] = Ring(max_packets=60)
    assert ring.newest() == []
    _fill(ring, group=50, seconds=2.2)
    assert [held.packet.number for held in ring.newest()] == list(range(50, 55))
    for i in range(55, 111):
        ring.put(FakePacket(i, False), i / 25)
    assert ring.newest() == []


def test_a_bound_drops_the_oldest_group_and_counts_it():
    ring: Ring[FakePacket] = Ring(keep_s=8, max_bytes=8_000)
    _fill(ring, group=25, seconds=8)
    assert ring.size <= 8_000
    assert ring.dropped > 0
    assert ring.since(0)[0].packet.is_keyframe


def test_a_group_larger_than_the_bound_is_dropped_and_the_next_key_begins_anew():
    ring: Ring[FakePacket] = Ring(max_packets=10)
    _fill(ring, group=12, seconds=1)
    assert ring.dropped == 22
    assert [held.packet.number for held in ring.since(0)] == [24]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 900), st.floats(0, 2)), max_size=80),
    st.floats(0, 5),
)
def test_whatever_comes_the_bounds_hold_and_all_begins_with_a_key(steps, keep_s):
    ring: Ring[FakePacket] = Ring(keep_s, max_bytes=3_000, max_packets=20)
    t = 0.0
    for number, (key, size, pause) in enumerate(steps):
        t += pause
        ring.put(FakePacket(number, key, size), t)
        held = ring.since(t - keep_s)
        assert ring.size <= 3_000
        assert len(held) <= 20
        assert not held or held[0].packet.is_keyframe
        assert len(held) + ring.dropped <= number + 1
        both = ring.last_two()
        assert not both or sum(item.packet.is_keyframe for item in both) == 2
