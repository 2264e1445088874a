"""The process of one camera: demux, decode, gate, picture quality. Knows PyAV.

It lives for one connection. Whatever ends the stream ends the process, after a last message
that says why; the daemon starts the next one. It writes `channel` messages and reads
commands, so that a process in wrong hands has nothing to hold the daemon by.
"""

from __future__ import annotations

import math
import resource
import select
import signal
import socket
import time
from collections.abc import Iterator

import av
import cv2
import numpy as np

from edge.domain.loss import Loss, said
from edge.errors import SourceError
from edge.vision.access import Access
from edge.vision.channel import (
    COMMANDS_READ,
    Box,
    Command,
    Why,
    pack_ended,
    pack_picture,
    pack_quality,
    parse_commands,
)
from edge.vision.eye import Eye, Pace
from edge.vision.picture import Pixels, fitted
from edge.vision.source import MAX_PIXELS, READ_S, VideoPacket, packets

WRITE_S = 5.0
NO_DATA = said(Loss.NO_DATA, f"{READ_S:.0f} s")
NO_PICTURE_S = 10.0  # packets without a single picture for this long are no stream
MAX_PENDING = 600  # packets kept undecoded; 24 s at 25 a second
MAX_PENDING_BYTES = 32_000_000
MAX_MEMORY = 3 << 30  # bytes of address space: a picture bomb ends this process only

_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "nv12", "gray"})


def camera_process(access: Access, channel: socket.socket) -> None:
    """Main function of the process; returns when the stream has ended or nobody listens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the daemon decides
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(1)
    av.logging.set_level(None)
    channel.settimeout(WRITE_S)
    line = Line(channel)
    try:
        reason = watch_stream(access, line)
    except SourceError as error:
        reason = str(error)
    except av.FFmpegError as error:  # of the decoder; its full text may hold the URL
        reason = said(Loss.FAILS, error.strerror or "")
    except MemoryError:
        reason = Loss.MEMORY.value
    except OSError:
        return  # nobody listens any more
    line.end(reason)


class Line:
    """The child's end of the channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.leave = False
        self.attentive = False

    def listen(self) -> None:
        """Take what the daemon has said, without waiting. Raises OSError when it is gone."""
        if not select.select([self._channel], [], [], 0)[0]:
            return
        said = self._channel.recv(COMMANDS_READ)
        if not said:
            raise BrokenPipeError
        for what, _number in parse_commands(said):
            if what in (Command.LEAVE, Command.LEAVE_AND_LOOK):
                self.leave = True
                self.attentive = what is Command.LEAVE_AND_LOOK

    def picture(
        self, frame: Pixels, why: Why, age_s: float = 0.0, moving: tuple[Box, ...] = ()
    ) -> None:
        self.leave = False
        for part in pack_picture(frame, why, age_s, moving):
            self._channel.sendall(part)

    def say(self, message: bytes) -> None:
        self._channel.sendall(message)

    def end(self, reason: str) -> None:
        try:
            self._channel.sendall(pack_ended(reason))
        except OSError:  # the daemon has gone first
            return


def watch_stream(access: Access, line: Line) -> str:
    """Watch until the stream ends; say why it did.

    Raises:
        SourceError: the stream failed.
        OSError: the daemon does not listen any more.
    """
    looks = packets(access)
    eye = Eye()
    pace = Pace()
    lazy: LazyDecoder | None = None
    seen = packet_at = math.inf  # until the first packet
    for stream, packet in looks:
        now = time.monotonic()
        if lazy is None or lazy.stream is not stream:
            lazy = LazyDecoder(stream)
        line.listen()
        if now - packet_at > READ_S - 0.5:  # at a timeout the parser gives up its last packet
            break
        packet_at, seen = now, min(seen, now)
        lazy.take(packet)
        if pace.due(now, bool(packet.is_keyframe), eye.awake) or lazy.full:
            for frame, since_key in lazy.decode():
                pace.looked(now)
                seen = now
                if eye.wants(now, since_key):
                    _look(eye, line, frame, now, since_key)
        if now - seen > NO_PICTURE_S:
            return said(Loss.NO_PICTURE, f"{NO_PICTURE_S:.0f} s")
    else:
        return Loss.ENDED.value
    return NO_DATA


def _look(eye: Eye, line: Line, frame: av.VideoFrame, now: float, since_key: int) -> None:
    look = eye.step(luma(frame), now, since_key, line.leave, line.attentive)
    if look.picture is not None:
        line.picture(colour(frame), look.picture, moving=look.moving)
    if look.measures is not None:
        line.say(pack_quality(look.measures, eye.state, eye.threshold))


class LazyDecoder:
    """Holds packets since the last key undecoded until somebody wants to look.

    A key makes the packets before it needless. Decoding always goes on from a key without a
    gap, so a look is never at a torn picture.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self.stream = stream
        self._pending: list[VideoPacket] = []
        self._bytes = 0
        self._synced = False  # a key has been seen since the start or the last decoding error
        self._since_key = -1
        self._key_pts: int | None = None

    @property
    def full(self) -> bool:
        """Too much is held: decode it, whether anybody looks or not."""
        return len(self._pending) >= MAX_PENDING or self._bytes >= MAX_PENDING_BYTES

    def take(self, packet: VideoPacket) -> None:
        if packet.is_keyframe:
            self._pending.clear()
            self._bytes = 0
            self._synced = True
        if self._synced:
            self._pending.append(packet)
            self._bytes += packet.size

    def decode(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """Decode what is held: pictures, each with its number after its key picture."""
        pending, self._pending, self._bytes = self._pending, [], 0
        for packet in pending:
            if packet.is_keyframe:
                self._since_key, self._key_pts = -1, packet.pts
            try:
                frames = self.stream.codec_context.decode(packet)
            except av.error.InvalidDataError:
                self._synced = False  # torn: wait for the next key
                return
            for frame in frames:
                if self._stale(frame):
                    continue
                if frame.width * frame.height > MAX_PIXELS:
                    raise MemoryError
                self._since_key += 1
                yield frame, self._since_key

    def _stale(self, frame: av.VideoFrame) -> bool:
        """Whether the decoder held this picture back from before the key (reordering)."""
        return self._key_pts is not None and frame.pts is not None and frame.pts < self._key_pts


def luma(frame: av.VideoFrame) -> Pixels:
    """Luma of a decoded picture, height x width; a view where the format allows it."""
    if frame.format.name not in _PLANAR:
        return np.asarray(frame.reformat(format="gray", threads=1).to_ndarray(), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * frame.height]
    return rows.reshape(frame.height, plane.line_size)[:, : frame.width]


def colour(frame: av.VideoFrame) -> Pixels:
    """A decoded picture as BGR, at most 1280 pixels on the longer side."""
    width, height = fitted(frame.width, frame.height)
    small = frame.reformat(
        width=width, height=height, format="bgr24", interpolation="AREA", threads=1
    )
    return np.asarray(small.to_ndarray(), np.uint8)
