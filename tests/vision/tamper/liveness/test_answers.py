"""A challenge that failed is an activity until a later one is passed."""

from __future__ import annotations

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind, EvidenceRef, Phase
from edge.domain.observation import ChallengeRun
from edge.domain.record import Lane, RecordType
from edge.vision.tamper.liveness.answers import ChallengeAnalyser, record

REF = EvidenceRef("ab" * 32, "image/jpeg", 9, "lamp on")


def run(clock: ManualClock, *, seen: bool, camera: str = "cam", lamp: str = "lamp") -> ChallengeRun:
    stamp = clock.advance(60.0)
    refs = () if seen else (REF,)
    return ChallengeRun(camera, stamp, lamp, seen, "011", (1.0, 9.25, 9.0), 8.1, 2, refs)


def test_passed_ones_are_no_activity_and_every_run_is_a_routine_record():
    clock, analyser = ManualClock(), ChallengeAnalyser()
    passed = run(clock, seen=True)
    assert analyser.step(passed) == []
    draft = record(passed)
    assert (draft.type, draft.lane) == (RecordType.CHALLENGE_RUN, Lane.ROUTINE)
    assert draft.data == {
        "source": "cam",
        "lamp": "lamp",
        "seen": True,
        "pattern": "011",
        "levels": "1.0 9.2 9.0",
        "step": 8.1,
        "runs": 2,
    }


def test_a_failure_starts_goes_on_and_ends_with_the_next_success_at_that_lamp():
    clock, analyser = ManualClock(), ChallengeAnalyser()
    (failed,) = analyser.step(run(clock, seen=False))
    assert (failed.kind, failed.phase) == (ActivityKind.CHALLENGE_FAILED, Phase.STARTED)
    assert (failed.source, failed.place, failed.evidence) == ("cam", "lamp", (REF,))
    (again,) = analyser.step(run(clock, seen=False))
    assert (again.phase, again.started) == (Phase.GOES_ON, failed.started)
    assert analyser.step(run(clock, seen=True, camera="other")) == []
    assert analyser.step(run(clock, seen=True, lamp="other")) == []
    (over,) = analyser.step(run(clock, seen=True))
    assert (over.phase, over.started) == (Phase.ENDED, failed.started)
    assert analyser.step(run(clock, seen=True)) == []


def test_what_failed_before_a_restart_is_ended_too():
    clock, analyser = ManualClock(), ChallengeAnalyser()
    (over,) = analyser.step(run(clock, seen=True), reported=True)
    assert over.phase is Phase.ENDED
