"""An ongoing condition of a source, with a delay at its start and one at its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase

REPORT_S = 10.0  # GOES_ON at most this often


@dataclass(slots=True)
class Spell:
    """Turns "it holds now" into an activity that starts, goes on and ends."""

    kind: ActivityKind
    source: str
    on_s: float
    off_s: float
    active: bool = False
    turned: Stamp | None = None  # since when the condition contradicts `active`
    started: Stamp | None = None
    reported: Stamp | None = None

    def step(
        self, holds: bool | None, now: Stamp, detail: Mapping[str, str | float]
    ) -> list[Activity]:
        """Say whether it holds; None where that cannot be told: then it stays as it was."""
        if holds is not None and holds != self.active:
            self.turned = self.turned or now
            if now.since(self.turned) < (self.off_s if self.active else self.on_s):
                return []
            return [self._turn(self.turned, now, detail)]
        if holds is not None:
            self.turned = None
        if not self.active or self.reported is None or now.since(self.reported) < REPORT_S:
            return []
        self.reported = now
        return [self._activity(Phase.GOES_ON, now, detail)]

    def _turn(self, turned: Stamp, now: Stamp, detail: Mapping[str, str | float]) -> Activity:
        self.active, self.turned = not self.active, None
        if self.active:
            self.started = turned
            self.reported = now
            return self._activity(Phase.STARTED, now, detail)
        return self._activity(Phase.ENDED, turned, detail)

    def _activity(self, phase: Phase, stamp: Stamp, detail: Mapping[str, str | float]) -> Activity:
        started = self.started or stamp
        return Activity(self.kind, self.source, "", "", phase, started, stamp, dict(detail))
