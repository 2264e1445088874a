"""The life of an incident: opened, updated, closed. A fold over records, never an updated row.

Every record of an incident carries its whole present state, so that each explains itself and
the newest one is the incident. Sizes are bounded: what goes on for days fits one leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, EvidenceRef, activity_data, evidence_data
from edge.domain.alarm import AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.disposition import DISPOSITION_NAMES, Disposition
from edge.domain.mine import MineState
from edge.domain.names import ASPECT_NAMES, STATE_NAMES, Name
from edge.domain.order import Acknowledge, Dispose
from edge.domain.permit import moment_text
from edge.domain.record import Draft, RecordType
from edge.rules.recall import moment, obeyed, stamp

MAX_REASONS = 8  # the first one and the newest
MAX_EVIDENCE = 16  # the first ones
MAX_ACKNOWLEDGED = 8  # the newest ones
KEEP_CLOSED = 10_000  # closed incidents that a fold remembers


class Ending(StrEnum):
    """Why an incident was closed."""

    CEASED = "ceased"
    PERMITTED = "permitted"  # the mine's state or a permit now allows it
    NOT_SEEN_AGAIN = "not-seen-again"  # after a restart of the gateway


_ENDINGS: dict[Ending, Name] = {
    Ending.CEASED: Name("已停止", "it ceased"),
    Ending.PERMITTED: Name("现已允许", "it is permitted now"),
    Ending.NOT_SEEN_AGAIN: Name("网关重启后未再出现", "not seen again after a restart"),
}


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody at the province has seen the incident."""

    by: str
    at: str  # RFC 3339 UTC


@dataclass(frozen=True, slots=True)
class Disposed:
    """What the province says that it was. Times are RFC 3339 UTC; site_check may be empty."""

    disposition: Disposition
    by: str
    at: str
    site_check: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """What the regulator sees.

    Attributes:
        id: code, source, place and opening time: the same incident has it after a replay.
        code: line of the alarm catalogue.
        level: 1 red … 4 blue.
        state: the mine's state that forbade it when it was opened.
        source: the source that noticed it.
        place: zone within a camera; may be empty.
        opened: since when the forbidden thing has been going on.
        updated: when the newest record about it was made.
        count: how many activities have joined in it.
        reasons: those activities as JSON; the first and the newest if there are many.
        evidence: files that show it.
        acknowledged: who has seen it.
        disposed: what it turned out to be; None until somebody said so.
        closed: when the thing ceased; None while the incident is open.
        ending: why it was closed.
    """

    id: str
    code: AlarmCode
    level: int
    state: MineState
    source: str
    place: str
    opened: Stamp
    updated: Stamp
    count: int = 0
    reasons: tuple[Mapping[str, Any], ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    disposed: Disposed | None = None
    closed: Stamp | None = None
    ending: Ending | None = None

    @property
    def duration_s(self) -> float:
        """How long it lasted; 0 while open."""
        return 0.0 if self.closed is None else max(0.0, self.closed.since(self.opened))

    def joined_by(self, activity: Activity, *, anew: bool = True) -> Incident:
        """Take a report about an activity as a reason: a new one, or news about a known one.

        Args:
            activity: the report.
            anew: an activity that is not known counts as one more; False where it must be the
                same one, seen again after a restart.
        """
        data = activity_data(activity)
        known = [i for i, reason in enumerate(self.reasons) if _same(reason, data)]
        evidence = {ref.sha256: ref for ref in (*self.evidence, *activity.evidence)}
        reasons = list(self.reasons)
        if known:
            reasons[known[0]] = data
        else:
            reasons = [*reasons[:1], *reasons[1:][-(MAX_REASONS - 2) :], data]
        return replace(
            self,
            count=self.count + (anew and not known),
            reasons=tuple(reasons),
            evidence=tuple(evidence.values())[:MAX_EVIDENCE],
        )

    def shown_by(self, evidence: Iterable[EvidenceRef]) -> Incident:
        """Files that show it came later."""
        known = {ref.sha256: ref for ref in (*self.evidence, *evidence)}
        return replace(self, evidence=tuple(known.values())[:MAX_EVIDENCE])

    def spoken_of(self, args: Acknowledge | Dispose, now: Stamp) -> Incident:
        """Somebody has seen it, or says what it was."""
        if isinstance(args, Acknowledge):
            seen = (*self.acknowledged, Acknowledgement(args.by, now.iso()))
            return replace(self, acknowledged=seen[-MAX_ACKNOWLEDGED:])
        checked = "" if args.site_check is None else moment_text(args.site_check)
        disposed = Disposed(args.disposition, args.by, now.iso(), checked, args.note or "")
        return replace(self, disposed=disposed)

    def text(self) -> Name:
        """One sentence that explains it, in Chinese and in English."""
        newest = self.reasons[-1]
        alarm, state = CATALOGUE[self.code], STATE_NAMES[self.state]
        aspect = ASPECT_NAMES.get(newest["aspect"], Name(newest["aspect"], newest["aspect"]))
        figures = {**newest["detail"], "source": self.source, "place": self.place}
        zh = alarm.because.zh.format_map(_Figures(figures, aspect=aspect.zh))
        en = alarm.because.en.format_map(_Figures(figures, aspect=aspect.en))
        zh, en = f"矿井状态“{state.zh}”：{zh}", f"The mine is {state.en}, and {en}"
        if self.count > 1:
            zh, en = f"{zh}（共 {self.count} 次）", f"{en} ({self.count} times)"
        if self.ending is not None:
            end = _ENDINGS[self.ending]
            zh = f"{zh}；{end.zh}，持续 {self.duration_s:.0f} 秒"
            en = f"{en}; {end.en}, after {self.duration_s:.0f} s"
        return Name(f"{zh}。", f"{en}.")

    def data(self, stamp: Stamp) -> dict[str, Any]:
        """Its present state as the JSON data of a record made at `stamp`."""
        alarm, text = CATALOGUE[self.code], self.text()
        data: dict[str, Any] = {
            "incident": self.id,
            "code": self.code.value,
            "name": alarm.name._asdict(),
            "text": text._asdict(),
            "level": self.level,
            "state": self.state.value,
            "source": self.source,
            "place": self.place,
            "opened": self.opened.iso(),
            "stamp": stamp.iso(),
            "count": self.count,
            "reasons": [dict(reason) for reason in self.reasons],
            "evidence": [evidence_data(ref) for ref in self.evidence],
            "acknowledged": [{"by": who.by, "at": who.at} for who in self.acknowledged],
        }
        if self.disposed is not None:
            data["disposed"] = _disposed_data(self.disposed)
        if alarm.analysis_case:
            data["analysis_case"] = alarm.analysis_case
        if self.closed is not None and self.ending is not None:
            data["closed"] = self.closed.iso()
            data["duration_s"] = round(self.duration_s, 3)
            data["ending"] = self.ending.value
        return data


def _disposed_data(disposed: Disposed) -> dict[str, Any]:
    optional = {"site_check": disposed.site_check, "note": disposed.note}
    return {
        "disposition": disposed.disposition.value,
        "name": DISPOSITION_NAMES[disposed.disposition]._asdict(),
        "by": disposed.by,
        "at": disposed.at,
        **{name: text for name, text in optional.items() if text},
    }


class _Figures(dict[str, Any]):
    """What a sentence may name; a figure that an analyser did not give is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def _same(reason: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(reason[name] == other[name] for name in ("kind", "source", "place", "started"))


def opened(
    code: AlarmCode, state: MineState, activity: Activity, since: Stamp, now: Stamp, *, level: int
) -> Incident:
    """A new incident about `activity`, which has been forbidden since `since`."""
    identity = f"{code.value}/{activity.source}/{activity.place or '-'}/{since.wall_us}"
    incident = Incident(identity, code, level, state, activity.source, activity.place, since, now)
    return incident.joined_by(activity)


def draft(kind: RecordType, incident: Incident, now: Stamp) -> Draft:
    """The record that tells the incident's present state."""
    return Draft(kind, now, incident.data(now))


def apply(incidents: dict[str, Incident], leaf: Mapping[str, Any]) -> Incident | None:
    """Let one leaf of our own ledger change `incidents`; gives the incident it speaks of."""
    match leaf["type"]:
        case RecordType.INCIDENT_OPENED | RecordType.INCIDENT_UPDATED | RecordType.INCIDENT_CLOSED:
            try:
                incident = _parse(leaf)
            except (KeyError, TypeError, ValueError):
                # A code or a shape of another version, whose ledger was brought to this one.
                return None
        case _:
            args = obeyed(leaf)
            if not isinstance(args, Acknowledge | Dispose) or args.incident not in incidents:
                return None
            incident = incidents[args.incident].spoken_of(args, moment(leaf))
    incidents[incident.id] = incident
    return incident


def fold(
    leaves: Iterable[Mapping[str, Any]], *, keep_closed: int = KEEP_CLOSED
) -> dict[str, Incident]:
    """Incidents by id, oldest first, as the leaves (oldest first) tell them.

    Of the closed ones only the `keep_closed` newest are kept.
    """
    incidents: dict[str, Incident] = {}
    closed: dict[str, None] = {}
    for leaf in leaves:
        incident = apply(incidents, leaf)
        if incident is None or incident.closed is None:
            continue
        closed[incident.id] = None
        if len(closed) > keep_closed:
            oldest = next(iter(closed))
            del closed[oldest], incidents[oldest]
    return incidents


def _parse(leaf: Mapping[str, Any]) -> Incident:
    data = leaf["data"]
    ends = "closed" in data
    return Incident(
        id=data["incident"],
        code=AlarmCode(data["code"]),
        level=data["level"],
        state=MineState(data["state"]),
        source=data["source"],
        place=data["place"],
        opened=stamp(leaf, data["opened"]),
        updated=moment(leaf),
        count=data["count"],
        reasons=tuple(data["reasons"]),
        evidence=tuple(EvidenceRef(**ref) for ref in data["evidence"]),
        acknowledged=tuple(Acknowledgement(**who) for who in data["acknowledged"]),
        disposed=_disposed(data.get("disposed")),
        closed=stamp(leaf, data["closed"]) if ends else None,
        ending=Ending(data["ending"]) if ends else None,
    )


def _disposed(data: Mapping[str, Any] | None) -> Disposed | None:
    if data is None:
        return None
    said = (data["by"], data["at"], data.get("site_check", ""), data.get("note", ""))
    return Disposed(Disposition(data["disposition"]), *said)
