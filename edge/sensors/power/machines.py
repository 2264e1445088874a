"""What may run behind a meter: machines of known size, and which of them explain a load. Pure.

A declared machine is believed within `_DECLARED` of its rating until its size was seen in the
learning time; a size that was seen is believed within `_KNOWN`. Both leave room for what pumps
do: their load falls and rises with the water's level.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from edge.domain.activity import Duty
from edge.sensors.spec import PermittedSpec

_DECLARED = (0.55, 1.15)  # of the rating: motors are chosen too large
_STAGES = (0.3, 1.15)  # a heater of several stages is a part of it for hours
_KNOWN = (0.04, 0.12)  # beyond what was seen, at least and at most
_MAX_STATES = 256


@dataclass(frozen=True, slots=True)
class Machine:
    """One kind of machine.

    Attributes:
        kw: what one draws, typically.
        low_kw: the least that one draws while it runs.
        high_kw: the most.
        count: how many may run at once.
        staged: it is often a part of its size.
    """

    kw: float
    low_kw: float
    high_kw: float
    count: int = 1
    staged: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """So much is explained by some machines running at once, kW."""

    kw: float = 0.0
    low_kw: float = 0.0
    high_kw: float = 0.0
    staged: bool = False


STANDING = State()


def declared(spec: PermittedSpec) -> Machine | None:
    """A machine as it was declared.

    Of fans that always run, one is part of what is usual; so is all that a guard house may
    switch on.
    """
    if spec.duty is Duty.LIVING:
        return None
    count = spec.count - 1 if spec.duty is Duty.FAN else spec.count
    if count == 0:
        return None
    staged = spec.duty is Duty.OTHER
    low, high = (share * spec.rated_kw for share in (_STAGES if staged else _DECLARED))
    return Machine(0.8 * spec.rated_kw, low, high, count, staged)


def seen(kw: float, least_kw: float, most_kw: float, count: int = 1) -> Machine:
    """A machine whose size was seen, and from where to where it went."""
    near, far = _KNOWN
    room = max(near * kw, most_kw - least_kw)  # what has varied will vary on
    low = max(least_kw - room, (1 - far) * kw)
    high = min(most_kw + room, (1 + far) * kw)
    return Machine(round(kw, 3), round(low, 3), round(high, 3), count)


def states(machines: Iterable[Machine]) -> list[State]:
    """Every mix of machines that may run at once, smallest first; at most 256."""
    known = list(machines)
    found: list[State] = []
    for counts in product(*(range(machine.count + 1) for machine in known)):
        pairs = list(zip(counts, known, strict=True))
        found.append(
            State(
                sum(n * machine.kw for n, machine in pairs),
                sum(n * machine.low_kw for n, machine in pairs),
                sum(n * machine.high_kw for n, machine in pairs),
                any(n and machine.staged for n, machine in pairs),
            )
        )
        if len(found) == _MAX_STATES:
            break
    return sorted(found, key=lambda state: state.kw)


def explain(kw: float, choices: list[State], slack_kw: float, last: State) -> State:
    """The state that leaves least of a load unexplained.

    A load within a state's bounds (and `slack_kw`) is explained by it; of several, the one that
    held last, then the nearest. Otherwise the greatest state below the load.
    """
    best, best_far = STANDING, float("inf")
    below = STANDING
    for state in choices:
        if state.low_kw - slack_kw <= kw <= state.high_kw + slack_kw:
            far = -1.0 if state is last else abs(kw - state.kw)
            if far < best_far:
                best, best_far = state, far
        elif state.high_kw < kw:
            below = state
    return best if best_far < float("inf") else below
