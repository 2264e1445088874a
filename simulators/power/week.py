"""One labelled week: a mine, its commissioning, seven days after it, and what is true of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from edge.domain.activity import Duty
from simulators.power import machines
from simulators.power.events import draw_event, draw_events
from simulators.power.labels import Episode, FaultLabel, Happening, Window
from simulators.power.mechanisms import CLEAN, MECHANISMS, Plan, Scene, Session, Tamper
from simulators.power.meters import Trace, draw_fitting, draw_grid, read
from simulators.power.mine import (
    INCOMING,
    LAYOUTS,
    PUMP,
    Alive,
    Mine,
    draw_mine,
    incoming,
    keep_alive,
)
from simulators.power.moments import DAY_S, HOUR_S, STEP_S, Rng, Span, rng
from simulators.power.spoiled import spoiled
from simulators.power.weather import Event, weather

DEVELOPMENT = range(1000)
"""Seeds that authors of detectors may look at."""
HELD_OUT = 5000
"""First seed of those that only the benchmark's default run plays."""
CLEAN_SHARE = 7
ORDER = (*MECHANISMS, *[CLEAN] * CLEAN_SHARE)
"""Mechanism by seed: of nineteen weeks, seven are clean."""
_YEAR_2026_US = 1_767_196_800_000_000  # 2026-01-01 00:00 in Beijing
_BIG_PUMP = frozenset({"weak-motor"})
SETTLING = "seasonal-drift"


@dataclass(frozen=True)
class Week:
    """What a gateway would read, and what is true of it.

    Attributes:
        seed: it was drawn from.
        layout: `feeders` or `incoming` (that meter alone).
        mechanism: how it is worked in secret, or `clean`.
        start_us: first moment, µs since 1970 UTC: the meters were fitted.
        learned_us: end of the commissioning time.
        end_us: seven days (a week of drift: weeks) later.
        traces: the meters; the incoming one is among them.
        declared: what a technician wrote down of each permitted load: what, duty, kW.
        episodes: forbidden work after the commissioning.
        contamination: forbidden work in it.
        windows: leave that was given.
        faults: what is wrong with data, power cuts among them.
        happenings: honest events.
    """

    seed: int
    layout: str
    mechanism: str
    start_us: int
    learned_us: int
    end_us: int
    traces: tuple[Trace, ...]
    declared: tuple[tuple[str, Duty, float], ...]
    episodes: tuple[Episode, ...]
    contamination: tuple[Episode, ...]
    windows: tuple[Window, ...]
    faults: tuple[FaultLabel, ...]
    happenings: tuple[Happening, ...]


def mechanism_of(seed: int) -> str:
    """What the week of this seed is about, unless something else is asked for."""
    return ORDER[seed % len(ORDER)]


def layout_of(seed: int) -> str:
    """Its layout, unless another is asked for."""
    return LAYOUTS[seed // len(ORDER) % len(LAYOUTS)]


def week(
    seed: int,
    layout: str | None = None,
    mechanism: str | None = None,
    *,
    days: int = 7,
    learn: int | None = None,
) -> Week:
    """The week of a seed; the same seed gives the same week.

    Args:
        seed: any number ≥ 0.
        layout: of `LAYOUTS`; None is the seed's own.
        mechanism: of `MECHANISMS` or `clean`; None is the seed's own.
        days: after the commissioning, at least two.
        learn: days of commissioning; None draws 4 to 14.
    """
    layout, mechanism = layout or layout_of(seed), mechanism or mechanism_of(seed)
    chance = rng(seed, "week", mechanism, layout)
    span, learned_s, drift_k = _span(chance, mechanism, days, learn)
    mine = draw_mine(rng(seed, "mine"), layout, big_pump=mechanism in _BIG_PUMP)
    wanted = int(chance.integers(2, 5)) if mechanism == CLEAN else int(chance.integers(0, 3))
    events = draw_events(chance, span, learned_s, wanted)
    if chance.random() < 0.35:  # weather does not wait for the end of the commissioning
        kind = str(chance.choice(["storm", "cold-snap", "visit"]))
        events.append(draw_event(chance, span, kind, DAY_S))
    sky = weather(rng(seed, "sky"), span, events, drift_k)
    alive = keep_alive(rng(seed, "alive"), mine, span, sky, events)
    scene = Scene(mine, span, alive, learned_s)
    plan = _plan(rng(seed, "work", mechanism), scene, mechanism)
    windows = [_approved(chance, scene, e) for e in events if e.kind in _APPROVED]
    for session in (*plan.sessions, *plan.contamination):
        alive.add(session.where, session.first, session.kw)
    traces = _read(rng(seed, "meters"), mine, span, alive)
    traces, faults = spoiled(rng(seed, "tamper"), span, traces, plan.tampers, events)
    return Week(
        seed, layout, mechanism, span.start_us, span.us(learned_s), span.us(span.length_s),
        tuple(traces), _declared(rng(seed, "declared"), mine),
        tuple(_episodes(span, plan.sessions, mechanism, plan.tampers)),
        tuple(_episodes(span, plan.contamination, mechanism, ())),
        tuple(windows), tuple(faults),
        tuple(Happening(span.us(e.begin_s), span.us(e.end_s), e.kind) for e in events),
    )  # fmt: skip


def _span(chance: Rng, mechanism: str, days: int, learn: int | None) -> tuple[Span, float, float]:
    """When, how long, from when it counts, and by how many K the season turns."""
    learned = int(chance.integers(4, 15))
    learned = learn or learned
    settling, drift = 0, 0.0
    day = int(chance.integers(0, 365))
    if mechanism == SETTLING or (mechanism == CLEAN and chance.random() < 0.15 and learn is None):
        settling = int(chance.integers(10, 22))
        spring = bool(chance.random() < 0.5)
        day = int(chance.integers(60, 120)) if spring else int(chance.integers(235, 300))
        drift = float(chance.uniform(4, 9)) * (1 if spring else -1)
    if mechanism == "contaminated-start":
        learned = max(learned, 7)
    begin_s = day * DAY_S + round(float(chance.uniform(8.5, 17.0)) * HOUR_S / STEP_S) * STEP_S
    length = (learned + settling + days) * DAY_S
    return Span(_YEAR_2026_US + begin_s * 1_000_000, length), learned * DAY_S, drift


def _plan(chance: Rng, scene: Scene, mechanism: str) -> Plan:
    if mechanism != CLEAN:
        return MECHANISMS[mechanism](chance, scene)
    plan = Plan()
    if chance.random() < 0.2:
        made = MECHANISMS["contaminated-start"](chance, scene)
        plan.contamination = made.contamination
    return plan


_APPROVED = frozenset({"machine-test", "welding"})


def _approved(chance: Rng, scene: Scene, event: Event) -> Window:
    """A repair or a test with leave: its load is added; the leave names the meter it shows at."""
    span = scene.span
    if event.kind == "welding":
        machine, where = machines.welding(chance), "other"
    else:
        machine = machines.hoist(chance)
        where = scene.feeder("hoist")
    first, last = span.step(event.begin_s), span.step(event.end_s)
    scene.alive.add(where, first, machine.work(chance, last - first))
    begin = event.begin_s - float(chance.uniform(600, 3600))
    end = event.end_s + float(chance.uniform(600, 3600))
    feeders = (scene.seen_by(where),)
    return Window(span.us(begin), span.us(end), feeders, event.kind)


def _read(chance: Rng, mine: Mine, span: Span, alive: Alive) -> list[Trace]:
    """All meters; the incoming one sums what the phases of the branches carry."""
    total = alive.total()
    grid = draw_grid(chance, span, total)
    lost = float(chance.choice([0.0, 0.001, 0.01, 0.02]))
    rated = {"fan": mine.fan.rated_kw, PUMP: mine.station.rated_kw * len(mine.station.load_kw)}
    rated["living"] = round(mine.living.rated_kw)
    traces, phases = [], np.zeros((3, span.size))
    for branch, kw in alive.branches.items():
        duty = mine.meters.get(branch, Duty.OTHER)
        peak = max(float(kw.max()), rated.get(branch, 0.0))
        kind = Duty.LIVING if branch in {"living", "other"} else duty
        fit = draw_fitting(chance, kind, peak, grid.nominal_v)
        phases += np.outer(fit.phases, kw)
        if branch in mine.meters:
            declared = rated.get(branch, round(peak))
            traces.append(read(chance, span, grid, fit, kw, branch, duty, declared, lost))
    flow = incoming(mine, total)
    share = np.divide(phases, total, out=np.full_like(phases, 1 / 3), where=total > 0)
    fit = draw_fitting(chance, Duty.INCOMING, float(flow.max()), grid.nominal_v)
    whole = sum(rated.values())
    main = read(
        chance, span, grid, fit, flow, INCOMING, Duty.INCOMING, whole, lost, share * flow
    )  # fmt: skip
    return [main, *traces]


def _declared(chance: Rng, mine: Mine) -> tuple[tuple[str, Duty, float], ...]:
    """Nameplates as somebody wrote them down; what is small is guessed."""
    pumps = [
        (f"pump-{i + 1}", Duty.PUMP, mine.station.rated_kw)
        for i in range(len(mine.station.load_kw))
    ]
    guess = mine.living.rated_kw * float(chance.uniform(0.7, 1.5))
    found = [("fan", Duty.FAN, mine.fan.rated_kw), *pumps, ("living", Duty.LIVING, round(guess, 1))]
    if mine.warmer_kw:
        found.append(("warmer", Duty.OTHER, round(mine.warmer_kw)))
    return tuple(found)


def _episodes(
    span: Span, sessions: Iterable[Session], mechanism: str, tampers: Sequence[Tamper]
) -> list[Episode]:
    episodes = []
    for i, session in enumerate(sessions):
        lit = np.flatnonzero(session.kw > 0.5)
        if len(lit) == 0:
            continue
        begin, end = session.first + int(lit[0]), session.first + int(lit[-1]) + 1
        hidden = span.us(tampers[i].begin_s) if tampers else 0
        episodes.append(
            Episode(
                span.us(begin * STEP_S), span.us(end * STEP_S), mechanism,
                round(float(session.kw[lit].mean()), 1), session.where, hidden,
            )
        )  # fmt: skip
    return sorted(episodes, key=lambda episode: episode.begin_us)


def local(us: int) -> str:
    """A moment in Beijing time, for people."""
    return datetime.fromtimestamp(us / 1e6 + 8 * HOUR_S, UTC).strftime("%m-%d %H:%M")
