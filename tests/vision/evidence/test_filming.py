from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import av
import pytest

from edge.vision.camera.channel import HEADER, ClipMessage, parse_body, parse_header
from edge.vision.evidence.filming import Filming
from edge.vision.stream.ring import Ring
from edge.vision.stream.source import open_file, video_stream
from tests.vision.video import walk, write_video


class _Told:
    def __init__(self) -> None:
        self.clips: list[ClipMessage] = []

    def __call__(self, parts: Any) -> None:
        message = b"".join(parts)
        kind, _ = parse_header(message[: HEADER.size])
        clip = parse_body(kind, bytearray(message[HEADER.size :]))
        assert isinstance(clip, ClipMessage)
        self.clips.append(clip)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "walk.mp4", walk(12))


def _fed(path: Path, filming: Filming, *, asked: float, ends: float | None, seconds: float) -> None:
    """Ask at `asked` for what began three seconds before."""
    ring: Ring[Any] = Ring()
    with open_file(str(path)) as container:
        stream = video_stream(container)
        filming.stream(stream, 0.0)
        for i, packet in enumerate(container.demux(stream)):
            now = i / 25
            if not packet.size or now > seconds:
                break
            ring.put(packet, now)
            if i == round(asked * 25):
                filming.begin(ring, 3.0, now)
            if ends is not None and i == round(ends * 25):
                filming.end(now)
            filming.put(packet, now)


def _length(clip: ClipMessage) -> float:
    with av.open(io.BytesIO(clip.data)) as container:
        return float(cast("Any", container).duration or 0) / 1e6


def test_a_clip_covers_what_was_before_and_ends_soon_after_its_activity(video):
    told = _Told()
    _fed(video, Filming(told), asked=8.5, ends=10.0, seconds=11.9)
    (clip,) = told.clips
    assert clip.duration_s == pytest.approx(6.0, abs=0.1)  # from the key at 5.0 to 11.0
    assert clip.age_s == pytest.approx(6.0, abs=0.1)
    assert _length(clip) == pytest.approx(6.0, abs=0.2)
    assert clip.pictures == pytest.approx(150, abs=3)


def test_a_stream_that_breaks_off_gives_a_clip_of_what_there_is(video):
    told = _Told()
    filming = Filming(told)
    _fed(video, filming, asked=8.5, ends=None, seconds=9.5)
    assert told.clips == []
    filming.finish(9.5)
    filming.finish(9.6)
    (clip,) = told.clips
    assert _length(clip) == pytest.approx(4.5, abs=0.2)


def test_whoever_asks_again_is_answered_for_the_first_time_too(video):
    told = _Told()
    filming = Filming(told)
    _fed(video, filming, asked=8.5, ends=None, seconds=9.5)
    filming.begin(Ring(), 5.0, 9.5)
    filming.end(9.5)
    filming.finish(10.0)
    assert [len(clip.data) > 0 for clip in told.clips] == [True, False]
    assert told.clips[1].pictures == 0


def test_before_a_stream_there_is_nothing_to_show():
    told = _Told()
    filming = Filming(told)
    filming.end(0.0)
    filming.begin(Ring(), 5.0, 0.0)
    filming.finish(1.0)
    assert [bytes(clip.data) for clip in told.clips] == [b""]


def test_packets_that_make_no_file_give_an_empty_clip(video, monkeypatch):
    def broken(_template, _packets):
        raise av.error.InvalidDataError(1, "no")

    monkeypatch.setattr("edge.vision.evidence.filming.Template.remux", broken)
    told = _Told()
    _fed(video, Filming(told), asked=2.0, ends=2.0, seconds=5)
    assert [clip.pictures for clip in told.clips] == [0]
