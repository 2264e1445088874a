"""Incidents against labels: what was found, how late, what was raised for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.power_play import Raised
from simulators.power.labels import Episode, FaultLabel
from simulators.power.week import Week

LOAD_KINDS = frozenset(
    {
        "load-running",
        "pump-unlike",
        "residual-load",
        "share-risen",
        "day-like-production",
        "unexplained-load",
    }
)
"""Kinds of activity that speak of load or production."""
AFTER_US = 600_000_000
"""An incident ten minutes after an episode still belongs to it."""
_BACK_US = 86_400_000_000  # what an incident speaks of began at most so long before
_TAMPERS = frozenset({"reversed-ct", "frozen"})
_DAY_US = 86_400_000_000
_SPEAKS_OF_US = {"share-risen": 3 * _DAY_US}
"""Kinds whose sentence is about the energy of so long before, whenever it is said."""


def is_fault(raised: Raised) -> bool:
    """Whether it speaks of a meter's data; a meter that does not answer is the bus's matter."""
    return raised.kind.startswith("meter") and raised.kind != "meter-lost"


def is_load(raised: Raised) -> bool:
    """Whether it speaks of load or production."""
    return raised.kind in LOAD_KINDS


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one episode.

    Attributes:
        episode: it.
        delay_s: from its begin to the first incident about it; None where it was missed.
        by: code of that incident.
        load: an incident that speaks of load told it, not only one of a meter tampered with.
    """

    episode: Episode
    delay_s: float | None
    by: str = ""
    load: bool = False


@dataclass
class Scored:
    """What came of one week.

    Attributes:
        found: its episodes.
        false: incidents at no episode and no fault.
        days: after the commissioning.
    """

    found: list[Found] = field(default_factory=list)
    false: list[Raised] = field(default_factory=list)
    days: float = 0.0


def score(week: Week, raised: Sequence[Raised]) -> Scored:
    """Judge a week. What is raised before the end of the commissioning does not count."""
    counted = [one for one in raised if one.at_us >= week.learned_us]
    counted = [one for one in counted if is_load(one) or is_fault(one)]
    result = Scored(days=(week.end_us - week.learned_us) / _DAY_US)
    result.found = [_found(episode, counted) for episode in week.episodes]
    result.false = [one for one in counted if not _explained(week, one)]
    return result


def _found(episode: Episode, raised: Iterable[Raised]) -> Found:
    """The first incident about it; one about a meter tampered with counts from the tampering on."""
    tells: list[Raised] = []
    for one in raised:
        if is_load(one) and episode.begin_us <= one.at_us <= episode.end_us + AFTER_US:
            tells.append(one)
        hidden = episode.hidden_us and episode.mechanism in _TAMPERS and is_fault(one)
        if hidden and episode.hidden_us <= one.at_us <= episode.end_us + AFTER_US:
            tells.append(one)
    if not tells:
        return Found(episode, None)
    first = min(tells, key=lambda one: one.at_us)
    delay = max(0.0, (first.at_us - episode.begin_us) / 1e6)
    return Found(episode, delay, first.code, any(is_load(one) for one in tells))


def _explained(week: Week, one: Raised) -> bool:
    """Whether it speaks of a time in which there was work, or (a fault) of a meter's fault."""
    since = max(min(one.since_us, one.at_us), one.at_us - _BACK_US)
    since = min(since, one.at_us - _SPEAKS_OF_US.get(one.kind, 0))
    for episode in (*week.episodes, *week.contamination):
        begin = episode.hidden_us or episode.begin_us
        if since <= episode.end_us + AFTER_US and one.at_us >= begin:
            return True
    return is_fault(one) and any(about(label, one) for label in week.faults)


def about(label: FaultLabel, one: Raised) -> bool:
    """Whether an incident came in a fault's time (or when it was mended) at one of its meters."""
    in_time = label.begin_us <= one.at_us <= label.end_us + AFTER_US
    return in_time and (one.source in label.sources or one.kind == "meters-swapped")
