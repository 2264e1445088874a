"""Which profiles a unit may have, by what it answers to each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.sensors.decode import Decoded, decode
from edge.sensors.plan import Span
from edge.sensors.plausible import Verdict, judge, possible
from edge.sensors.port import ModbusPort, NoAnswerError, RefusedError
from edge.sensors.profiles import Profile

_MAX_UNANSWERED = 6  # reads in a row, until a unit is left alone


@dataclass(frozen=True, slots=True)
class Guess:
    """A profile that may be the unit's.

    Attributes:
        name, profile: which.
        seen: one reading by it.
        verdict: what is to be thought of it.
    """

    name: str
    profile: Profile
    seen: Decoded
    verdict: Verdict


class Memory:
    """What one unit answered: no read is made twice."""

    def __init__(self, port: ModbusPort, unit: int) -> None:
        self._port = port
        self._unit = unit
        self._answers: dict[Span, list[int] | None] = {}
        self._unanswered = 0
        self.before: Callable[[], None] = lambda: None  # every read

    @property
    def silent(self) -> bool:
        """Too many reads in a row were not answered."""
        return self._unanswered > _MAX_UNANSWERED

    async def read(self, span: Span) -> list[int] | None:
        """Its registers; None where it refuses or stays silent."""
        if span not in self._answers:
            self.before()
            try:
                self._answers[span] = await self._port.read(self._unit, span)
                self._unanswered = 0
            except RefusedError:
                self._answers[span] = None
                self._unanswered = 0
            except NoAnswerError:
                self._answers[span] = None
                self._unanswered += 1
        return self._answers[span]


async def identify(memory: Memory, name: str, profile: Profile) -> Guess | None:
    """The profile's guess; None where the unit cannot have it."""
    registers: dict[tuple[int, int], int] = {}
    reads = sorted(profile.reads(), key=lambda read: not _has_voltage(profile, read))
    for read in reads:
        words = await memory.read(read)
        if words is None:
            if _has_voltage(profile, read):
                return None  # so do most that have another map: no more is asked
            continue
        registers |= {(read.function, read.address + at): word for at, word in enumerate(words)}
    seen = decode(profile, registers)
    if not possible(seen.values):
        return None
    return Guess(name, profile, seen, judge(profile, seen))


def _has_voltage(profile: Profile, read: Span) -> bool:
    return any(
        read.contains(item.span)
        for name, item in profile.quantity.items()
        if name.startswith("voltage_")
    )


def rank(guess: Guess) -> tuple[float, int, int]:
    """Better ones are larger: share of what fits, how much that is, how well it is sourced."""
    confidence = ("low", "medium", "high").index(guess.profile.confidence)
    return guess.verdict.share, guess.verdict.told, confidence
