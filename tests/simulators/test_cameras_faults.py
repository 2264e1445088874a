"""Faults that are switched on do what they say, and nothing when off."""

from __future__ import annotations

from simulators.cameras.faults import Faults
from simulators.cameras.units import AccessUnit

KEY = AccessUnit((b"\x65" + bytes(500),), 10.0, key=True)
OTHER = AccessUnit((b"\x41" + bytes(500),), 10.0, key=False)


def test_nothing_is_changed_at_first():
    faults = Faults()
    assert faults.spoiled(KEY) == KEY
    packets = [bytes(100)] * 3
    assert faults.damaged(packets, 12) is packets


def test_pictures_are_withheld_spoiled_and_moved_in_time():
    faults = Faults()
    faults.drop_keys = True
    assert faults.spoiled(KEY) is None
    assert faults.spoiled(OTHER) == OTHER
    faults.drop_keys, faults.jump_s = False, -3.0
    moved = faults.spoiled(KEY)
    assert moved is not None
    assert moved.pts == 7.0
    faults.garbage = True
    spoiled = faults.spoiled(KEY)
    assert spoiled is not None
    assert spoiled.nals != KEY.nals
    faults.stalled = True
    assert faults.spoiled(KEY) is None


def test_packets_are_lost_and_corrupted_at_about_the_rate_asked_for_behind_their_heads():
    faults = Faults()
    faults.lost, faults.corrupt = 0.3, 0.5
    left = faults.damaged([bytes(200)] * 1000, 12)
    assert 600 < len(left) < 800
    assert 0.4 < sum(one != bytes(200) for one in left) / len(left) < 0.6
    assert all(one[:12] == bytes(12) for one in left)
    assert faults.damaged([b"short"], 12) in ([b"short"], [])
