"""How it is worked in secret: one function a mechanism, that plans the sessions of a week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from simulators.power import machines
from simulators.power.machines import Machine
from simulators.power.mine import INCOMING, PUMP, UNMETERED, Alive, Mine
from simulators.power.moments import DAY_S, HOUR_S, STEP_S, Floats, Rng, Span, log_uniform


@dataclass(frozen=True)
class Session:
    """Forbidden work: `kw` by step from step `first` on a branch of the mine."""

    where: str
    first: int
    kw: Floats

    @property
    def last(self) -> int:
        """The step after its last."""
        return self.first + len(self.kw)


@dataclass(frozen=True, slots=True)
class Tamper:
    """What is done to a meter meanwhile: kind of fault, code, seconds since the start."""

    kind: str
    source: str
    begin_s: float
    end_s: float


@dataclass
class Plan:
    """Attributes: sessions that count, meters tampered with, sessions while it was learned."""

    sessions: list[Session] = field(default_factory=list)
    tampers: list[Tamper] = field(default_factory=list)
    contamination: list[Session] = field(default_factory=list)


@dataclass(frozen=True)
class Scene:
    """What a mechanism plans with: the mine, its permitted loads, from when it counts."""

    mine: Mine
    span: Span
    alive: Alive
    learned_s: float

    def nights(self, chance: Rng, count: int, hours: tuple[float, float]) -> list[tuple[int, int]]:
        """First and last step of sessions by night, each in another night."""
        every = [at for at in self.span.midnights() if at > self.learned_s + 4 * HOUR_S]
        every = [at for at in every if at < self.span.length_s - 9 * HOUR_S]
        chosen = sorted(chance.choice(every, min(count, len(every)), replace=False))
        return [self._session(chance, float(at), hours) for at in chosen]

    def before(self, chance: Rng, hours: tuple[float, float]) -> list[tuple[int, int]]:
        """Sessions in a fifth to two fifths of the nights while it was learned."""
        every = [at for at in self.span.midnights() if 4 * HOUR_S < at < self.learned_s - DAY_S / 3]
        count = max(1, round(len(every) * float(chance.uniform(0.2, 0.4))))
        chosen = sorted(chance.choice(every, min(count, len(every)), replace=False))
        return [self._session(chance, float(at), hours) for at in chosen]

    def _session(self, chance: Rng, midnight: float, hours: tuple[float, float]) -> tuple[int, int]:
        begin = midnight + float(chance.uniform(-3.5, 1.5)) * HOUR_S
        length = float(chance.uniform(*hours)) * HOUR_S
        return self.span.step(begin), self.span.step(begin + length)

    def feeder(self, kind: str) -> str:
        """The branch that a machine of this kind hangs on: its own where that is metered."""
        return kind if kind in self.mine.meters else UNMETERED

    def seen_by(self, where: str) -> str:
        """The meter that shows a branch best."""
        return where if where in self.mine.meters else INCOMING


def _sessions(
    chance: Rng, steps: list[tuple[int, int]], machine: Machine, where: str
) -> list[Session]:
    return [Session(where, a, machine.work(chance, b - a)) for a, b in steps if b > a]


def _nights_of(chance: Rng, scene: Scene, machine: Machine, where: str) -> Plan:
    steps = scene.nights(chance, int(chance.integers(1, 5)), (2, 7))
    return Plan(_sessions(chance, steps, machine, where))


def night_hoist(chance: Rng, scene: Scene) -> Plan:
    """A hoist works by night."""
    return _nights_of(chance, scene, machines.hoist(chance), scene.feeder("hoist"))


def belt(chance: Rng, scene: Scene) -> Plan:
    """A belt runs by night."""
    return _nights_of(chance, scene, machines.belt(chance), scene.feeder("belt"))


def compressor(chance: Rng, scene: Scene) -> Plan:
    """A compressor for drills runs by night."""
    return _nights_of(chance, scene, machines.compressor(chance), scene.feeder("compressor"))


def unmetered(chance: Rng, scene: Scene) -> Plan:
    """Anything, on a branch without a meter of its own."""
    kind = str(chance.choice(list(machines.PRODUCTION)))
    return _nights_of(chance, scene, machines.PRODUCTION[kind](chance), UNMETERED)


def weak_motor(chance: Rng, scene: Scene) -> Plan:
    """A motor of 8–25 % of the pump's, mostly only while the pump runs."""
    pump = scene.mine.station.load_kw[0]
    rated = max(11.0, min(pump * float(chance.uniform(0.08, 0.25)), 90.0))
    make = machines.steady if chance.random() < 0.5 else machines.winch
    machine = make(chance, rated)
    hidden = bool(chance.random() < 0.7)
    on_pump = scene.mine.layout == "feeders" and chance.random() < 0.6
    where = PUMP if on_pump else UNMETERED
    plan = Plan()
    running = np.any(scene.alive.drainage.on, axis=0)
    for a, b in scene.nights(chance, int(chance.integers(1, 5)), (3, 7)):
        kw = machine.work(chance, b - a)
        if hidden and running[a:b].mean() > 0.15:
            kw = kw * running[a:b]
        lit = np.flatnonzero(kw > 0)
        plan.sessions.append(Session(where, a + int(lit[0]), kw[lit[0] : lit[-1] + 1]))
    return plan


def same_size(chance: Rng, scene: Scene) -> Plan:
    """A machine as large as the pump, run like one: half an hour, a pause, half an hour."""
    rated = scene.mine.station.load_kw[0] * float(chance.uniform(0.96, 1.04))
    machine = machines.steady(chance, rated / 0.85, "pump-like")
    where = PUMP if scene.mine.layout == "feeders" and chance.random() < 0.5 else UNMETERED
    plan = Plan()
    for a, b in scene.nights(chance, int(chance.integers(1, 4)), (3, 7)):
        kw = np.zeros(b - a)
        at = 0
        while at < len(kw):
            on = int(chance.uniform(20, 90) * 60) // STEP_S
            kw[at : at + on] = machine.work(chance, on)[: len(kw) - at]
            at += on + int(chance.uniform(15, 60) * 60) // STEP_S
        plan.sessions.append(Session(where, a, kw[: np.flatnonzero(kw)[-1] + 1]))
    return plan


def ramp(chance: Rng, scene: Scene) -> Plan:
    """Load that is turned up by and by, over an hour and a half to a day, held and turned down."""
    plan = Plan()
    where = scene.feeder(str(chance.choice(["compressor", "face", "unmetered"])))
    nights = [n for n in scene.span.midnights() if n > scene.learned_s + 4 * HOUR_S]
    at = float(chance.choice(nights[:2])) - float(chance.uniform(0, 6)) * HOUR_S
    for _ in range(int(chance.integers(1, 4))):
        top = log_uniform(chance, 25, 90)
        up, hold = log_uniform(chance, 1.5, 24), float(chance.uniform(3, 10))
        steps = int((up + hold + 0.5) * HOUR_S) // STEP_S
        shape = np.interp(
            np.arange(steps) * STEP_S / HOUR_S,
            (0, up, up + hold, up + hold + 0.5),
            (0.02, 1, 1, 0.02),
        )
        first = scene.span.step(at)
        if at + steps * STEP_S > scene.span.length_s - HOUR_S:
            break
        texture = machines.steady(chance, 1 / 0.85, "turned-up").work(chance, steps)
        texture[:4] = np.minimum(texture[:4], 1.0)
        plan.sessions.append(Session(where, first, top * shape * texture))
        at += steps * STEP_S + float(chance.uniform(8, 40)) * HOUR_S
    return plan


def gaps(chance: Rng, scene: Scene) -> Plan:
    """Work in spells of four to twelve minutes only, all night."""
    kind = str(chance.choice(["hoist", "belt", "face"]))
    machine = machines.PRODUCTION[kind](chance)
    plan = Plan()
    for a, b in scene.nights(chance, int(chance.integers(1, 5)), (3, 7)):
        kw = np.zeros(b - a)
        at = 0
        while at < len(kw):
            on = int(chance.uniform(4, 12) * 60) // STEP_S
            kw[at : at + on] = machine.work(chance, on)[: len(kw) - at]
            at += on + int(chance.uniform(15, 50) * 60) // STEP_S
        plan.sessions.append(Session(scene.feeder(kind), a, kw[: np.flatnonzero(kw)[-1] + 1]))
    return plan


def _tampered(chance: Rng, scene: Scene, kinds: tuple[str, ...]) -> Plan:
    plan = _nights_of(chance, scene, machines.hoist(chance), scene.feeder("hoist"))
    kind = str(chance.choice(kinds))
    for session in plan.sessions:
        source = scene.seen_by(session.where)
        begin = session.first * STEP_S - float(chance.uniform(5, 60)) * 60
        end = session.last * STEP_S + float(chance.uniform(1, 30)) * 60
        plan.tampers.append(Tamper(kind, source, begin, end))
    return plan


def reversed_ct(chance: Rng, scene: Scene) -> Plan:
    """The CTs, or one of them, are turned round before the hoist works, and back after."""
    return _tampered(chance, scene, ("reversed", "reversed", "phase-reversed"))


def frozen(chance: Rng, scene: Scene) -> Plan:
    """The meter tells what it told before while the hoist works."""
    return _tampered(chance, scene, ("frozen",))


def contaminated_start(chance: Rng, scene: Scene) -> Plan:
    """The machine worked in some nights of the commissioning already."""
    kind = str(chance.choice(["hoist", "belt", "compressor"]))
    machine = machines.PRODUCTION[kind](chance)
    plan = _nights_of(chance, scene, machine, scene.feeder(kind))
    before = scene.before(chance, (2, 6))
    plan.contamination = _sessions(chance, before, machine, scene.feeder(kind))
    return plan


def seasonal_drift(chance: Rng, scene: Scene) -> Plan:
    """A smaller machine works weeks after the commissioning, in another season."""
    kind = str(chance.choice(["hoist", "compressor"]))
    small = machines.hoist if kind == "hoist" else machines.compressor
    return _nights_of(chance, scene, small(chance, 37, 110), scene.feeder(kind))


MECHANISMS: dict[str, Callable[[Rng, Scene], Plan]] = {
    "night-hoist": night_hoist,
    "weak-motor": weak_motor,
    "same-size": same_size,
    "ramp": ramp,
    "gaps": gaps,
    "reversed-ct": reversed_ct,
    "frozen": frozen,
    "contaminated-start": contaminated_start,
    "seasonal-drift": seasonal_drift,
    "belt": belt,
    "compressor": compressor,
    "unmetered": unmetered,
}
"""A new mechanism is one function and one line here."""
CLEAN = "clean"
