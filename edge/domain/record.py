"""Records: what the ledger keeps, and the two lanes they travel on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.clock import Stamp


class Lane(StrEnum):
    """Alarms overtake routine."""

    ALARM = "alarm"
    ROUTINE = "routine"


class RecordType(StrEnum):
    """CloudEvents `type` of every record. docs/asyncapi.yaml describes each one's data."""

    INCIDENT_OPENED = "eseal.incident.opened"
    INCIDENT_UPDATED = "eseal.incident.updated"
    INCIDENT_CLOSED = "eseal.incident.closed"
    ACTIVITY_STARTED = "eseal.activity.started"
    ACTIVITY_ENDED = "eseal.activity.ended"
    SOURCE_LOST = "eseal.source.lost"
    SOURCE_BACK = "eseal.source.back"
    CONTACT_CHANGED = "eseal.contact.changed"
    CLOCK_STEPPED = "eseal.clock.stepped"
    CHALLENGE_RUN = "eseal.challenge.run"
    POWER_SUMMARY = "eseal.power.summary"
    POWER_ENERGY = "eseal.power.energy"
    POWER_DAY = "eseal.power.day"
    POWER_WEEK = "eseal.power.week"
    POWER_BASELINE = "eseal.power.baseline"
    METER_IDENTITY = "eseal.meter.identity"
    METER_HISTORY = "eseal.meter.history"
    CAMERA_REFERENCE = "eseal.camera.reference"
    CONFIG_IN_FORCE = "eseal.config.in-force"
    GATEWAY_STARTED = "eseal.gateway.started"
    GATEWAY_STOPPED = "eseal.gateway.stopped"
    GATEWAY_HEALTH = "eseal.gateway.health"
    ORDER_ACCEPTED = "eseal.order.accepted"
    ORDER_REFUSED = "eseal.order.refused"
    ORDER_DONE = "eseal.order.done"
    POLICY_IN_FORCE = "eseal.policy.in-force"
    EVIDENCE_LOST = "eseal.evidence.lost"
    EPOCH_BEGUN = "eseal.epoch.begun"
    KEY_ROTATED = "eseal.key.rotated"


INCIDENT_TYPES = frozenset(
    {
        RecordType.INCIDENT_OPENED,
        RecordType.INCIDENT_UPDATED,
        RecordType.INCIDENT_CLOSED,
    }
)
LOG_TYPES = frozenset({RecordType.EPOCH_BEGUN, RecordType.KEY_ROTATED})
"""About the log itself: the province needs them before it can check what follows. Never let go."""

ALARM_TYPES = INCIDENT_TYPES | LOG_TYPES | {RecordType.ORDER_DONE}
"""What travels on the alarm lane: whoever ordered something waits for the answer."""


def lane_of(kind: RecordType) -> Lane:
    """Alarm for incidents, answers to orders and news of the log itself, else routine."""
    return Lane.ALARM if kind in ALARM_TYPES else Lane.ROUTINE


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has its place in the ledger. `data` is JSON with finite numbers."""

    type: RecordType
    stamp: Stamp
    data: Mapping[str, Any]

    @property
    def lane(self) -> Lane:
        """The lane of its type."""
        return lane_of(self.type)


@dataclass(frozen=True, slots=True)
class Record:
    """One leaf: its place and its exact bytes, never encoded a second time."""

    index: int
    lane: Lane
    type: RecordType
    leaf: bytes
