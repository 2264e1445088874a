"""How far an upload has come: a saving that may be lost or spoilt."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge.ledger.spare import Spare
from edge.uplink.progress import FILES_KEPT, Progress

A, B = "aa" * 32, "bb" * 32


def test_it_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "upload.json"
    first = Progress(Spare(path), 7)
    first.acknowledged(A, 1000, 0)
    first.acknowledged(A, 1000, 1)
    first.clips = 9
    first.keep()
    again = Progress(Spare(path), 0)
    assert again.clips == 9
    assert again.next_part(A, 1000) == 2
    assert again.part_bytes(A, 5000) == 1000


def test_a_file_that_must_be_cut_smaller_begins_again() -> None:
    progress = Progress(None, 0)
    progress.acknowledged(A, 1000, 3)
    assert progress.part_bytes(A, 500) == 500
    assert progress.next_part(A, 500) == 0
    assert progress.next_part(B, 1000) == 0


def test_what_is_finished_is_forgotten_and_the_memory_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "upload.json"
    progress = Progress(Spare(path), 0)
    for number in range(FILES_KEPT + 3):
        progress.acknowledged(f"{number:064x}", 10, 0)
    assert len(json.loads(path.read_text())["parts"]) == FILES_KEPT
    progress.finished(f"{FILES_KEPT + 2:064x}")
    progress.finished(A)
    assert len(json.loads(path.read_text())["parts"]) == FILES_KEPT - 1


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"clips": "x"}', '{"clips": 1, "parts": {"a": 5}}', "\x00", "{" * 99]
)
def test_a_file_that_is_spoilt_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "upload.json"
    path.write_text(text)
    progress = Progress(Spare(path), 3)
    assert progress.next_part(A, 10) == 0
    assert progress.clips == 3


def test_parts_that_cannot_be_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "upload.json"
    path.write_text(json.dumps({"clips": 1, "parts": {A: [0, 3], B: [10, -1]}}))
    progress = Progress(Spare(path), 0)
    assert progress.next_part(A, 10) == progress.next_part(B, 10) == 0


def test_a_disk_that_takes_nothing_does_not_stop_the_upload(tmp_path: Path) -> None:
    dropped: Counter[str] = Counter()
    progress = Progress(Spare(tmp_path / "nowhere" / "upload.json", dropped), 0)
    with capture_logs() as logs:
        progress.acknowledged(A, 10, 0)
        progress.acknowledged(A, 10, 1)
    assert progress.next_part(A, 10) == 2
    assert [entry["path"].endswith("upload.json") for entry in logs] == [True]
    assert dropped == {"upload.json not written": 2}
