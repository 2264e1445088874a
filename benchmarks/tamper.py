"""What is done to cameras: is it told, how soon, and what is told when nobody does anything.

Pictures are rendered, changed, go through H.264 and the eye's measures once a second, and the
seal judges them in simulated time. Two tables: each act by day and by infrared night, in places
that were commissioned by day and have seen one night; and half hours of weather, light and
traffic, each in another place, commissioned in a clear day right before. Seeds from 9,000 are for
tuning; those reported begin at 1,000, or at `--seed`; the places of the acts 500 above.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from benchmarks import tamper_acts as acts
from benchmarks import tamper_fakes as fakes
from benchmarks.rig import report
from benchmarks.tamper_rig import Watched
from benchmarks.tamper_scenes import HONEST_S, honest
from edge.domain.record import Draft
from simulators.cameras.scene.weather import SETTINGS

TAMPER = "camera-"
STEP_S = 3  # from look to look while a place is commissioned
WARM_S, DAY_S, NIGHT_S = 8, 130, 450  # a night's view is taken after 300 s of it
LIMIT_S = 90
REPORTED, TUNING = 1000, 9000
WORKERS = 2
LIGHTS = {"day": "day", "night": "ir-night-4"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that is done: what does it, the codes that tell it, and how long it may take."""

    act: acts.Maker
    codes: tuple[str, ...]
    limit_s: int = LIMIT_S


KINDS = {
    "cloth": Kind(acts.cloth, ("covered", "dark")),
    "hand": Kind(acts.hand, ("covered", "dark", "overexposed")),
    "spray": Kind(acts.spray, ("covered",), 300),  # half a picture may be a lorry's side
    "moved": Kind(acts.bump, ("moved", "swapped")),
    "rolled": Kind(acts.roll, ("moved", "swapped")),
    "swung": Kind(acts.swing, ("moved", "swapped")),
    "creep": Kind(acts.creep, ("moved", "swapped"), 300),
    "swapped": Kind(acts.swap, ("swapped", "moved")),
    "blurred": Kind(acts.blur, ("blurred", "covered")),
    "dark": Kind(acts.dark, ("dark", "covered")),
    "overexposed": Kind(acts.glare, ("overexposed",)),
    "frozen": Kind(acts.freeze, ("frozen",)),
    "shaking": Kind(acts.shake, ("shaking",)),
    "resized": Kind(acts.resize, ("resized",)),
    "lost": Kind(acts.unplug, ("lost",)),
    "photo": Kind(fakes.photo, ("still-photo",), 600),
    "replay": Kind(fakes.replay, ("replayed",), 600),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One place: all acts in it, or one half hour."""

    seed: int
    place: str
    kinds: tuple[str, ...] = ()
    setting: str = ""


@dataclass(slots=True)
class Told:
    """What came of it.

    Attributes:
        after_s: for each (kind, light): seconds to the incident, None where it was missed.
        named: how many were called by their own name.
        false: for each setting: incidents.
        honest_s: seconds looked at.
        lines: worth reading.
        cost_ms: of a look, in the camera's process and in the daemon.
    """

    after_s: dict[tuple[str, str], list[float | None]] = field(
        default_factory=lambda: defaultdict(list)
    )
    named: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    false: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    honest_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    lines: list[str] = field(default_factory=list)
    cost_ms: list[tuple[float, float]] = field(default_factory=list)

    def add(self, other: Told) -> None:
        for key, values in other.after_s.items():
            self.after_s[key] += values
        for key, count in other.named.items():
            self.named[key] += count
        for setting, count in other.false.items():
            self.false[setting] += count
            self.honest_s[setting] += other.honest_s[setting]
        self.lines += other.lines
        self.cost_ms += other.cost_ms


def work(job: Job) -> Told:
    """Do one job."""
    told = Told()
    if job.setting:
        _honest(job, told)
    else:
        _acts(job, told)
    return told


def _honest(job: Job, told: Told) -> None:
    watched = Watched()
    for picture in honest(job.seed, job.place, job.setting):
        watched.look(picture)
    told.false[job.setting] += len(watched.opened)
    told.honest_s[job.setting] += HONEST_S
    told.cost_ms.append(watched.cost_ms())
    for code, at, detail in watched.opened:
        told.lines.append(f"{job.setting} {job.place} {job.seed}: {code} at {at:.0f} s: {detail}")


def _acts(job: Job, told: Told) -> None:
    place = acts.Place(job.seed, job.place, LIGHTS["day"])
    references = _commissioned(place, told)
    for name in job.kinds:
        for light, setting in LIGHTS.items():
            place.set(setting)
            place.aside, place.roll = (0.0, 0.0), 0.0
            after_s, exactly, line = _trial(place, KINDS[name], name, references)
            told.after_s[name, light].append(after_s)
            told.named[name, light] += exactly
            if line:
                told.lines.append(f"{name} {light} {job.place} {job.seed}: {line}")


def _commissioned(place: acts.Place, told: Told) -> list[Draft]:
    """References of the place by day and by night, as the seal itself takes them."""
    watched = Watched()
    for second in range(0, DAY_S + NIGHT_S, STEP_S):
        place.set(LIGHTS["day" if second < DAY_S else "night"])
        watched.look(place.shown(second), STEP_S)
    told.cost_ms.append(watched.cost_ms())
    return watched.references


def _trial(
    place: acts.Place, kind: Kind, name: str, references: list[Draft]
) -> tuple[float | None, bool, str]:
    """Seconds to the first incident that tells it, whether by its own name, and what else."""
    watched = Watched(references)
    for second in range(-WARM_S, 0):
        watched.look(place.shown(place.t0 + second))
    begun, act = watched.now, kind.act(place, np.random.default_rng([place.seed, len(name)]))
    own = {f"{TAMPER}{code}" for code in kind.codes}
    found: float | None = None
    for second in range(kind.limit_s):
        watched.look(act(float(second)))
        if found is None and own & {code for code, _, _ in watched.opened}:
            found = watched.now - begun
        if found is not None and watched.now - begun >= found + 2:
            break
    codes = [code for code, _, _ in watched.opened]
    first = codes[0].removeprefix(TAMPER) if codes else ""
    line = "" if found is not None else f"missed; told {codes}, {watched.last}"
    return found, first == kind.codes[0], line


def jobs(args: argparse.Namespace) -> Iterator[Job]:
    """What is asked for; long jobs first."""
    base = TUNING if args.tune else args.seed
    names = tuple(args.kinds.split(",")) if args.kinds else tuple(KINDS)
    settings = args.settings.split(",") if args.settings else list(SETTINGS)
    places = ("shaft", "gate")
    for half_hour in range(args.half_hours):
        for number, setting in enumerate(settings):
            yield Job(base + 100 * number + half_hour, places[half_hour % 2], setting=setting)
    for trial in range(args.trials):
        yield Job(base + 500 + trial, places[trial % 2], names)


def table(told: Told) -> tuple[list[str], float, float]:
    """The two tables, the share missed in the worst kind, the most false incidents a day."""
    rows = ["kind          light   trials  missed  own name  median s  worst s"]
    worst = 0.0
    for (name, light), times in sorted(told.after_s.items()):
        had = [value for value in times if value is not None]
        missed = len(times) - len(had)
        worst = max(worst, missed / len(times))
        middle = f"{median(had):8.0f}  {max(had):7.0f}" if had else "       –        –"
        named = told.named[name, light]
        rows.append(f"{name:12}  {light:6}  {len(times):6}  {missed:6}  {named:8}  {middle}")
    rows += ["", "nobody does anything   hours  incidents  a day"]
    daily = 0.0
    for setting, seconds in told.honest_s.items():
        rate = told.false[setting] * 86400 / seconds
        daily = max(daily, rate)
        rows.append(f"{setting:20} {seconds / 3600:7.1f} {told.false[setting]:10} {rate:6.1f}")
    return rows, worst, daily


def progress(done: Told) -> str:
    """One line a job, so that a campaign that is broken off is not lost."""
    acts_told = {
        f"{name}/{light}": values[0] for (name, light), values in sorted(done.after_s.items())
    }
    return f"done: {acts_told or dict(done.false)}"


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two places, no half hours but one")
    parser.add_argument("--trials", type=int, default=20, help="places, each with every act")
    parser.add_argument("--half-hours", type=int, default=4, help="for each light and weather")
    parser.add_argument("--kinds", default="", help="only these, by comma")
    parser.add_argument("--settings", default="", help="only these, by comma")
    parser.add_argument("--seed", type=int, default=REPORTED, help="the first that is reported")
    parser.add_argument("--tune", action="store_true", help="seeds that are never reported")
    args = parser.parse_args()
    if args.quick:
        args.trials, args.half_hours, args.settings = 1, 0, "fog"
    told = Told()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, context, os.nice, (5,)) as pool:
        for done in as_completed([pool.submit(work, job) for job in jobs(args)]):
            told.add(done.result())
            print("\n".join([*done.result().lines, progress(done.result())]), flush=True)
    rows, worst, daily = table(told)
    print("\n".join(rows))
    child, parent = (median(part) for part in zip(*told.cost_ms, strict=True))
    report(
        {
            "miss_max": round(worst, 3),
            "false_per_day_max": round(daily, 2) if told.honest_s else None,
            "measures_ms_a_look": round(child, 2),
            "judgement_ms_a_look": round(parent, 2),
        }
    )


if __name__ == "__main__":
    main()
