from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from edge.clock import ManualClock, Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Label, Observation, PictureQuality, Quality, Sighting
from edge.errors import Refused
from edge.vision.detect.detector import Detection, Detector
from edge.vision.detect.loading import load_detector
from edge.vision.follow.zones import ZoneAnalyser
from edge.vision.picture import Picture
from edge.vision.playback import play
from edge.vision.spec import CameraSpec
from edge.vision.tamper.quality import PictureAnalyser
from tests.vision.video import noisy, quiet, walk, write_video, yard

FLOOR = {
    "code": "floor",
    "kind": "shaft-mouth",
    "polygon": [(0, 0.2), (1, 0.2), (1, 1), (0, 1)],
}
CAMERA = CameraSpec.model_validate({"code": "cam-1", "url": "file:///x", "zone": [FLOOR]})
START = ManualClock().now()


class _Red:
    """Finds red things."""

    batches = False
    input = (1280, 720)

    def detect(self, pictures):
        return [self._one(picture) for picture in pictures]

    def _one(self, picture) -> list[Detection]:
        red = (picture[..., 2] > 170) & (picture[..., 1] < 100)
        ys, xs = np.nonzero(red)
        if len(xs) < 100:
            return []
        box = tuple(float(edge) for edge in (xs.min(), ys.min(), xs.max(), ys.max()))
        return [Detection(Label.PERSON, 0.9, cast("tuple[float, float, float, float]", box))]


RED = cast("Detector", _Red())


def _played(
    path: Path, detector: Detector | None = RED
) -> list[tuple[Observation, Picture | None]]:
    return list(play(path, CAMERA, detector, START))


def _activities(observations: list[tuple[Observation, Picture | None]]) -> list[Activity]:
    zones, quality = ZoneAnalyser(CAMERA), PictureAnalyser(CAMERA)
    activities: list[Activity] = []
    for item, _ in observations:
        activities += zones.tick(item.stamp)
        if isinstance(item, Sighting):
            activities += zones.step(item)
        elif isinstance(item, PictureQuality):
            activities += quality.step(item)
    return [item for item in activities if item.phase is not Phase.GOES_ON]


@pytest.mark.parametrize(("codec", "b_frames"), [("libx264", 0), ("libx264", 2), ("libx265", 0)])
def test_a_walk_through_the_picture_is_one_activity(codec, b_frames, tmp_path):
    frames = chain(quiet(6), walk(3), quiet(6))
    path = write_video(tmp_path / "v.mp4", frames, codec=codec, b_frames=b_frames)
    started, ended = _activities(_played(path))
    assert (started.kind, started.phase) == (ActivityKind.PERSON_IN_ZONE, Phase.STARTED)
    assert started.stamp.since(START) == pytest.approx(6.6, abs=0.4)
    assert ended.phase is Phase.ENDED
    assert ended.stamp.since(START) == pytest.approx(9.0, abs=0.5)


def test_stamps_never_go_back_and_pictures_belong_to_their_stamps(tmp_path):
    path = write_video(tmp_path / "v.mp4", chain(quiet(4), walk(2)))
    previous = START
    for item, picture in _played(path):
        assert item.stamp.since(previous) >= 0
        previous = item.stamp
        if isinstance(item, Sighting):
            assert picture is not None
            assert picture.stamp == item.stamp


def test_the_same_file_gives_the_same_observations(tmp_path):
    path = write_video(tmp_path / "v.mp4", chain(quiet(4), walk(2)))
    first, second = ([item for item, _ in _played(path)] for _ in range(2))
    assert first == second


def test_without_a_detector_there_are_measures_only(tmp_path):
    path = write_video(tmp_path / "v.mp4", walk(3))
    observations = [item for item, _ in _played(path, None)]
    seen = [item for item in observations if isinstance(item, Sighting)]
    assert {item.quality for item in seen} == {Quality.BAD}
    assert {type(item) for item in observations} == {PictureQuality, Sighting}
    assert len(observations) - len(seen) == 3


def test_a_cover_is_noticed_and_its_picture_shown(tmp_path):
    black = np.full_like(yard(), 12)
    cover = (noisy(black, i, 2.0) for i in range(8 * 25))
    frames = chain(quiet(12), cover, quiet(14))
    path = write_video(tmp_path / "v.mp4", frames)
    observations = _played(path)
    activities = [
        item for item in _activities(observations) if item.kind is ActivityKind.PICTURE_COVERED
    ]
    assert [item.phase for item in activities] == [Phase.STARTED, Phase.ENDED]
    at = activities[0].stamp
    (picture,) = [
        picture
        for item, picture in observations
        if isinstance(item, PictureQuality) and item.stamp == at
    ]
    assert picture is not None
    assert picture.frame.mean() < 40


def test_a_frozen_picture_is_noticed_and_a_quiet_one_is_not(tmp_path):
    still = yard()
    frames = chain(quiet(14), (still for _ in range(20 * 25)), quiet(10))
    path = write_video(tmp_path / "v.mp4", frames)
    activities = [
        item for item in _activities(_played(path)) if item.kind is ActivityKind.PICTURE_FROZEN
    ]
    assert [item.phase for item in activities] == [Phase.STARTED, Phase.ENDED]
    assert activities[0].stamp.since(START) == pytest.approx(20, abs=3)


@pytest.mark.parametrize("data", [b"", b"not a video at all" * 100])
def test_what_is_no_video_is_refused(data, tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes(data)
    with pytest.raises(Refused, match=r"v\.mp4"):
        _played(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="No such file"):
        _played(tmp_path / "none.mp4")


def test_a_file_that_names_other_files_is_refused(tmp_path):
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://192.0.2.1/secret.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(Refused):
        _played(path)


def test_a_torn_file_is_played_as_far_as_it_goes(tmp_path):
    whole = write_video(tmp_path / "v.avi", walk(4)).read_bytes()
    torn = bytearray(whole[: len(whole) * 3 // 4])
    for i in range(len(torn) // 4, len(torn) // 2, 7):
        torn[i] ^= 0x5A
    path = tmp_path / "torn.avi"
    path.write_bytes(bytes(torn))
    assert 2 <= len([item for item, _ in _played(path) if isinstance(item, PictureQuality)]) <= 4


@pytest.mark.timeout(180)  # 670 detections; a busy machine takes its time
def test_six_real_visits_are_six_activities_and_nothing_else(shared_data):
    """A fixed indoor camera, six visits of single people, the foreign detector."""
    told = json.loads((shared_data / "videos/presence.json").read_text())["one-by-one-person.mp4"]
    detector = load_detector(str(shared_data / "models/yolox_nano_416x416.onnx"), threads=1)
    path = shared_data / "videos/one-by-one-person.mp4"
    activities = _activities(_played(path, detector))
    assert [item.phase for item in activities] == [Phase.STARTED, Phase.ENDED] * 6
    for (first, last), started, ended in zip(
        told["present"], activities[::2], activities[1::2], strict=True
    ):
        assert started.kind is ActivityKind.PERSON_IN_ZONE
        begun, over = (_frame(stamp, told["fps"]) for stamp in (started.started, ended.stamp))
        assert first - 3 <= begun <= over <= last + 3


def _frame(stamp: Stamp, fps: float) -> float:
    return stamp.since(START) * fps
