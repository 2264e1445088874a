"""The gateway itself as a source: its room for records, its session, its wall clock. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import ClockStepped, SessionTaken, StorageSpace


class HostAnalyser:
    """Makes activities of what the gateway observes of itself."""

    def __init__(self) -> None:
        self._low_since: Stamp | None = None  # of storage
        self._duel_since: Stamp | None = None  # with another client for our session
        self._duel_times = 0

    def step(self, observation: ClockStepped | StorageSpace | SessionTaken) -> list[Activity]:
        """Take one observation, in order of time."""
        match observation:
            case ClockStepped(source, stamp, step_s):
                # A moment: it starts and ends at once.
                kind, detail = ActivityKind.CLOCK_STEPPED, {"step_s": round(step_s, 3)}
                return [
                    Activity(kind, source, "", "", phase, stamp, stamp, detail)
                    for phase in (Phase.STARTED, Phase.ENDED)
                ]
            case StorageSpace():
                return self._storage(observation)
        return self._session(observation)

    def _storage(self, seen: StorageSpace) -> list[Activity]:
        """Little room is an activity: it starts, goes on, and ends."""
        began = self._low_since
        self._low_since = (began or seen.stamp) if seen.low else None
        detail = {"used_mb": round(seen.used_mb), "free_mb": round(seen.free_mb)}
        return _lasting(ActivityKind.STORAGE_LOW, seen, began, seen.low, detail)

    def _session(self, seen: SessionTaken) -> list[Activity]:
        """The duel is an activity: it starts, goes on, and ends when our session lasts."""
        began, goes_on = self._duel_since, seen.times > 0
        self._duel_since = (began or seen.stamp) if goes_on else None
        times, self._duel_times = seen.times or self._duel_times, seen.times
        detail: dict[str, str | int] = {"broker": seen.broker, "times": times}
        return _lasting(ActivityKind.SESSION_TAKEN, seen, began, goes_on, detail)


def _lasting(
    kind: ActivityKind,
    seen: StorageSpace | SessionTaken,
    began: Stamp | None,
    goes_on: bool,
    detail: Mapping[str, str | int],
) -> list[Activity]:
    """An activity since `began`, or that begins now; nothing, if there is none."""
    if began is None and not goes_on:
        return []
    phase = Phase.STARTED if began is None else Phase.GOES_ON if goes_on else Phase.ENDED
    since = began or seen.stamp
    return [Activity(kind, seen.source, "", "", phase, since, seen.stamp, dict(detail))]
