"""`eseal check`, `detect` and `replay`: what is wired, what is seen, what would have been said."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from edge.domain.record import RecordType
from tests.cli.conftest import config_of
from tests.configs import SAMPLE

# --- check ---------------------------------------------------------------------------------


def test_check_of_a_good_file_counts_what_is_wired_and_notes_what_is_unwise(eseal, config):
    said = eseal("check", "-c", config)
    assert said.code == 0
    assert "正常 · ok" in said.out
    assert (
        "mine 220100000001, state suspended, 1 meter, 0 contacts, 0 cameras, 1 broker" in said.out
    )
    assert "提示 · notes:" in said.err
    assert "province.keys: is empty" in said.err


def test_check_lists_every_fault_of_the_file_with_78(eseal, tmp_path):
    config = config_of(tmp_path, '[page]\nhost = "0.0.0.0"\n[logging]\nlevel = "loud"\n[x]\n')
    said = eseal("check", "-c", config)
    assert said.code == 78
    assert "配置有 3 处错误 · 3 faults in the configuration:" in said.err
    for path in ("page.host", "logging.level", "  • x: "):
        assert path in said.err


def test_check_looks_at_what_the_file_names(eseal):
    said = eseal("check", "-c", SAMPLE)
    assert said.code == 78
    assert "bus[1].device: /dev/ttyS1" in said.err or "broker[0].tls.ca" in said.err


def test_markup_in_a_file_is_shown_as_it_is(eseal, tmp_path):
    said = eseal("check", "-c", config_of(tmp_path, '["[red]x[/]"]\n'))
    assert "[red]x[/]" in said.err


# --- detect --------------------------------------------------------------------------------


def test_detect_tells_what_it_sees_as_json_or_as_a_table(eseal, tmp_path):
    picture = tmp_path / "grey.jpg"
    cv2.imwrite(str(picture), np.full((180, 320, 3), 90, np.uint8))
    said = eseal("detect", picture, "--json")
    assert said.code == 0
    assert json.loads(said.out) == {"image": str(picture), "detections": []}
    assert "grey.jpg" in eseal("detect", picture).out


def test_detect_goes_on_after_a_file_that_is_no_picture(eseal, tmp_path):
    picture, text = tmp_path / "grey.png", tmp_path / "notes.txt"
    cv2.imwrite(str(picture), np.full((180, 320, 3), 90, np.uint8))
    text.write_text("no picture")
    said = eseal("detect", text, tmp_path / "none.jpg", picture, "--json")
    assert said.code == 1
    assert "notes.txt: is not a picture that can be decoded" in said.err
    assert "none.jpg: cannot be read" in said.err
    assert len(said.out.splitlines()) == 1


def test_a_broken_or_unknown_model_is_told(eseal, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x07nonsense")
    assert eseal("detect", tmp_path / "x.jpg", "--model", broken).code == 1
    assert eseal("detect", tmp_path / "x.jpg", "--model", "no-such").code == 78


# --- replay --------------------------------------------------------------------------------


def readings(tmp_path: Path, rows: list[str]) -> Path:
    path = tmp_path / "day.csv"
    path.write_text("\n".join(["ts,p_kw", *rows]) + "\n")
    return path


def test_replay_writes_records_and_sums_up(eseal, config, tmp_path):
    rows = [
        f"2026-03-01T20:{i // 6:02}:{i % 6 * 10:02}Z,{55.5 if i >= 30 else 0.2}" for i in range(90)
    ]
    target = tmp_path / "records.jsonl"
    said = eseal("replay", "-c", config, "--readings", readings(tmp_path, rows), "--out", target)
    assert said.code == 0
    assert "90 observations" in said.out
    assert "1 incidents opened" in said.out
    types = [json.loads(line)["type"] for line in target.read_bytes().splitlines()]
    assert RecordType.INCIDENT_OPENED in types


def test_replay_says_where_a_file_is_not_as_it_should_be(eseal, config, tmp_path):
    target = tmp_path / "records.jsonl"
    broken = readings(tmp_path, ["2026-03-01T20:00:00Z,1", "yesterday,2"])
    said = eseal("replay", "-c", config, "--readings", broken, "--out", target)
    assert said.code == 1
    assert "拒绝 · refused" in said.err
    assert "day.csv:3: " in said.err


def test_replay_names_the_cameras_that_there_are(eseal, config, tmp_path):
    target = tmp_path / "records.jsonl"
    said = eseal("replay", "-c", config, "--video", "yard=x.mp4", "--out", target)
    assert said.code == 78
    assert "names camera 'yard'" in said.err


def test_replay_cannot_write_into_a_folder_or_a_missing_one(eseal, config, tmp_path):
    given = ("replay", "-c", config, "--readings", readings(tmp_path, []))
    assert eseal(*given, "--out", tmp_path).code == 2
    said = eseal(*given, "--out", tmp_path / "none" / "records.jsonl")
    assert said.code == 74
    assert "none/records.jsonl: No such file or directory" in said.err
