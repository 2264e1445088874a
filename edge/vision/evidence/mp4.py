"""Is this the MP4 file that a camera's process makes? Pure; its bytes are not trusted.

Nothing is decoded here: the boxes must tile the file in the order in which we write them, and
name one stream of a codec that a browser plays (ISO/IEC 14496-12, 4.2 and 8.5.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edge.errors import Refused

CODECS = {b"avc1": "h264", b"hvc1": "hevc"}
MAX_BOXES = 32  # beside each other
_PATH = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_ORDER = (b"ftyp", b"moov", b"mdat")
_FILLING = b"free"
_ENTRY = 8 + 28  # of a sample entry: its head, and what comes before its end of width and height


class Film(NamedTuple):
    """What the file says of its stream."""

    codec: str
    width: int
    height: int


def checked(data: memoryview) -> Film:
    """The file's one stream. Raises Refused when it is another kind of file."""
    boxes = [(name, body) for name, body in _boxes(data) if name != _FILLING]
    if tuple(name for name, _ in boxes) != _ORDER:
        raise Refused("camera process: a clip whose parts are others than ours")
    inner = boxes[1][1]
    for name in _PATH:
        found = [body for kind, body in _boxes(inner) if kind == name]
        if len(found) != 1:
            raise Refused(f"camera process: a clip with {len(found)} {name.decode()}")
        inner = found[0]
    entries = list(_boxes(inner[8:]))
    if len(entries) != 1 or entries[0][0] not in CODECS or len(entries[0][1]) < _ENTRY - 8:
        raise Refused("camera process: a clip of another codec")
    codec, entry = entries[0]
    width, height = int.from_bytes(entry[24:26], "big"), int.from_bytes(entry[26:28], "big")
    return Film(CODECS[codec], width, height)


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    place = 0
    for _ in range(MAX_BOXES):
        if place == len(data):
            return
        size = int.from_bytes(data[place : place + 4], "big")
        if not 8 <= size <= len(data) - place:
            raise Refused(f"camera process: a clip with a part of {size} bytes")
        yield bytes(data[place + 4 : place + 8]), data[place + 8 : place + size]
        place += size
    raise Refused(f"camera process: a clip of more than {MAX_BOXES} parts")
