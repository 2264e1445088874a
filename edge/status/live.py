"""The running daemon's status: for the page, for /healthz and for the health record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import edge
from edge.clock import Clock, Stamp
from edge.config import SealConfig
from edge.domain.loss import name_of
from edge.domain.names import STATE_NAMES
from edge.domain.observation import (
    ChallengeRun,
    ContactChange,
    Observation,
    PictureQuality,
    Quality,
    Reading,
    Sighting,
    SourceBack,
    SourceLost,
    StorageSpace,
)
from edge.domain.record import Lane, Record, RecordType
from edge.ledger.checkpoint import parse_note
from edge.ledger.leaf import decode_leaf
from edge.ledger.store import Ledger
from edge.recorder import Recorder
from edge.rules.incidents import Incident, apply, fold
from edge.seal import DETECTOR, Seal
from edge.status import checks
from edge.status.checks import Check
from edge.uplink.service import Uplink
from edge.vision.cameras import Cameras
from edge.vision.picture import Picture

RESTORED_TYPES = (
    RecordType.INCIDENT_OPENED,
    RecordType.INCIDENT_UPDATED,
    RecordType.INCIDENT_CLOSED,
    RecordType.ORDER_DONE,
)
SHOWN_INCIDENTS = 100  # open ones first
KEPT_CLOSED = 200


class Status:
    """What the page, the health check and the health record show. Call it in the event loop.

    Observations go through it on their way to the recorder, durable records come by after
    they are: so it knows what each part last did.
    """

    def __init__(
        self,
        config: SealConfig,
        clock: Clock,
        ledger: Ledger,
        seal: Seal,
        recorder: Recorder,
        uplink: Uplink,
        cameras: Cameras | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._ledger = ledger
        self._seal = seal
        self._recorder = recorder
        self._uplink = uplink
        self._cameras = cameras or Cameras()
        self._started = self._durable = clock.now()
        self._newest: dict[str, Stamp] = {}
        self._detected: dict[str, Stamp] = {}
        self._lost: dict[str, str] = {}
        self._short_mb: float | None = None  # free, where room for records is short
        self._figures: dict[str, dict[str, float]] = {}
        self._gates: dict[str, str] = {}
        self._incidents = fold(ledger.leaves_of(RESTORED_TYPES), keep_closed=KEPT_CLOSED)

    def observe(self, observation: Observation, picture: Picture | None = None) -> None:
        """Remember what a source said last, and hand it on to the recorder."""
        self._recorder.observe(observation, picture)
        source = observation.source
        match observation:
            case SourceLost():
                self._lost[source] = observation.reason
                return
            case SourceBack():
                self._lost.pop(source, None)
                return
            case StorageSpace():
                self._short_mb = observation.free_mb if observation.low else None
            case Sighting(quality=Quality.GOOD):
                self._detected[source] = observation.stamp
        self._newest[source] = observation.stamp
        self._figures.setdefault(source, {}).update(_figures(observation))
        if isinstance(observation, PictureQuality):
            self._gates[source] = observation.gate

    def durable(self, records: Sequence[Record]) -> None:
        """Records became durable."""
        if records:
            self._durable = self._clock.now()
        told = [record for record in records if record.type in RESTORED_TYPES]
        if not told:
            return
        for record in told:
            apply(self._incidents, decode_leaf(record.leaf))
        closed = [key for key, incident in self._incidents.items() if incident.closed is not None]
        for key in closed[:-KEPT_CLOSED]:
            del self._incidents[key]

    def snapshot(self) -> Mapping[str, Any]:
        """Everything the page shows, as JSON values."""
        now = self._clock.now()
        site, state = self._config.site, self._seal.rules.mine
        backlog = {lane.value: self._backlog(lane, now) for lane in Lane}
        verdicts = self._checks(now, backlog)
        return {
            "now": now.iso(),
            "started": self._started.iso(),
            "uptime_s": _round(now.since(self._started)),
            "version": edge.__version__,
            "site": {"mine_code": site.mine_code, "name": site.name, "gateway": site.gateway},
            "state": {"code": state.value, **STATE_NAMES[state]._asdict()},
            "works": all(check.works for check in verdicts),
            "checks": [
                {"name": check.name, "works": check.works, **check.text._asdict()}
                for check in verdicts
            ],
            "sources": self._sources(now),
            "ledger": self._ledger_figures(now),
            "uplink": self._uplink_figures(now),
            "backlog": backlog,
            "queues": dict(self._recorder.waiting),
            "dropped": dict(self._recorder.dropped),
            "open": sum(incident.closed is None for incident in self._incidents.values()),
        }

    def incidents(self) -> list[dict[str, Any]]:
        """Incidents as the data of their newest record: open ones, then closed, newest first."""
        ordered = sorted(self._incidents.values(), key=_order)[:SHOWN_INCIDENTS]
        return [incident.data(incident.updated) for incident in ordered]

    def health(self) -> dict[str, Any]:
        """The data of a health record."""
        snapshot = self.snapshot()
        return {
            "works": snapshot["works"],
            "failing": [check["name"] for check in snapshot["checks"] if not check["works"]],
            "age_s": {
                source["code"]: source["age_s"]
                for source in snapshot["sources"]
                if source["age_s"] is not None
            },
            **{name: snapshot[name] for name in _HEALTH_KEYS},
        }

    def _checks(self, now: Stamp, backlog: Mapping[str, Any]) -> list[Check]:
        uptime_s = now.since(self._started)
        verdicts = [
            checks.source(code, self._lost.get(code), self._age(code, now), limit_s, uptime_s)
            for code, limit_s in self._limits().items()
        ]
        if self._config.camera:
            seen = [c.code for c in self._config.camera if c.code not in self._lost]
            ages_s = {code: _age(self._detected.get(code), now) for code in seen}
            verdicts.append(checks.detector(self._lost.get(DETECTOR), ages_s, uptime_s))
        waiting = self._recorder.waiting
        durable_s = now.since(self._durable)
        verdicts.append(
            checks.storage(
                durable_s, waiting["held_drafts"], waiting["observations"], self._short_mb
            )
        )
        fault = None if self._uplink.connected else self._uplink.fault
        verdicts.append(checks.uplink(fault, *(backlog[lane]["oldest_s"] for lane in Lane)))
        if self._config.province.keys:
            newest, stored = self._uplink.newest_receipt, self._ledger.receipt()
            age_s = now.since(newest[1]) if newest else None
            covered = stored[0] if stored else 0
            verdicts.append(checks.receipt(covered, self._ledger.size, age_s, uptime_s))
        else:
            verdicts.append(checks.no_province())
        return verdicts

    def _limits(self) -> dict[str, float | None]:
        """How old the newest observation of each source may be."""
        limits: dict[str, float | None] = {}
        for bus in self._config.bus:
            for meter in bus.meter:
                limits[meter.code] = 3 * bus.period_s + checks.SLACK_S
            for contact in bus.contact:
                limits[contact.code] = None
        for lamp in self._config.challenge:
            limits[lamp.code] = None
        return limits | {camera.code: checks.PICTURE_S for camera in self._config.camera}

    def _sources(self, now: Stamp) -> list[dict[str, Any]]:
        kinds: dict[str, tuple[str, str]] = {}
        for bus in self._config.bus:
            kinds |= {meter.code: ("meter", meter.duty.value) for meter in bus.meter}
            kinds |= {contact.code: ("contact", contact.normally) for contact in bus.contact}
        kinds |= {lamp.code: ("lamp", "") for lamp in self._config.challenge}
        kinds |= {camera.code: ("camera", "") for camera in self._config.camera}
        return [
            {
                "code": code,
                "kind": kind,
                "aspect": aspect,
                "lost": self._lost.get(code, ""),
                "lost_zh": name_of(self._lost.get(code, "")).zh,
                "age_s": _rounded(self._age(code, now)),
                "detected_s": _rounded(_age(self._detected.get(code), now)),
                "gate": self._gates.get(code, ""),
                "figures": self._figures.get(code, {}),
                "watched": self._cameras.watched(code),
            }
            for code, (kind, aspect) in kinds.items()
        ]

    def _ledger_figures(self, now: Stamp) -> dict[str, Any]:
        note, receipt = self._ledger.checkpoint(), self._ledger.receipt()
        return {
            "origin": self._ledger.origin,
            "vkey": self._ledger.vkey,
            "size": self._ledger.size,
            "checkpoint": parse_note(note).checkpoint.size if note else None,
            "receipt": receipt[0] if receipt else None,
            "durable_s": _round(now.since(self._durable)),
        }

    def _uplink_figures(self, now: Stamp) -> dict[str, Any]:
        receipt = self._uplink.newest_receipt
        return {
            "connected": self._uplink.connected,
            "broker": self._uplink.broker,
            "fault": self._uplink.fault,
            "puback_s": _rounded(_age(self._uplink.newest_puback, now)),
            "receipt_s": _rounded(_age(receipt[1] if receipt else None, now)),
            "refused": dict(self._uplink.refused),
            "evidence": dict(self._uplink.evidence),
        }

    def _backlog(self, lane: Lane, now: Stamp) -> dict[str, Any]:
        """How many records of a lane wait for their PUBACK, and the oldest for how long."""
        count, oldest_us = self._ledger.backlog(lane)
        waits_s = 0.0 if oldest_us is None else max(0.0, (now.wall_us - oldest_us) / 1e6)
        return {"records": count, "oldest_s": _round(waits_s)}

    def _age(self, source: str, now: Stamp) -> float | None:
        return _age(self._newest.get(source), now)


_HEALTH_KEYS = ("uptime_s", "ledger", "uplink", "backlog", "queues", "dropped", "open")


def _figures(observation: Observation) -> dict[str, float]:
    match observation:
        case Reading():
            return dict(observation.values)
        case Sighting():
            return {"objects": len(observation.objects)}
        case PictureQuality():
            return {
                "brightness": round(observation.measures.brightness, 1),
                "sharpness": round(observation.measures.sharpness, 1),
                "still_s": round(observation.measures.still_s, 1),
                "repeats": round(observation.measures.repeats),
                "clock_read": int(observation.measures.clock_s >= 0),
                "gate_limit": round(observation.limit, 1),
            }
        case ChallengeRun():
            return {"lamp_seen": int(observation.seen), "lamp_step": observation.step}
        case ContactChange():
            return {"closed": int(observation.closed)}
    return {}


def _order(incident: Incident) -> tuple[bool, int]:
    return (incident.closed is not None, -incident.opened.wall_us)


def _age(stamp: Stamp | None, now: Stamp) -> float | None:
    return None if stamp is None else max(0.0, now.since(stamp))


def _round(seconds: float) -> float:
    return round(seconds, 1)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else _round(seconds)
