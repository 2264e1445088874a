"""RTP payloads: what is taken apart can be put together."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.cameras.rtp import MTU, Packetiser, fragments, interleave
from simulators.cameras.units import AccessUnit, Codec


def assemble(codec, payloads):
    """A receiver, written from the RFCs: single NAL units and fragmentation units."""
    nals, open_nal = [], None
    for payload in payloads:
        if codec is Codec.H264 and payload[0] & 0x1F == 28:
            start, end, header, body = (
                payload[1] & 0x80,
                payload[1] & 0x40,
                bytes([payload[0] & 0xE0 | payload[1] & 0x1F]),
                payload[2:],
            )
        elif codec is Codec.H265 and payload[0] >> 1 & 0x3F == 49:
            start, end, header, body = (
                payload[2] & 0x80,
                payload[2] & 0x40,
                bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]]),
                payload[3:],
            )
        else:
            assert open_nal is None
            nals.append(payload)
            continue
        assert bool(start) == (open_nal is None)
        assert not (start and end)
        open_nal = header if start else open_nal
        open_nal += body
        if end:
            nals.append(open_nal)
            open_nal = None
    assert open_nal is None
    return nals


def nal(codec, kind, body):
    """A NAL unit of a type that a payload may carry as it is."""
    return (bytes([0x60 | kind]) if codec is Codec.H264 else bytes([kind << 1, 1])) + body


units = st.sampled_from(Codec).flatmap(
    lambda codec: st.tuples(
        st.just(codec),
        st.lists(
            st.builds(
                nal,
                st.just(codec),
                st.integers(1, 23 if codec is Codec.H264 else 47),
                st.binary(min_size=1, max_size=200),
            ),
            min_size=1,
            max_size=6,
        ),
    )
)


@settings(deadline=None)
@given(units, st.integers(4, 64))
def test_what_is_fragmented_is_assembled_again(codec_and_nals, mtu):
    codec, nals = codec_and_nals
    payloads = [part for one in nals for part in fragments(codec, one, mtu)]
    assert all(len(payload) <= mtu for payload in payloads)
    assert assemble(codec, payloads) == nals


@settings(deadline=None)
@given(units, st.integers(0, 65535), st.floats(0, 1e7), st.integers(0, 2**40))
def test_packets_are_numbered_and_the_last_one_of_a_picture_is_marked(
    codec_and_nals, sequence, pts, ssrc
):
    codec, nals = codec_and_nals
    packetiser = Packetiser(codec, ssrc, sequence, mtu=50)
    packets = packetiser.packets(AccessUnit(tuple(nals), pts, key=True))
    heads = [struct.unpack("!BBHII", packet[:12]) for packet in packets]
    assert {head[0] for head in heads} == {0x80}
    assert [head[1] for head in heads] == [96] * (len(heads) - 1) + [224]
    assert [head[2] for head in heads] == [
        (sequence + index) & 0xFFFF for index in range(len(heads))
    ]
    assert {head[3] for head in heads} == {round(pts * 90_000) & 0xFFFFFFFF}
    assert {head[4] for head in heads} == {ssrc & 0xFFFFFFFF}
    assert packetiser.sequence == (sequence + len(packets)) & 0xFFFF
    assert assemble(codec, [packet[12:] for packet in packets]) == nals


@settings(deadline=None)
@given(st.lists(st.binary(max_size=MTU + 12), max_size=5), st.integers(0, 255))
def test_interleaved_frames_can_be_read_back(packets, channel):
    wire, found = interleave(packets, channel), []
    while wire:
        mark, number, size = struct.unpack("!cBH", wire[:4])
        assert (mark, number) == (b"$", channel)
        found.append(wire[4 : 4 + size])
        wire = wire[4 + size :]
    assert found == packets


@pytest.mark.parametrize("codec", Codec)
def test_a_unit_that_fits_is_sent_as_it_is(codec):
    small = nal(codec, 1, b"x" * (MTU - codec.header))
    assert list(fragments(codec, small)) == [small]
