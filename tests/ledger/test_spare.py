"""Files that only save something: whole or not at all, and counted where they cannot be kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from structlog.testing import capture_logs

from edge.ledger.spare import Spare


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    spare = Spare(tmp_path / "saving")
    spare.write(b"a longer one")
    spare.write(b"short")
    assert [path.name for path in tmp_path.iterdir()] == ["saving"]
    assert spare.path.read_bytes() == b"short"
    assert not spare.dropped


def test_what_cannot_be_written_is_counted_each_time_and_told_once(tmp_path: Path) -> None:
    dropped = Counter({"other": 1})
    spare = Spare(tmp_path / "later" / "saving", dropped)
    with capture_logs() as logs:
        for _ in range(3):
            spare.write(b"x")
        spare.path.parent.mkdir()
        spare.write(b"kept")
        spare.write(b"kept")
    assert dropped == {"other": 1, "saving not written": 3}
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]
