"""What models/manifest.toml promises, held against the files that are shipped."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

MODELS = Path(__file__).resolve().parents[2] / "models"
ENTRIES: list[dict[str, Any]] = tomllib.loads(
    (MODELS / "manifest.toml").read_text(encoding="utf-8"),
)["model"]
OURS = next(entry for entry in ENTRIES if entry["default"])
SHIPPED = [entry for entry in ENTRIES if "url" not in entry]  # in float, and in eight bits
FED = ("decoder", "width", "height", "colour", "resize", "mean", "std", "pad", "classes")
CELLS = sum((OURS["width"] // s) * (OURS["height"] // s) for s in (8, 16, 32))


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda entry: entry["name"])
def session(request: pytest.FixtureRequest) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(MODELS / request.param["file"], options)


def answer(
    session: onnxruntime.InferenceSession,
    pictures: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and boxes for BGR pictures [N,H,W,3]."""
    tensor = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)
    scores, boxes = session.run(["scores", "boxes"], {"images": tensor})
    return np.asarray(scores), np.asarray(boxes)


def plain(level: int) -> np.ndarray:
    return np.full((1, OURS["height"], OURS["width"], 3), level, np.uint8)


def test_exactly_one_model_is_the_default_and_names_are_unique() -> None:
    assert [entry["default"] for entry in ENTRIES].count(True) == 1
    assert len({entry["name"] for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_every_entry_says_all_that_a_reader_needs(entry: dict[str, Any]) -> None:
    assert entry["licence"]
    assert len(bytes.fromhex(entry["sha256"])) == 32
    assert entry["size_bytes"] > 0
    assert entry["decoder"] in {"grid", "yolox", "nanodet", "picodet", "fastestdet"}
    assert entry["colour"] in {"bgr", "rgb"}
    assert entry["resize"] in {"stretch", "letterbox"}
    assert entry["width"] % 32 == 0
    assert entry["height"] % 32 == 0
    assert len(entry["mean"]) == len(entry["std"]) == 3
    assert 0 < entry["threshold"] < 1
    assert 0 < entry["nms_iou"] < 1
    assert set(entry["classes"]) == {"person", "vehicle"}
    assert Path(entry["file"]).name == entry["file"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_only_a_file_that_is_not_ours_has_an_address_and_it_is_pinned(
    entry: dict[str, Any],
) -> None:
    assert ("url" in entry) != entry["name"].startswith("eseal-")
    if "url" in entry:
        assert re.match(r"https://\S+/[0-9a-f]{40}/\S+\.onnx$", entry["url"])


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry["name"])
def test_a_shipped_file_is_the_one_the_manifest_names_and_fed_as_the_default_is(
    entry: dict[str, Any],
) -> None:
    data = (MODELS / entry["file"]).read_bytes()
    assert len(data) == entry["size_bytes"]
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert [entry[key] for key in FED] == [OURS[key] for key in FED]


def test_the_network_takes_the_size_the_manifest_names_in_any_batch(
    session: onnxruntime.InferenceSession,
) -> None:
    for count in (1, 3):
        scores, boxes = answer(session, np.repeat(plain(90), count, axis=0))
        assert scores.shape == (count, CELLS, 2)
        assert boxes.shape == (count, CELLS, 4)


def test_scores_are_chances_and_boxes_are_the_right_way_round(
    session: onnxruntime.InferenceSession,
) -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (1, OURS["height"], OURS["width"], 3), np.uint8)
    scores, boxes = answer(session, noise)
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert np.isfinite(boxes).all()
    assert (boxes[..., 2:] >= boxes[..., :2]).all()


@pytest.mark.parametrize("level", [0, 16, 114, 255])
def test_an_even_picture_shows_nobody(
    session: onnxruntime.InferenceSession,
    level: int,
) -> None:
    scores, _ = answer(session, plain(level))
    assert scores.max() < OURS["threshold"]


def test_a_picture_is_answered_alike_alone_and_in_a_batch(
    session: onnxruntime.InferenceSession,
) -> None:
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (2, OURS["height"], OURS["width"], 3), np.uint8)
    together, _ = answer(session, pictures)
    alone, _ = answer(session, pictures[1:])
    np.testing.assert_allclose(together[1:], alone, atol=1e-4)
