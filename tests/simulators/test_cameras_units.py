"""Annex B and what NAL units are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.cameras.feeds import annexb
from simulators.cameras.units import AccessUnit, Codec, parameter_sets, split_annexb, unit_of

bodies = st.lists(
    st.binary(min_size=2, max_size=40)
    .filter(lambda nal: b"\0\0" not in nal and nal[-1] and nal[0])
    .map(bytes),
    max_size=6,
)


@settings(deadline=None)
@given(bodies, st.booleans())
def test_nal_units_between_start_codes_are_found(nals, long):
    code = b"\0\0\0\1" if long else b"\0\0\1"
    assert split_annexb(b"".join(code + nal for nal in nals)) == nals


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_can_be_split(data):
    assert all(nal and b"\0\0\1" not in nal for nal in split_annexb(data))


@settings(deadline=None)
@given(bodies)
def test_joining_is_the_inverse_of_splitting(nals):
    assert split_annexb(annexb([AccessUnit(tuple(nals), 0.0, key=False)])) == nals


@pytest.mark.parametrize(
    ("codec", "first", "key"),
    [
        (Codec.H264, b"\x65", True),
        (Codec.H264, b"\x41", False),
        (Codec.H265, b"\x26\1", True),  # IDR
        (Codec.H265, b"\x28\1", True),  # IDR without leading pictures
        (Codec.H265, b"\x02\1", False),
    ],
)
def test_a_decoder_can_start_at_a_key_unit_only(codec, first, key):
    assert unit_of(codec, b"\0\0\1" + first + b"slice", 1.5) == AccessUnit(
        (first + b"slice",), 1.5, key
    )


def test_nal_units_shorter_than_a_header_are_left_out():
    assert unit_of(Codec.H265, b"\0\0\1\x40\0\0\1\x40\1x", 0).nals == (b"\x40\1x",)


def test_parameter_sets_are_given_whole_or_not_at_all():
    sps, pps = b"\x67sps", b"\x68pps"
    assert parameter_sets(Codec.H264, [b"\x65", pps, sps]) == (sps, pps)
    assert parameter_sets(Codec.H264, [sps]) == ()
    assert parameter_sets(Codec.H265, [b"\x40\1v", b"\x42\1s", b"\x44\1p"]) == (
        b"\x40\1v",
        b"\x42\1s",
        b"\x44\1p",
    )
