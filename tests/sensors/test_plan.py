"""Coalesced reads: everything is covered, no read is too long, and a probe cannot be mistaken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sensors.plan import DISCRETE_INPUTS, Span, plan, probe
from edge.sensors.profiles import Pace, load_profile

MAX_ITEM = 8
items = st.lists(
    st.builds(Span, st.sampled_from([2, 3, 4]), st.integers(0, 500), st.integers(1, MAX_ITEM)),
    min_size=1,
    max_size=30,
)


@given(items, st.integers(MAX_ITEM, 125), st.integers(0, 40))
def test_a_plan_covers_every_item_within_one_read_and_keeps_its_bounds(wanted, longest, gap):
    reads = plan(wanted, longest, gap)
    for item in wanted:
        assert any(read.contains(item) for read in reads)
    for read in reads:
        assert 1 <= read.count <= longest
        assert any(
            item.address == read.address for item in wanted if item.function == read.function
        )
        assert any(item.end == read.end for item in wanted if item.function == read.function)
    assert len(reads) <= len(set(wanted))
    assert list(reads) == sorted(reads)


@given(items, st.integers(MAX_ITEM, 125), st.integers(0, 40))
def test_a_plan_reads_over_no_gap_wider_than_allowed(wanted, longest, gap):
    for read in plan(wanted, longest, gap):
        covered = {
            address
            for item in wanted
            if item.function == read.function
            for address in range(item.address, item.end)
        }
        unwanted = 0
        for address in range(read.address, read.end):
            unwanted = 0 if address in covered else unwanted + 1
            assert unwanted <= gap


def test_a_read_may_be_exactly_as_long_as_allowed_and_no_longer():
    wanted = [Span(3, 0, 2), Span(3, 8, 2)]
    assert plan(wanted, 10, 6) == (Span(3, 0, 10),)
    assert plan(wanted, 9, 6) == tuple(wanted)
    assert plan(wanted, 10, 5) == tuple(wanted)


@given(items, st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_what_is_wanted(wanted, random):
    shuffled = random.sample(wanted, len(wanted))
    assert plan(wanted, 125, 10) == plan(shuffled, 125, 10)


@given(items, st.integers(MAX_ITEM, 125), st.integers(0, 40))
def test_a_probe_asks_only_for_what_the_reads_ask_for(wanted, longest, gap):
    reads = plan(wanted, longest, gap)
    chosen = probe(reads, wanted)
    assert any(read.contains(chosen) for read in reads)


def test_a_probe_stays_within_its_read_where_items_overlap_two_reads():
    wanted = [Span(3, 0, 8), Span(3, 7, 8)]
    reads = plan(wanted, 8, 0)
    assert reads == tuple(wanted)
    assert any(read.contains(probe(reads, wanted)) for read in reads)


@given(items, st.integers(MAX_ITEM, 125), st.integers(0, 40))
def test_a_probe_has_a_length_of_its_own_where_there_is_one_to_be_had(wanted, longest, gap):
    reads = plan(wanted, longest, gap)
    lengths = {read.answer_bytes for read in reads}
    possible = {
        Span(read.function, read.address, count).answer_bytes
        for read in reads
        for count in range(1, read.count)
    }
    chosen = probe(reads, wanted)
    assert (chosen.answer_bytes in lengths) == (possible <= lengths)


@given(items, st.integers(MAX_ITEM, 125), st.integers(0, 40))
def test_a_probe_cuts_no_item_where_it_need_not(wanted, longest, gap):
    reads = plan(wanted, longest, gap)
    lengths = {read.answer_bytes for read in reads}
    whole = {
        Span(read.function, read.address, item.end - read.address)
        for read in reads
        for item in wanted
        if read.contains(item)
    }
    if any(span.answer_bytes not in lengths for span in whole):
        assert probe(reads, wanted) in whole


@pytest.mark.parametrize(
    ("name", "fast", "slow"),
    [
        ("eastron_sdm630", 2, 2),
        ("chint_dtsu666", 1, 2),
        ("acrel_adl400", 1, 2),
        ("abb_b23", 1, 1),
        ("carlo_gavazzi_em24", 5, 4),  # 11 registers a read
    ],
)
def test_a_meter_is_read_with_few_requests_instead_of_one_a_quantity(name, fast, slow):
    profile = load_profile(name)
    assert len(profile.reads(Pace.FAST)) == fast
    assert len(profile.reads(Pace.SLOW)) == slow
    assert len(profile.reads()) <= fast + slow


@given(items, st.integers(MAX_ITEM, 125), st.integers(0, 40), items)
def test_no_read_runs_over_what_is_illegal(wanted, longest, gap, illegal):
    forbidden = [span for span in illegal if not any(map(span.overlaps, wanted))]
    reads = plan(wanted, longest, gap, forbidden)
    assert all(any(read.contains(item) for read in reads) for item in wanted)
    assert not any(read.overlaps(span) for read in reads for span in forbidden)


def test_a_span_contains_what_lies_within_it_in_the_same_table():
    span = Span(3, 10, 4)
    assert span.contains(span)
    assert span.contains(Span(3, 12, 2))
    assert not span.contains(Span(4, 12, 2))
    assert not span.contains(Span(3, 9, 2))
    assert not span.contains(Span(3, 13, 2))


def test_bits_travel_eight_a_byte_and_registers_two_bytes_each():
    assert Span(DISCRETE_INPUTS, 0, 9).answer_bytes == 2
    assert Span(3, 0, 9).answer_bytes == 18
