"""Contacts: debounced, and an activity while one is not in its normal position."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind, Phase
from edge.domain.observation import ContactChange, Quality
from edge.sensors.contacts import ContactAnalyser, Debounce
from edge.sensors.spec import ContactSpec

BOX = ContactSpec(code="box", unit=10, address=0)
DOOR = ContactSpec(code="door", unit=10, address=1, normally="open")


def _change(clock, code, *, closed):
    return ContactChange(code, clock.advance(1), Quality.GOOD, closed)


def test_the_first_reading_after_start_counts_as_a_change():
    clock = ManualClock()
    assert Debounce().step(True, clock.now()) == clock.now()


def test_a_change_counts_when_a_second_reading_agrees_and_dates_from_the_first():
    clock, debounce = ManualClock(), Debounce()
    debounce.step(True, clock.now())
    first = clock.advance(1)
    assert debounce.step(False, first) is None
    assert debounce.step(False, clock.advance(1)) == first
    assert debounce.step(False, clock.advance(1)) is None


def test_a_single_disturbed_reading_changes_nothing():
    clock, debounce = ManualClock(), Debounce()
    debounce.step(True, clock.now())
    for _ in range(20):
        assert debounce.step(False, clock.advance(1)) is None
        assert debounce.step(True, clock.advance(1)) is None


@given(st.lists(st.booleans(), min_size=1))
def test_debounced_changes_alternate_and_never_run_ahead(readings):
    clock, debounce, state = ManualClock(), Debounce(), None
    for closed in readings:
        changed = debounce.step(closed, clock.advance(1))
        if changed is not None:
            assert closed is not state
            assert clock.now().since(changed) in {0, 1}
            state = closed


@pytest.mark.parametrize(("contact", "normal"), [(BOX, True), (DOOR, False)])
def test_an_activity_lasts_while_a_contact_is_not_in_its_normal_position(contact, normal):
    clock, analyser = ManualClock(), ContactAnalyser([BOX, DOOR])
    assert analyser.step(_change(clock, contact.code, closed=normal)) == []
    [started] = analyser.step(_change(clock, contact.code, closed=not normal))
    assert (started.kind, started.phase) == (ActivityKind.CONTACT_OPEN, Phase.STARTED)
    assert (started.source, started.aspect) == (contact.code, contact.normally)
    assert started.detail == {"closed": not normal}
    assert analyser.step(_change(clock, contact.code, closed=not normal)) == []
    [ended] = analyser.step(_change(clock, contact.code, closed=normal))
    assert ended.phase is Phase.ENDED
    assert ended.started == started.started
    assert ended.stamp.since(started.stamp) == 2


def test_a_contact_that_is_found_open_at_the_start_is_an_activity():
    analyser = ContactAnalyser([BOX])
    [started] = analyser.step(_change(ManualClock(), "box", closed=False))
    assert started.phase is Phase.STARTED


def test_contacts_do_not_mix():
    clock, analyser = ManualClock(), ContactAnalyser([BOX, DOOR])
    [box] = analyser.step(_change(clock, "box", closed=False))
    [door] = analyser.step(_change(clock, "door", closed=True))
    assert box.key != door.key
    [ended] = analyser.step(_change(clock, "box", closed=True))
    assert ended.source == "box"
