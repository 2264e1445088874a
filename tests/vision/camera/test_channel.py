from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.observation import RANGES, Measures
from edge.errors import Refused
from edge.vision.camera.channel import (
    HEADER,
    MAGIC,
    MAX_AGE_S,
    MAX_BODY,
    MAX_CLIP,
    ClipMessage,
    EndedMessage,
    FactsMessage,
    Kind,
    PictureMessage,
    QualityMessage,
    Why,
    pack_clip,
    pack_ended,
    pack_facts,
    pack_picture,
    pack_quality,
    parse_body,
    parse_header,
)
from edge.vision.camera.gate import MAX_MOVING, GateState
from edge.vision.stream.policy import Decoding, Facts, Policy, Reason
from edge.vision.tamper.sketch import SKETCH_BYTES

FINE = Measures(**{name: min(high, 1.0) for name, (_, high) in RANGES.items()})  # type: ignore[arg-type]
FACTS = Facts("h264", 1920, 1080, 25.0, 2.0, 4000.0)
POLICY = Policy(Decoding.KEYS, Reason.SHORT_GROUPS)
GREY = np.full((2, 2, 3), 128, np.uint8)

_edges = st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)).map(sorted)
_boxes = st.tuples(_edges, _edges).map(lambda e: (e[0][0], e[1][0], e[0][1], e[1][1]))


def _parse(message: bytes):
    kind, length = parse_header(message[: HEADER.size])
    assert length == len(message) - HEADER.size
    return parse_body(kind, bytearray(message[HEADER.size :]))


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
    st.sampled_from(Why),
    st.floats(0, MAX_AGE_S, width=32),
    st.lists(_boxes, max_size=MAX_MOVING).map(tuple),
)
def test_a_picture_arrives_as_it_was_sent(width, height, seed, why, age_s, moving):
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    message = _parse(b"".join(pack_picture(frame, why, age_s, moving)))
    assert isinstance(message, PictureMessage)
    assert np.array_equal(message.frame, frame)
    assert (message.why, message.age_s, message.moving) == (why, age_s, moving)


def test_a_picture_that_is_a_view_arrives_too():
    frame = np.arange(600, dtype=np.uint8).reshape(10, 20, 3)[::2, ::2]
    message = _parse(b"".join(pack_picture(frame, Why.MOTION)))
    assert isinstance(message, PictureMessage)
    assert np.array_equal(message.frame, frame)


def test_what_exceeds_a_bound_is_bounded_before_it_is_sent():
    many = tuple((0.0, 0.0, 1.0, 1.0) for _ in range(40))
    message = _parse(b"".join(pack_picture(GREY, Why.MOTION, 99.0, many)))
    assert message.age_s == MAX_AGE_S
    assert len(message.moving) == MAX_MOVING
    assert _parse(b"".join(pack_picture(GREY, Why.MOTION, -1.0))).age_s == 0
    wild = replace(FACTS, codec="a_very_long_codec_name", fps=1e9, gop_s=1e9, kbps=-1)
    facts = _parse(pack_facts(wild, POLICY)).facts
    assert facts == replace(FACTS, codec="a_very_long_code", fps=1000, gop_s=3600, kbps=0)


@given(
    st.builds(
        Measures,
        sketch=st.sampled_from([b"", bytes(range(200)) * (SKETCH_BYTES // 200)]),
        **{name: st.floats(low, high) for name, (low, high) in RANGES.items()},
    ),
    st.sampled_from(GateState),
    st.floats(0, 255, width=32),
)
def test_measures_and_the_gate_arrive_as_they_were_sent(measures, gate, threshold):
    sent = QualityMessage(measures, gate, threshold)
    assert _parse(pack_quality(measures, gate, threshold)) == sent


@given(
    st.builds(
        Facts,
        st.sampled_from(["h264", "hevc", "mjpeg", ""]),
        st.integers(0, 16384),
        st.integers(0, 16384),
        st.floats(0, 1000, width=32),
        st.floats(0, 3600, width=32),
        st.floats(0, 1e6, width=32),
    ),
    st.builds(Policy, st.sampled_from(Decoding), st.sampled_from(Reason)),
)
def test_facts_arrive_as_they_were_sent(facts, policy):
    assert _parse(pack_facts(facts, policy)) == FactsMessage(facts, policy)


@given(st.binary(max_size=50), st.floats(0, 60, width=32), st.integers(0, 60_000))
def test_a_clip_arrives_as_it_was_sent(data, seconds, pictures):
    message = _parse(b"".join(pack_clip(data, seconds, seconds, pictures)))
    assert isinstance(message, ClipMessage)
    assert bytes(message.data) == data
    assert (message.age_s, message.duration_s, message.pictures) == (seconds, seconds, pictures)


@given(st.text())
def test_a_reason_arrives_printable_and_bounded(reason):
    message = _parse(pack_ended(reason))
    assert isinstance(message, EndedMessage)
    assert message.reason.isprintable()
    assert len(message.reason) <= 200


@given(st.binary(max_size=20))
def test_a_header_of_any_bytes_is_understood_or_refused(data):
    try:
        kind, length = parse_header(data)
    except Refused:
        return
    assert length <= (MAX_CLIP + 100 if kind is Kind.CLIP else MAX_BODY)


_LENGTHS = {
    Kind.QUALITY: len(pack_quality(FINE, GateState.QUIET, 4.0)) - HEADER.size,
    Kind.FACTS: len(pack_facts(FACTS, POLICY)) - HEADER.size,
}


@given(st.sampled_from(Kind), st.binary(min_size=200, max_size=200), st.integers(12, 200))
def test_a_body_of_any_bytes_is_understood_or_refused(kind, data, length):
    try:
        message = parse_body(kind, bytearray(data[: _LENGTHS.get(kind, length)]))
    except Refused:
        return
    if isinstance(message, QualityMessage):
        assert 0 <= message.measures.brightness <= 255
    if isinstance(message, FactsMessage):
        assert message.facts.codec.isascii()


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_message_with_one_byte_changed_is_understood_or_refused(place, byte):
    for sent in (
        b"".join(pack_picture(GREY, Why.MOTION, 1.0, ((0.1, 0.1, 0.2, 0.2),))),
        pack_quality(FINE, GateState.OPEN, 4.0),
        pack_facts(FACTS, POLICY),
        b"".join(pack_clip(b"1234", 1.0, 1.0, 25)),
    ):
        message = bytearray(sent)
        message[place % len(message)] = byte
        try:
            kind, length = parse_header(bytes(message[: HEADER.size]))
            if length == len(message) - HEADER.size:
                parse_body(kind, message[HEADER.size :])
        except Refused:
            continue


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(b"PICK", Kind.QUALITY, _LENGTHS[Kind.QUALITY]),
        HEADER.pack(MAGIC, 9, 40),
        HEADER.pack(MAGIC, Kind.QUALITY, _LENGTHS[Kind.QUALITY] + SKETCH_BYTES + 1),
        HEADER.pack(MAGIC, Kind.FACTS, _LENGTHS[Kind.FACTS] - 1),
        HEADER.pack(MAGIC, Kind.ENDED, 100_000),
        HEADER.pack(MAGIC, Kind.PICTURE, MAX_BODY + 1),
        HEADER.pack(MAGIC, Kind.PICTURE, 0xFFFFFFFF),
        HEADER.pack(MAGIC, Kind.CLIP, MAX_CLIP + 100),
        HEADER.pack(MAGIC, Kind.PICTURE, 2),
        b"",
    ],
)
def test_impossible_headers_are_refused_before_anything_is_read(header):
    with pytest.raises(Refused):
        parse_header(header)


@pytest.mark.parametrize(
    ("width", "height", "why", "age_s", "boxes", "pixels"),
    [
        (0, 1, 0, 0, 0, 3),
        (2, 2, 0, 0, 0, 11),
        (2, 2, 7, 0, 0, 12),
        (2, 2, 0, -1, 0, 12),
        (2, 2, 0, MAX_AGE_S + 1, 0, 12),
        (2, 2, 0, float("nan"), 0, 12),
        (2, 2, 0, 0, 1, 12),
        (2, 2, 0, 0, MAX_MOVING + 1, 12 + 16 * (MAX_MOVING + 1)),
        (1281, 1, 0, 0, 0, 3843),
        (65535, 65535, 0, 0, 0, 12),
    ],
)
def test_a_picture_whose_sizes_disagree_is_refused(width, height, why, age_s, boxes, pixels):
    head = struct.pack("<HHBfB", width, height, why, age_s, boxes)
    with pytest.raises(Refused):
        parse_body(Kind.PICTURE, bytearray(head + bytes(pixels)))


@pytest.mark.parametrize(
    "box",
    [(0.5, 0, 0.4, 1), (0, 0.5, 1, 0.4), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (float("nan"),) * 4],
)
def test_what_moves_outside_the_picture_is_refused(box):
    body = struct.pack("<HHBfB4f", 1, 1, 0, 0, 1, *box) + bytes(3)
    with pytest.raises(Refused, match="outside"):
        parse_body(Kind.PICTURE, bytearray(body))


@pytest.mark.parametrize("name", RANGES)
def test_measures_out_of_range_are_refused(name):
    low, high = RANGES[name]
    for figure in (float("nan"), low - 1, high + 1):
        changed = replace(FINE, **{name: figure})  # type: ignore[arg-type]
        wrong = pack_quality(changed, GateState.QUIET, 4.0)
        with pytest.raises(Refused, match=name):
            _parse(wrong)


@pytest.mark.parametrize("size", [1, SKETCH_BYTES - 1])
def test_a_sketch_of_another_size_is_refused(size):
    wrong = pack_quality(replace(FINE, sketch=bytes(size)), GateState.QUIET, 4.0)
    with pytest.raises(Refused, match="sketch"):
        _parse(wrong)


@pytest.mark.parametrize(("gate", "threshold"), [(99, 4.0), (0, -1.0), (0, float("inf"))])
def test_a_gate_that_is_none_is_refused(gate, threshold):
    body = pack_quality(FINE, GateState.QUIET, 4.0)[HEADER.size : -5]
    with pytest.raises(Refused):
        parse_body(Kind.QUALITY, bytearray(body + struct.pack("<Bf", gate, threshold)))


@pytest.mark.parametrize(
    ("codec", "width", "figures", "codes"),
    [
        (b"h 264", 1, (1, 1, 1), (0, 0)),
        (b"h264\0x", 1, (1, 1, 1), (0, 0)),
        (b"\xe9", 1, (1, 1, 1), (0, 0)),
        (b"h264", 16385, (1, 1, 1), (0, 0)),
        (b"h264", 1, (-1, 1, 1), (0, 0)),
        (b"h264", 1, (1, float("nan"), 1), (0, 0)),
        (b"h264", 1, (1, 1, 1), (9, 0)),
        (b"h264", 1, (1, 1, 1), (0, 99)),
    ],
)
def test_facts_that_cannot_be_are_refused(codec, width, figures, codes):
    body = struct.pack("<16sHHfffBB", codec, width, 1, *figures, *codes)
    with pytest.raises(Refused):
        parse_body(Kind.FACTS, bytearray(body))
