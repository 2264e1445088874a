"""An activity from its start through its course to its end, told at most once a minute. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase

GOES_ON_S = 60.0

Detail = Mapping[str, str | int | float | bool]


class Telling:
    """Reports about one thing that a meter shows, on and off."""

    __slots__ = ("_aspect", "_kind", "_said", "_source", "since")

    def __init__(self, kind: ActivityKind, source: str, aspect: str) -> None:
        self._kind, self._source, self._aspect = kind, source, aspect
        self.since: Stamp | None = None
        """When what is under way started."""
        self._said: Stamp | None = None

    def say(
        self,
        started: Stamp | None,
        stamp: Stamp,
        detail: Callable[[], Detail],
        ended: Stamp | None = None,
    ) -> list[Activity]:
        """Tell how it stands.

        Args:
            started: when what goes on began; None while nothing does.
            stamp: the moment spoken of.
            detail: figures that explain it; asked for only when something is told.
            ended: when it ceased, where that was before `stamp`.
        """
        if self.since is None:
            if started is None:
                return []
            self.since, self._said = started, stamp
            return [self._report(Phase.STARTED, started, stamp, detail)]
        if started is None:
            began, self.since = self.since, None
            return [self._report(Phase.ENDED, began, ended or stamp, detail)]
        if self._said is not None and stamp.since(self._said) < GOES_ON_S:
            return []
        self._said = stamp
        return [self._report(Phase.GOES_ON, self.since, stamp, detail)]

    def _report(
        self, phase: Phase, started: Stamp, stamp: Stamp, detail: Callable[[], Detail]
    ) -> Activity:
        return Activity(self._kind, self._source, "", self._aspect, phase, started, stamp, detail())
