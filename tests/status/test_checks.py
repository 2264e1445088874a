"""Each part's verdict at its limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.status import checks

seconds = st.floats(0, 1e6)


@given(st.one_of(st.none(), seconds), st.one_of(st.none(), seconds), seconds)
def test_a_lost_source_never_works(age_s, limit_s, uptime_s):
    assert not checks.source("m", "gone", age_s, limit_s, uptime_s).works


@given(seconds, st.one_of(st.none(), seconds), seconds)
def test_a_source_works_while_its_newest_observation_is_young(age_s, limit_s, uptime_s):
    works = checks.source("m", None, age_s, limit_s, uptime_s).works
    assert works == (limit_s is None or age_s <= limit_s)


@given(st.one_of(st.none(), seconds), seconds)
def test_a_source_that_was_never_seen_works_for_as_long_as_the_start_may_take(limit_s, uptime_s):
    assert checks.source("m", None, None, limit_s, uptime_s).works == (uptime_s < checks.GRACE_S)


@given(st.dictionaries(st.text(max_size=3), st.one_of(st.none(), seconds)), seconds)
def test_the_detector_works_when_every_camera_was_looked_at_lately(ages_s, uptime_s):
    works = checks.detector(None, ages_s, uptime_s).works
    late = [uptime_s if age_s is None else age_s for age_s in ages_s.values()]
    assert works == all(age_s <= checks.DETECTED_S for age_s in late)


def test_a_detector_on_no_camera_has_nothing_to_prove():
    assert checks.detector(None, {}, 1e6).works
    assert not checks.detector("broken", {}, 0).works


@given(seconds, st.integers(0, 2000), st.integers(0, 2000))
def test_storage_works_when_records_become_durable_and_nothing_piles_up(durable_s, held, queued):
    works = checks.storage(durable_s, held, queued).works
    assert works == (durable_s <= 400 and held == 0 and queued <= 500)


@given(seconds, seconds)
def test_the_uplink_works_while_nothing_waits_long(alarm_s, routine_s):
    assert checks.uplink(None, alarm_s, routine_s).works == (alarm_s <= 30 and routine_s <= 300)
    assert not checks.uplink("refused", 0, 0).works
    assert not checks.uplink("", 0, 0).works


@given(st.integers(0, 100), st.integers(0, 100), st.one_of(st.none(), seconds), seconds)
def test_a_receipt_is_missed_when_records_are_uncovered_and_none_came_for_long(
    covered, size, age_s, uptime_s
):
    works = checks.receipt(covered, size, age_s, uptime_s).works
    since_s = uptime_s if age_s is None else age_s
    assert works == (covered >= size or since_s <= 300)
