"""The wheel as it is installed: small, and it sees without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hatchling.builders.wheel import WheelBuilder

from edge.model.precision import iou
from simulators.cameras.scene.actors import Kind
from simulators.cameras.scene.scene import Scene
from tests.models.test_rendered import SEED, yard

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 12_000_000
CUT_OFF = """
import socket, sys
def cut_off(*_arguments, **_named): raise OSError("there is no network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = cut_off
import edge
from edge.cli import main
print(edge.__file__)
sys.argv = ["eseal", "detect", "--json", sys.argv[1]]
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


def test_it_is_small_with_the_models_inside(wheel: Path) -> None:
    assert wheel.stat().st_size <= MAX_BYTES
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.rsplit("/", 1)[1] for name in names if "/_models/" in name} == {
        "manifest.toml",
        "eseal-shaft-1.onnx",
        "eseal-shaft-1-int8.onnx",
    }


def test_it_detects_with_its_own_model_and_no_network(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    picture, truth = yard(Scene((896, 512), seed=SEED, place="shaft"), Kind.PERSON, "day")
    cv2.imwrite(str(tmp_path / "yard.png"), picture)
    said = subprocess.run(
        [sys.executable, "-c", CUT_OFF, "yard.png"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=40,
    ).stdout.splitlines()
    assert Path(said[0]).is_relative_to(tmp_path)
    found = json.loads(said[1])["detections"]
    best = max(found, key=lambda row: row["score"])
    assert best["label"] == "person"
    assert iou(truth, np.array([best["box"]], np.float32)).max() >= 0.5
