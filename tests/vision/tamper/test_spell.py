from __future__ import annotations

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind, Phase
from edge.vision.tamper.spell import REPORT_S, Spell


class _Told:
    def __init__(self, on_s: float, off_s: float) -> None:
        self.clock = ManualClock()
        self.spell = Spell(ActivityKind.PICTURE_MOVED, "cam-1", on_s, off_s)

    def say(self, *holds: bool | None) -> list[Phase]:
        told = []
        for now in holds:
            told += self.spell.step(now, self.clock.advance(1.0), {"figure": 1.0})
        return [activity.phase for activity in told]


def test_it_must_hold_for_a_while_to_begin_and_be_gone_for_a_while_to_end():
    told = _Told(2, 3)
    assert told.say(True, True) == []
    assert told.say(True) == [Phase.STARTED]
    assert told.say(False, False, True, False, False, False) == []
    assert told.say(False) == [Phase.ENDED]


def test_what_cannot_be_told_changes_nothing_but_goes_on():
    told = _Told(0, 0)
    assert told.say(None) == []
    told.say(True)
    assert set(told.say(*[None] * int(2 * REPORT_S))) == {Phase.GOES_ON}
    assert told.say(False) == [Phase.ENDED]


def test_the_start_is_when_it_began_and_not_when_it_was_sure():
    told = _Told(2, 0)
    begun = told.clock.now()
    told.say(True, True)
    (activity,) = told.spell.step(True, told.clock.advance(1.0), {})
    assert activity.started.since(begun) == 1
    assert activity.stamp.since(begun) == 3
