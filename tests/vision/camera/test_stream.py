"""The child's parts in this process; `test_watch` runs them in their own."""

from __future__ import annotations

import socket
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Self, cast

import av
import cv2
import numpy as np
import pytest

from edge.vision.camera.channel import (
    HEADER,
    EndedMessage,
    PictureMessage,
    QualityMessage,
    Why,
    parse_body,
    parse_header,
)
from edge.vision.camera.commands import Command, command
from edge.vision.camera.stream import Line, watch_stream
from edge.vision.stream import decoding
from edge.vision.stream.access import Access
from edge.vision.stream.decoding import StreamCodec, colour, luma
from edge.vision.stream.lazy import LazyDecoder
from edge.vision.stream.policy import Watch
from edge.vision.stream.ring import Held
from edge.vision.stream.source import VideoPacket, local_path, open_file, packets, video_stream
from tests.vision.video import quiet, walk, write_video


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "v.mp4", quiet(3))


def _decoded(path: Path, every: int, *, alone: bool = True) -> list[tuple[float, int, float]]:
    """Times, numbers and arrivals of what is decoded when a look comes every so many packets."""
    told = []
    with open_file(str(path)) as container:
        stream = video_stream(container)
        lazy = LazyDecoder(StreamCodec(stream))
        for i, packet in enumerate(container.demux(stream)):
            if packet.size:
                lazy.take(Held(packet, i / 25))
                while i % every == 0 and (seen := lazy.next(alone=alone)):
                    told.append((round(seen.frame.time or 0, 3), seen.since_key, seen.at))
    return told


def test_looking_at_keys_alone_decodes_keys_alone(video):
    assert _decoded(video, 25) == [(0.0, 0, 0.0), (1.0, 0, 1.0), (2.0, 0, 2.0)]


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_lone_key_of_a_stream_that_reorders_is_not_held_back(tmp_path, codec):
    path = write_video(tmp_path / "b.mp4", walk(4), b_frames=3, codec=codec)
    assert [(number, at) for _, number, at in _decoded(path, 25)] == [
        (0, 0.0),
        (0, 1.0),
        (0, 2.0),
        (0, 3.0),
    ]


def test_a_look_between_decodes_on_from_the_key_without_a_gap(video):
    told = _decoded(video, 20)
    assert told[:21] == [(round(i * 0.04, 3), i, i / 25) for i in range(21)]
    assert told[21][1] == 0


@pytest.mark.parametrize("every", [1, 10])
def test_pictures_that_the_decoder_held_back_from_before_the_key_are_not_shown(tmp_path, every):
    path = write_video(tmp_path / "b.mp4", walk(4), b_frames=3)
    for alone in (False, True):
        told = _decoded(path, every, alone=alone)
        ordered = sorted(told, key=lambda seen: seen[2])
        assert told == ordered
        assert [at for at, _, _ in told] == sorted(at for at, _, _ in told)
        assert len(told) > 60


def test_a_picture_bomb_is_not_taken_in(video, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 100)
    with pytest.raises((MemoryError, av.FFmpegError)):  # by us or by the decoder
        _decoded(video, 1)


def test_a_torn_packet_is_refused_and_the_next_key_is_decoded(video):
    with open_file(str(video)) as container:
        stream = video_stream(container)
        lazy = LazyDecoder(StreamCodec(stream))
        packets = [packet for packet in container.demux(stream) if packet.size]
        torn = av.Packet(b"\0\0\0\1\xff" * 4)
        torn.is_keyframe = True
        lazy.take(Held(cast("VideoPacket", torn), 0.0))
        assert lazy.next(alone=True) is None
        lazy.take(Held(packets[21], 0.1))
        assert lazy.next(alone=True) is None
        lazy.take(Held(packets[25], 0.2))
        seen = lazy.next(alone=True)
        assert seen is not None
        assert seen.since_key == 0


@pytest.mark.parametrize("pixel_format", ["yuv420p", "nv12", "yuv420p10le", "gray", "bgr24"])
def test_luma_and_colour_are_right_in_any_pixel_format(pixel_format):
    pixels = np.full((64, 100, 3), 128, np.uint8)
    pixels[:, 50:] = 20
    frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format=pixel_format)
    grey = luma(frame)
    assert grey.shape == (64, 100)
    assert abs(int(grey[30, 20]) - int(grey[30, 80]) - 100) < 20
    again = colour(frame)
    assert again.shape == (64, 100, 3)
    assert np.abs(again.astype(int) - pixels).max() < 20


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (640, 360), (1282, 722), (320, 182)])
def test_colours_made_quickly_are_those_of_the_careful_way(size):
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (9, 16, 3), np.uint8)
    pixels = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")
    quick = colour(frame)
    careful = colour(frame.reformat(format="yuv422p"))
    assert quick.shape == careful.shape
    assert np.abs(quick.astype(int) - careful).mean() < 3
    frame.color_range = 2
    assert colour(frame).shape == quick.shape


def test_a_large_picture_leaves_the_process_small():
    frame = av.VideoFrame.from_ndarray(np.zeros((1080, 1920, 3), np.uint8), format="bgr24")
    assert colour(frame).shape == (720, 1280, 3)


def test_a_file_without_video_is_an_error(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    with open_file(str(path)) as opened, pytest.raises(av.FFmpegError, match="no video"):
        video_stream(opened)


def test_a_file_is_played_at_its_own_pace_and_in_a_loop(tmp_path):
    path = write_video(tmp_path / "short.mp4", quiet(0.4))
    begun = time.monotonic()
    played = list(islice(packets(Access(path.as_uri())), 25))
    assert 0.7 < time.monotonic() - begun < 3
    assert sum(packet.is_keyframe for _, packet in played) == 3


def test_a_path_with_spaces_survives_its_url(tmp_path):
    path = tmp_path / "a film.mp4"
    assert local_path(path.as_uri()) == str(path)


class _Daemon:
    """The other end of the channel."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.settimeout(10)
        self.theirs.settimeout(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ours.close()
        self.theirs.close()

    def message(self):
        kind, length = parse_header(self._exactly(HEADER.size))
        return parse_body(kind, bytearray(self._exactly(length)))

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.ours.recv(size - len(data))
        return data


def test_a_line_takes_leave_and_gives_it_back_with_the_picture():
    with _Daemon() as daemon:
        line = Line(daemon.theirs)
        line.listen()
        assert not line.leave
        daemon.ours.send(command(Command.LEAVE))
        line.listen()
        assert (line.leave, line.attentive) == (True, False)
        daemon.ours.send(command(Command.LEAVE_AND_LOOK))
        line.listen()
        assert (line.leave, line.attentive) == (True, True)
        line.picture(av.VideoFrame(2, 2, "yuv420p"), Why.MOTION)
        assert not line.leave
        assert isinstance(daemon.message(), PictureMessage)
        line.end("over")
        assert daemon.message() == EndedMessage("over")
        daemon.ours.close()
        line.end("nobody listens")
        with pytest.raises(OSError):
            line.listen()


def test_a_stream_is_watched_until_nobody_listens(video):
    with _Daemon() as daemon:
        daemon.ours.send(command(Command.LEAVE))
        thread = threading.Thread(target=_watch, args=(video.as_uri(), daemon.theirs))
        thread.start()
        messages = [daemon.message() for _ in range(3)]
        daemon.ours.close()
        thread.join(5)
        assert not thread.is_alive()
    assert isinstance(messages[0], PictureMessage)
    assert messages[0].why is Why.LOOK_ANYWAY
    assert {type(message) for message in messages[1:]} == {QualityMessage}


def _watch(url: str, channel: socket.socket) -> None:
    with pytest.raises(OSError):
        watch_stream(Access(url), Line(channel), Watch.AUTO)
