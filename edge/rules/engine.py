"""The rules at work: step(state, input, now) → (state, drafts). Pure, replayable, bounded.

What is remembered: the mine's state, the newest report about each activity under way that some
rule is about, and the open incidents. All are keyed by source and place, which configuration
bounds. Time enters as `now` and passes with `Tick`: minimum durations and holds are judged then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, Phase
from edge.domain.catalogue import CATALOGUE
from edge.domain.mine import Order
from edge.domain.record import Draft, RecordType
from edge.rules import incidents
from edge.rules.incidents import Ending, Incident
from edge.rules.orders import obey
from edge.rules.policy import Rule, rule_for
from edge.rules.recall import moment, obeyed
from edge.rules.state import (
    CLOSED_KEPT,
    SHUT_KEPT,
    Attachment,
    Key,
    Live,
    RulesState,
    Tick,
    attached,
    initial,
)

__all__ = ["Attachment", "RulesState", "Tick", "forbids", "initial", "restore", "step"]

UPDATE_MIN_S = 60.0
UPDATE_MAX_S = 3600.0
"""News about an open incident waits as long as it has lasted so far, within these bounds: a
hoist that works for seven hours is a dozen messages."""


def step(
    state: RulesState, given: Activity | Order | Attachment | Tick, now: Stamp
) -> tuple[RulesState, list[Draft]]:
    """Take one input; gives the new state and the records that it leads to.

    An order was checked where it was read: its arguments are those of its kind.
    """
    drafts: list[Draft] = []
    match given:
        case Activity():
            state, drafts = _report(state, given, now)
        case Order():
            state, drafts = obey(state, given, now)
        case Attachment():
            state, drafts = attached(state, given, now)
    state, judged = _settle(state, now)
    return state, drafts + judged


def forbids(state: RulesState, activity: Activity, now: Stamp) -> bool:
    """Whether this activity is one that the mine's present state forbids and no permit covers."""
    rule = _rule(state, activity)
    return rule is not None and _forbidden(state, rule, activity, now)


def restore(state: RulesState, leaves: Iterable[Mapping[str, Any]]) -> RulesState:
    """Take up what incident and order records (oldest first) left in force and open.

    The activity behind an open incident is awaited: seen again, the incident goes on. When the
    state was ordered does not matter any more, and must not: the wall clock of a new boot may
    lie before it, and activities only start from here on.
    """
    open_ones: dict[str, Incident] = {}
    closed: dict[str, None] = {}
    standing = state.standing
    for leaf in leaves:
        incident = incidents.apply(open_ones, leaf)
        if incident is not None and incident.closed is not None:
            del open_ones[incident.id]
            closed[incident.id] = None
        args = obeyed(leaf)
        if args is not None:
            standing, _failed = standing.obey(args, moment(leaf))
    live = {_key(incident): Live(incident, awaited=True) for incident in open_ones.values()}
    return RulesState(standing, live=live, closed=tuple(closed)[-CLOSED_KEPT:])


def _rule(state: RulesState, activity: Activity) -> Rule | None:
    return rule_for(activity, state.standing.policy.rules.values())


def _forbidden(state: RulesState, rule: Rule, activity: Activity, now: Stamp) -> bool:
    return state.mine in rule.states and not state.standing.permits_now(activity, now)


def _key(incident: Incident) -> Key:
    return (CATALOGUE[incident.code].kind, incident.source, incident.place)


def _report(state: RulesState, report: Activity, now: Stamp) -> tuple[RulesState, list[Draft]]:
    """Take a report into the activities under way and into the incident that it belongs to."""
    rule = _rule(state, report)
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


def _settle(state: RulesState, now: Stamp) -> tuple[RulesState, list[Draft]]:
    """Judge everything that is under way or open at `now`."""
    if not state.activities and not state.live:
        return state, []
    kept: dict[Key, Live] = {}
    drafts: list[Draft] = []
    closed: list[Incident] = []
    for key, live in state.live.items():
        still, told = _go_on(state, key, live, now)
        drafts += told
        if isinstance(still, Live):
            kept[key] = still
        else:
            closed.append(still)
    for key, activity in state.activities.items():
        rule = _rule(state, activity)
        if key not in state.live and rule is not None and _due(state, rule, activity, now):
            kept[key], told = _open(state, rule, activity, now)
            drafts += told
    if closed:
        ids = (incident.id for incident in closed)
        state = replace(
            state,
            closed=(*state.closed, *ids)[-CLOSED_KEPT:],
            shut=(*state.shut, *closed)[-SHUT_KEPT:],
        )
    return replace(state, live=kept, permitted=_permitted(state, now)), drafts


def _permitted(state: RulesState, now: Stamp) -> Mapping[Key, Stamp]:
    """When a permit last covered each activity under way."""
    if not state.standing.permits:
        return {key: at for key, at in state.permitted.items() if key in state.activities}
    return {
        key: now if state.standing.permits_now(activity, now) else state.permitted[key]
        for key, activity in state.activities.items()
        if key in state.permitted or state.standing.permits_now(activity, now)
    }


def _forbidden_since(state: RulesState, activity: Activity) -> Stamp:
    """When it began to be forbidden: its start, an order that forbade it, a permit's end."""
    newest = activity.started
    for other in (state.since, state.permitted.get(activity.key)):
        if other is not None and newest.since(other) < 0:
            newest = other
    return newest


def _due(state: RulesState, rule: Rule, activity: Activity, until: Stamp) -> bool:
    if not _forbidden(state, rule, activity, until):
        return False
    return until.since(_forbidden_since(state, activity)) >= rule.min_s


def _open(
    state: RulesState, rule: Rule, activity: Activity, now: Stamp
) -> tuple[Live, list[Draft]]:
    since = _forbidden_since(state, activity)
    level = state.standing.policy.level(rule.code)
    incident = incidents.opened(rule.code, state.mine, activity, since, now, level=level)
    return Live(incident), [incidents.draft(RecordType.INCIDENT_OPENED, incident, now)]


def _go_on(
    state: RulesState, key: Key, live: Live, now: Stamp
) -> tuple[Live | Incident, list[Draft]]:
    """An open incident goes on, tells its news, or ends and is closed."""
    rule = state.standing.policy.rules[live.incident.code]
    activity = state.activities.get(key)
    permitted = activity is not None and state.standing.permits_now(activity, now)
    if permitted or state.mine not in rule.states:
        return _close(live, live.quiet_since or now, Ending.PERMITTED, now)
    if live.quiet_since is None and live.awaited:
        live = replace(live, quiet_since=now)
    if live.quiet_since is not None:
        quiet_s = now.since(live.quiet_since)
        if live.awaited and quiet_s >= rule.recur_s:
            return _close(live, now, Ending.NOT_SEEN_AGAIN, now)
        if not live.awaited and quiet_s >= rule.hold_s:
            return _close(live, live.quiet_since, Ending.CEASED, now)
        return live, []
    age_s = live.incident.updated.since(live.incident.opened)
    wait_s = min(max(UPDATE_MIN_S, age_s), UPDATE_MAX_S)
    told_s = now.since(live.incident.updated)
    if live.news and (told_s >= wait_s or told_s < 0):  # before it: told in another boot
        return live.told(now)
    return live, []


def _close(live: Live, ceased: Stamp, ending: Ending, now: Stamp) -> tuple[Incident, list[Draft]]:
    incident = replace(live.incident, updated=now, closed=ceased, ending=ending)
    return incident, [incidents.draft(RecordType.INCIDENT_CLOSED, incident, now)]
