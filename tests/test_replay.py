"""Recorded data through the same analysers and rules, in simulated time."""

from __future__ import annotations

import gzip
import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import replay as module
from edge.config import SealConfig
from edge.domain.observation import Label
from edge.errors import ConfigError, Refused
from edge.replay import replay_files
from edge.seal import Seal
from edge.vision.detect.detector import Detection
from edge.vision.picture import Pixels
from tests.seals import site

START = datetime(2026, 3, 1, 20, tzinfo=UTC)
HOIST_AT_NIGHT = "".join(
    f"2026-03-01T20:{i // 6:02}:{i % 6 * 10:02}Z,hoist,{55.5 if 30 <= i < 60 else 0.2}\n"
    for i in range(180)
)


def csv_file(tmp_path: Path, text: str, name: str = "readings.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def replay(tmp_path: Path, *readings: Path, meter: str = "", **changes: Any) -> str:
    target = tmp_path / "records.jsonl"
    return replay_files(site(**changes), readings, {}, target, meter, START)


def records(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "records.jsonl").read_bytes().splitlines()]


def opened(tmp_path: Path) -> list[dict[str, Any]]:
    return [item["data"] for item in records(tmp_path) if item["type"] == "eseal.incident.opened"]


def test_a_hoist_at_night_is_an_incident(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "ts,meter,p_kw\n" + HOIST_AT_NIGHT)
    summary = replay(tmp_path, path)
    [incident] = opened(tmp_path)
    assert (incident["code"], incident["source"]) == ("production-load", "hoist")
    assert incident["opened"] == "2026-03-01T20:05:00.000000Z"
    assert summary == (
        f"180 observations, {len(records(tmp_path))} records: "
        "1 incidents opened, 1 closed, 0 open at the end\n"
        "  2026-03-01T20:05:00.000000Z production-load hoist"
    )
    assert [int(item["id"]) for item in records(tmp_path)] == list(range(len(records(tmp_path))))


def test_the_same_recording_gives_the_same_bytes_packed_or_not(tmp_path: Path) -> None:
    text = "ts,meter,p_kw,energy_import_kwh,note\n" + HOIST_AT_NIGHT.replace("\n", ",17.5,x\n")
    replay(tmp_path, csv_file(tmp_path, text))
    first = (tmp_path / "records.jsonl").read_bytes()
    packed = tmp_path / "readings.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    replay(tmp_path, packed)
    assert (tmp_path / "records.jsonl").read_bytes() == first
    assert b'"energy_import_kwh":17.5' in first


def test_time_that_is_passed_over_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    rows, at = [], START
    for i in range(3000):
        at += timedelta(seconds=chance.choice([0, 0.4, 3, 29, 31, 60, 400]))
        kw = chance.choice([0.2, 0.2, 40.0]) if 400 < i < 700 or i > 2500 else 0.2
        rows.append(f"{at.isoformat()},{chance.choice(['hoist', 'pump'])},{kw}\n")
    path = csv_file(tmp_path, "ts,meter,p_kw\n" + "".join(rows))
    told = []
    for quiet in (Seal.quiet_until, lambda *_: 0):
        monkeypatch.setattr(Seal, "quiet_until", quiet)
        replay(tmp_path, path)
        told.append((tmp_path / "records.jsonl").read_bytes())
    assert told[0] == told[1]
    assert b"eseal.incident.closed" in told[0]


def test_several_files_are_merged_in_order_of_time(tmp_path: Path) -> None:
    pump = "".join(f"2026-03-01T20:{i:02}:30,{i}.5\n" for i in range(25))
    summary = replay_files(
        site(),
        [
            csv_file(tmp_path, "ts,meter,p_kw\n" + HOIST_AT_NIGHT, "a.csv"),
            csv_file(tmp_path, "\ufeffts,p_kw\n" + pump, "b.csv"),
        ],
        {},
        tmp_path / "records.jsonl",
        "pump",
        START,
    )
    assert summary.startswith("205 observations")
    minutes = [item["time"][:16] for item in records(tmp_path) if "summary" in item["type"]]
    sources = {item["data"].get("source") for item in records(tmp_path)}
    assert minutes == sorted(minutes)
    assert {"hoist", "pump"} <= sources


def test_a_site_with_one_meter_needs_no_meter_column(tmp_path: Path) -> None:
    bus = site().bus[0].model_dump(mode="json")
    bus["meter"] = bus["meter"][:1]
    text = "ts,p_kw\n2026-03-01T20:00:00+08:00,\n2026-03-01T20:01:00+08:00,nan\n"
    summary = replay(tmp_path, csv_file(tmp_path, text), bus=[bus])
    assert summary.startswith("2 observations")
    [minute] = [item["data"] for item in records(tmp_path)]
    assert (minute["quality"], minute["from"]) == ("bad", "2026-03-01T12:00:00.000000Z")


def test_a_summary_shows_the_first_incidents_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHOWN_INCIDENTS", 0)
    summary = replay(tmp_path, csv_file(tmp_path, "ts,meter,p_kw\n" + HOIST_AT_NIGHT))
    assert summary.endswith("; the first 0:")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has no column p_kw and ts"),
        (b"time,kw\n1,2\n", "has no column p_kw and ts"),
        (b"ts,meter,p_kw\nyesterday,pump,1\n", "readings.csv:2: Invalid isoformat"),
        (b"ts,meter,p_kw\n,pump,1\n", "readings.csv:2: Invalid isoformat"),
        (b"ts,meter,p_kw\n2026-03-01,pump,many\n", "readings.csv:2: could not convert"),
        (b"ts,meter,p_kw\n1926-03-01,pump,1\n", "the year 1926"),
        (b"ts,meter,p_kw\n0001-01-01T00:00+14:00,pump,1\n", "the year 1"),
        (b"ts,meter,p_kw\n2026-03-01,fan,1\n", "which meter? Use one of hoist, pump"),
        (b"ts,p_kw\n2026-03-01,1\n", "which meter?"),
        (b"ts,meter,p_kw\n2026-03-02,pump,1\n2026-03-01,pump,1\n", "csv:3: earlier than"),
        (b"\xff\xfe\x00", "cannot be read as CSV"),
        (b"ts,meter,p_kw\n" + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_what_is_no_recording_is_refused_and_says_where(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "readings.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=says.replace("?", r"\?")):
        replay(tmp_path, path)


def test_a_replay_that_fails_leaves_the_records_of_an_earlier_one(tmp_path: Path) -> None:
    good = csv_file(tmp_path, "ts,meter,p_kw\n" + HOIST_AT_NIGHT)
    replay(tmp_path, good)
    earlier = (tmp_path / "records.jsonl").read_bytes()
    bad = csv_file(tmp_path, "ts,meter,p_kw\n" + HOIST_AT_NIGHT + "later,hoist,1\n", "bad.csv")
    with pytest.raises(Refused):
        replay(tmp_path, bad)
    assert (tmp_path / "records.jsonl").read_bytes() == earlier
    assert {path.name for path in tmp_path.iterdir()} == {
        "readings.csv",
        "bad.csv",
        "records.jsonl",
    }


def test_records_can_go_to_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "records.jsonl")
    reader = os.open(tmp_path / "records.jsonl", os.O_RDONLY | os.O_NONBLOCK)
    try:
        replay(tmp_path, csv_file(tmp_path, "ts,meter,p_kw\n" + HOIST_AT_NIGHT[:60]))
        assert os.read(reader, 65536).count(b"\n") > 0
    finally:
        os.close(reader)


def test_a_broken_or_missing_archive_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"ts,meter,p_kw\n" + HOIST_AT_NIGHT.encode())
    spoilt = packed[:60] + bytes(30) + packed[90:]
    for i, content in enumerate((packed[:-20], b"not packed", spoilt)):
        path = tmp_path / f"{i}.csv.gz"
        path.write_bytes(content)
        with pytest.raises(Refused):
            replay(tmp_path, path)
    with pytest.raises(Refused, match="No such file"):
        replay(tmp_path, tmp_path / "missing.csv")


def test_a_meter_or_a_camera_that_the_site_has_not_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--meter: is 'fan'; use one of hoist, pump"):
        replay(tmp_path, meter="fan")
    with pytest.raises(ConfigError, match="names camera 'yard-cam'; use one of shaft-cam"):
        replay_files(site(), [], {"yard-cam": tmp_path / "a.mp4"}, tmp_path / "r.jsonl", "", START)


CELLS = st.sampled_from(
    ["", "ts", "p_kw", "meter", "pump", "hoist", "2026-03-01T20:00:00Z", "2026-13-01", "1e999",
     "-1e308", "17", "nan", "\x00", '"', "9999-12-31T23:59:59Z", "2100-12-31T23:59:59.999999-23:59"]
)  # fmt: skip


@given(st.lists(st.lists(CELLS, max_size=5), max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_holds_it_is_replayed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    tmp_path = tmp_path_factory.mktemp("fuzz", numbered=True)
    text = "ts,meter,p_kw,ct_ratio\n" + "\n".join(",".join(row) for row in rows)
    try:
        replay(tmp_path, csv_file(tmp_path, text))
    except Refused:
        return
    assert all(json.dumps(item) for item in records(tmp_path))


class Flashlight:
    """A detector that takes every bright square for a person."""

    input = (448, 256)

    def detect(self, frames: list[Pixels]) -> list[list[Detection]]:
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Pixels) -> list[Detection]:
        rows, columns = np.nonzero(frame[:, :, 1] > 200)
        if len(rows) < 50:
            return []
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        x1, y1, x2, y2 = (float(edge) for edge in box)
        return [Detection(Label.PERSON, 0.9, (x1, y1, x2, y2))]


def clip(path: Path) -> None:
    """Fourteen seconds: a wall of bricks; from 4 s to 8 s a bright square walks along it."""
    chance = np.random.default_rng(7)
    bricks = chance.integers(50, 130, (9, 16, 1)).repeat(20, 0).repeat(20, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.bit_rate = 4_000_000
        stream.gop_size = 10
        for i in range(140):
            frame = chance.normal(bricks, 4, (180, 320, 3)).clip(0, 255).astype(np.uint8)
            if 40 <= i < 80:
                x = 60 + 3 * (i - 40)
                frame[60:130, x : x + 40] = 255
            picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


@pytest.fixture
def _flashlight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_detector", lambda *_wanted: Flashlight())


@pytest.mark.usefixtures("_flashlight")
def test_a_video_is_replayed_through_gate_tracker_and_zones(tmp_path: Path) -> None:
    path, target = tmp_path / "clip.avi", tmp_path / "records.jsonl"
    clip(path)
    seen = []
    for _ in range(2):
        replay_files(site(), [], {"shaft-cam": path}, target, "", START)
        seen.append(target.read_bytes())
    assert seen[0] == seen[1]
    [incident] = opened(tmp_path)
    assert incident["code"] == "person-at-shaft"
    assert "2026-03-01T20:00:03.9" < incident["opened"] < "2026-03-01T20:00:05"
    [closed] = [
        item["data"] for item in records(tmp_path) if item["type"] == "eseal.incident.closed"
    ]
    assert 2.5 < closed["duration_s"] < 4.5


@pytest.mark.usefixtures("_flashlight")
def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "this is no video", "clip.avi")
    with pytest.raises(Refused, match="cannot be played"):
        replay_files(site(), [], {"shaft-cam": path}, tmp_path / "r.jsonl", "", START)


class TestRealNights:
    """A real idle mine's load, with a hoist on three nights and without one."""

    def incidents(self, tmp_path: Path, path: Path) -> list[str]:
        replay_files(self.config(), [path], {}, tmp_path / "records.jsonl", "", START)
        return [incident["opened"] for incident in opened(tmp_path)]

    def config(self) -> SealConfig:
        bus = site().bus[0].model_dump(mode="json")
        bus["meter"] = [{**bus["meter"][0], "running_kw": None}]
        return site(bus=[bus])

    def test_incidents_open_in_the_three_hoist_nights_and_at_no_other_time(
        self, tmp_path: Path, shared_data: Path
    ) -> None:
        manifest = json.loads((shared_data / "power" / "manifest.json").read_text("utf-8"))
        [nights] = [
            item["episode_list"]
            for item in manifest["scenarios"]
            if item["id"] == "C03_night_hoist"
        ]
        started = time.monotonic()
        found = self.incidents(tmp_path, shared_data / "power" / "C03_night_hoist.csv.gz")
        assert time.monotonic() - started < 30, "twelve days"
        caught = [[at for at in found if first <= at <= last] for first, last in nights]
        assert [len(at) for at in caught] == [1, 1, 1]
        assert len(found) == 3

    def test_the_same_site_without_a_hoist_has_no_incident(
        self, tmp_path: Path, shared_data: Path
    ) -> None:
        assert self.incidents(tmp_path, shared_data / "power" / "C01_idle_mine_12d.csv.gz") == []
