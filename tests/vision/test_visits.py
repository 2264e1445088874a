from __future__ import annotations

import json

import pytest

from benchmarks.played import coded, opened
from benchmarks.video import judge
from edge.vision.detect.loading import load_detector

VIDEO = "one-by-one-person.mp4"


@pytest.mark.parametrize("group_s", [2, 4])
def test_six_visits_seen_by_key_pictures_alone_are_six_incidents(group_s, shared_data, tmp_path):
    video = shared_data / "videos" / VIDEO
    listed = json.loads((video.parent / "presence.json").read_text())[VIDEO]
    path = coded(video, tmp_path / "keys.mkv", group_s, keys_only=True)
    begun, ways = opened(path, "keys", load_detector("", 1))
    counts, strangers = judge(begun, listed["present"], listed["fps"])
    assert (counts, strangers) == ([1] * 6, 0)
    assert "out" not in ways
