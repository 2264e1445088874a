"""Labelled weeks of an idle mine: which work is found, how soon, what is raised for nothing.

Weeks come from simulators/power, by seed: from 5,000 on in a default run (held out: nobody tunes
by them), below 1,000 for those who build detectors (`--seeds 0:38`), short ones from 2,000 on
with `--quick`. An episode is found when an incident about load is raised between its begin and ten
minutes after its end; where the meter was tampered with for it, an incident about that counts as
well, and `by load` says how often there was more. False is any incident about load or a meter's
data at no episode and no fault. Real traces (power_real) and the pace of a replay (power_speed)
follow.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.power_peers import PEERS, raised_by
from benchmarks.power_play import Raised, play
from benchmarks.power_real import DATA, real
from benchmarks.power_score import Scored, score
from benchmarks.power_speed import PARTS, QUICK_PARTS, year_s
from benchmarks.rig import report
from simulators.power.mechanisms import CLEAN, MECHANISMS
from simulators.power.mine import LAYOUTS
from simulators.power.week import HELD_OUT, ORDER, Week, layout_of, local, mechanism_of, week

WEEKS = 12 * len(ORDER)  # every mechanism six times with each layout
QUICK_FIRST, QUICK = 2000, len(ORDER)
QUICK_DAYS = 4  # of commissioning, and after it
OURS = "eseal"


@dataclass(frozen=True, slots=True)
class Job:
    """One week."""

    seed: int
    layout: str
    mechanism: str
    peers: bool
    short: bool = False


@dataclass
class Done:
    """What came of it: by detector."""

    job: Job
    scored: dict[str, Scored]
    lines: list[str]


def work(job: Job) -> Done:
    """Play one week, with the peers beside."""
    short = {"days": QUICK_DAYS, "learn": QUICK_DAYS} if job.short else {}
    one = week(job.seed, job.layout, job.mechanism, **short)
    scored = {OURS: score(one, play(one))}
    for name in PEERS if job.peers else ():
        scored[name] = score(one, raised_by(name, one))
    return Done(job, scored, _lines(one, scored[OURS]))


def _lines(one: Week, scored: Scored) -> list[str]:
    """What was missed and what was false, to be read."""
    where = f"{one.seed} {one.layout} {one.mechanism}"
    lines = [
        f"missed {where}: {local(found.episode.begin_us)} "
        f"{(found.episode.end_us - found.episode.begin_us) / 3.6e9:.1f} h "
        f"{found.episode.kw:.0f} kW at {found.episode.where}"
        for found in scored.found
        if found.delay_s is None
    ]
    return lines + [f"false {where}: {_told(one, alarm)}" for alarm in scored.false]


def _told(one: Week, alarm: Raised) -> str:
    during = [
        event.kind
        for event in one.happenings
        if event.begin_us - 3.6e9 <= alarm.at_us <= event.end_us + 24 * 3.6e9
    ]
    during += [fault.kind for fault in one.faults if fault.begin_us <= alarm.at_us]
    nearby = ", ".join(during) or "nothing"
    return f"{local(alarm.at_us)} {alarm.code} {alarm.source} ({nearby}): {alarm.text}"


def jobs(args: argparse.Namespace) -> list[Job]:
    """The weeks that are asked for."""
    found = []
    for seed in args.seeds:
        own = LAYOUTS[seed % len(LAYOUTS)] if args.quick else layout_of(seed)
        layout, mechanism = args.layout or own, args.mechanism or mechanism_of(seed)
        found.append(Job(seed, layout, mechanism, args.peers, args.quick))
    return found


def run(wanted: Iterable[Job], workers: int) -> list[Done]:
    """Play them; lines are printed as they come, so that what is broken off is not lost."""
    done = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        for future in as_completed([pool.submit(work, job) for job in wanted]):
            done.append(future.result())
            for line in done[-1].lines:
                print(line, flush=True)
    return sorted(done, key=lambda one: one.job.seed)


def table(done: list[Done], layout: str, detector: str = OURS) -> list[str]:
    """By mechanism, weeks of one layout."""
    rows = [
        "",
        f"{detector}, {layout:11}    weeks  episodes  found  by load  median s  false a day",
    ]
    chosen = [one for one in done if one.job.layout == layout]
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in chosen:
        groups[one.job.mechanism].append(one.scored[detector])
    names = [name for name in (*MECHANISMS, CLEAN) if groups[name]]
    rows += [_row(name, groups[name]) for name in names]
    if chosen:
        rows.append(_row("all", [one.scored[detector] for one in chosen]))
    return rows


def _row(name: str, scored: list[Scored]) -> str:
    found = [one for week in scored for one in week.found]
    delays = [one.delay_s for one in found if one.delay_s is not None]
    middle = f"{median(delays):8.0f}" if delays else "       –"
    false = sum(len(week.false) for week in scored) / max(sum(w.days for w in scored), 1e-9)
    return (
        f"  {name:20} {len(scored):6} {len(found):9} {len(delays):6} "
        f"{sum(one.load for one in found):8}  {middle}  {false:11.3f}"
    )


def figures(done: list[Done], detector: str, layout: str) -> tuple[float | None, float | None]:
    """Recall and false incidents a day with one layout; None where there was nothing to find."""
    scored = [one.scored[detector] for one in done if one.job.layout == layout]
    found = [one for week in scored for one in week.found]
    days = sum(week.days for week in scored)
    recall = sum(one.delay_s is not None for one in found) / len(found) if found else None
    false = sum(len(week.false) for week in scored) / days if days else None
    return _rounded(recall), _rounded(false)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def summary(done: list[Done]) -> dict[str, Any]:
    """The JSON figures."""
    result: dict[str, Any] = {"weeks": len(done)}
    delays = []
    for layout in LAYOUTS:
        result[f"recall_{layout}"], result[f"false_{layout}"] = figures(done, OURS, layout)
    for one in done:
        delays += [f.delay_s for f in one.scored[OURS].found if f.delay_s is not None]
    result["delay_p50_min"] = round(median(delays) / 60, 1) if delays else None
    for name in PEERS:
        if done and name in done[0].scored:
            result[name] = {
                layout: dict(zip(("recall", "false"), figures(done, name, layout), strict=True))
                for layout in LAYOUTS
            }
    return result


def _seeds(text: str) -> range:
    first, _, last = text.partition(":")
    return range(int(first), int(last) if last else int(first) + 1)


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    found = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--quick", action="store_true", help=f"{QUICK} short weeks of other seeds")
    found.add_argument("--seeds", type=_seeds, help="FIRST:END; default the held-out ones")
    found.add_argument("--mechanism", choices=[*MECHANISMS, CLEAN], help="only this one")
    found.add_argument("--layout", choices=LAYOUTS, help="only this one")
    found.add_argument("--workers", type=int, default=2)
    found.add_argument("--data", type=Path, default=DATA, help="real traces; see power_real")
    found.add_argument("--no-peers", dest="peers", action="store_false", help="ours alone")
    return found


def main() -> None:
    """Measure and report."""
    args = parser().parse_args()
    if args.seeds is None:
        first, count = (QUICK_FIRST, QUICK) if args.quick else (HELD_OUT, WEEKS)
        args.seeds = range(first, first + count)
    done = run(jobs(args), args.workers)
    for layout in LAYOUTS:
        if any(one.job.layout == layout for one in done):
            print("\n".join(table(done, layout)))
            for name in PEERS if args.peers else ():
                print("\n".join(table(done, layout, name)[:2] + table(done, layout, name)[-1:]))
    result = summary(done)
    result["real"] = real(args.data, args.workers) or None
    parts = QUICK_PARTS if args.quick else PARTS
    result["year_s"], result["year_measured"] = round(year_s(parts), 1), f"1/{parts}"
    report(result)


if __name__ == "__main__":
    main()
