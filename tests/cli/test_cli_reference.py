"""`eseal reference`: what a camera shows now is what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge import cli_reference, commission
from tests.cli.conftest import config_of

CAMERA = """
[[camera]]
code = "{}"
url = "rtsp://127.0.0.1/"
"""


@pytest.fixture
def wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cli_reference, "_DAEMON_S", 0.0)
    monkeypatch.setattr(cli_reference, "_TAKING_S", 0.0)
    monkeypatch.setattr(cli_reference, "_STEP_S", 0.0)
    (tmp_path / "store").mkdir()
    return config_of(tmp_path, CAMERA.format("shaft-cam") + CAMERA.format("gate-cam"))


class Daemon:
    """Takes what is asked for; its ledger is a list."""

    def __init__(self, good: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.good = good
        self.records: list[tuple[int, dict[str, Any]]] = [
            (3, {"source": "shaft-cam", "evidence": []})
        ]
        monkeypatch.setattr(commission, "ask", self.ask)
        monkeypatch.setattr(commission, "waits", lambda _directory: False)
        monkeypatch.setattr(commission, "taken", self.taken)

    def ask(self, _directory: Path, cameras: list[str]) -> None:
        for camera in self.good & set(cameras):
            evidence = [{"sha256": "ab" * 32}]
            self.records.append((9, {"source": camera, "evidence": evidence}))

    def taken(self, _directory: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        yield from self.records


def test_it_names_the_record_and_the_picture(eseal, wired, monkeypatch):
    Daemon({"shaft-cam", "gate-cam"}, monkeypatch)
    said = eseal("reference", "--all", "-c", wired)
    assert said.code == 0
    assert "shaft-cam: 已取 · taken, 记录 · record 9" in said.out
    assert said.out.count("ab" * 32) == 2


def test_a_camera_without_a_good_picture_is_told_and_is_a_failure(eseal, wired, monkeypatch):
    Daemon({"gate-cam"}, monkeypatch)
    said = eseal("reference", "shaft-cam", "gate-cam", "-c", wired)
    assert said.code == 1
    assert "gate-cam: 已取" in said.out
    assert "shaft-cam: 画面不合格，未取 · not taken" in said.err


def test_a_daemon_that_does_not_run_takes_it_later(eseal, wired, tmp_path, monkeypatch):
    monkeypatch.setattr(commission, "taken", lambda _directory: iter(()))
    said = eseal("reference", "shaft-cam", "-c", wired)
    assert said.code == 1
    assert "eseal does not run" in said.err
    assert commission.waits(tmp_path / "store")


def test_a_camera_that_is_not_wired_and_a_ledger_that_is_not_there_are_named(eseal, wired):
    said = eseal("reference", "other-cam", "-c", wired)
    assert said.code == 78
    assert "other-cam" in said.err
    assert eseal("reference", "shaft-cam", "-c", wired).code == 78


@pytest.mark.parametrize("words", [[], ["shaft-cam", "--all"]])
def test_cameras_or_all_of_them(eseal, wired, words):
    assert eseal("reference", *words, "-c", wired).code == 2
