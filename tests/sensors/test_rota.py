"""Slow registers: each about once a minute, spread, and put off where a meter has none."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.sensors.plan import Span
from edge.sensors.rota import MAX_WAIT, Rota, phases

SPANS = tuple(Span(3, 100 * i, 2) for i in range(4))


def test_moments_are_spread_evenly_over_the_minute():
    assert phases(4) == [0, 15, 30, 45]
    assert phases(0) == []


def test_everything_is_due_at_first_and_when_it_is_anew():
    clock, rota = ManualClock(), Rota(SPANS, phases(4))
    for _ in range(2):
        assert rota.due(clock.now()) == SPANS
        for span in SPANS:
            rota.done(span, clock.now())
        assert rota.due(clock.now()) == ()
        rota.put_off(SPANS[0], clock.now(), refused=True)
        rota.anew()


@given(st.floats(0.2, 59), st.integers(1, 40))
def test_each_is_read_once_a_minute_and_never_many_in_one_sweep(period_s, count):
    spans = tuple(Span(3, 10 * i, 2) for i in range(count))
    clock, rota = ManualClock(), Rota(spans, phases(count))
    for span in spans:
        rota.done(span, clock.now())
    seen: Counter[Span] = Counter()
    most = 0
    while clock.now().mono_us < 600_000_000:
        due = rota.due(clock.advance(period_s))
        most = max(most, len(due))
        for span in due:
            rota.done(span, clock.now())
        seen.update(due)
    assert set(seen) == set(spans)
    assert 9 <= min(seen.values()) <= max(seen.values()) <= 11
    assert most <= count * period_s / 60 + 1


def test_one_answer_that_does_not_come_is_asked_for_again_at_once():
    clock, rota = ManualClock(), Rota(SPANS[:1], [0])
    rota.put_off(SPANS[0], clock.now(), refused=False)
    assert rota.due(clock.now()) == SPANS[:1]
    rota.put_off(SPANS[0], clock.now(), refused=False)
    assert rota.due(clock.now()) == ()


def test_a_read_that_is_refused_is_tried_ever_more_rarely_and_never_given_up():
    clock, rota, tries = ManualClock(), Rota(SPANS[:1], [0]), []
    for minute in range(500):
        if rota.due(clock.now()):
            tries.append(minute)
            rota.put_off(SPANS[0], clock.now(), refused=True)
        clock.advance(60)
    gaps = [b - a for a, b in pairwise(tries)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 32]
    assert set(gaps[6:]) == {MAX_WAIT}
    rota.done(SPANS[0], clock.now())
    rota.put_off(SPANS[0], clock.now(), refused=True)
    assert rota.due(clock.advance(60)) == SPANS[:1]


def test_a_read_that_is_none_of_its_own_changes_nothing():
    clock, rota = ManualClock(), Rota(SPANS[:1], [0])
    rota.done(SPANS[1], clock.now())
    rota.put_off(SPANS[1], clock.now(), refused=True)
    assert rota.due(clock.now()) == SPANS[:1]
