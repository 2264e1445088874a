"""The rule table: what is forbidden when. A new rule is one line here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.domain.activity import PRODUCTION_DUTIES, Activity, ActivityKind, ZoneKind
from edge.domain.alarm import AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.mine import MineState

ANY: frozenset[str] = frozenset()
ALWAYS = frozenset(MineState)
"""Tampering with the seal is forbidden in every state."""
IDLE = ALWAYS - {MineState.PRODUCING}
"""Every state but production forbids work alike; permits make the exceptions."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes an activity an incident.

    Attributes:
        code: the incident's code; the catalogue names the kind of activity behind it.
        states: mine states in which the activity is forbidden.
        aspects: zone kinds or duties that it is about; `ANY` for all.
        min_s: shorter activities are no incident.
        hold_s: the incident stays open this long after the activity's end, and the same thing
            starting again within joins it. 0 where each start counts by itself: several visits
            a few seconds apart are several. Flapping sources need more.
        recur_s: after a restart of the gateway, an incident that was open is closed unless its
            activity is seen again within this time: as long as the analyser may need.
    """

    code: AlarmCode
    states: frozenset[MineState]
    aspects: frozenset[str] = ANY
    min_s: float = 0.0
    hold_s: float = 0.0
    recur_s: float = 120.0

    @property
    def kind(self) -> ActivityKind:
        """The kind of activity that it judges."""
        return CATALOGUE[self.code].kind

    def concerns(self, activity: Activity) -> bool:
        """Whether the activity is what this rule is about, forbidden or not."""
        return activity.kind is self.kind and (not self.aspects or activity.aspect in self.aspects)


RULES: tuple[Rule, ...] = (
    Rule(AlarmCode.PERSON_AT_SHAFT, IDLE, frozenset({ZoneKind.SHAFT_MOUTH}), min_s=0.5, recur_s=30),
    Rule(AlarmCode.UNNAMED_MOTION, IDLE, frozenset({ZoneKind.SHAFT_MOUTH}), min_s=0.5, recur_s=30),
    Rule(AlarmCode.VEHICLE_AT_GATE, IDLE, frozenset({ZoneKind.GATE}), min_s=0.5, recur_s=30),
    Rule(
        AlarmCode.VEHICLE_AT_SHAFT,
        IDLE,
        frozenset({ZoneKind.SHAFT_MOUTH}),
        min_s=0.5,
        recur_s=30,
    ),
    Rule(AlarmCode.PRODUCTION_LOAD, IDLE, PRODUCTION_DUTIES, min_s=3, hold_s=60, recur_s=1200),
    Rule(AlarmCode.PUMP_UNLIKE, IDLE, min_s=60, hold_s=600, recur_s=3600),
    Rule(AlarmCode.RESIDUAL_LOAD, IDLE, min_s=60, hold_s=600, recur_s=3600),
    Rule(AlarmCode.UNEXPLAINED_LOAD, IDLE, min_s=60, hold_s=600, recur_s=3600),
    # Judged once a day.
    Rule(AlarmCode.SHARE_RISEN, IDLE, recur_s=200_000),
    Rule(AlarmCode.DAY_LIKE_PRODUCTION, IDLE, recur_s=200_000),
    Rule(AlarmCode.CAMERA_LOST, ALWAYS, min_s=3, hold_s=60),
    Rule(AlarmCode.CAMERA_COVERED, ALWAYS, min_s=1, hold_s=10),
    Rule(AlarmCode.CAMERA_FROZEN, ALWAYS, min_s=1, hold_s=10),
    Rule(AlarmCode.CAMERA_MOVED, ALWAYS, min_s=1, hold_s=10),
    Rule(AlarmCode.CAMERA_BLURRED, ALWAYS, min_s=1, hold_s=60),
    Rule(AlarmCode.CAMERA_DARK, ALWAYS, min_s=1, hold_s=60),
    Rule(AlarmCode.CAMERA_OVEREXPOSED, ALWAYS, min_s=1, hold_s=60),
    Rule(AlarmCode.CAMERA_SHAKING, ALWAYS, min_s=1, hold_s=60),
    Rule(AlarmCode.CAMERA_RESIZED, ALWAYS, min_s=1, hold_s=10),
    Rule(AlarmCode.CAMERA_SWAPPED, ALWAYS, min_s=1, hold_s=10),
    Rule(AlarmCode.CAMERA_REPLAYED, ALWAYS, min_s=1, hold_s=60),
    Rule(AlarmCode.CAMERA_STILL_PHOTO, ALWAYS, min_s=1, hold_s=60),
    Rule(AlarmCode.CAMERA_WITHOUT_DAYLIGHT, ALWAYS, hold_s=60),
    Rule(AlarmCode.CAMERA_CLOCK_WRONG, ALWAYS, min_s=1, hold_s=60),
    # Only the next challenge tells whether the camera sees again.
    Rule(AlarmCode.CHALLENGE_FAILED, ALWAYS, recur_s=86_400),
    Rule(AlarmCode.GATE_BLIND, ALWAYS, min_s=1, hold_s=60),
    Rule(AlarmCode.METER_LOST, ALWAYS, min_s=5, hold_s=60),
    Rule(AlarmCode.CONTACT_LOST, ALWAYS, min_s=5, hold_s=60),
    Rule(AlarmCode.DETECTOR_LOST, ALWAYS, hold_s=60),
    Rule(AlarmCode.CONTACT_OPEN, ALWAYS, hold_s=5),
    Rule(AlarmCode.METER_GAP, ALWAYS, min_s=600, hold_s=60, recur_s=1200),
    # The analysers need hours to be sure again after a restart.
    Rule(AlarmCode.METER_FROZEN, ALWAYS, hold_s=900, recur_s=40_000),
    Rule(AlarmCode.METER_REVERSED, ALWAYS, hold_s=900, recur_s=86_400),
    Rule(AlarmCode.METER_PHASE_LOST, ALWAYS, hold_s=900, recur_s=86_400),
    Rule(AlarmCode.METER_UNBALANCED, ALWAYS, hold_s=900, recur_s=86_400),
    Rule(AlarmCode.METER_SPIKE, ALWAYS, hold_s=3600, recur_s=3600),
    Rule(AlarmCode.METER_ENERGY_MISMATCH, ALWAYS, hold_s=3600, recur_s=40_000),
    Rule(AlarmCode.METER_ENERGY_SET_BACK, ALWAYS, recur_s=3600),
    Rule(AlarmCode.METER_RATIO_CHANGED, ALWAYS, hold_s=900, recur_s=900),
    Rule(AlarmCode.METER_CHANGED, ALWAYS, hold_s=900, recur_s=900),
    Rule(AlarmCode.METERS_SWAPPED, ALWAYS, hold_s=900, recur_s=900),
    Rule(AlarmCode.METER_TOO_PERFECT, ALWAYS, hold_s=900, recur_s=40_000),
    # Of a closed mine the power source is removed.
    Rule(
        AlarmCode.METER_VOLTAGE_GONE,
        ALWAYS - {MineState.CLOSED},
        min_s=300,
        hold_s=300,
        recur_s=1200,
    ),
    Rule(AlarmCode.CLOCK_STEPPED, ALWAYS),
    Rule(AlarmCode.STORAGE_LOW, ALWAYS, hold_s=300, recur_s=600),
    # Only a receipt tells whether the clock is right again, and the uplink may be down for long.
    Rule(AlarmCode.CLOCK_WRONG, ALWAYS, recur_s=86_400),
    Rule(AlarmCode.LEDGER_ROLLED_BACK, ALWAYS),
    Rule(AlarmCode.LEDGER_DAMAGED, ALWAYS),
    Rule(AlarmCode.SESSION_TAKEN, ALWAYS, hold_s=300, recur_s=600),
)


def rule_for(activity: Activity, rules: Iterable[Rule] = RULES) -> Rule | None:
    """The first rule that is about this activity, whatever the mine's state."""
    return next((rule for rule in rules if rule.concerns(activity)), None)
