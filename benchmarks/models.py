"""Hostile models and pictures: bytes flipped, cut, spliced and blown up, by seed.

Every model goes through the trial that `eseal model add` and the daemon make; every picture
through what `eseal detect` reads. Nothing may crash, hang or grow this process, nor a trial's own
process crash or outgrow its bound. Ends with 1 when something did.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from benchmarks.rig import report
from edge.errors import Refused
from edge.vision.detect.manifest import find, manifest_directory, read_manifest
from edge.vision.detect.photo import read_photo
from edge.vision.detect.trial import MAX_MEMORY, trial

WORKERS = 2
MAX_GROWTH_MB = 150.0  # of this process over the whole campaign, buffers of files included


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One to four injuries, most of them where a file's structure lies: its beginning and end."""
    wound = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        near = min(len(wound) - 1, int(rng.expovariate(1 / 4000)))
        at = near if rng.random() < 0.5 else len(wound) - 1 - near
        match rng.choice(("flip", "flip", "set", "cut", "splice", "grow", "tear")):
            case "flip":
                wound[at] ^= 1 << rng.randrange(8)
            case "set":
                wound[at : at + 4] = rng.choice(
                    (b"\xff\xff\xff\x7f", bytes(4), b"\x80\x80\x80\x08")
                )
            case "cut":
                del wound[at : at + rng.randint(1, 200)]
            case "splice":
                other = rng.randrange(len(data))
                wound[at:at] = data[other : other + rng.randint(1, 200)]
            case "grow":
                wound[at:at] = rng.randbytes(rng.randint(1, 5000))
            case "tear":
                del wound[max(1, rng.randrange(len(wound))) :]
        if not wound:
            wound = bytearray(b"\x08")
    return bytes(wound)


def judge_model(data: bytes) -> str:
    """`admitted`, `refused`, or `crashed` when only the trial's own process died of it."""
    try:
        trial(data, "m.onnx")
    except Refused as error:
        return "crashed" if "crashes onnxruntime" in str(error) else "refused"
    return "admitted"


def judge_picture(data: bytes, folder: Path, number: int) -> str:
    path = folder / f"{number}.jpg"
    path.write_bytes(data)
    try:
        read_photo(path)
    except ValueError:
        return "refused"
    finally:
        path.unlink()
    return "read"


def pictures() -> list[bytes]:
    """A scene of chance as JPEG, PNG, BMP and WebP."""
    scene = np.random.default_rng(3).integers(0, 256, (90, 160, 3), np.uint8)
    scene = np.asarray(cv2.resize(scene, (640, 360)), np.uint8)
    return [cv2.imencode(kind, scene)[1].tobytes() for kind in (".jpg", ".png", ".bmp", ".webp")]


def peak_mb(whose: int = resource.RUSAGE_SELF) -> float:
    """Largest resident memory so far; of RUSAGE_CHILDREN that of the largest one that ended."""
    return resource.getrusage(whose).ru_maxrss / 1024


def main() -> None:
    """Run the campaign and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="twenty models")
    args = parser.parse_args()
    count = 20 if args.quick else args.count
    directory = manifest_directory()
    sound = (directory / find("", read_manifest(directory)).file).read_bytes()
    rng = random.Random(args.seed)

    def judge_mutant(number: int) -> str:
        return judge_model(mutated(sound, random.Random(f"{args.seed}/{number}")))

    judge_model(sound)
    judge_mutant(-1)
    before, begun = peak_mb(), time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        models = Counter(pool.map(judge_mutant, range(count)))
    took = time.monotonic() - begun
    trial_peak = peak_mb(resource.RUSAGE_CHILDREN)
    originals = pictures()
    with tempfile.TemporaryDirectory() as folder:
        seen = Counter(
            judge_picture(mutated(rng.choice(originals), rng), Path(folder), number)
            for number in range(count)
        )
    growth = peak_mb() - before
    report(
        {
            "models": dict(models),
            "pictures": dict(seen),
            "crashes": models["crashed"],
            "growth_mb": round(growth, 1),
            "trial_peak_mb": round(trial_peak, 1),
            "seconds": round(took, 1),
        }
    )
    too_large = growth > MAX_GROWTH_MB or trial_peak > MAX_MEMORY / (1 << 20)
    sys.exit(too_large or models["crashed"] > 0)


if __name__ == "__main__":
    main()
