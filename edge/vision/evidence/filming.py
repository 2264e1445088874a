"""Clips that the daemon asks a camera's process for: begun, ended, handed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import av

from edge.vision.camera.channel import MAX_CLIP_S, pack_clip
from edge.vision.evidence.clip import Clip
from edge.vision.evidence.remux import Template
from edge.vision.stream.ring import Held, Ring
from edge.vision.stream.source import VideoPacket

Say = Callable[[Sequence[bytes]], None]


class Filming:
    """One clip at a time; every one that is begun is answered, by an empty one if need be."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._template: Template | None = None
        self._clip: Clip[VideoPacket] | None = None

    def stream(self, stream: av.VideoStream, now: float) -> None:
        """Another stream begins: what is under way was of the one before."""
        self.finish(now)
        self._template = Template(stream)

    def begin(self, ring: Ring[VideoPacket], age_s: float, now: float) -> None:
        """Begin with what came `age_s` ago."""
        self.finish(now)
        self._clip = Clip(ring.since(now - age_s), now)

    def end(self, now: float) -> None:
        """What the clip is about is over."""
        if self._clip is not None:
            self._clip.end(now)

    def put(self, packet: VideoPacket, now: float) -> None:
        """Take a packet."""
        if self._clip is None:
            return
        self._clip.put(Held(packet, now))
        if self._clip.over(now):
            self.finish(now)

    def finish(self, now: float) -> None:
        """Hand over what there is. Raises OSError when nobody listens."""
        clip, self._clip = self._clip, None
        if clip is None:
            return
        packets = clip.packets
        data = b""
        if self._template is not None:
            try:
                data = self._template.remux(packets)
            except (av.FFmpegError, ValueError):  # stamps or parameter sets that make no file
                packets = []
        if not data:
            packets = []
        age_s = min(now - packets[0].at, MAX_CLIP_S) if packets else 0.0
        duration_s = min(packets[-1].at - packets[0].at, MAX_CLIP_S) if packets else 0.0
        self._say(pack_clip(data, age_s, duration_s, len(packets)))
