"""How a camera's URL is opened: one place for transports, options and time limits. Knows PyAV.

Files (`file://`) are played in real time and in a loop, as a camera would. What may be opened
is tight: one format, its protocols, three codecs; a redirection is not followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import unquote, urlsplit

import av

from edge.domain.loss import Loss, said
from edge.errors import SourceError
from edge.vision.stream import reach
from edge.vision.stream.access import HTTP_SCHEMES, Access, Transport
from edge.vision.stream.wording import NO_VIDEO, opening_failed, reading_failed

OPEN_S = 5.0
READ_S = 4.0
MAX_PIXELS = 8192 * 4352
MAX_SIDE = 16384
CODECS = frozenset({"h264", "hevc", "mjpeg"})
DEVICE_CODECS = CODECS | {"rawvideo"}
VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"  # generic for the type checker only
Packets: TypeAlias = "Iterator[tuple[av.VideoStream, VideoPacket]]"

_LIMITS = {"max_pixels": str(MAX_PIXELS), "max_streams": "8"}
_LIVE = {
    **_LIMITS,
    "timeout": str(int(READ_S * 1e6)),
    "probesize": "500000",
    "analyzeduration": "500000",
    "codec_whitelist": ",".join(sorted(CODECS)),
}
_RTSP = {
    **_LIVE,
    "allowed_media_types": "video",
    "buffer_size": "1000000",  # a key picture over UDP comes in one burst
}
_TRANSPORTS = {
    Transport.AUTO: {"rtsp_transport": "tcp+udp", "rtsp_flags": "prefer_tcp+filter_src"},
    Transport.TCP: {"rtsp_transport": "tcp"},
    Transport.UDP: {"rtsp_transport": "udp", "rtsp_flags": "filter_src"},
}
_HTTP = {**_LIVE, "max_redirects": "0", "seekable": "0", "multiple_requests": "0"}
_FILE = {**_LIMITS, "protocol_whitelist": "file"}
_TITLES = "replace"  # a stream's title may be in any encoding, or in none
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")  # FFmpeg would obey them


def packets(access: Access) -> Packets:
    """Packets of a camera as they come.

    Raises:
        SourceError: it cannot be opened or read, in the words of `Loss`; never with the URL.
    """
    if access.scheme == "file":
        return _told(access, _file_packets(local_path(access.url)))
    if access.scheme == "v4l2":
        return _told(access, _device_packets(local_path(access.url)))
    return _told(access, _live_packets(access))


def local_path(url: str) -> str:
    """The path that a file:// or v4l2:// URL names."""
    return unquote(urlsplit(url).path)


def _told(access: Access, inner: Packets) -> Packets:
    """The same packets; FFmpeg's errors in our words."""
    opened, begun = False, time.monotonic()
    try:
        for stream, packet in inner:
            opened = True
            yield stream, packet
    except av.FFmpegError as error:
        if opened:
            why = reading_failed(error, READ_S)
        else:
            late = time.monotonic() - begun > READ_S - 0.5
            why = opening_failed(access, error, late=late)
        raise SourceError(why) from None  # its own text may hold the password


def _live_packets(access: Access) -> Packets:
    allowed, before = reach.addresses(access), reach.open_files()
    with _trusting(access) as trust:
        container = av.open(
            access.url,
            format="mpjpeg" if access.scheme in HTTP_SCHEMES else "rtsp",
            options=_options(access) | trust,
            timeout=(OPEN_S, READ_S),
            metadata_errors=_TITLES,
        )
    with container:
        if reach.strayed(allowed, before):
            raise SourceError(said(Loss.ELSEWHERE))
        yield from _demuxed(container, CODECS)


def _options(access: Access) -> dict[str, str]:
    for name in _PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    if access.scheme in HTTP_SCHEMES:
        allowed = "http,tcp" + (",https,tls" if access.tls else "")
        return {**_HTTP, "protocol_whitelist": allowed}
    # Over UDP the pictures would travel outside of TLS.
    transport = Transport.TCP if access.tls else access.transport
    allowed = "tcp" + ",tls" * access.tls + ",rtp,udp" * (transport is not Transport.TCP)
    return {**_RTSP, **_TRANSPORTS[transport], "protocol_whitelist": allowed}


@contextlib.contextmanager
def _trusting(access: Access) -> Iterator[dict[str, str]]:
    """Options that make FFmpeg verify whom it talks to; a pinned certificate is its own authority.

    FFmpeg checks in its own handshake, so nobody can change places between ours and that.
    """
    if not access.tls:
        yield {}
        return
    if not access.tls_pin:
        yield {"tls_verify": "1", "ca_file": access.ca_file}
        return
    pem, name = reach.pinned(access)
    with open(os.memfd_create("pinned"), "wb") as file:  # noqa: PTH123 - a number, not a path
        file.write(pem)
        file.flush()
        path = f"/proc/self/fd/{file.fileno()}"
        yield {"tls_verify": "1", "ca_file": path, "verifyhost": name}


def _device_packets(path: str) -> Packets:
    """Packets of a V4L2 device; each is a picture of its own."""
    with av.open(
        path,
        format="v4l2",
        options=dict(_LIMITS),
        timeout=(OPEN_S, READ_S),
        metadata_errors=_TITLES,
    ) as container:
        for stream, packet in _demuxed(container, DEVICE_CODECS):
            packet.is_keyframe = True
            yield stream, packet


def _demuxed(container: av.container.InputContainer, codecs: frozenset[str]) -> Packets:
    stream = video_stream(container)
    codec = stream.codec_context.name
    if codec not in codecs:
        raise SourceError(said(Loss.NOT_A_STREAM, codec))
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
    return av.open(
        str(Path(path)), options=dict(_FILE), timeout=(OPEN_S, READ_S), metadata_errors=_TITLES
    )


def video_stream(container: av.container.InputContainer) -> av.VideoStream:
    """The video stream, to be decoded in this thread. Raises av.FFmpegError without one."""
    found = container.streams.video
    # A stream that is described as of an unknown codec has no context, whatever the types say.
    if not found or cast("object", found[0].codec_context) is None:
        raise av.error.InvalidDataError(errno.ENODATA, NO_VIDEO)
    stream = found[0]
    stream.codec_context.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return stream
