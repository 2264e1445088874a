"""`eseal detect`: what the detector sees in picture files."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from edge.vision.detector import load_detector

MAX_FILE_BYTES = 50_000_000
MAX_PIXELS = 50_000_000


def detect_files(paths: list[Path], model: str, *, as_json: bool) -> int:
    """Print detections of each picture.

    Returns:
        How many pictures could not be read; each is said on stderr.

    Raises:
        ConfigError, Refused: the model cannot be used.
    """
    detector = load_detector(model, threads=1)
    console = Console()
    failed = 0
    for path in paths:
        try:
            picture = _read(path)
        except ValueError as error:
            print(f"{path}: {error}", file=sys.stderr)  # noqa: T201
            failed += 1
            continue
        begun = time.perf_counter()
        found = [item for item in detector.detect([picture])[0] if item.sure]
        elapsed_ms = (time.perf_counter() - begun) * 1000
        rows = [
            {
                "label": item.label.value,
                "score": round(float(item.score), 4),
                "box": [round(float(edge), 1) for edge in item.box],
            }
            for item in found
        ]
        if as_json:
            print(json.dumps({"image": str(path), "detections": rows}))  # noqa: T201
        else:
            table = Table("label", "score", "box (px)", title=f"{path} · {elapsed_ms:.0f} ms")
            for row in rows:
                table.add_row(str(row["label"]), str(row["score"]), str(row["box"]))
            console.print(table)
    return failed


def _read(path: Path) -> np.ndarray:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError("larger than 50 MB; give a smaller picture")
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:  # it says to be larger than OpenCV may make it
        raise ValueError("claims too many pixels; give a smaller picture") from error
    if picture is None:
        raise ValueError("is not a picture that can be decoded; give a JPEG or PNG")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise ValueError("has more than 50 million pixels; give a smaller picture")
    return picture
