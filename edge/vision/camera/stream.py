"""The process of one camera: demux, decode, gate, picture quality. Knows PyAV.

It lives for one connection. Whatever ends the stream ends the process, after a last message
that says why; the daemon starts the next one. It writes `channel` messages and reads
commands, so that a process in wrong hands has nothing to hold the daemon by.
"""

from __future__ import annotations

import ctypes
import gc
import math
import resource
import select
import signal
import socket
import time
from collections.abc import Sequence
from typing import TypeAlias

import av
import cv2

from edge.domain.loss import Loss, said
from edge.domain.observation import Box
from edge.errors import SourceError
from edge.vision.camera.channel import Why, pack_ended, pack_facts, pack_picture, pack_quality
from edge.vision.camera.commands import COMMANDS_READ, Command, parse_commands
from edge.vision.camera.gate import Masks
from edge.vision.camera.sight import Shown, Sight
from edge.vision.evidence.filming import Filming
from edge.vision.stream.access import Access, Transport
from edge.vision.stream.decoding import Canvas, StreamCodec, luma
from edge.vision.stream.policy import Watch
from edge.vision.stream.source import READ_S, VideoPacket, packets

WRITE_S = 5.0
NO_DATA = said(Loss.NO_DATA, f"{READ_S:.0f} s")
M_MMAP_THRESHOLD, LARGE = -3, 1 << 19  # mallopt(3): what is larger goes back when it is freed
# While only keys are wanted nothing is urgent: instead of being woken for each of hundreds of
# network packets a second, let them gather in the socket once all that came is read. Over UDP a
# key picture's burst would not find room there.
WAITED_S = 0.002  # a read that took longer had to wait
BREATH_S = 0.2
NO_PICTURE_S = 10.0  # packets without a single picture for this long are no stream
MAX_MEMORY = 2 << 30  # bytes of address space: a picture bomb ends this process only


def camera_process(
    access: Access, channel: socket.socket, watch: Watch = Watch.AUTO, masks: Masks = ()
) -> None:
    """Main function of the process; returns when the stream has ended or nobody listens."""
    gc.freeze()  # what was loaded before is shared with the others as long as nobody touches it
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the daemon decides
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(1)
    av.logging.set_level(None)
    channel.settimeout(WRITE_S)
    line = Line(channel)
    try:
        reason = watch_stream(access, line, watch, masks)
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
        self._canvas = Canvas()
        self.leave = False
        self.attentive = False

    def listen(self) -> list[tuple[Command, int]]:
        """Take what the daemon has said, without waiting; gives what is no leave.

        Raises OSError when it is gone.
        """
        if not select.select([self._channel], [], [], 0)[0]:
            return []
        said = self._channel.recv(COMMANDS_READ)
        if not said:
            raise BrokenPipeError
        wishes: list[tuple[Command, int]] = []
        for what, number in parse_commands(said):
            if what in {Command.LEAVE, Command.LEAVE_AND_LOOK}:
                self.leave = True
                self.attentive = what is Command.LEAVE_AND_LOOK
            else:
                wishes.append((what, number))
        return wishes

    def picture(
        self, frame: av.VideoFrame, why: Why, age_s: float = 0.0, moving: tuple[Box, ...] = ()
    ) -> None:
        self.leave = False
        self.say(pack_picture(self._canvas.paint(frame), why, age_s, moving))
        if why is Why.LOOK_ANYWAY:  # the next one may be long in coming
            self._canvas = Canvas()

    def say(self, parts: Sequence[bytes | memoryview]) -> None:
        for part in parts:
            self._channel.sendall(part)

    def end(self, reason: str) -> None:
        try:
            self._channel.sendall(pack_ended(reason))
        except OSError:  # the daemon has gone first
            return


Seeing: TypeAlias = "Sight[VideoPacket, av.VideoFrame]"


def watch_stream(access: Access, line: Line, watch: Watch, masks: Masks = ()) -> str:
    """Watch until the stream ends; say why it did.

    Raises:
        SourceError: the stream failed.
        OSError: the daemon does not listen any more.
    """
    filming = Filming(line.say)
    try:
        return _watch(access, line, watch, masks, filming)
    finally:
        filming.finish(time.monotonic())  # a clip of what there is


def _watch(access: Access, line: Line, watch: Watch, masks: Masks, filming: Filming) -> str:
    sight: Seeing | None = None
    current: av.VideoStream | None = None
    begun = packet_at = math.inf  # until the first packet
    asked = time.monotonic()
    for stream, packet in packets(access):
        now = time.monotonic()
        waited = now - asked > WAITED_S
        if sight is not None and sight.resting and waited and access.transport is not Transport.UDP:
            time.sleep(BREATH_S)
        if sight is None or current is not stream:
            current = stream
            sight = _taken_up(sight, stream, watch, masks)
            filming.stream(stream, now)
        for what, number in line.listen():
            _obey(what, number, sight, filming, now)
        if now - packet_at > READ_S - 0.5:  # at a timeout the parser gives up its last packet
            break
        packet_at, begun = now, min(begun, now)
        filming.put(packet, now)
        _look(sight, packet, now, line)
        if now - max(sight.decoded, begun) > NO_PICTURE_S:
            return said(Loss.NO_PICTURE, f"{NO_PICTURE_S:.0f} s")
        asked = time.monotonic()
    else:
        return Loss.ENDED.value
    return NO_DATA


def _taken_up(sight: Seeing | None, stream: av.VideoStream, watch: Watch, masks: Masks) -> Seeing:
    codec = StreamCodec(stream)
    if sight is None:
        sight = Sight(codec, luma, watch, masks)
    else:
        sight.resume(codec)
    sight.meter.codec = codec.name
    return sight


def _obey(what: Command, number: int, sight: Seeing, filming: Filming, now: float) -> None:
    match what:
        case Command.WAKE:
            sight.wake(now + number)
        case Command.CLIP:
            filming.begin(sight.ring, number / 10, now)
        case Command.CLIP_ENDS:
            filming.end(now)


def _look(sight: Seeing, packet: VideoPacket, now: float, line: Line) -> None:
    for news in sight.take(packet, now, line):
        if isinstance(news, Shown):
            line.picture(news.frame, news.why, now - news.at, news.moving)
        else:
            line.say([pack_quality(news, sight.eye.state, sight.eye.threshold)])
    if facts := sight.meter.news(now):
        line.say([pack_facts(*facts)])
