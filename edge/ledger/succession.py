"""What one log hands on to the next when it ended out of order. Pure.

The next epoch begins with a leaf that says what it follows and what was lost, then with copies of
what a restart needs (orders obeyed, what was learned, incidents), then with the incident itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.mine import MineState
from edge.domain.record import INCIDENT_TYPES, LOG_TYPES, Draft, RecordType
from edge.ledger.checkpoint import Checkpoint
from edge.ledger.origin import Origin, parse_origin
from edge.ledger.policy import SPARE
from edge.rules.engine import initial, restore, step
from edge.rules.recall import moment

_NOT_HANDED_ON = SPARE | LOG_TYPES | {RecordType.CONFIG_IN_FORCE, RecordType.EVIDENCE_LOST}
HANDED_ON = frozenset(RecordType) - INCIDENT_TYPES - _NOT_HANDED_ON
"""What a restart needs beside the incidents. A configuration is recorded at every start anyway."""
MOST_HANDED_ON = 10_000  # the newest; as many nonces are remembered
_APART = ("nonce", "source", "place", "code")  # fields that tell two of one type apart


class Reason(StrEnum):
    """Why a log is not gone on with."""

    ROLLED_BACK = "rolled-back"  # the province holds more of it than we do
    REPLACED = "replaced"  # the province holds other records under its name
    FOREIGN = "foreign"  # it is the log of another gateway
    DAMAGED = "damaged"  # it contradicts itself


_TOLD_AS = {Reason.DAMAGED.value: ActivityKind.LEDGER_DAMAGED}  # the others: it does not go on


@dataclass(frozen=True, slots=True)
class Break:
    """Why a new epoch must begin.

    Attributes:
        reason: in a word.
        detail: for people; may be empty.
        receipt: the head that the province has cosigned and we cannot show; None if none is known.
        receipt_s: when it did, seconds since 1970.
        started_with: leaves there were when the daemon started; what came later is forked.
        missing: leaves that were signed and cannot be read any more, of a damaged log.
    """

    reason: Reason
    detail: str = ""
    receipt: Checkpoint | None = None
    receipt_s: int = 0
    started_with: int | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """The log that ended, as far as it can be read.

    Attributes:
        origin: its name; empty if it cannot be read.
        size: its leaves, and their `root`; None if it cannot be read.
        agreed: leaves that its own newest receipt covers: the province surely has those.
    """

    origin: str = ""
    size: int | None = None
    root: bytes | None = None
    agreed: int = 0


def next_origin(gateway: str, left: Left, broken: Break) -> Origin:
    """A name that no log of this gateway had before, as far as we and the receipt know."""
    known = [
        parse_origin(text)
        for text in (left.origin, broken.receipt and broken.receipt.origin)
        if text
    ]
    ours = [origin.number for origin in known if origin.gateway == gateway]
    return Origin(gateway).after(max(ours, default=0))


def lost(left: Left, broken: Break) -> tuple[int, int | None]:
    """How many leaves the province held that are not here: at least, and at most (if known)."""
    held = broken.receipt
    if held is None:
        return broken.missing, None
    if held.origin != left.origin:
        return held.size, None  # a whole later epoch, and what of ours came after it
    here = left.size if broken.started_with is None else broken.started_with
    least = max(held.size - (here or 0), int(broken.reason is Reason.REPLACED), 0)
    return least, max(least, held.size - left.agreed)


def epoch_data(origin: Origin, left: Left, broken: Break) -> dict[str, Any]:
    """Data of the first leaf, all but how many leaves were handed on."""
    least, most = lost(left, broken)
    held = broken.receipt
    return {
        "epoch": origin.number,
        "reason": broken.reason.value,
        "detail": broken.detail[:500],
        "previous": {
            "origin": left.origin,
            "size": left.size,
            "root": left.root.hex() if left.root is not None else None,
        },
        "receipt": {
            "origin": held.origin,
            "size": held.size,
            "root": held.root.hex(),
            "time": Stamp(broken.receipt_s * 1_000_000, 0, "").iso(),
        }
        if held is not None
        else None,
        "lost_at_least": least,
        "lost_at_most": most,
    }


class Heritage:
    """Collects what is handed on, leaf by leaf, the oldest first.

    Args:
        agreed: leaves that the province surely has. Of incidents it knows nothing later, so those
            are told even when they are over.
    """

    def __init__(self, agreed: int) -> None:
        self._agreed = agreed
        self._kept: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        self._opened: dict[str, int] = {}
        self._incidents: dict[str, Mapping[str, Any]] = {}

    def take(self, leaf: Mapping[str, Any]) -> None:
        """Take one decoded envelope of an incident or of a type in `HANDED_ON`.

        Raises:
            KeyError, TypeError, ValueError: another version wrote it, and in another shape.
        """
        data, index, _when = leaf["data"], int(leaf["id"]), moment(leaf)
        if leaf["type"] not in INCIDENT_TYPES:
            key = (leaf["type"], *(data.get(name) for name in _APART))
            self._kept.pop(key, None)
            self._kept[key] = leaf
            if len(self._kept) > MOST_HANDED_ON:
                del self._kept[next(iter(self._kept))]
            return
        incident = str(data["incident"])
        if leaf["type"] == RecordType.INCIDENT_CLOSED and index < self._agreed:
            self._opened.pop(incident, None)
            self._incidents.pop(incident, None)
            return
        self._opened.setdefault(incident, index)
        self._incidents[incident] = leaf

    def drafts(self) -> list[Draft]:
        """The copies, in the order of the originals, with their stamps."""
        leaves = sorted(
            [*self._kept.values(), *self._incidents.values()], key=lambda leaf: int(leaf["id"])
        )
        return [Draft(self._type(leaf), moment(leaf), leaf["data"]) for leaf in leaves]

    def _type(self, leaf: Mapping[str, Any]) -> RecordType:
        """The newest record of an open incident is told as the news that it is to the province."""
        kind = RecordType(leaf["type"])
        if kind not in INCIDENT_TYPES or kind is RecordType.INCIDENT_CLOSED:
            return kind
        known = self._opened[str(leaf["data"]["incident"])] < self._agreed
        return RecordType.INCIDENT_UPDATED if known else RecordType.INCIDENT_OPENED


def first_leaves(
    data: Mapping[str, Any], origin: str, heritage: list[Draft], state: MineState, now: Stamp
) -> list[Draft]:
    """Everything that the next epoch begins with; appended at once.

    Args:
        data: of the first leaf, as `epoch_data` gives it.
        origin: name of the new log.
        heritage: what is handed on.
        state: the mine's state as configured, should no order be handed on.
        now: the moment of the break's discovery.
    """
    first = Draft(RecordType.EPOCH_BEGUN, now, {**data, "handed_on": len(heritage)})
    copies = [{"type": one.type, "data": one.data, **_moments(one.stamp)} for one in heritage]
    rules = restore(initial(state), copies)
    detail: dict[str, str | int | float | bool] = {
        "reason": str(data["reason"]),
        "lost": int(data["lost_at_least"]),
        "origin": origin,
        "previous": str(data["previous"]["origin"]),
    }
    told: list[Draft] = []
    for phase in (Phase.STARTED, Phase.ENDED):
        kind = _TOLD_AS.get(str(data["reason"]), ActivityKind.LEDGER_ROLLED_BACK)
        rules, drafts = step(rules, Activity(kind, "host", "", "", phase, now, now, detail), now)
        told += [one for one in drafts if one.data["code"] == kind.value]
    return [first, *told, *heritage]


def _moments(stamp: Stamp) -> dict[str, Any]:
    return {"time": stamp.iso(), "monous": stamp.mono_us, "bootid": stamp.boot}
