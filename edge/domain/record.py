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
    POWER_SUMMARY = "eseal.power.summary"
    POWER_BASELINE = "eseal.power.baseline"
    CONFIG_IN_FORCE = "eseal.config.in-force"
    GATEWAY_STARTED = "eseal.gateway.started"
    GATEWAY_STOPPED = "eseal.gateway.stopped"
    GATEWAY_HEALTH = "eseal.gateway.health"
    ORDER_ACCEPTED = "eseal.order.accepted"
    ORDER_REFUSED = "eseal.order.refused"


ALARM_TYPES = frozenset(
    {
        RecordType.INCIDENT_OPENED,
        RecordType.INCIDENT_UPDATED,
        RecordType.INCIDENT_CLOSED,
    }
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has its place in the ledger. `data` is JSON with finite numbers."""

    type: RecordType
    stamp: Stamp
    data: Mapping[str, Any]

    @property
    def lane(self) -> Lane:
        """Alarm for incidents, routine for the rest."""
        return Lane.ALARM if self.type in ALARM_TYPES else Lane.ROUTINE


@dataclass(frozen=True, slots=True)
class Record:
    """One leaf: its place and its exact bytes, never encoded a second time."""

    index: int
    lane: Lane
    type: RecordType
    leaf: bytes
