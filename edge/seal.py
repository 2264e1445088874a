"""The seal itself: analysers and rules joined. Pure; the daemon and the replay both drive it.

Observations come in; facts worth keeping and activities come out; activities are judged by
the rules. Between the two the driver may attach evidence to an activity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from edge.clock import Stamp
from edge.config import SealConfig
from edge.domain.activity import Activity, ActivityKind, Phase, activity_data
from edge.domain.mine import Order
from edge.domain.names import Name
from edge.domain.observation import (
    ChallengeRun,
    ClockCompared,
    ClockStepped,
    ContactChange,
    MeterHistory,
    Observation,
    PictureQuality,
    Quality,
    Reading,
    ReferenceAsked,
    SessionTaken,
    Sighting,
    SourceBack,
    SourceLost,
    StorageSpace,
)
from edge.domain.order import GrantPermit, TakeReference
from edge.domain.record import Draft, RecordType
from edge.rules.engine import Attachment, RulesState, Tick, forbids, restore, step
from edge.rules.orders import answer
from edge.sensors.contacts import ContactAnalyser
from edge.sensors.faults import FaultAnalyser
from edge.sensors.host import HostAnalyser
from edge.sensors.power import PowerAnalyser
from edge.sensors.reports import REMEMBERED, Reports
from edge.sensors.summary import PowerSummary
from edge.sensors.timekeeping import Timekeeper
from edge.vision.follow.motion import MotionAnalyser
from edge.vision.follow.zones import ZoneAnalyser
from edge.vision.tamper.blindness import GateAnalyser
from edge.vision.tamper.liveness import answers
from edge.vision.tamper.liveness.analyser import LivenessAnalyser
from edge.vision.tamper.quality import PictureAnalyser

REMEMBERED_TYPES = (
    RecordType.INCIDENT_OPENED,
    RecordType.INCIDENT_UPDATED,
    RecordType.INCIDENT_CLOSED,
    RecordType.ORDER_DONE,
    RecordType.POWER_BASELINE,
    RecordType.METER_IDENTITY,
    RecordType.CAMERA_REFERENCE,
    *REMEMBERED,
)
"""What `Seal.restore` wants of the ledger."""

_HALF_MINUTE_US = 30_000_000
HOST = "host"
DETECTOR = "detector"
MAX_REASON = 300  # characters of why a source was lost; drivers can be long-winded


class Outcome(NamedTuple):
    """What observations led to: facts to record as they are, activities to judge."""

    facts: list[Draft]
    activities: list[Activity]


class Seal:
    """The state of one gateway's judgement, moved on by `observe`, `judge`, `obey`, `tick`."""

    def __init__(self, config: SealConfig, rules: RulesState) -> None:
        meters = [meter for bus in config.bus for meter in bus.meter]
        contacts = [contact for bus in config.bus for contact in bus.contact]
        self._rules = rules
        self._faults = FaultAnalyser(meters, config.site.utc_offset_h)
        self._power = PowerAnalyser(meters)
        self._summary = PowerSummary(meters)
        self._reports = Reports(config.site.utc_offset_h)
        self._contacts = ContactAnalyser(contacts)
        self._zones = {camera.code: ZoneAnalyser(camera) for camera in config.camera}
        self._gates = {camera.code: GateAnalyser(camera) for camera in config.camera}
        self._motion = {camera.code: MotionAnalyser(camera) for camera in config.camera}
        self._pictures = {camera.code: PictureAnalyser(camera) for camera in config.camera}
        self._alive = {camera.code: LivenessAnalyser(camera) for camera in config.camera}
        self._lost_kind = {
            DETECTOR: ActivityKind.DETECTOR_LOST,
            **{meter.code: ActivityKind.METER_LOST for meter in meters},
            **{contact.code: ActivityKind.CONTACT_LOST for contact in contacts},
            **{lamp.code: ActivityKind.CONTACT_LOST for lamp in config.challenge},
            **{camera.code: ActivityKind.CAMERA_LOST for camera in config.camera},
        }
        self._places = {meter.code for meter in meters}
        self._places |= {zone.code for camera in config.camera for zone in camera.zone}
        self._lost_since: dict[str, Stamp] = {}
        self._sighted = False  # then every moment counts
        self._host = HostAnalyser()
        self._timekeeper = Timekeeper()
        self._challenges = answers.ChallengeAnalyser()

    @property
    def rules(self) -> RulesState:
        """The rules' state: mine state in force, incidents open."""
        return self._rules

    @property
    def lost(self) -> Mapping[str, Stamp]:
        """Sources that do not answer, and since when."""
        return self._lost_since

    def restore(self, leaves: Iterable[Mapping[str, Any]]) -> None:
        """Take up after a restart what the ledger's leaves (oldest first) left open."""
        told: list[Mapping[str, Any]] = []
        for leaf in leaves:
            if leaf["type"] == RecordType.POWER_BASELINE:
                self._power.recall(leaf["data"])
            elif leaf["type"] == RecordType.METER_IDENTITY:
                self._faults.recall(leaf["data"])
            elif leaf["type"] in REMEMBERED:
                self._reports.recall(leaf["type"], leaf["data"])
            elif leaf["type"] == RecordType.CAMERA_REFERENCE:
                if leaf["data"]["source"] in self._pictures:
                    self._pictures[leaf["data"]["source"]].recall(leaf["data"])
            else:
                told.append(leaf)
        self._rules = restore(self._rules, told)

    def observe(self, observation: Observation) -> Outcome:
        """Derive facts and activities from one observation."""
        match observation:
            case Reading() | MeterHistory():
                return self._meter(observation)
            case Sighting():
                return Outcome([], self._sighting(observation))
            case PictureQuality() | ReferenceAsked():
                return self._picture(observation)
            case ContactChange():
                fact = Draft(
                    RecordType.CONTACT_CHANGED,
                    observation.stamp,
                    {"source": observation.source, "closed": observation.closed},
                )
                return Outcome([fact], self._contacts.step(observation))
            case SourceLost() | SourceBack():
                return self._availability(observation)
        return self._of_host(observation)

    def _meter(self, reading: Reading | MeterHistory) -> Outcome:
        """Data faults come first: only what may be believed is judged as work."""
        if isinstance(reading, MeterHistory):
            kept = {"frozen": reading.frozen, "energy_kwh": reading.energy_kwh}
            fact = Draft(
                RecordType.METER_HISTORY, reading.stamp, {"source": reading.source, **kept}
            )
            return Outcome([fact], [])
        facts = self._summary.step(reading)
        if facts:
            facts += self._reports.step(facts)
        activities, usable = self._faults.step(reading)
        if usable is not None:
            activities += self._power.step(usable)
            facts += self._power.learned(usable.source)
        return Outcome(facts, activities)

    def _sighting(self, sighting: Sighting) -> list[Activity]:
        """What is named comes first: where it is, nothing unnamed begins."""
        self._sighted = True
        named: list[Activity] = []
        if sighting.quality is not Quality.BAD:
            named = self._zones[sighting.source].step(sighting)
        return named + self._motion[sighting.source].step(sighting)

    def forbids(self, activity: Activity, now: Stamp) -> bool:
        """Whether state and permits forbid this activity at present: it is worth evidence."""
        return forbids(self._rules, activity, now)

    def judge(self, activity: Activity, now: Stamp) -> list[Draft]:
        """Record an activity's start and end, and what the rules make of it."""
        drafts = []
        if activity.phase is not Phase.GOES_ON:
            kind = (
                RecordType.ACTIVITY_STARTED
                if activity.phase is Phase.STARTED
                else RecordType.ACTIVITY_ENDED
            )
            drafts.append(Draft(kind, activity.stamp, activity_data(activity)))
        self._rules, judged = step(self._rules, activity, now)
        return drafts + judged

    def attach(self, given: Attachment, now: Stamp) -> list[Draft]:
        """Evidence for an incident came later than its first record."""
        self._rules, drafts = step(self._rules, given, now)
        return drafts

    def obey(self, order: Order, now: Stamp) -> list[Draft]:
        """Obey a recorded order that is no errand: its answer, and what follows from it."""
        unknown = self._unknown(order)
        if unknown:
            names = ", ".join(unknown)
            failed = Name(f"本网关没有 {names}", f"this gateway has no {names}")
            return [answer(order, now, failed=failed)]
        if isinstance(order.args, TakeReference):
            self._pictures[order.args.camera].retake("order")
            self._alive[order.args.camera].anew()
            return [answer(order, now)]
        self._rules, judged = step(self._rules, order, now)
        return judged

    def _unknown(self, order: Order) -> list[str]:
        """What an order names and this gateway does not have: it would do nothing."""
        if isinstance(order.args, TakeReference):
            return [] if order.args.camera in self._pictures else [order.args.camera]
        if not isinstance(order.args, GrantPermit):
            return []
        permit = order.args.permit
        named = {*permit.zones, *permit.feeders}
        return sorted(named - self._places)

    def tick(self, now: Stamp) -> Outcome:
        """Let time pass: activities that end by silence, incidents whose delay is over."""
        activities = self._faults.tick(now) + self._power.tick(now)
        for zones in self._zones.values():
            activities += zones.tick(now)
        for motion in self._motion.values():
            activities += motion.tick(now)
        self._rules, facts = step(self._rules, Tick(), now)
        minutes = self._summary.tick(now)
        reports = self._reports.step(minutes) + self._reports.tick(now)
        learned = self._faults.learned(now)
        return Outcome([*minutes, *reports, *learned, *facts], activities)

    def quiet_until(self, now: Stamp) -> int:
        """Until when (wall clock, µs) `tick` would do nothing if no activity begins before.

        For those who let a year pass in a minute: what minutes, quarter hours and days end is
        told at half minutes, the rest says itself when it is due.
        """
        if self._sighted or self._rules.activities or self._rules.live:
            return now.wall_us
        due_us = min(self._faults.due_us, self._power.due_us)
        half_us = _HALF_MINUTE_US - now.wall_us % _HALF_MINUTE_US
        return now.wall_us + min(half_us, due_us - now.mono_us)

    def _picture(self, observation: PictureQuality | ReferenceAsked) -> Outcome:
        pictures = self._pictures[observation.source]
        if isinstance(observation, ReferenceAsked):
            pictures.retake("command")
            self._alive[observation.source].anew()
            return Outcome([], [])
        activities = pictures.step(observation)
        activities += self._alive[observation.source].step(observation)
        activities += self._gates[observation.source].step(observation)
        return Outcome(pictures.taken(), activities)

    def _availability(self, observation: SourceLost | SourceBack) -> Outcome:
        source = observation.source
        kind = self._lost_kind[source]
        if isinstance(observation, SourceLost):
            self._lost_since.setdefault(source, observation.stamp)
            self._faults.lost(source)
            since = self._lost_since[source]
            record, phase = RecordType.SOURCE_LOST, Phase.STARTED
            data: dict[str, str | float] = {"reason": observation.reason[:MAX_REASON]}
        else:
            since = self._lost_since.pop(source, observation.stamp)
            record, phase = RecordType.SOURCE_BACK, Phase.ENDED
            data = {"lost_s": round(observation.lost_s, 3)}
        fact = Draft(record, observation.stamp, {"source": source, **data})
        activity = Activity(kind, source, "", "", phase, since, observation.stamp, data)
        return Outcome([fact], [activity])

    def _of_host(
        self,
        observation: ClockStepped | ClockCompared | StorageSpace | SessionTaken | ChallengeRun,
    ) -> Outcome:
        match observation:
            case ChallengeRun():
                return self._challenged(observation)
            case ClockCompared():
                reported = (ActivityKind.CLOCK_WRONG, HOST, "") in self._rules.live
                return Outcome([], self._timekeeper.step(observation, reported=reported))
        facts: list[Draft] = []
        if isinstance(observation, ClockStepped):
            stepped = {"step_s": round(observation.step_s, 3)}
            facts = [Draft(RecordType.CLOCK_STEPPED, observation.stamp, stepped)]
        return Outcome(facts, self._host.step(observation))

    def _challenged(self, run: ChallengeRun) -> Outcome:
        key = (ActivityKind.CHALLENGE_FAILED, run.source, run.lamp)
        activities = self._challenges.step(run, reported=key in self._rules.live)
        return Outcome([answers.record(run)], activities)
