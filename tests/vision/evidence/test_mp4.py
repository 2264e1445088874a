from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.vision.evidence.mp4 import MAX_BOXES, Film, checked


def box(name: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return struct.pack(">I4s", 8 + len(body), name) + body


def a_file(codec: bytes = b"avc1", *, tracks: int = 1, entries: int = 1) -> bytes:
    """The bones of a film of 320 x 180."""
    entry = box(codec, bytes(24), struct.pack(">HH", 320, 180), bytes(50))
    stsd = box(b"stsd", bytes(8), entry * entries)
    trak = box(b"trak", box(b"tkhd"), box(b"mdia", box(b"minf", box(b"stbl", stsd, box(b"stsz")))))
    moov = box(b"moov", box(b"mvhd"), trak * tracks)
    return box(b"ftyp", b"isom") + moov + box(b"free", bytes(9)) + box(b"mdat", bytes(99))


@pytest.mark.parametrize(("tag", "codec"), [(b"avc1", "h264"), (b"hvc1", "hevc")])
def test_a_film_tells_its_codec_and_size(tag, codec):
    assert checked(memoryview(a_file(tag))) == Film(codec, 320, 180)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        a_file()[:-1],
        a_file() + b"\0",
        a_file(b"mp4v"),
        a_file(tracks=2),
        a_file(tracks=0),
        a_file(entries=2),
        a_file(entries=0),
        box(b"ftyp") + box(b"mdat") + box(b"moov"),
        a_file() + box(b"mdat"),
        a_file() + box(b"uuid", b"anything"),
        box(b"ftyp") + box(b"free") * MAX_BOXES,
        struct.pack(">I4sQ", 1, b"ftyp", 16),
        struct.pack(">I4s", 0xFFFFFFFF, b"ftyp"),
        b"\xff\xd8\xff\xe0 a photo",
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(Refused):
        checked(memoryview(data))


def test_an_entry_cut_short_is_refused():
    stsd = box(b"stsd", bytes(8), box(b"avc1", bytes(20)))
    inner = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", stsd))))
    with pytest.raises(Refused, match="codec"):
        checked(memoryview(box(b"ftyp") + box(b"moov", inner) + box(b"mdat")))


@given(st.integers(0, len(a_file()) - 1), st.integers(0, 255))
def test_one_byte_changed_is_understood_or_refused(place, byte):
    data = bytearray(a_file())
    data[place] = byte
    try:
        film = checked(memoryview(data))
    except Refused:
        return
    assert film.codec in {"h264", "hevc"}


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    with pytest.raises(Refused):
        checked(memoryview(data))
