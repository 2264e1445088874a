"""How a camera's URL is opened: one place for transports, options and time limits. Knows PyAV.

Files (`file://`) are played in real time and in a loop, as a camera would.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

import av

OPEN_S = 5.0
READ_S = 4.0
MAX_PIXELS = 8192 * 4352
VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"  # generic for the type checker only
Packets: TypeAlias = "Iterator[tuple[av.VideoStream, VideoPacket]]"

_RTSP_OPTIONS = {
    "rtsp_transport": "tcp",
    "timeout": str(int(READ_S * 1e6)),
    "fflags": "nobuffer",
    "probesize": "500000",
    "analyzeduration": "500000",
    "max_pixels": str(MAX_PIXELS),
}
_FILE_OPTIONS = {"protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}


def packets(url: str) -> Packets:
    """Packets of a camera as they come. Raises av.FFmpegError."""
    return _file_packets(local_path(url)) if url.startswith("file:") else _live_packets(url)


def local_path(url: str) -> str:
    """The path that a file:// URL names."""
    return unquote(urlsplit(url).path)


def _live_packets(url: str) -> Packets:
    with av.open(
        url, format="rtsp", options=dict(_RTSP_OPTIONS), timeout=(OPEN_S, READ_S)
    ) as container:
        stream = video_stream(container)
        for packet in container.demux(stream):
            if packet.size:
                yield stream, packet


def _file_packets(path: str) -> Packets:
    """Packets of a file at the pace of their stamps, over and over."""
    while True:
        begun: float | None = None
        with open_file(path) as container:
            stream = video_stream(container)
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                at = float((packet.dts or 0) * (packet.time_base or 0))
                now = time.monotonic()
                begun = now - at if begun is None else begun
                time.sleep(min(max(0.0, begun + at - now), READ_S - 1))
                yield stream, packet
        if begun is None:
            return


def open_file(path: str) -> av.container.InputContainer:
    """Open a video file; it may not name other files. Raises av.FFmpegError."""
    return av.open(str(Path(path)), options=dict(_FILE_OPTIONS), timeout=(OPEN_S, READ_S))


def video_stream(container: av.container.InputContainer) -> av.VideoStream:
    """The video stream, to be decoded in this thread. Raises av.FFmpegError without one."""
    if not container.streams.video:
        raise av.error.InvalidDataError(1, "it has no video stream")
    stream = container.streams.video[0]
    stream.codec_context.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return stream
