"""What the rules remember. All of it is bounded: by configuration, or by a number here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, EvidenceRef
from edge.domain.mine import MineState
from edge.domain.record import Draft, RecordType
from edge.rules import incidents
from edge.rules.incidents import Incident
from edge.rules.standing import Standing

Key = tuple[ActivityKind, str, str]

CLOSED_KEPT = 1_000  # closed incidents that orders may still speak of
SHUT_KEPT = 32  # closed incidents kept whole: a clip may come later than their end


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed, and nothing else."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Evidence that takes time to make and comes when the incident has been told."""

    incident: str
    evidence: tuple[EvidenceRef, ...]


@dataclass(frozen=True, slots=True)
class Live:
    """An open incident, and what is needed to end it.

    Attributes:
        incident: as its newest record tells it, plus news.
        quiet_since: when its activity ceased; None while it goes on.
        awaited: it was open before a restart and its activity was not seen since.
        news: something happened that no record tells yet.
    """

    incident: Incident
    quiet_since: Stamp | None = None
    awaited: bool = False
    news: bool = False

    def told(self, now: Stamp) -> tuple[Live, list[Draft]]:
        """The same, and the record that tells its news."""
        incident = replace(self.incident, updated=now)
        draft = incidents.draft(RecordType.INCIDENT_UPDATED, incident, now)
        return replace(self, incident=incident, news=False), [draft]


@dataclass(frozen=True, slots=True)
class RulesState:
    """Everything the rules remember.

    Attributes:
        standing: what orders have put in force.
        since: when an order set the mine's state; None when that was before this start.
        activities: newest report about each activity under way, forbidden or not.
        live: open incidents.
        permitted: when a permit last covered an activity under way that the state forbids.
        closed: ids of incidents that were closed, the newest ones.
        shut: of those the newest few whole.
    """

    standing: Standing
    since: Stamp | None = None
    activities: Mapping[Key, Activity] = field(default_factory=dict)
    live: Mapping[Key, Live] = field(default_factory=dict)
    permitted: Mapping[Key, Stamp] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    shut: tuple[Incident, ...] = ()

    @property
    def mine(self) -> MineState:
        """The mine's state in force."""
        return self.standing.mine

    @property
    def open(self) -> tuple[Incident, ...]:
        """Open incidents, oldest first."""
        return tuple(live.incident for live in self.live.values())


def attached(state: RulesState, given: Attachment, now: Stamp) -> tuple[RulesState, list[Draft]]:
    """The record that tells of later evidence; none when the incident is not remembered."""
    for key, live in state.live.items():
        if live.incident.id == given.incident:
            shown = replace(live, incident=live.incident.shown_by(given.evidence))
            told, drafts = shown.told(now)
            return replace(state, live={**state.live, key: told}), drafts
    for incident in state.shut:
        if incident.id == given.incident:
            shut = replace(incident.shown_by(given.evidence), updated=now)
            others = tuple(other for other in state.shut if other is not incident)
            draft = incidents.draft(RecordType.INCIDENT_CLOSED, shut, now)
            return replace(state, shut=(*others, shut)), [draft]
    return state, []


def initial(mine: MineState) -> RulesState:
    """Nothing under way."""
    return RulesState(Standing(mine))
