"""How long `eseal replay` needs for a year of 30-second readings of eight meters.

A twelfth of it is measured (a fiftieth with `--quick`), from a CSV to the records, and multiplied.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path

from benchmarks.power_play import site
from benchmarks.rig import report
from edge.replay import replay_files
from simulators.power.mechanisms import CLEAN
from simulators.power.meters import Trace
from simulators.power.week import Week, week

METERS = 8
PARTS, QUICK_PARTS = 12, 50
_YEAR_DAYS = 365
_ROWS_A_YEAR = METERS * _YEAR_DAYS * 2880


def eight() -> Week:
    """A clean month of a mine with at least eight meters."""
    for seed in range(1000, 2000):
        found = week(seed, "feeders", CLEAN, days=17, learn=14)
        if len(found.traces) >= METERS:
            return found
    raise AssertionError("no mine has so many meters")


def year_s(parts: int) -> float:
    """Seconds for a year, from `1 / parts` of it."""
    one = eight()
    rows = _ROWS_A_YEAR // parts
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "readings.csv"), Path(folder, "records.jsonl")
        with source.open("w", newline="") as text:
            out = csv.writer(text)
            out.writerow(("ts", "meter", "p_kw"))
            written = 0
            for at, code, kw in merge(*(_rows(trace) for trace in one.traces[:METERS])):
                stamp = datetime.fromtimestamp(at / 1e6, UTC)
                out.writerow((stamp.isoformat(timespec="milliseconds"), code, f"{kw:.3f}"))
                written += 1
                if written == rows:
                    break
        begun = time.perf_counter()
        replay_files(site(one), [source], {}, target, "", datetime.now(UTC))
        return (time.perf_counter() - begun) * _ROWS_A_YEAR / written


def _rows(trace: Trace) -> Iterator[tuple[int, str, float]]:
    columns = (trace.at_us.tolist(), trace.values["power_kw"].tolist())
    for at, kw in zip(*columns, strict=True):
        yield at, trace.code, kw


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of a year")
    args = parser.parse_args()
    parts = QUICK_PARTS if args.quick else PARTS
    report({"year_s": round(year_s(parts), 1), "measured": f"1/{parts} of a year"})


if __name__ == "__main__":
    main()
