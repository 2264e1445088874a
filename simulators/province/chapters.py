"""The logs of one gateway: its first, and those that it went on in when one broke off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.domain.record import RecordType
from edge.errors import Refused
from simulators.province.tree import LogCopy


@dataclass(slots=True)
class Chapter:
    """One log of a gateway: its first, or that of a later epoch.

    Attributes:
        log: the rebuilt log; see `LogCopy`.
        arrivals: monotonic seconds of each record's first arrival, by index.
        types: of each record, by index.
        begun: data of its first leaf, if it is a later epoch's and that has come.
    """

    log: LogCopy
    arrivals: dict[int, float] = field(default_factory=dict)
    types: dict[int, RecordType] = field(default_factory=dict)
    begun: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Break:
    """Where one log ended and the next began.

    Attributes:
        ended: origin of the log that ended, as the next one names it.
        origin: of the next one.
        reason: as the gateway gives it; empty before its first leaf has come.
        lost: records that the gateway says it lost, at least.
        held: records of the log that ended that are here.
    """

    ended: str
    origin: str
    reason: str
    lost: int
    held: int


def epoch_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the first leaf of an epoch says. Raises Refused."""
    try:
        return {
            "previous": {"origin": str(data["previous"]["origin"])},
            "reason": str(data["reason"]),
            "lost_at_least": int(data["lost_at_least"]),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"the first leaf of an epoch lacks something ({error})") from error
