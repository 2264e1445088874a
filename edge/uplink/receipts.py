"""Receipts: the province's cosignature of a checkpoint of ours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto

from edge.clock import Stamp
from edge.domain.observation import ClockCompared
from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Verifier, verify_cosignature
from edge.ledger.origin import parse_origin
from edge.ledger.succession import Break, Reason


class Standing(Enum):
    """How a receipt stands to our ledger."""

    COVERS = auto()  # it is for a head of ours
    EARLIER = auto()  # it is for a log of ours that ended before this one began
    MORE = auto()  # the province holds more than we do
    OTHER = auto()  # the province holds other records under the same name


def read_receipt(
    payload: bytes, *, gateway: str, keys: Iterable[Verifier]
) -> tuple[Checkpoint, int]:
    """Verify a receipt (C2SP tlog-checkpoint with a cosignature/v1).

    Args:
        payload: the note.
        gateway: `eseal/MINE/GATEWAY`; the receipt may be for any of its logs.
        keys: enrolled cosigners.

    Returns:
        The head that it is for, and the province's time in seconds since 1970.

    Raises:
        Refused: not cosigned by an enrolled key, or for another gateway.
    """
    head, _name, unix_s = verify_cosignature(payload, keys)
    if parse_origin(head.origin).gateway != gateway:
        raise Refused("the receipt is for another ledger")
    return head, unix_s


def compare(head: Checkpoint, origin: str, size: int, root_at: Callable[[int], bytes]) -> Standing:
    """Hold a verified receipt's head against our ledger.

    Args:
        head: what the province has cosigned.
        origin: of our ledger.
        size: its leaves.
        root_at: its root at a size up to that.
    """
    theirs, ours = parse_origin(head.origin), parse_origin(origin)
    if theirs.number < ours.number:
        return Standing.EARLIER
    if theirs.number > ours.number:
        return Standing.MORE
    if theirs.mark != ours.mark:
        return Standing.OTHER
    if head.size > size:
        return Standing.MORE
    return Standing.COVERS if root_at(head.size) == head.root else Standing.OTHER


def break_of(head: Checkpoint, unix_s: int, standing: Standing, started_with: int) -> Break:
    """Why we cannot go on with our log, given a receipt that says MORE or OTHER.

    Args:
        head: that the receipt is for.
        unix_s: the province's time.
        standing: how it stands to us.
        started_with: leaves that our ledger had when the daemon started.
    """
    if standing is Standing.MORE:
        reason = Reason.ROLLED_BACK
        detail = f"the province holds {head.size} records of {head.origin}"
    else:
        reason = Reason.REPLACED
        detail = f"the province holds another {head.origin}, of {head.size} records"
    return Break(reason, detail, head, unix_s, started_with)


def clock_compared(unix_s: int, said: Stamp | None, now: Stamp) -> ClockCompared:
    """What a receipt tells about our clock.

    The province signed between the moment we said the checkpoint and now, and its time is cut to
    whole seconds. A receipt that waited at the broker gives wide bounds, and so no false alarm.

    Args:
        unix_s: the province's time.
        said: when this connection said that checkpoint; None if it was before this start.
        now: when the receipt came.
    """
    most_s = now.wall_us / 1e6 - unix_s
    least_s = None if said is None else most_s - now.since(said) - 1.0
    return ClockCompared("host", now, least_s, most_s)
