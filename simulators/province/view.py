"""What the province knows of one gateway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.domain.record import INCIDENT_TYPES, Lane, RecordType
from edge.errors import Refused
from edge.ledger.checkpoint import Verifier, parse_note
from edge.ledger.leaf import MAX_LEAF_BYTES
from edge.ledger.origin import parse_origin
from edge.ledger.rotation import read_rotation
from edge.uplink.codec import canonical_object, decode_part
from edge.uplink.topics import Address
from simulators.province.chapters import Break, Chapter, epoch_data
from simulators.province.evidence import EvidenceShelf
from simulators.province.tree import LogCopy

MAX_STATE_BYTES = 65_536
MAX_INDEX_DIGITS = 15
MAX_EPOCHS = 64


@dataclass(slots=True)
class IncidentRow:
    """One incident, folded from its records."""

    id: str
    code: str
    zh: str
    en: str
    level: int
    source: str
    place: str
    opened: str
    arrived: float
    closed: str = ""
    updates: int = 0
    evidence: list[str] = field(default_factory=list)

    def update(self, kind: RecordType, data: Mapping[str, Any]) -> None:
        """Fold in one more record."""
        if kind is RecordType.INCIDENT_CLOSED:
            self.closed = str(data.get("closed", "?"))
        elif kind is RecordType.INCIDENT_UPDATED:
            self.updates += 1
        for ref in data.get("evidence", ()):
            if ref["sha256"] not in self.evidence:
                self.evidence.append(ref["sha256"])


class GatewayView:
    """Everything that arrived from one gateway, checked.

    Attributes:
        chapters: its logs by origin, in the order in which they were heard of.
        current: that of the latest epoch.
        shelf: its evidence; see `EvidenceShelf`.
        answers: what became of our orders, by nonce.
        opened: how often each incident id was opened (once, of an honest gateway).
        state: the newest state message.
        key_source: `given`, `first use` (taken on trust from the state message), or empty.
        last_seen: monotonic seconds of the newest message.
        receipts: how many were sent.
    """

    def __init__(self, mine_code: str, gateway: str) -> None:
        self.mine_code = mine_code
        self.gateway = gateway
        self.origin = f"eseal/{mine_code}/{gateway}"
        self.current = Chapter(LogCopy(self.origin))
        self.chapters = {self.origin: self.current}
        self.shelf = EvidenceShelf()
        self.state: dict[str, Any] = {}
        self.key_source = ""
        self.last_seen = 0.0
        self.receipts = 0
        self.opened: dict[str, int] = {}
        self.answers: dict[str, Mapping[str, Any]] = {}
        self._incidents: dict[str, IncidentRow] = {}

    @property
    def log(self) -> LogCopy:
        """The log of the latest epoch."""
        return self.current.log

    @property
    def arrivals(self) -> dict[int, float]:
        """Of the latest epoch's records."""
        return self.current.arrivals

    @property
    def types(self) -> dict[int, RecordType]:
        """Of the latest epoch's records."""
        return self.current.types

    @property
    def received(self) -> int:
        """Distinct records of the latest epoch."""
        return self.log.received

    @property
    def missing(self) -> int:
        """Records that must exist and have not come."""
        return self.log.missing

    @property
    def verified(self) -> bool:
        """Every signature and the whole tree of the latest epoch checked, up to its newest head."""
        return self.log.verified

    @property
    def duplicates(self) -> int:
        """Records that came again."""
        return self.log.duplicates

    @property
    def faults(self) -> list[str]:
        """What an honest gateway does not send."""
        return self.log.faults

    @property
    def breaks(self) -> list[Break]:
        """Where its history is broken; of an honest gateway on a good disk, nowhere."""
        found = []
        for origin, chapter in self.chapters.items():
            if not parse_origin(origin).number:
                continue
            ended = str(chapter.begun.get("previous", {}).get("origin", ""))
            old = self.chapters.get(ended)
            lost = int(chapter.begun.get("lost_at_least", 0))
            reason = str(chapter.begun.get("reason", ""))
            found.append(Break(ended, origin, reason, lost, old.log.received if old else 0))
        return found

    @property
    def online(self) -> bool:
        """What the state topic says."""
        return self.state.get("online") is True

    @property
    def incidents(self) -> list[IncidentRow]:
        """Oldest arrival first."""
        return list(self._incidents.values())

    def _answer(self, data: Mapping[str, Any]) -> None:
        if not isinstance(data.get("nonce"), str) or not isinstance(data.get("result"), str):
            raise Refused("an answer names no order or no result")
        self.answers[data["nonce"]] = data

    def enrol(self, key: str, source: str = "given") -> None:
        """Trust this key (C2SP verifier key). Raises Refused."""
        verifier = Verifier.parse(key)
        if verifier.name != self.origin:
            raise Refused(f"the key is named {verifier.name}, not {self.origin}")
        self.key_source = source
        for chapter in self.chapters.values():
            chapter.log.enrol(verifier)

    def take(self, address: Address, payload: bytes, at: float) -> dict[str, Any] | None:
        """Take one message; a record's envelope when it came for the first time.

        Raises:
            Refused: it is not what its topic promises.
        """
        self.last_seen = at
        match address.kind:
            case "alarm" | "record":
                lane = Lane.ALARM if address.kind == "alarm" else Lane.ROUTINE
                return self._record(lane, payload, at)
            case "checkpoint":
                self._chapter(parse_note(payload).checkpoint.origin).log.checkpoint(payload)
            case "state":
                self._state(payload)
            case "evidence":
                part = decode_part(payload)
                if (part.sha256, part.part) != (address.sha256, address.part):
                    raise Refused("an evidence part came under another's name")
                self.shelf.add(part)
        return None

    def _chapter(self, origin: str) -> Chapter:
        """The log of this name; of a later epoch than any before, it is the one that goes on."""
        if origin in self.chapters:
            return self.chapters[origin]
        name = parse_origin(origin)
        if name.gateway != self.origin:
            raise Refused("a record or checkpoint says that it is of another gateway")
        if len(self.chapters) >= MAX_EPOCHS:
            raise Refused("too many epochs")
        chapter = self.chapters[origin] = Chapter(LogCopy(origin))
        if self.log.key is not None:
            chapter.log.enrol(self.log.key)
        if name.number > parse_origin(self.log.origin).number:
            self.log.abandoned = True
            self.current = chapter
        else:
            chapter.log.abandoned = True
        return chapter

    def _record(self, lane: Lane, payload: bytes, at: float) -> dict[str, Any] | None:
        envelope = canonical_object(payload, MAX_LEAF_BYTES, "the record")
        index = _check_envelope(envelope, lane)
        chapter = self._chapter(str(envelope.get("source")))
        if not chapter.log.add(index, payload):
            return None
        chapter.arrivals[index] = at
        kind = chapter.types[index] = RecordType(envelope["type"])
        if kind is RecordType.ORDER_DONE:
            self._answer(envelope["data"])
        if kind in INCIDENT_TYPES:
            self._incident(kind, envelope["data"], at)
        elif kind is RecordType.EPOCH_BEGUN:
            chapter.begun = epoch_data(envelope["data"])
        elif kind is RecordType.KEY_ROTATED:
            chapter.log.rotate(index, *read_rotation(chapter.log.origin, index, envelope["data"]))
        return envelope

    def _incident(self, kind: RecordType, data: Mapping[str, Any], at: float) -> None:
        try:
            ident = str(data["incident"])
            if kind is RecordType.INCIDENT_OPENED:
                self.opened[ident] = self.opened.get(ident, 0) + 1
            if ident not in self._incidents:
                self._incidents[ident] = IncidentRow(
                    ident,
                    str(data["code"]),
                    str(data["name"]["zh"]),
                    str(data["name"]["en"]),
                    int(data["level"]),
                    str(data["source"]),
                    str(data["place"]),
                    str(data["opened"]),
                    at,
                )
            self._incidents[ident].update(kind, data)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"an incident's record lacks something ({error})") from error

    def _state(self, payload: bytes) -> None:
        self.state = canonical_object(payload, MAX_STATE_BYTES, "the state")
        key = self.state.get("vkey")
        if not self.key_source and isinstance(key, str):
            self.enrol(key, "first use")


def _check_envelope(envelope: Mapping[str, Any], lane: Lane) -> int:
    """The record's index. Raises Refused."""
    ident = envelope.get("id")
    if not (isinstance(ident, str) and ident.isascii() and ident.isdigit()):
        raise Refused("a record's id is not an index")
    if len(ident) > MAX_INDEX_DIGITS or ident != str(int(ident)):
        raise Refused("a record's id is not an index")
    if envelope.get("specversion") != "1.0" or not isinstance(envelope.get("data"), dict):
        raise Refused("a record is not a CloudEvent with data")
    if envelope.get("lane") != lane.value:
        raise Refused("a record came on the other lane's topic")
    try:
        RecordType(str(envelope.get("type")))
    except ValueError as error:
        raise Refused(f"a record is of unknown type {json.dumps(envelope.get('type'))}") from error
    return int(ident)
