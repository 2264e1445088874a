"""Real traces through the seal: nights that must be found, weeks in which nothing may be said.

A folder has manifest.json (scenarios with `id`, `file`, `interval_s`, and a
`suggested_learning_window` that says `first N days` where it is at the start) and CSV files with
`ts` (UTC), `p_kw`, `label`. Every trace is an incoming meter alone with nothing declared and four
days of learning. The steel plant's year begins at its days without work in February: a mine that
produces is not commissioned. Episodes less than two hours apart are one there, for its people go
to dinner.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.power_play import BOOT, drive
from benchmarks.power_score import Scored, score
from benchmarks.rig import report
from edge.clock import Stamp
from edge.config import SealConfig, parse
from edge.domain.observation import Quality, Reading
from simulators.power.labels import Episode
from simulators.power.mechanisms import CLEAN
from simulators.power.mine import INCOMING
from simulators.power.week import Week, local

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "power"
LEARNING_DAYS = 4.0
_BEGINS = {"A04_real_steel_plant_year": "2018-02-13T15:00:00Z"}
_JOIN_US = 7_200_000_000
_DAY_US = 86_400_000_000
_MONTH_DAYS = 30.4
_COARSE_S = 300  # readings that come more seldom are means, not samples


@dataclass(frozen=True)
class Scenario:
    """One trace: moments (µs), kW, whether a forbidden machine works."""

    name: str
    interval_s: float
    at_us: list[int]
    kw: list[float]
    label: list[bool]


def scenarios(folder: Path) -> list[str]:
    """Names of what lies in a folder; none where there is no manifest."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return []
    listed = json.loads(manifest.read_text("utf-8"))["scenarios"]
    return [one["id"] for one in listed if (folder / one["file"]).is_file()]


def load(folder: Path, name: str) -> Scenario:
    """Read one trace."""
    listed = json.loads((folder / "manifest.json").read_text("utf-8"))["scenarios"]
    one = next(found for found in listed if found["id"] == name)
    begin = _us(_BEGINS.get(name, "1970-01-01T00:00:00Z"))
    at, kw, label = [], [], []
    with gzip.open(folder / one["file"], "rt", newline="") as text:
        for row in csv.DictReader(text):
            moment = _us(row["ts"])
            if moment >= begin and row["p_kw"]:
                at.append(moment)
                kw.append(float(row["p_kw"]))
                label.append(row["label"] == "1")
    return Scenario(name, float(one["interval_s"]), at, kw, label)


def _us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def episodes(one: Scenario) -> list[Episode]:
    """Stretches of label 1; of means, those less than two hours apart are one."""
    found: list[list[int]] = []
    step = round(one.interval_s * 1e6)
    join = _JOIN_US if one.interval_s >= _COARSE_S else 2 * step
    for at, lit in zip(one.at_us, one.label, strict=True):
        if lit and found and at - found[-1][1] < join:
            found[-1][1] = at + step
        elif lit:
            found.append([at, at + step])
    return [Episode(begin, end, "real", 0.0, INCOMING) for begin, end in found]


def site(one: Scenario) -> SealConfig:
    """An incoming meter and nothing else."""
    meter = {
        "code": INCOMING,
        "profile": "eastron_sdm630",
        "unit": 1,
        "duty": INCOMING,
        "learning_days": LEARNING_DAYS,
    }
    bus = {"code": "bus", "transport": "tcp", "host": "127.0.0.1", "meter": [meter]}
    return parse(
        {
            "site": {"mine_code": "220100000008", "gateway": "bench", "state": "suspended"},
            "storage": {"dir": "/nowhere"},
            "bus": [{**bus, "period_s": one.interval_s}],
            "broker": [{"host": "127.0.0.1"}],
        }
    )


def _readings(one: Scenario) -> Iterator[Reading]:
    for at, kw in zip(one.at_us, one.kw, strict=True):
        yield Reading(INCOMING, Stamp(at, at, BOOT), Quality.GOOD, {"power_kw": kw})


def work(folder: Path, name: str) -> tuple[str, Scored, int, list[str]]:
    """Play one trace: its name, what came of it, incidents in all, lines worth reading."""
    one = load(folder, name)
    raised = drive(site(one), _readings(one))
    learned = one.at_us[0] + round(LEARNING_DAYS * _DAY_US)
    counted = tuple(e for e in episodes(one) if e.begin_us >= learned)
    before = tuple(e for e in episodes(one) if e.begin_us < learned)
    week = Week(
        seed=0, layout=INCOMING, mechanism=CLEAN, start_us=one.at_us[0], learned_us=learned,
        end_us=one.at_us[-1], traces=(), declared=(), episodes=counted, contamination=before,
        windows=(), faults=(), happenings=(),
    )  # fmt: skip
    scored = score(week, raised)
    missed = [found.episode for found in scored.found if found.delay_s is None]
    lines = [
        f"missed {name}: {local(e.begin_us)} {(e.end_us - e.begin_us) / 3.6e9:.1f} h"
        for e in missed[:10]
    ]
    lines += [f"false {name}: {local(a.at_us)} {a.code}: {a.text}" for a in scored.false[:10]]
    return name, scored, len(raised), lines


def figures(results: Sequence[tuple[str, Scored, int, list[str]]]) -> dict[str, Any]:
    """By trace: episodes, found, false, false a month, median delay."""
    found: dict[str, Any] = {}
    for name, scored, _raised, _lines in results:
        delays = [one.delay_s for one in scored.found if one.delay_s is not None]
        found[name.split("_")[0]] = {
            "episodes": len(scored.found),
            "found": len(delays),
            "false": len(scored.false),
            "false_a_month": round(len(scored.false) / scored.days * _MONTH_DAYS, 2),
            "delay_p50_min": round(median(delays) / 60, 1) if delays else None,
        }
    return found


def real(folder: Path, workers: int) -> dict[str, Any]:
    """Play all traces of a folder; prints a table, gives the figures by trace."""
    names = scenarios(folder)
    if not names:
        return {}
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(work, [folder] * len(names), names))
    print("\nreal trace                       days  episodes  found  false  incidents")
    for name, scored, raised, lines in results:
        delays = [one.delay_s for one in scored.found if one.delay_s is not None]
        print(
            f"{name:30} {scored.days:6.1f} {len(scored.found):9} {len(delays):6} "
            f"{len(scored.false):6} {raised:10}"
        )
        print("\n".join(f"  {line}" for line in lines), end="\n" if lines else "")
    return figures(results)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the same: it is quick")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with manifest.json")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    report(real(args.data, args.workers))


if __name__ == "__main__":
    main()
