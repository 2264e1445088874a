"""Loops are exact, files are played at their own speed, scenes live."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from itertools import islice, pairwise

import av
import numpy as np
import pytest

from edge.errors import SourceError
from simulators.cameras.encoder import Encoder
from simulators.cameras.feeds import (
    FileFeed,
    LiveFeed,
    Loop,
    LoopFeed,
    annexb,
    encode_loop,
    load_loop,
    play_feed,
)
from simulators.cameras.scene import Scene
from simulators.cameras.units import AccessUnit, Codec

SIZE = (160, 96)


@pytest.fixture(scope="module")
def scene():
    return Scene(SIZE, 1)


def decoded(codec, units):
    decoder = av.CodecContext.create("h264" if codec is Codec.H264 else "hevc", "r")
    frames = []
    for unit in units:
        frames += decoder.decode(av.Packet(annexb([unit])))
    return [frame.to_ndarray(format="bgr24") for frame in frames + decoder.decode(None)]


def film(path, codec, frames=8, fps=20, pix_fmt="yuv420p", options=None):
    """A square that moves, written by PyAV."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *SIZE, pix_fmt
        for index in range(frames):
            picture = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
            picture[20:60, 8 * index : 8 * index + 40] = 220
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame.reformat(format=pix_fmt)))
        container.mux(stream.encode(None))
    return path


def take(feed, count):
    stop = threading.Event()
    units = list(islice(feed.units(stop), count))
    stop.set()
    return units


@pytest.mark.parametrize("codec", Codec)
def test_an_encoded_scene_decodes_to_the_scene(scene, codec):
    loop = encode_loop(scene, 0.5, codec, fps=12, kbps=2000)
    assert [unit.key for unit in loop.units] == [True] + [False] * 5
    assert loop.length == pytest.approx(0.5)
    pictures = decoded(codec, loop.units)
    assert len(pictures) == 6
    original = scene.render(0.0).astype(int)
    assert np.abs(pictures[0].astype(int) - original).mean() < 8


def test_sensor_noise_survives_the_encoder(scene):
    """Else a live camera would look like a frozen one."""
    scene.clock = False
    loop = encode_loop(scene, 1.0, Codec.H264, fps=12)
    scene.clock = True
    pictures = decoded(Codec.H264, loop.units)
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(pictures)]
    assert np.median(steps) > 0.05


def test_a_key_frame_comes_when_it_is_asked_for(scene):
    encoder = Encoder(Codec.H264, SIZE, 12, gop=10)
    units = [
        unit
        for index in range(6)
        for unit in encoder.encode(scene.render(index / 12), index / 12, key=index == 3)
    ]
    assert [index for index, unit in enumerate(units) if unit.key] == [0, 3]


def test_a_loop_goes_on_without_a_gap():
    units = tuple(AccessUnit((b"\x65x",), index * 0.02, index == 0) for index in range(5))
    feed = LoopFeed(Loop(Codec.H264, units, 0.1, 50))
    begin = time.monotonic()
    played = take(feed, 17)
    spent = time.monotonic() - begin
    steps = np.diff([unit.pts for unit in played])
    assert steps == pytest.approx([0.02] * 16, abs=1e-6)
    assert [unit.key for unit in played] == ([True] + [False] * 4) * 3 + [True, False]
    assert spent >= 0.31  # as long as it lasts, not faster


def test_timestamps_go_on_where_a_feed_rested():
    feed = LoopFeed(Loop(Codec.H264, (AccessUnit((b"\x65x",), 0.0, key=True),), 0.01, 100))
    first, second = take(feed, 3), take(feed, 3)
    assert second[0].pts > first[-1].pts


def test_h264_in_a_file_is_played_as_it_is(tmp_path):
    path = film(tmp_path / "film.mp4", "libx264", options={"bf": "2", "g": "4"})
    loop = load_loop(path)
    assert loop.codec is Codec.H264
    assert len(loop.units) == 8
    assert loop.length == pytest.approx(8 / 20)
    feed = play_feed(path)
    assert isinstance(feed, LoopFeed)
    assert len(feed.sets) == 2
    assert len(decoded(Codec.H264, take(feed, 8))) == 8


def test_another_codec_than_the_file_s_is_encoded_anew(tmp_path):
    path = film(tmp_path / "film.mp4", "libx264")
    feed = play_feed(path, Codec.H265)
    assert isinstance(feed, FileFeed)
    assert len(feed.sets) == 3
    assert len(decoded(Codec.H265, take(feed, 3))) == 3


def test_a_gif_is_played_round_and_round_at_its_own_speed(tmp_path):
    path = film(tmp_path / "film.gif", "gif", frames=4, pix_fmt="rgb8")
    feed = play_feed(path)
    assert feed.fps == pytest.approx(20, rel=0.1)
    begin = time.monotonic()
    units = take(feed, 10)
    assert 0.3 < time.monotonic() - begin < 5
    assert np.diff([unit.pts for unit in units]) == pytest.approx([1 / feed.fps] * 9, abs=0.02)
    pictures = decoded(Codec.H264, units)
    again, elsewhere = (np.abs(pictures[4].astype(int) - pictures[n]).mean() for n in (8, 6))
    assert again < 0.6 * elsewhere  # the next round, the same place


def test_the_real_films_can_be_played(shared_data):
    worker = play_feed(shared_data / "videos" / "worker-helmet-vest.gif")
    assert isinstance(worker, FileFeed)
    assert take(worker, 2)[0].key
    indoors = play_feed(shared_data / "videos" / "one-by-one-person.mp4")
    assert indoors.fps == pytest.approx(10, rel=0.05)
    assert take(indoors, 3)[0].key


@pytest.mark.parametrize("name", ["missing.mp4", "text.mp4"])
def test_what_is_no_video_is_a_source_error(tmp_path, name):
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(SourceError, match=name):
        play_feed(tmp_path / name)


def test_a_file_of_another_codec_cannot_be_passed_through(tmp_path):
    path = film(tmp_path / "film.avi", "mpeg4")
    with pytest.raises(SourceError, match="encoded anew"):
        load_loop(path)
    assert isinstance(play_feed(path), FileFeed)


def test_a_live_scene_is_rendered_as_of_now(scene, monkeypatch):
    feed = LiveFeed(scene, Codec.H264, fps=20)
    times = []
    render = scene.render

    def noted(t):
        times.append(t)
        return render(t)

    monkeypatch.setattr(scene, "render", noted)
    assert take(feed, 5)[0].key
    assert abs(times[-1] - scene.now()) < 2
    assert np.diff(times).mean() == pytest.approx(0.05, abs=0.04)
