"""Throws bytes at every parser of foreign bytes, for as long as it is told.

With atheris (installed into build/peers when PyPI can be reached) new inputs are those that reach
new code; without it they are good ones changed by chance. Any exception but `Refused` is a crash;
memory is looked at from the first quarter to the end.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.install import PeerMissing, install
from benchmarks.rig import report

REPO = Path(__file__).resolve().parents[1]
MAX_BYTES = 20_000
GROWTH_MB = 64  # more than this between the first quarter and the end is no coincidence
WORDS = (b"null", b"-0", b"1e999", b"\\ud800", b"[" * 500, b"{}", b'""', b"9" * 40, b"\xff\xfe")


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """One input made of two others."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(out))
        match chance.randrange(6):
            case 0 if out:
                out[at - 1] ^= 1 << chance.randrange(8)
            case 1:
                del out[at : at + chance.randint(1, 30)]
            case 2:
                out[at:at] = chance.choice(WORDS)
            case 3:
                out[at:at] = out[at : at + chance.randint(1, 200)]
            case 4:
                start = chance.randint(0, len(other))
                out[at : at + 20] = other[start : start + 40]
            case _:
                out[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(out[:MAX_BYTES])


def by_chance(seconds: float, seed: int) -> dict[str, Any]:
    """Without a guide. Raises what a target raises."""
    from benchmarks.fuzz_targets import Targets, seeds

    targets, chance, good = Targets(), random.Random(seed), seeds()
    for data in good:
        targets.feed(data)
    runs, quarter_mb, began = 0, 0.0, time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        targets.feed(mutate(chance.choice(good), chance.choice(good), chance))
        runs += 1
        if not quarter_mb and passed > seconds / 4:
            quarter_mb = resident_mb()
    return {"guided": False, "runs": runs, "growth_mb": round(resident_mb() - quarter_mb, 1)}


def resident_mb() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def guided(seconds: float, corpus: Path) -> dict[str, Any]:
    """By atheris, in a process of its own: libFuzzer ends the process that it runs in."""
    from benchmarks.fuzz_targets import seeds

    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(data)
    options = [f"-max_total_time={round(seconds)}", f"-max_len={MAX_BYTES}", "-print_final_stats=1"]
    limits = ["-rss_limit_mb=1500", "-timeout=10", f"-artifact_prefix={corpus.parent}/"]
    command = [sys.executable, "-m", "benchmarks.fuzz_child", str(corpus), *options, *limits]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-6000:], file=sys.stderr)
    sizes = [int(size) for size in re.findall(r"rss: (\d+)Mb", done.stderr)]
    runs = re.findall(r"number_of_executed_units: (\d+)", done.stderr)
    covered = re.findall(r"cov: (\d+)", done.stderr)
    return {
        "guided": True,
        "runs": int(runs[-1]) if runs else None,
        "crashes": int(done.returncode != 0),
        "growth_mb": sizes[-1] - sizes[len(sizes) // 4] if sizes else None,
        "edges": int(covered[-1]) if covered else None,
        "inputs_kept": len(list(corpus.iterdir())),
    }


def main() -> None:
    """Fuzz and report; exit 1 after a crash."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--unguided", action="store_true", help="by chance, without atheris")
    parser.add_argument("--quick", action="store_true", help="half a minute")
    args = parser.parse_args()
    seconds = 30.0 if args.quick else args.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        try:
            if args.unguided:
                raise PeerMissing("not wanted")
            install("atheris")
        except PeerMissing as missing:
            figures = by_chance(seconds, args.seed) | {"unguided_because": str(missing)}
        else:
            figures = guided(seconds, Path(name) / "corpus")
            for found in Path(name).glob("crash-*"):
                print(json.dumps({"crash": found.read_bytes().hex()}))
    good = not figures.get("crashes") and (figures["growth_mb"] or 0) <= GROWTH_MB
    report({**figures, "minutes": round(seconds / 60, 1), "clean": good})
    sys.exit(not good)


if __name__ == "__main__":
    main()
