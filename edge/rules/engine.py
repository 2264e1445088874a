"""The rules at work: step(state, input, now) → (state, drafts). Pure, replayable, bounded.

What is remembered: the mine's state, the newest report about each activity under way that some
rule is about, and the open incidents. All are keyed by source and place, which configuration
bounds. Time enters as `now` and passes with `Tick`: minimum durations and holds are judged then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.alarm import CATALOGUE
from edge.domain.mine import MineState, Order, OrderKind
from edge.domain.record import Draft, RecordType
from edge.rules import incidents
from edge.rules.incidents import Ending, Incident
from edge.rules.policy import RULE_OF, Rule, rule_for

Key = tuple[ActivityKind, str, str]

UPDATE_MIN_S = 60.0
UPDATE_MAX_S = 3600.0
"""News about an open incident waits as long as it has lasted so far, within these bounds: a
hoist that works for seven hours is a dozen messages."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed, and nothing else."""


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


@dataclass(frozen=True, slots=True)
class RulesState:
    """Everything the rules remember.

    Attributes:
        mine: the mine's state in force.
        since: when an order set it; None when that was before this start.
        activities: newest report about each activity under way, forbidden or not.
        live: open incidents.
    """

    mine: MineState
    since: Stamp | None = None
    activities: Mapping[Key, Activity] = field(default_factory=dict)
    live: Mapping[Key, Live] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Incident, ...]:
        """Open incidents, oldest first."""
        return tuple(live.incident for live in self.live.values())


def initial(mine: MineState) -> RulesState:
    """Nothing under way."""
    return RulesState(mine)


def step(
    state: RulesState, given: Activity | Order | Tick, now: Stamp
) -> tuple[RulesState, list[Draft]]:
    """Take one input; gives the new state and the records that it leads to.

    An order was checked where it was read: its arguments are those of its kind.
    """
    drafts: list[Draft] = []
    match given:
        case Activity():
            state, drafts = _report(state, given, now)
        case Order():
            state, drafts = _obey(state, given, now)
    state, judged = _settle(state, now)
    return state, drafts + judged


def forbids(state: RulesState, activity: Activity) -> bool:
    """Whether this activity is one that the mine's present state forbids."""
    rule = rule_for(activity)
    return rule is not None and state.mine in rule.states


def restore(state: RulesState, leaves: Iterable[Mapping[str, Any]]) -> RulesState:
    """Take up what incident and order records (oldest first) left: mine state, open incidents.

    The activity behind an open incident is awaited: seen again, the incident goes on. When the
    state was ordered does not matter any more, and must not: the wall clock of a new boot may
    lie before it, and activities only start from here on.
    """
    open_ones: dict[str, Incident] = {}
    mine = state.mine
    for leaf in leaves:
        incident = incidents.apply(open_ones, leaf)
        if incident is not None and incident.closed is not None:
            del open_ones[incident.id]
        order = leaf["data"] if leaf["type"] == RecordType.ORDER_ACCEPTED else {}
        if order.get("kind") == OrderKind.SET_STATE:
            mine = MineState(order["args"]["state"])
    live = {_key(incident): Live(incident, awaited=True) for incident in open_ones.values()}
    return RulesState(mine, None, {}, live)


def _key(incident: Incident) -> Key:
    return (CATALOGUE[incident.code].kind, incident.source, incident.place)


def _report(state: RulesState, report: Activity, now: Stamp) -> tuple[RulesState, list[Draft]]:
    """Take a report into the activities under way and into the incident that it belongs to."""
    rule = rule_for(report)
    if rule is None:
        return state, []
    key = report.key
    drafts: list[Draft] = []
    activities, live = dict(state.activities), dict(state.live)
    known = activities.pop(key, None)
    if known is not None and not report.evidence and known.started == report.started:
        report = replace(report, evidence=known.evidence)
    ended = report.phase is Phase.ENDED
    if ended and known is not None and key not in live and _due(state, rule, known, report.stamp):
        # Long enough, but time was not told to pass while it went on.
        live[key], drafts = _open(state, rule, report, now)
    if not ended:
        activities[key] = report
    if key in live and state.mine in rule.states:
        live[key] = Live(
            live[key].incident.joined_by(report, anew=not live[key].awaited),
            quiet_since=report.stamp if ended else None,
            news=True,
        )
    return replace(state, activities=activities, live=live), drafts


def _obey(state: RulesState, order: Order, now: Stamp) -> tuple[RulesState, list[Draft]]:
    if order.kind is OrderKind.SET_STATE:
        return replace(state, mine=MineState(order.args["state"]), since=now), []
    return _acknowledge(state, order, now)


def _acknowledge(state: RulesState, order: Order, now: Stamp) -> tuple[RulesState, list[Draft]]:
    """Who saw it is told at once. Of a closed incident the order's own record tells it."""
    for key, live in state.live.items():
        if live.incident.id == order.args["incident"]:
            seen = live.incident.acknowledged_by(order.args["by"], now)
            told, drafts = _told(replace(live, incident=seen), now)
            return replace(state, live={**state.live, key: told}), drafts
    return state, []


def _settle(state: RulesState, now: Stamp) -> tuple[RulesState, list[Draft]]:
    """Judge everything that is under way or open at `now`."""
    if not state.activities and not state.live:
        return state, []
    kept: dict[Key, Live] = {}
    drafts: list[Draft] = []
    for key, live in state.live.items():
        still, told = _go_on(state, live, now)
        drafts += told
        if still is not None:
            kept[key] = still
    for key, activity in state.activities.items():
        rule = rule_for(activity)
        if key not in state.live and rule is not None and _due(state, rule, activity, now):
            kept[key], told = _open(state, rule, activity, now)
            drafts += told
    return replace(state, live=kept), drafts


def _forbidden_since(state: RulesState, activity: Activity) -> Stamp:
    """When the activity began to be forbidden: its start, or the order that forbade it."""
    if state.since is None or activity.started.since(state.since) >= 0:
        return activity.started
    return state.since


def _due(state: RulesState, rule: Rule, activity: Activity, until: Stamp) -> bool:
    if state.mine not in rule.states:
        return False
    return until.since(_forbidden_since(state, activity)) >= rule.min_s


def _open(
    state: RulesState, rule: Rule, activity: Activity, now: Stamp
) -> tuple[Live, list[Draft]]:
    since = _forbidden_since(state, activity)
    incident = incidents.opened(rule.code, state.mine, activity, since, now)
    return Live(incident), [incidents.draft(RecordType.INCIDENT_OPENED, incident, now)]


def _go_on(state: RulesState, live: Live, now: Stamp) -> tuple[Live | None, list[Draft]]:
    """An open incident goes on, tells its news, or ends (then there is none left)."""
    rule = RULE_OF[live.incident.code]
    if state.mine not in rule.states:
        return None, _close(live, live.quiet_since or now, Ending.PERMITTED, now)
    if live.quiet_since is None and live.awaited:
        live = replace(live, quiet_since=now)
    if live.quiet_since is not None:
        quiet_s = now.since(live.quiet_since)
        if live.awaited and quiet_s >= rule.recur_s:
            return None, _close(live, now, Ending.NOT_SEEN_AGAIN, now)
        if not live.awaited and quiet_s >= rule.hold_s:
            return None, _close(live, live.quiet_since, Ending.CEASED, now)
        return live, []
    age_s = live.incident.updated.since(live.incident.opened)
    wait_s = min(max(UPDATE_MIN_S, age_s), UPDATE_MAX_S)
    told_s = now.since(live.incident.updated)
    if live.news and (told_s >= wait_s or told_s < 0):  # before it: told in another boot
        return _told(live, now)
    return live, []


def _told(live: Live, now: Stamp) -> tuple[Live, list[Draft]]:
    incident = replace(live.incident, updated=now)
    draft = incidents.draft(RecordType.INCIDENT_UPDATED, incident, now)
    return replace(live, incident=incident, news=False), [draft]


def _close(live: Live, ceased: Stamp, ending: Ending, now: Stamp) -> list[Draft]:
    incident = replace(live.incident, updated=now, closed=ceased, ending=ending)
    return [incidents.draft(RecordType.INCIDENT_CLOSED, incident, now)]
