"""What a meter showed round an incident: a table and a plot, attached once a little more is known.

An alarm never waits for them. What is kept of the meters is in memory only: an incident soon after
a start has a short past.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import structlog

from edge.allowance import Hourly
from edge.clock import Clock, parse_iso
from edge.domain.alarm import AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.observation import Observation, Reading
from edge.domain.record import Draft, RecordType
from edge.errors import StorageFull
from edge.ledger.store import Ledger
from edge.rules.state import Attachment
from edge.sensors.evidence.plot import plot
from edge.sensors.evidence.table import table
from edge.sensors.evidence.trace import Past

AFTER_S = 60.0  # what came after the alarm belongs to it as well
PER_HOUR, AT_ONCE = 6, 16

log = structlog.get_logger(__name__)


class Traces:
    """Keeps the meters' past, and attaches it to their incidents.

    Args:
        meters: codes of the meters.
        utc_offset_h: hours by which the site's time is ahead of UTC.
        ledger: keeps the files.
        clock: tells time.
        attach: takes what is to be attached.

    Attributes:
        dropped: incidents that went without, by reason.
    """

    def __init__(
        self,
        meters: Collection[str],
        utc_offset_h: float,
        ledger: Ledger,
        clock: Clock,
        attach: Callable[[Attachment], None],
    ) -> None:
        self._past = Past(meters)
        self._utc_offset_h = utc_offset_h
        self._ledger = ledger
        self._clock = clock
        self._attach = attach
        self._allowance = Hourly(PER_HOUR)
        self._under_way = 0
        self._group: asyncio.TaskGroup | None = None
        self.dropped: Counter[str] = Counter()

    async def run(self) -> None:
        """Work for ever; before that nothing is attached."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    def observe(self, observation: Observation) -> None:
        """Something was observed on a bus."""
        if isinstance(observation, Reading):
            self._past.read(observation)

    def judged(self, draft: Draft) -> None:
        """A draft is on its way into the ledger; one that opens an incident may want a trace."""
        if draft.type is RecordType.POWER_SUMMARY:
            self._past.minute(draft.data, draft.stamp)
        if draft.type is not RecordType.INCIDENT_OPENED or draft.data["source"] not in self._past:
            return
        meter, now = draft.data["source"], self._clock.now()
        if self._group is None or self._under_way >= AT_ONCE:
            self.dropped["traces: too many at once"] += 1
        elif self._allowance.spent(meter, now):
            self.dropped["traces: enough in this hour"] += 1
        else:
            self._allowance.count(meter, now)
            self._under_way += 1
            self._group.create_task(self._make(draft.data))

    async def _make(self, incident: Mapping[str, Any]) -> None:
        try:
            await self._clock.sleep(AFTER_S)
            refs = [
                await asyncio.wrap_future(self._ledger.put_evidence(data, media_type, caption))
                for data, media_type, caption in self._files(incident)
            ]
        except StorageFull as error:
            log.warning("no trace of a meter", meter=incident["source"], reason=str(error))
            self.dropped["traces: StorageFull"] += 1
            return
        finally:
            self._under_way -= 1
        if refs:
            self._attach(Attachment(incident["incident"], tuple(refs)))

    def _files(self, incident: Mapping[str, Any]) -> list[tuple[bytes, str, str]]:
        """Content, media type and caption of each."""
        trace, reason = self._past.of(incident["source"]), incident["reasons"][-1]
        files = []
        if trace.readings:
            files.append((table(trace.readings), "text/csv", "readings"))
        if trace.minutes:
            name = CATALOGUE[AlarmCode(incident["code"])].name
            title = f"{incident['source']}: {name.zh} {name.en}"
            started_us = parse_iso(reason["started"])
            drawn = plot(title, trace.minutes, reason["detail"], started_us, self._utc_offset_h)
            files.append((drawn, "image/svg+xml", "plot"))
        return files
