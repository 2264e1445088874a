"""The default detector beside foreign ones: held-out photos, event film, milliseconds, in one run.

Held-out photos are those that training never sees (models/train/prepare.py: by a hash of their
names). Real photos are not part of the project: `--data` and `--models` say where they lie, by
default beside the checkout. `--quick` takes every tenth photo.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.rig import report
from edge.model.bench import timing
from edge.vision.detect.manifest import manifest_directory, read_manifest
from models.train import evaluate
from models.train.readers import Reader

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PEER = "yolox_nano_416x416"
ROUNDS = 40


def milliseconds(readers: dict[str, Reader], picture: Any) -> dict[str, float]:
    """Best time of one whole call on one thread; taken in turn, so that all meet the same noise."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(4):
        for name, reader in readers.items():
            once = timing(reader.detector, 1, ROUNDS // 4, picture)
            best[name] = min(best[name], once.whole_best_ms)
    return best


def measure(files: list[Path], data: Path, step: int) -> dict[str, dict[str, Any]]:
    """Figures of every file, the default model's first."""
    sights = list(evaluate.photos(data))[::step]
    readers = {path.stem: Reader(path) for path in files}
    results: dict[str, dict[str, Any]] = {}
    times = milliseconds(readers, sights[0].picture)
    for name, reader in readers.items():
        seen = evaluate.look(reader, sights)
        results[name] = {
            "ms": times[name],
            "photos": {
                "pictures": len(seen),
                "ap50": evaluate.precision(seen),
                "by_tag": evaluate.by_tag(seen),
                "recall_by_height": evaluate.bands(seen, reader.detector.spec.threshold),
                "alarms": {"0.4": evaluate.alarms(seen, 0.4)},
            },
        }
    return results


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "train448")
    parser.add_argument("--models", type=Path, default=SHARED / "models")
    parser.add_argument("--ours", type=Path, help="another file of ours than the default model")
    parser.add_argument("--quick", action="store_true", help="every tenth photo")
    args = parser.parse_args()
    ours = [args.ours] if args.ours else shipped()
    results = measure(
        [*ours, *sorted(args.models.glob("*.onnx"))], args.data, 10 if args.quick else 1
    )
    evaluate.tell(results, ["photos"])
    print(json.dumps({name: told["photos"]["ap50"] for name, told in results.items()}))
    mine, peer = results[ours[0].stem], results.get(PEER)
    report(
        {
            "pictures": mine["photos"]["pictures"],
            **figures(mine),
            "ms_vs_yolox_nano": round(mine["ms"] / peer["ms"], 3) if peer else None,
            **{other.stem: figures(results[other.stem]) for other in ours[1:]},
        }
    )


def shipped() -> list[Path]:
    """Our own files of the manifest, the default one first."""
    directory = manifest_directory()
    ours = [model for model in read_manifest(directory) if not model.url]
    return [directory / model.file for model in sorted(ours, key=lambda model: not model.default)]


def figures(told: dict[str, Any]) -> dict[str, float]:
    """What the last line says of a file."""
    return {
        "ap50_person": round(told["photos"]["ap50"]["person"], 4),
        "ap50_vehicle": round(told["photos"]["ap50"]["vehicle"], 4),
        "ms_1t": round(told["ms"], 2),
    }


if __name__ == "__main__":
    main()
