"""What may be let go, and when space is short. Pure: sizes and times are given.

Deletion by age goes by the province's clock, as its newest receipt tells it: a clock that somebody
sets forward at the gateway makes nothing old.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.domain.record import RecordType
from edge.errors import Refused
from edge.ledger.checkpoint import parse_note

DAY_US = 86_400_000_000
SPARE = frozenset(
    {
        RecordType.ACTIVITY_STARTED,
        RecordType.ACTIVITY_ENDED,
        RecordType.SOURCE_LOST,
        RecordType.SOURCE_BACK,
        RecordType.CONTACT_CHANGED,
        RecordType.CLOCK_STEPPED,
        RecordType.POWER_SUMMARY,
        RecordType.POWER_ENERGY,
        RecordType.GATEWAY_STARTED,
        RecordType.GATEWAY_STOPPED,
        RecordType.GATEWAY_HEALTH,
        RecordType.ORDER_REFUSED,
    }
)
"""Routine that can be let go. Not here, and so kept for good: orders obeyed, configurations in
force, what was learned, keys and epochs; a restart or a later check needs them."""
INCIDENTS = frozenset(
    {
        RecordType.INCIDENT_OPENED,
        RecordType.INCIDENT_UPDATED,
        RecordType.INCIDENT_CLOSED,
    }
)
"""What can be let go of the alarm lane, once the incident is closed."""
CHECKPOINT_DAYS = 7
RECEIPTS_KEPT = 100  # the newest ones; of older ones, one a day
_COSIGNATURE = 72  # bytes: time and Ed25519 signature
_TIGHT, _EASED, _LOW = 0.90, 0.85, 0.95  # of the budget


@dataclass(frozen=True, slots=True)
class Policy:
    """`[storage]` of the configuration in bytes and days."""

    budget: int = 8_000_000_000
    reserve: int = 500_000_000
    routine_days: int = 90
    alarm_days: int = 1095
    evidence_days: int = 90


@dataclass(frozen=True, slots=True)
class Space:
    """How much room there is, in bytes.

    Attributes:
        used: by ledger and evidence together.
        free: of the file-system that holds them.
        policy: what they may take, and what must stay free.
    """

    used: int
    free: int
    policy: Policy

    @property
    def excess(self) -> int:
        """How much to let go before it is old, so that there is room again; 0 if there is."""
        budget, reserve = self.policy.budget, self.policy.reserve
        if self.used <= _TIGHT * budget and self.free >= 1.5 * reserve:
            return 0
        return max(int(self.used - _EASED * budget), 2 * reserve - self.free, 0)

    @property
    def low(self) -> bool:
        """Whether somebody must be told: retention does not find enough to let go."""
        return self.used > _LOW * self.policy.budget or self.free < self.policy.reserve

    @property
    def shed(self) -> bool:
        """Whether no more routine is taken, so that what is left is for alarms."""
        return self.used >= self.policy.budget or self.free < self.policy.reserve // 2


def province_time_us(receipt: bytes) -> int:
    """When the province signed a stored receipt, µs since 1970; 0 if it does not say."""
    try:
        lines = parse_note(receipt).signatures
    except Refused:
        return 0
    times = [line.signature[:8] for line in lines if len(line.signature) == _COSIGNATURE]
    return max((int.from_bytes(time, "big") for time in times), default=0) * 1_000_000


def old_checkpoints(sizes: list[tuple[int, int]], covered: int, now_us: int) -> list[int]:
    """Sizes of checkpoints that a receipt replaces and that are some days old.

    Args:
        sizes: (size, wall_us) of stored checkpoints.
        covered: size of the newest receipt.
        now_us: the time that counts.
    """
    limit_us = now_us - CHECKPOINT_DAYS * DAY_US
    return [size for size, wall_us in sizes if size < covered and wall_us < limit_us]


def spare_receipts(receipts: list[tuple[int, int]]) -> list[int]:
    """Row ids of receipts that newer ones make needless.

    Args:
        receipts: (id, wall_us), ascending by the size they cover.
    """
    old = receipts[:-RECEIPTS_KEPT]
    last_of_day = {wall_us // DAY_US: number for number, wall_us in old}
    kept = set(last_of_day.values())
    return [number for number, _wall_us in old if number not in kept]
