"""Packets as an MP4 file, not encoded again. Knows PyAV; runs in the camera's process.

Its index comes first, so that a browser plays it while it loads. Parameter sets are taken from
the first key picture where it carries them: the stream's description may be older or empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from typing import Any, cast

import av

from edge.vision.stream.ring import Held
from edge.vision.stream.source import VideoPacket

TAGS = {"h264": "avc1", "hevc": "hvc1"}
"""Codecs that a browser plays, and what MP4 calls them."""

_SETS = {"h264": (0x1F, 0, {7, 8}), "hevc": (0x3F, 1, {32, 33, 34})}  # mask, shift, types of NAL
_BASE = Fraction(1, 90_000)
_MAX_STEP_S = 2.0  # between two pictures, in stamps that are believed
_MAX_DRIFT = 0.2  # of the duration, between stamps and arrival
_INDEX_BYTES, _A_PACKET = 8_192, 64  # room for the index


class Template:
    """What a file says of a stream; it outlives the stream, whose memory ends with it.

    Attributes:
        codec: its name.
        playable: whether a browser plays it.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self.codec = stream.codec_context.name
        self.playable = self.codec in TAGS
        if self.playable:
            self._keeper = av.open(BytesIO(), "w", format="mp4")
            self._stream = self._keeper.add_stream_from_template(stream)

    def remux(self, packets: Sequence[Held[VideoPacket]]) -> bytes:
        """The file; empty when no browser plays the codec, or nothing is held.

        Raises:
            av.FFmpegError: the packets make no file.
        """
        if not self.playable or not packets:
            return b""
        timed = _timed(packets)
        buffer = BytesIO()
        options = {"moov_size": str(_INDEX_BYTES + _A_PACKET * len(timed))}
        with av.open(buffer, "w", format="mp4", options=options) as container:
            out = cast("Any", container.add_stream_from_template(self._stream))
            out.codec_context.codec_tag = TAGS[self.codec]
            sets = parameter_sets(self.codec, bytes(packets[0].packet))
            if sets:
                out.codec_context.extradata = sets
            out.time_base = _BASE
            for data, key, pts, dts in timed:
                packet = cast("Any", av.Packet(data))
                packet.stream, packet.time_base = out, _BASE
                packet.pts, packet.dts, packet.is_keyframe = pts, dts, key
                container.mux(packet)
        return buffer.getvalue()


def parameter_sets(codec: str, data: bytes) -> bytes:
    """The parameter sets in an Annex B packet, as Annex B; empty when it carries none."""
    mask, shift, wanted = _SETS[codec]
    found = []
    start = data.find(b"\0\0\1")
    while 0 <= start < len(data) - 3:
        kind = data[start + 3] >> shift & mask
        end = data.find(b"\0\0\1", start + 3)
        if kind in wanted:
            found.append(b"\0" + data[start : end if end >= 0 else None].rstrip(b"\0"))
        elif kind in (1, 5) if codec == "h264" else kind < 32:
            break  # pictures begin: parameter sets come before
        start = end
    return b"".join(found)


def _timed(packets: Sequence[Held[VideoPacket]]) -> list[tuple[bytes, bool, int, int]]:
    """Data, key, pts and dts of each packet, from 0 on in units of `_BASE`."""
    shown = _stamps(packets) or _arrivals(packets)
    kept = [
        (held.packet, pts)
        for held, pts in zip(packets, shown, strict=True)
        if pts >= shown[0]  # what precedes the first key needs pictures that are not here
    ]
    # Decoded in this order, each before it is shown, however the camera stamps that.
    decoded = sorted(pts for _, pts in kept)
    late = max(when - pts for when, (_, pts) in zip(decoded, kept, strict=True))
    return [
        (bytes(packet), packet.is_keyframe, pts - shown[0] + late, when - shown[0])
        for when, (packet, pts) in zip(decoded, kept, strict=True)
    ]


def _stamps(packets: Sequence[Held[VideoPacket]]) -> list[int]:
    """The camera's own stamps, if they go steadily forward with the arrival; else none."""
    pts = [held.packet.pts for held in packets]
    base = packets[0].packet.time_base
    if base is None or any(stamp is None for stamp in pts):
        return []
    times = [round(stamp * base / _BASE) for stamp in pts if stamp is not None]
    ordered = sorted(times)
    if not all(0 < b - a <= _MAX_STEP_S / _BASE for a, b in pairwise(ordered)):
        return []
    span, came = float((ordered[-1] - ordered[0]) * _BASE), packets[-1].at - packets[0].at
    return times if abs(span - came) <= 1.0 + _MAX_DRIFT * came else []


def _arrivals(packets: Sequence[Held[VideoPacket]]) -> list[int]:
    """When they came, as stamps; at least a millisecond apart."""
    stamps: list[int] = []
    newest = -90
    for held in packets:
        newest = max(newest + 90, round((held.at - packets[0].at) / _BASE))
        stamps.append(newest)
    return stamps
