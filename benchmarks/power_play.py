"""A labelled week through the seal, as the gateway would drive it, in simulated time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.clock import Stamp, parse_iso
from edge.config import SealConfig, parse
from edge.domain.activity import Duty
from edge.domain.alarm import AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.mine import MineState, Order, OrderKind
from edge.domain.observation import Observation, Quality, Reading, SourceBack, SourceLost
from edge.domain.order import GrantPermit
from edge.domain.permit import moment_text
from edge.domain.record import Draft, RecordType
from edge.rules.engine import initial
from edge.seal import Outcome, Seal
from simulators.power.labels import Window
from simulators.power.meters import PERIOD_S, Trace
from simulators.power.week import Week

BOOT = "bench"
_NOTICE_US = 3_600_000_000  # leave comes an hour before its window
_STEP_US = PERIOD_S * 1_000_000
_ROWS = 2048  # samples that are Python objects at once: weeks of eight meters are gigabytes
_PATIENCE_US = _STEP_US * 7 // 2  # three sweeps without an answer, as in edge/sensors/health.py


@dataclass(frozen=True, slots=True)
class Raised:
    """One incident.

    Attributes:
        code: its alarm code.
        kind: the kind of activity behind it.
        source: the meter.
        at_us: when it was raised.
        since_us: since when what it speaks of has been going on.
        text: its sentence in English.
    """

    code: str
    kind: str
    source: str
    at_us: int
    since_us: int
    text: str


def site(week: Week) -> SealConfig:
    """The site as a technician would write it down."""
    days = max(0.5, round((week.learned_us - week.start_us) / 86_400e6, 3))
    alone = len(week.traces) == 1
    meters = []
    for unit, trace in enumerate(week.traces, 1):
        meter = {
            "code": trace.code,
            "profile": "eastron_sdm630",
            "unit": unit,
            "duty": trace.duty.value,
            "learning_days": min(days, 60.0),
            "permitted": _permitted(week, trace, alone=alone),
        }
        meters.append(meter)
    bus = {"code": "bus", "transport": "tcp", "host": "127.0.0.1", "meter": meters}
    return parse(
        {
            "site": {"mine_code": "220100000008", "gateway": "bench", "state": "suspended"},
            "storage": {"dir": "/nowhere"},
            "bus": [{**bus, "period_s": PERIOD_S}],
            "broker": [{"host": "127.0.0.1"}],
        }
    )


def _permitted(week: Week, trace: Trace, *, alone: bool) -> list[dict[str, Any]]:
    """Declared machines behind a meter: all of them where the incoming meter is alone."""
    own = {one.duty for one in week.traces}
    machines: dict[tuple[Duty, float], int] = {}
    for _name, duty, kw in week.declared:
        behind = duty is trace.duty or (trace.duty is Duty.INCOMING and (alone or duty not in own))
        if behind:
            machines[duty, kw] = machines.get((duty, kw), 0) + 1
    return [
        {"duty": duty.value, "rated_kw": kw, "count": count}
        for (duty, kw), count in machines.items()
    ]


def play(week: Week) -> list[Raised]:
    """Play a week; gives the incidents in the order in which they were raised."""
    return drive(site(week), _observations(week.traces), week.windows)


def drive(
    config: SealConfig, observations: Iterator[Observation], windows: tuple[Window, ...] = ()
) -> list[Raised]:
    """Let a seal see these observations (in order of time); it is told of time between them."""
    seal = Seal(config, initial(MineState.SUSPENDED))
    raised: list[Raised] = []
    due = sorted(windows, key=lambda window: window.begin_us, reverse=True)

    def settle(outcome: Outcome, now: Stamp) -> None:
        _keep(raised, outcome.facts)
        for activity in outcome.activities:
            _keep(raised, seal.judge(activity, now))

    ticked = 0
    for observation in observations:
        now = observation.stamp
        if now.wall_us // _STEP_US > ticked:  # once a sweep, and at most so often in a long gap
            behind = now.wall_us // _STEP_US - ticked if ticked else 1
            for k in range(max(behind - 480, 0), behind):
                at = (ticked + 1 + k) * _STEP_US if ticked else now.wall_us
                moment = _stamp(min(at, now.wall_us))
                settle(seal.tick(moment), moment)
            ticked = now.wall_us // _STEP_US
        while due and due[-1].begin_us - _NOTICE_US <= now.wall_us:
            seal.obey(_grant(due.pop(), now), now)
        settle(seal.observe(observation), now)
    return raised


def _keep(raised: list[Raised], drafts: list[Draft]) -> None:
    for draft in drafts:
        if draft.type is RecordType.INCIDENT_OPENED:
            data = draft.data
            raised.append(
                Raised(
                    code=data["code"],
                    kind=CATALOGUE[AlarmCode(data["code"])].kind.value,
                    source=data["source"],
                    at_us=parse_iso(data["stamp"]),
                    since_us=parse_iso(data["opened"]),
                    text=data["text"]["en"],
                )
            )


def _stamp(us: int) -> Stamp:
    return Stamp(us, us, BOOT)


def _grant(window: Window, now: Stamp) -> Order:
    name = f"plan-{window.begin_us // 1_000_000}"
    permit = {
        "id": name,
        "begins": moment_text(window.begin_us),
        "ends": moment_text(window.end_us),
        "feeders": list(window.feeders),
        "responsible": "bench",
        "plan": window.what,
    }
    args = GrantPermit.model_validate_json(json.dumps({"permit": permit}))
    return Order(name, OrderKind.GRANT_PERMIT, args, now, now.wall_us + 3_600_000_000, "bench")


def _observations(traces: tuple[Trace, ...]) -> Iterator[Observation]:
    """All samples in order of time; a meter that fell silent is lost and comes back."""
    codes = [trace.code for trace in traces]
    streams = [_readings(trace, (1 + i) * 80_000) for i, trace in enumerate(traces)]
    times = np.concatenate([trace.at_us + (1 + i) * 80_000 for i, trace in enumerate(traces)])
    which = np.concatenate([np.full(len(trace.at_us), i) for i, trace in enumerate(traces)])
    order = np.argsort(times, kind="stable")
    last = dict.fromkeys(range(len(codes)), int(times[order[0]]) if len(order) else 0)
    silent: set[int] = set()
    sweep = 0
    for at, meter in zip(times[order].tolist(), which[order].tolist(), strict=True):
        if at // _STEP_US > sweep:
            sweep = at // _STEP_US
            for i in sorted(last, key=lambda i: last[i]):
                if i not in silent and at - last[i] > _PATIENCE_US:
                    silent.add(i)
                    yield SourceLost(codes[i], _stamp(last[i] + _PATIENCE_US), "no answer")
        if meter in silent:
            silent.discard(meter)
            yield SourceBack(codes[meter], _stamp(at), (at - last[meter]) / 1e6)
        last[meter] = at
        yield next(streams[meter])


def _readings(trace: Trace, offset_us: int) -> Iterator[Reading]:
    """The samples of a meter as the poller makes them."""
    often = [name for name, column in trace.values.items() if np.isfinite(column).all()]
    seldom = [name for name in trace.values if name not in often]
    code, good = trace.code, Quality.GOOD
    for first in range(0, len(trace.at_us), _ROWS):
        part = slice(first, first + _ROWS)
        times, serials = trace.at_us[part].tolist(), trace.serials[part].tolist()
        rows = zip(*(trace.values[name][part].tolist() for name in often), strict=True)
        others = zip(*(trace.values[name][part].tolist() for name in seldom), strict=True)
        for at, row, other, serial in zip(times, rows, others, serials, strict=True):
            values = dict(zip(often, row, strict=True))
            if serial:  # counters and ratios are read in the same sweeps
                values |= {k: v for k, v in zip(seldom, other, strict=True) if not math.isnan(v)}
            stamp = Stamp(at + offset_us, at + offset_us, BOOT)
            yield Reading(code, stamp, good, values, serial)
