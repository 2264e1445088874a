"""Sub-streams are guessed by makers' paths; a guess never leaves the camera."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.stream.substreams import candidates

LOGIN = "rtsp://seal:se%40cret@10.0.0.31:554"


@pytest.mark.parametrize(
    ("main", "sub"),
    [
        ("/Streaming/Channels/101", "/Streaming/Channels/102"),
        ("/Streaming/channels/1601?transportmode=unicast", "/Streaming/channels/1602?"),
        ("/h264/ch1/main/av_stream", "/h264/ch1/sub/av_stream"),
        ("/cam/realmonitor?channel=1&subtype=0", "/cam/realmonitor?channel=1&subtype=1"),
        ("/unicast/c1/s0/live", "/unicast/c1/s1/live"),
        ("/media/video1", "/media/video2"),
        ("/stream1", "/stream2"),
        ("/h264Preview_01_main", "/h264Preview_01_sub"),
        ("/user=a&password=b&channel=1&stream=0.sdp", "/user=a&password=b&channel=1&stream=1.sdp"),
        ("/live/ch00_0", "/live/ch00_1"),
        ("/main", "/sub"),
    ],
)
def test_makers_put_it_there(main, sub):
    (found, *_) = candidates(LOGIN + main)
    assert found.startswith(LOGIN + sub)


@pytest.mark.parametrize(
    "url", [LOGIN, f"{LOGIN}/x", f"{LOGIN}/Streaming/Channels/102", "file:///a/main"]
)
def test_where_nothing_is_known_nothing_is_guessed(url):
    assert candidates(url) == []


@given(st.text(st.sampled_from("/main01=?&stream.sdpch_0"), max_size=60))
def test_a_guess_is_another_path_of_the_same_camera(tail):
    url = f"{LOGIN}/{tail}"
    for found in candidates(url):
        assert found != url
        assert urlsplit(found).netloc == urlsplit(url).netloc
