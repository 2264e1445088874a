from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.stream.policy import (
    KEYS_GROUP_S,
    TELL_S,
    Decoding,
    Facts,
    Meter,
    Policy,
    Reason,
    Watch,
    chosen,
    gop_verdict,
    in_words,
)
from tests.vision.stream.test_ring import FakePacket

HD = Facts("h264", 1920, 1080, 25.0, 2.0, 4000.0)


@pytest.mark.parametrize(
    ("watch", "facts", "decoding", "reason"),
    [
        (Watch.KEYS, HD, Decoding.KEYS, Reason.ASKED_KEYS),
        (Watch.FULL, HD, Decoding.FULL, Reason.ASKED_FULL),
        (Watch.AUTO, HD, Decoding.KEYS, Reason.SHORT_GROUPS),
        (Watch.AUTO, Facts(), Decoding.BETWEEN, Reason.UNMEASURED),
        (Watch.AUTO, Facts("h264", 1920, 1080, 25, 4), Decoding.BETWEEN, Reason.LONG_GROUPS),
        (Watch.AUTO, Facts("h264", 640, 360, 25, 4), Decoding.FULL, Reason.SMALL),
        (Watch.AUTO, Facts("h264", 704, 576, 25, 1), Decoding.KEYS, Reason.SHORT_GROUPS),
        (Watch.AUTO, Facts("h264", 704, 576, 12, 4), Decoding.FULL, Reason.SMALL),
        (Watch.AUTO, Facts("h264", 640, 360, 0, 0), Decoding.BETWEEN, Reason.UNMEASURED),
    ],
)
def test_the_policy_follows_what_is_asked_and_what_is_measured(watch, facts, decoding, reason):
    policy = chosen(watch, facts)
    assert policy == Policy(decoding, reason)
    words = in_words(policy, facts)
    assert words.zh
    assert words.en


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_told_in_words(reason):
    words = in_words(Policy(Decoding.KEYS, reason), HD)
    assert words.zh != words.en


def test_a_group_too_long_for_the_promise_is_told():
    assert gop_verdict(1.0) is None
    verdict = gop_verdict(4.0)
    assert verdict is not None
    assert "4.0 s" in verdict.en
    assert "4.0 秒" in verdict.zh


def _measured(meter: Meter, group_s: float, seconds: float, fps: int = 25, start: float = 0.0):
    told = []
    for i in range(int(seconds * fps)):
        t = start + i / fps
        meter.step(FakePacket(i, i % round(group_s * fps) == 0, 20_000), t)
        if news := meter.news(t):
            told.append((t, news))
    return told


def test_a_stream_is_measured_by_when_its_packets_come_and_told_once():
    meter = Meter(Watch.AUTO)
    meter.codec, meter.shape = "h264", (1920, 1080)
    told = _measured(meter, 2.0, 30)
    assert len(told) == 1
    facts, policy = told[0][1]
    assert facts.gop_s == pytest.approx(2.0)
    assert facts.fps == pytest.approx(25)
    assert facts.kbps == pytest.approx(4000)
    assert policy.reason is Reason.SHORT_GROUPS


def test_a_stream_that_changes_is_told_again():
    meter = Meter(Watch.AUTO)
    meter.codec, meter.shape = "h264", (1920, 1080)
    _measured(meter, 2.0, 20)
    told = _measured(meter, 4.0, 30, start=20)
    assert told[-1][1][1].reason is Reason.LONG_GROUPS
    meter.shape = (640, 360)
    told = _measured(meter, 4.0, 30, start=50)
    assert told[0][1][1].reason is Reason.SMALL


def test_a_group_that_does_not_end_is_a_long_one_before_it_ends():
    meter = Meter(Watch.AUTO)
    _measured(meter, 1.0, 10)
    assert meter.policy.decoding is Decoding.KEYS
    _measured(meter, 100.0, KEYS_GROUP_S + 1.1, start=10)
    assert meter.policy.reason is Reason.LONG_GROUPS
    fresh = Meter(Watch.AUTO)
    _measured(fresh, 100.0, 4)
    assert fresh.policy.reason is Reason.LONG_GROUPS
    assert fresh.facts.fps == pytest.approx(25, rel=0.05)


def test_one_early_key_and_one_late_packet_do_not_change_the_policy():
    meter, t, policies = Meter(Watch.AUTO), 0.0, []
    meter.codec, meter.shape = "h264", (1920, 1080)
    for group_s in (2.0, 2.0, 2.0, 2.0, 2.2, 1.8, 0.6, 1.4, 2.0, 2.0):
        _measured(meter, 100.0, group_s, start=t)
        t += group_s
        policies.append(meter.policy.decoding)
    assert set(policies[4:]) == {Decoding.KEYS}


def test_a_first_group_that_comes_all_at_once_is_not_believed_alone():
    meter = Meter(Watch.AUTO)
    for i in range(50):
        meter.step(FakePacket(i, i == 0), 0.001 * i)
    _measured(meter, 4.0, 3.9, start=0.05)
    assert meter.policy.decoding is Decoding.BETWEEN


def test_what_waited_while_the_stream_was_opened_makes_it_no_faster():
    meter = Meter(Watch.AUTO)
    meter.codec, meter.shape = "h264", (1920, 1080)
    for i in range(12):  # half a group at once
        meter.step(FakePacket(i, i == 0, 20_000), 0.0)
    for i in range(12, 120):
        meter.step(FakePacket(i, i % 25 == 0, 20_000), (i - 12) / 25)
    assert meter.facts.fps == pytest.approx(25)
    assert meter.facts.kbps == pytest.approx(4000)


@given(
    st.lists(
        st.tuples(st.floats(0, 3), st.booleans(), st.integers(0, 10**6), st.integers(0, 3)),
        max_size=60,
    )
)
def test_facts_are_never_told_too_often(steps):
    meter, t, told = Meter(Watch.AUTO), 0.0, []
    for pause, key, size, shape in steps:
        t += pause
        meter.shape = (320 * shape, 180 * shape)
        meter.step(FakePacket(0, key, size), t)
        if news := meter.news(t):
            told.append(t)
            assert news[0].gop_s > 0
    assert all(b - a >= TELL_S for a, b in pairwise(told))
