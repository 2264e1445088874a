from __future__ import annotations

import json
import struct
import zlib

import cv2
import numpy as np
import pytest

from edge.detect import detect_files
from edge.errors import ConfigError
from edge.vision.detect import photo as photo_module
from tests.vision.onnx_file import grid_model

BOX = (16.0, 8.0, 32.0, 40.0)


@pytest.fixture
def model(tmp_path) -> str:
    path = tmp_path / "m.onnx"
    path.write_bytes(grid_model([(BOX, (0.9, 0.0))]))
    return str(path)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.zeros((64, 128, 3), np.uint8))
    return path


def test_each_picture_is_one_json_object_a_line(model, photo, capsys):
    assert detect_files([photo, photo], model, as_json=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (
        lines
        == [
            {
                "image": str(photo),
                "detections": [{"label": "person", "score": 0.9, "box": [32.0, 8.0, 64.0, 40.0]}],
            }
        ]
        * 2
    )


def test_people_get_a_table(model, photo, capsys):
    assert detect_files([photo], model, as_json=False) == 0
    out = capsys.readouterr().out
    assert "person" in out
    assert "0.9" in out


def test_what_is_no_picture_is_said_and_the_rest_is_done(model, photo, tmp_path, capsys):
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    empty = tmp_path / "empty.jpg"
    empty.touch()
    missing = tmp_path / "missing.jpg"
    failed = detect_files([text, empty, missing, tmp_path, photo], model, as_json=True)
    assert failed == 4
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    for path, word in ((text, "decoded"), (empty, "decoded"), (missing, "No such file")):
        assert any(str(path) in line and word in line for line in told.err.splitlines())


def test_a_giant_file_or_picture_is_not_taken_in(model, photo, tmp_path, monkeypatch, capsys):
    giant = tmp_path / "giant.jpg"
    with giant.open("wb") as file:
        file.truncate(photo_module.MAX_FILE_BYTES + 1)
    monkeypatch.setattr(photo_module, "MAX_PIXELS", 100)
    assert detect_files([giant, photo], model, as_json=True) == 2
    err = capsys.readouterr().err
    assert "larger than 50 MB" in err
    assert "million pixels" in err


def test_an_unusable_model_is_an_error(photo):
    with pytest.raises(ConfigError):
        detect_files([photo], "/no/such.onnx", as_json=True)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_small_file_that_claims_a_gigantic_picture_is_said(model, photo, tmp_path, capsys):
    bomb = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    bomb.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )
    assert detect_files([bomb, photo], model, as_json=True) == 1
    told = capsys.readouterr()
    assert "too many pixels" in told.err
    assert json.loads(told.out)["image"] == str(photo)
