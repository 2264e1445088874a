from __future__ import annotations

import io
import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import pytest

from edge.vision.evidence.remux import Template, parameter_sets
from edge.vision.stream.ring import Held
from edge.vision.stream.source import open_file, video_stream
from tests.support import require_program
from tests.vision.video import walk, write_video


def _held(path: Path, *, start: int = 0) -> tuple[Any, Any, list[Held[Any]]]:
    container = open_file(str(path))
    stream = video_stream(container)
    packets = [packet for packet in container.demux(stream) if packet.size]
    return container, stream, [Held(packet, i / 25) for i, packet in enumerate(packets)][start:]


def _boxes(data: bytes) -> list[str]:
    names, place = [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        names.append(data[place + 4 : place + 8].decode())
        place += size
    return names


def _played(data: bytes) -> list[tuple[float, bool]]:
    with av.open(io.BytesIO(data)) as container:
        return [
            (float(frame.time or 0), frame.key_frame)
            for frame in cast("Any", container).decode(video=0)
        ]


@pytest.mark.parametrize("form", ["mp4", "ts"])
@pytest.mark.parametrize(("codec", "b_frames"), [("libx264", 0), ("libx264", 3), ("libx265", 3)])
def test_packets_become_a_file_that_plays_from_its_beginning(tmp_path, form, codec, b_frames):
    """From an MP4 file, and as a camera sends: Annex B, parameter sets before each key."""
    path = write_video(tmp_path / f"walk.{form}", walk(4), codec=codec, b_frames=b_frames)
    container, stream, held = _held(path)
    with container:
        template = Template(stream)
    data = template.remux(held[25:])  # the stream has gone meanwhile
    name = template.codec
    boxes = _boxes(data)
    assert boxes[0] == "ftyp"
    assert boxes.index("moov") < boxes.index("mdat")
    assert (b"hvc1" if name == "hevc" else b"avc1") in data[:4000]
    played = _played(data)
    assert played[0][1]
    assert played[0][0] < 0.13
    assert len(played) >= 75 - 3
    assert all(0.01 < b[0] - a[0] < 0.13 for a, b in pairwise(played))
    assert 2.8 < played[-1][0] < 3.2
    with av.open(io.BytesIO(data)) as clip:
        assert clip.streams.video[0].codec_context.codec_tag == (
            "hvc1" if name == "hevc" else "avc1"
        )


def test_another_program_plays_it_too(tmp_path):
    require_program("ffprobe")
    container, stream, held = _held(write_video(tmp_path / "walk.h264", walk(3)))
    with container:
        path = tmp_path / "clip.mp4"
        path.write_bytes(Template(stream).remux(held))
    asked = ["-v", "error", "-show_entries", "stream=codec_name,nb_frames,duration:frame=key_frame"]
    told = subprocess.run(
        ["ffprobe", *asked, "-of", "json", str(path)], check=True, capture_output=True
    )
    assert told.stderr == b""
    said = json.loads(told.stdout)
    assert said["frames"][0]["key_frame"] == 1
    assert said["streams"][0]["codec_name"] == "h264"
    assert float(said["streams"][0]["duration"]) == pytest.approx(3, abs=0.1)


def test_stamps_that_jump_are_replaced_by_the_arrival(tmp_path):
    container, stream, held = _held(write_video(tmp_path / "walk.mp4", walk(2)))
    with container:
        for packet, _ in held[25:]:
            packet.pts = cast("int", packet.pts) + 10**9
            packet.dts = cast("int", packet.dts) + 10**9
        played = _played(Template(stream).remux(held))
        held[5].packet.pts = held[5].packet.dts = None
        assert len(_played(Template(stream).remux(held))) == 50
    assert len(played) == 50
    assert played[-1][0] == pytest.approx(49 / 25, abs=0.05)


def test_what_a_browser_does_not_play_is_no_clip(tmp_path):
    container, stream, held = _held(write_video(tmp_path / "walk.avi", walk(0.2), codec="mpeg4"))
    with container:
        assert Template(stream).remux(held) == b""
        assert Template(stream).remux([]) == b""


@pytest.mark.parametrize(
    ("codec", "data", "sets"),
    [
        ("h264", b"\0\0\0\1\x67ab\0\0\1\x68c\0\0\1\x65xyz", b"\0\0\0\1\x67ab\0\0\0\1\x68c"),
        ("h264", b"\0\0\1\x65\0\0\1\x67ab", b""),
        ("h264", b"\0\0\0\1\x67ab", b"\0\0\0\1\x67ab"),
        ("h264", b"\0\0\1", b""),
        ("h264", b"", b""),
        (
            "hevc",
            b"\0\0\1\x40\1v\0\0\1\x42\1s\0\0\1\x44\1p\0\0\1\x26\1x",
            b"\0\0\0\1\x40\1v\0\0\0\1\x42\1s\0\0\0\1\x44\1p",
        ),
        ("hevc", b"\0\0\1\x26\1x\0\0\1\x42\1s", b""),
    ],
)
def test_parameter_sets_are_found_before_the_first_picture(codec, data, sets):
    assert parameter_sets(codec, data) == sets
