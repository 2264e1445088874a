"""Visits to a shaft mouth in rendered scenes: how many are found, and what is raised for nothing.

For each light and weather: visits of 2 to 20 s, near and far, and hours in which nobody comes but
lamps are switched, clouds pass, plants sway, insects fly; and a few animals through the zone, told
apart. The product's own gate, detector,
tracker, zones and rules work in simulated time; every picture they ask for has been through H.264
at a camera's bit rate. The second table is OpenCV's MOG2 before the same detector on
the same clips, for `--baseline-hours` of the empty ones; `--bench` asks for one of the two alone.
What each clip says is kept in `--log` as it comes: with the same one a run that was cut off goes
on where it ended, and what it holds is part of the table.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import cv2

from benchmarks import visits_clip, visits_mog2, visits_run
from benchmarks.rig import report
from benchmarks.visits_clip import Clip
from benchmarks.visits_run import LATE_S, Opened, Played
from edge.vision.detect.loading import load_detector
from simulators.cameras.scene.weather import SETTINGS

LAYOUTS = 2  # of the mine, from each view
ANIMALS = 2  # through the zone in each of them
WORKERS = 2
BENCHES = {"eseal": visits_run.run, "mog2": visits_mog2.run}


@dataclass(frozen=True, slots=True)
class Job:
    """One clip through one of the benches.

    Attributes:
        kind: "visits", "empty" or "animals".
        size: how many visits or animals, or seconds of emptiness.
    """

    bench: str
    setting: str
    view: str
    number: int
    kind: str
    size: int
    model: str

    @property
    def where(self) -> str:
        return f"{self.bench} {self.setting} {self.view} layout {self.number}"


@dataclass(slots=True)
class Tally:
    """What one job or several say."""

    visits: int = 0
    found: int = 0
    unnamed: int = 0
    delays: list[float] = field(default_factory=list)
    empty_s: float = 0.0
    false: int = 0
    animals: int = 0
    alarmed_at: int = 0
    asked: int = 0
    detected: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @property
    def words(self) -> str:
        """What came of one clip."""
        if self.visits:
            return f"{self.found} of {self.visits} visits found"
        if self.animals:
            return f"alarmed at {self.alarmed_at} of {self.animals} animals"
        return f"{self.false} false in {self.empty_s:.0f} s"

    @property
    def recall(self) -> float | None:
        return self.found / self.visits if self.visits else None

    @property
    def false_per_day(self) -> float | None:
        return self.false * 86400 / self.empty_s if self.empty_s else None


def work(job: Job) -> Tally:
    """Play one clip."""
    cv2.setNumThreads(1)
    detector = load_detector(job.model, 1)
    make = {
        "visits": visits_clip.visits,
        "empty": visits_clip.empty,
        "animals": visits_clip.animals,
    }[job.kind]
    clip = make(job.setting, job.view, job.number, job.size)
    played = BENCHES[job.bench](clip, detector)
    if job.kind == "visits":
        return _of_visits(job, clip, played)
    if job.kind == "animals":
        return Tally(
            animals=len(clip.events),
            alarmed_at=sum(
                any(event.begin <= opened.t <= event.end + LATE_S for opened in played.opened)
                for event in clip.events
            ),
        )
    return Tally(
        empty_s=clip.seconds,
        asked=played.asked,
        detected=played.detected,
        false=len(played.opened),
        lines=[
            f"false: {job.where}: {opened.code} at {opened.t:.1f} s, {_cause(clip, opened)}"
            for opened in played.opened
        ],
    )


def _of_visits(job: Job, clip: Clip, played: Played) -> Tally:
    tally = Tally(visits=len(clip.visits))
    for visit in clip.visits:
        alarm = visits_run.found(visit, played)
        if alarm is None:
            what = f"{visit.what}, {visit.begin:.1f} to {visit.end:.1f} s"
            why = visits_run.why_missed(visit, played)
            tally.lines.append(f"missed: {job.where}: {what}: {why}")
            continue
        tally.found += 1
        tally.unnamed += alarm.code != "person-at-shaft"
        tally.delays.append(alarm.t - visit.begin)
    return tally


def _cause(clip: Clip, opened: Opened) -> str:
    names = sorted({e.what for e in clip.events if e.begin - 1 <= opened.t <= e.end + 10})
    return f"with {', '.join(names)}" if names else "with nothing in particular"


def jobs(args: argparse.Namespace) -> Iterator[Job]:
    """Long ones first, so that both processes end at about the same time."""
    clips = len(visits_clip.VIEWS) * LAYOUTS
    for bench in args.bench:
        hours = args.hours if bench == "eseal" else args.baseline_hours
        for setting in args.condition:
            for view in visits_clip.VIEWS:
                for number in range(LAYOUTS):
                    at = (bench, setting, view, number)
                    if hours > 0:
                        yield Job(*at, "empty", round(hours * 3600 / clips), args.model)
                    if args.visits and (bench == "eseal" or hours > 0):
                        yield Job(*at, "visits", -(-args.visits // clips), args.model)
                        yield Job(*at, "animals", ANIMALS, args.model)


def measure(args: argparse.Namespace) -> dict[tuple[str, str], Tally]:
    """All jobs; what each bench says under each setting."""
    found: dict[tuple[str, str], Tally] = {}
    wanted = list(jobs(args))
    done = dict(kept(args.log)) if args.log else {}
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(min(WORKERS, os.cpu_count() or 1), context) as pool:
        waiting = {pool.submit(work, job): job for job in wanted if job not in done}
        for future in as_completed(waiting):
            job = waiting[future]
            done[job] = tally = future.result()
            if args.log:
                keep(args.log, job, tally)
            number = sum(one in done for one in wanted)
            where = f"{number} of {len(wanted)}: {job.where}"
            print(f"{where}, {job.kind}: {tally.words}", *tally.lines, sep="\n", flush=True)
    for job in wanted:
        found.setdefault((job.bench, job.setting), Tally()).add(done[job])
    return found


def keep(log: Path, job: Job, tally: Tally) -> None:
    """Add what one clip said to a log, a line of JSON each."""
    with log.open("a") as file:
        file.write(json.dumps([asdict(job), asdict(tally)]) + "\n")


def kept(log: Path) -> Iterator[tuple[Job, Tally]]:
    """What a log holds; nothing where there is none."""
    for line in log.read_text().splitlines() if log.exists() else ():
        job, tally = json.loads(line)
        yield Job(**job), Tally(**tally)


def table(found: dict[tuple[str, str], Tally], bench: str, settings: list[str]) -> str:
    """Markdown."""
    head = (
        "| condition | visits | found | unnamed | delay p50, max s | empty h | false | a day "
        "| animals alarmed at | decoded, detected a minute |"
    )
    rows = [f"\n{bench}", head, "|" + "---|" * 10]
    for setting in settings:
        tally = found.get((bench, setting), Tally())
        delays = sorted(tally.delays) or [float("nan")]
        minutes = tally.empty_s / 60 or float("nan")
        rows.append(
            f"| {setting} | {tally.visits} | {tally.found} | {tally.unnamed} "
            f"| {delays[len(delays) // 2]:.1f}, {delays[-1]:.1f} "
            f"| {tally.empty_s / 3600:.2f} | {tally.false} | {_shown(tally.false_per_day)} "
            f"| {tally.alarmed_at} of {tally.animals} "
            f"| {tally.asked / minutes:.0f}, {tally.detected / minutes:.1f} |"
        )
    return "\n".join(rows)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def figures(found: dict[tuple[str, str], Tally], bench: str) -> dict[str, Any]:
    """The worst of all settings."""
    tallies = [tally for (name, _), tally in found.items() if name == bench]
    recalls = [tally.recall for tally in tallies if tally.recall is not None]
    false = [tally.false_per_day for tally in tallies if tally.false_per_day is not None]
    return {
        "recall_min": round(min(recalls), 3) if recalls else None,
        "false_per_day_max": round(max(false), 2) if false else None,
    }


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="detector: a name or an .onnx file")
    parser.add_argument("--visits", type=int, default=40, help="under each condition")
    parser.add_argument("--hours", type=float, default=2.0, help="empty, under each condition")
    parser.add_argument("--baseline-hours", type=float, default=0.5, help="0: no baseline")
    parser.add_argument("--condition", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--bench", nargs="+", choices=BENCHES, default=list(BENCHES))
    parser.add_argument("--log", type=Path, help="what each clip said; goes on where it ends")
    parser.add_argument("--quick", action="store_true", help="a few minutes of scene")
    args = parser.parse_args()
    if args.quick:
        args.visits, args.hours, args.baseline_hours = 4, 0.1, 0.0
        args.condition = args.condition[:2]
    found = measure(args)
    for bench in BENCHES:
        if any(name == bench for name, _ in found):
            print(table(found, bench, args.condition))
    ours, theirs = figures(found, "eseal"), figures(found, "mog2")
    report(
        {
            **ours,
            **{f"mog2_{name}": value for name, value in theirs.items()},
            "model": args.model or "default",
        }
    )


if __name__ == "__main__":
    main()
