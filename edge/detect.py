"""`eseal detect`: what the detector sees in picture files."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from edge.vision.detect.loading import load_detector
from edge.vision.detect.photo import read_photo


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
            picture = read_photo(path)
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
