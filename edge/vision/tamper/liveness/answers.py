"""From challenges that were run to the activity "challenge failed". Pure."""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import ChallengeRun
from edge.domain.record import Draft, RecordType


def record(run: ChallengeRun) -> Draft:
    """The routine record of a run; the tally is theirs to make who read it."""
    data = {"source": run.source, "lamp": run.lamp, "seen": run.seen, **_figures(run)}
    return Draft(RecordType.CHALLENGE_RUN, run.stamp, data)


class ChallengeAnalyser:
    """Failed until a later run is passed; its place is the lamp."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], Stamp] = {}

    def step(self, run: ChallengeRun, *, reported: bool = False) -> list[Activity]:
        """Judge one run.

        Args:
            run: of one camera.
            reported: an incident about it is open, perhaps since before a restart.
        """
        key = (run.source, run.lamp)
        known = self._since.get(key)
        if run.seen and known is None and not reported:
            return []
        phase = Phase.STARTED if known is None else Phase.GOES_ON
        since = known or run.stamp
        if run.seen:
            phase = Phase.ENDED
            self._since.pop(key, None)
        else:
            self._since[key] = since
        return [
            Activity(
                ActivityKind.CHALLENGE_FAILED,
                run.source,
                run.lamp,
                "",
                phase,
                since,
                run.stamp,
                _figures(run),
                run.evidence,
            )
        ]


def _figures(run: ChallengeRun) -> dict[str, str | int | float]:
    levels = " ".join(f"{level:.1f}" for level in run.levels)
    return {"pattern": run.pattern, "levels": levels, "step": run.step, "runs": run.runs}
