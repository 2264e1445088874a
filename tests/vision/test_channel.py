from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.observation import Measures
from edge.errors import Refused
from edge.vision.channel import (
    HEADER,
    MAGIC,
    MAX_BODY,
    EndedMessage,
    Kind,
    PictureMessage,
    QualityMessage,
    Why,
    pack_ended,
    pack_picture,
    pack_quality,
    parse_body,
    parse_header,
)


def _parse(message: bytes):
    kind, length = parse_header(message[: HEADER.size])
    assert length == len(message) - HEADER.size
    return parse_body(kind, bytearray(message[HEADER.size :]))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from(Why))
def test_a_picture_arrives_as_it_was_sent(width, height, seed, why):
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    message = _parse(b"".join(pack_picture(frame, why)))
    assert isinstance(message, PictureMessage)
    assert np.array_equal(message.frame, frame)
    assert message.why is why


def test_a_picture_that_is_a_view_arrives_too():
    frame = np.arange(600, dtype=np.uint8).reshape(10, 20, 3)[::2, ::2]
    message = _parse(b"".join(pack_picture(frame, Why.MOTION)))
    assert isinstance(message, PictureMessage)
    assert np.array_equal(message.frame, frame)


@given(
    st.builds(
        Measures,
        st.floats(0, 255),
        st.floats(0, 128),
        st.floats(0, 1e6),
        st.floats(-1, 1),
        st.floats(0, 1e6),
    )
)
def test_measures_arrive_as_they_were_sent(measures):
    assert _parse(pack_quality(measures)) == QualityMessage(measures)


@given(st.text())
def test_a_reason_arrives_printable_and_bounded(reason):
    message = _parse(pack_ended(reason))
    assert isinstance(message, EndedMessage)
    assert message.reason.isprintable()
    assert len(message.reason) <= 200


@given(st.binary(max_size=20))
def test_a_header_of_any_bytes_is_understood_or_refused(data):
    try:
        _kind, length = parse_header(data)
    except Refused:
        return
    assert length <= MAX_BODY


@given(st.sampled_from(Kind), st.binary(min_size=40, max_size=64))
def test_a_body_of_any_bytes_is_understood_or_refused(kind, data):
    body = bytearray(data[:40] if kind is Kind.QUALITY else data)
    try:
        message = parse_body(kind, body)
    except Refused:
        return
    if isinstance(message, QualityMessage):
        assert 0 <= message.measures.brightness <= 255


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(b"PICK", Kind.QUALITY, 40),
        HEADER.pack(MAGIC, 9, 40),
        HEADER.pack(MAGIC, Kind.QUALITY, 41),
        HEADER.pack(MAGIC, Kind.ENDED, 100_000),
        HEADER.pack(MAGIC, Kind.PICTURE, MAX_BODY + 1),
        HEADER.pack(MAGIC, Kind.PICTURE, 0xFFFFFFFF),
        HEADER.pack(MAGIC, Kind.PICTURE, 2),
        b"",
    ],
)
def test_impossible_headers_are_refused_before_anything_is_read(header):
    with pytest.raises(Refused):
        parse_header(header)


@pytest.mark.parametrize(
    ("width", "height", "why", "pixels"),
    [(0, 1, 0, 3), (2, 2, 0, 11), (2, 2, 7, 12), (1281, 1, 0, 3843), (65535, 65535, 0, 12)],
)
def test_a_picture_whose_sizes_disagree_is_refused(width, height, why, pixels):
    with pytest.raises(Refused):
        parse_body(Kind.PICTURE, bytearray(struct.pack("<HHB", width, height, why) + bytes(pixels)))


@pytest.mark.parametrize(
    "figures",
    [
        (float("nan"), 0, 0, 0, 0),
        (256, 0, 0, 0, 0),
        (0, -1, 0, 0, 0),
        (0, 0, float("inf"), 0, 0),
        (0, 0, 0, 2, 0),
        (0, 0, 0, 0, -1),
    ],
)
def test_measures_out_of_range_are_refused(figures):
    with pytest.raises(Refused):
        parse_body(Kind.QUALITY, bytearray(struct.pack("<5d", *figures)))
