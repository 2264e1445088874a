"""What is true of a week: episodes of forbidden work, leave that was given, faults, events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Episode:
    """Forbidden work, from its first to its last step, pauses within it included.

    Attributes:
        begin_us: µs since 1970 UTC.
        end_us: when it is over.
        mechanism: how it is done.
        kw: mean power while the machine draws any.
        where: the branch that feeds it.
        hidden_us: when the meter was tampered with for it, 0 where none was.
    """

    begin_us: int
    end_us: int
    mechanism: str
    kw: float
    where: str
    hidden_us: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Leave that the province gave, and for which meters."""

    begin_us: int
    end_us: int
    feeders: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True)
class FaultLabel:
    """What is wrong with a meter's data.

    Attributes:
        begin_us: from when.
        end_us: until when.
        kind: of simulators/power/faults.py, or `power-cut`.
        sources: codes of the meters.
    """

    begin_us: int
    end_us: int
    kind: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """An honest event, so that what is raised for nothing can be explained."""

    begin_us: int
    end_us: int
    kind: str
