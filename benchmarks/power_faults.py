"""Faults of meters' data, each drawn twenty times: found, named rightly, not called activity.

A clean mine, four days of commissioning and two more days in which one meter has one fault, by
turns with feeder meters and with the incoming meter alone. Found: an incident about the meter's
data while the fault lasts or in the ten minutes after; named: one with the fault's own code;
activity: any incident about load from its begin to half an hour after its end, that is not raised
at that time without the fault as well.
A counter that rolls over is no fault: nothing may be said. Seeds as in `power`: held out from
5,000 on, below 1,000 for those who build (`--first 0`).
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from statistics import median

from benchmarks.power_play import Raised, play
from benchmarks.power_score import about, is_fault, is_load
from benchmarks.rig import report
from simulators.power.faulted import SWAPPED, with_fault
from simulators.power.faults import FAULTS, SWAPPED_ALARM
from simulators.power.labels import FaultLabel
from simulators.power.mechanisms import CLEAN
from simulators.power.mine import LAYOUTS
from simulators.power.week import HELD_OUT, Week, local, week

NAMES = (*FAULTS, SWAPPED)
DRAWS, LEARN_DAYS, DAYS = 20, 4, 2
_HALF_HOUR_US = 1_800_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """One draw of one fault."""

    kind: str
    draw: int
    seed: int


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it.

    Attributes:
        job: the draw.
        found: something was said about the data.
        named: by its own name.
        activity: it was called load.
        delay_s: to the first incident about the data.
        line: worth reading where it went wrong.
    """

    job: Job
    found: bool
    named: bool
    activity: bool
    delay_s: float | None
    line: str


def alarm_of(kind: str) -> str:
    """The code that names a fault; empty where nothing is to be said."""
    return SWAPPED_ALARM if kind == SWAPPED else FAULTS[kind].alarm


def base(job: Job) -> Week:
    """The week of a draw, without the fault."""
    layout = LAYOUTS[0] if job.kind == SWAPPED else LAYOUTS[job.draw % 2]
    return week(job.seed + job.draw, layout, CLEAN, days=DAYS, learn=LEARN_DAYS)


def drawn(job: Job) -> Week:
    """The week of a draw."""
    return with_fault(base(job), job.kind, job.draw)


def work(job: Job) -> Told:
    """Play one draw; where load is told, without the fault too: that is not called so by it."""
    one = drawn(job)
    raised = play(one)
    told = judge(job, one.faults[-1], raised, one.layout)
    if not told.activity:
        return told
    anyway = [alarm for alarm in play(base(job)) if is_load(alarm)]
    kept = [alarm for alarm in raised if not _told_by(anyway, alarm)]
    return judge(job, one.faults[-1], kept, one.layout)


def _told_by(others: Iterable[Raised], alarm: Raised) -> bool:
    return any(
        (other.code, other.source) == (alarm.code, alarm.source)
        and abs(other.at_us - alarm.at_us) <= _HALF_HOUR_US
        for other in others
    )


def judge(job: Job, label: FaultLabel, raised: Iterable[Raised], layout: str) -> Told:
    """What was said in the fault's time."""
    raised = list(raised)
    told = [alarm for alarm in raised if is_fault(alarm) and about(label, alarm)]
    called = [
        alarm
        for alarm in raised
        if is_load(alarm) and label.begin_us <= alarm.at_us <= label.end_us + _HALF_HOUR_US
    ]
    wanted = alarm_of(job.kind)
    found = bool(told) if wanted else not told
    named = any(alarm.code == wanted for alarm in told) if wanted else not told
    delay = (min(alarm.at_us for alarm in told) - label.begin_us) / 1e6 if told else None
    line = ""
    if not named or called:
        said = ", ".join(f"{a.code} {a.source}" for a in (*told, *called)) or "nothing"
        hours = (label.end_us - label.begin_us) / 3.6e9
        where = f"{job.seed + job.draw} {layout} {local(label.begin_us)} {hours:.1f} h"
        line = f"{job.kind} draw {job.draw} {where} at {'/'.join(label.sources)}: {said}"
    return Told(job, found, named, bool(called), delay, line)


def table(told: list[Told]) -> list[str]:
    """By fault."""
    rows = ["", "fault              draws  found  named  activity  median s"]
    for kind in NAMES:
        group = [one for one in told if one.job.kind == kind]
        if not group:
            continue
        delays = [one.delay_s for one in group if one.delay_s is not None]
        middle = f"{median(delays):8.0f}" if delays else "       –"
        counts = [sum(getattr(one, name) for one in group) for name in ("found", "named")]
        called = sum(one.activity for one in group)
        rows.append(f"{kind:18} {len(group):5} {counts[0]:6} {counts[1]:6} {called:9}  {middle}")
    return rows


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one draw of each")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--kinds", default="", help="only these, by comma")
    parser.add_argument("--first", type=int, default=HELD_OUT, help="first seed")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    draws = 1 if args.quick else args.draws
    kinds = args.kinds.split(",") if args.kinds else NAMES
    jobs = [Job(kind, draw, args.first) for kind in kinds for draw in range(draws)]
    told = []
    with ProcessPoolExecutor(args.workers, multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, job) for job in jobs]):
            told.append(future.result())
            if told[-1].line:
                print(told[-1].line, flush=True)
    print("\n".join(table(told)))
    count = len(told)
    report(
        {
            "draws": count,
            "faults_found": round(sum(one.found for one in told) / count, 3),
            "faults_named": round(sum(one.named for one in told) / count, 3),
            "faults_called_activity": sum(one.activity for one in told),
        }
    )


if __name__ == "__main__":
    main()
