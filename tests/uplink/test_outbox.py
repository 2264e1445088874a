from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.domain.record import Lane, Record, RecordType
from edge.uplink.limits import Pace
from edge.uplink.outbox import (
    READ_AHEAD,
    RETRY_MOST_S,
    ROUTINE_BYTES,
    SENT_LIMIT,
    LaneQueue,
    Outbox,
)

ALARM, ROUTINE = Lane.ALARM, Lane.ROUTINE


def record(index: int, lane: Lane = ROUTINE, size: int = 10) -> Record:
    kind = RecordType.INCIDENT_OPENED if lane is ALARM else RecordType.GATEWAY_HEALTH
    return Record(index, lane, kind, bytes(size))


def records(*indexes: int, lane: Lane = ROUTINE) -> list[Record]:
    return [record(index, lane) for index in indexes]


def filled(*indexes: int, cursor: int = 0) -> LaneQueue:
    queue = LaneQueue(cursor)
    queue.offer(records(*indexes), READ_AHEAD)
    return queue


def taken(queue: LaneQueue, now_s: float = 0.0) -> list[int]:
    found = []
    while (item := queue.take(now_s)) is not None:
        found.append(item.index)
    return found


def test_alarms_go_before_routine() -> None:
    outbox = Outbox(0, 0)
    outbox.lanes[ROUTINE].offer(records(0, 1, 3), READ_AHEAD)
    outbox.lanes[ALARM].offer(records(2, 4, lane=ALARM), READ_AHEAD)
    order = [outbox.take(0.0, 100, 100) for _ in range(6)]
    assert [item.index if item else None for item in order] == [2, 4, 0, 1, 3, None]


def test_routine_leaves_a_tenth_of_the_window_to_alarms() -> None:
    outbox = Outbox(0, 0)
    outbox.lanes[ROUTINE].offer(records(0), READ_AHEAD)
    outbox.lanes[ALARM].offer(records(1, lane=ALARM), READ_AHEAD)
    first = outbox.take(0.0, 10, 100)
    assert first is not None
    assert first.lane is ALARM
    assert outbox.take(0.0, 10, 100) is None
    assert outbox.take(0.0, 11, 100) is not None


@given(st.integers(1, 2000))
def test_routine_leaves_a_tenth_of_any_window_rounded_down(window: int) -> None:
    reserved = window // 10
    outbox = Outbox(0, 0)
    outbox.lanes[ROUTINE].offer(records(0), READ_AHEAD)
    assert outbox.take(0.0, reserved, window) is None
    assert outbox.take(0.0, reserved + 1, window) is not None


def test_a_window_of_one_still_carries_routine() -> None:
    outbox = Outbox(0, 0)
    outbox.lanes[ROUTINE].offer(records(0), READ_AHEAD)
    assert outbox.take(0.0, 1, 1) is not None


def test_nothing_goes_into_a_full_window() -> None:
    outbox = Outbox(0, 0)
    outbox.lanes[ALARM].offer(records(0, lane=ALARM), READ_AHEAD)
    assert outbox.take(0.0, 0, 100) is None


def test_routine_under_way_is_bounded_in_bytes() -> None:
    outbox = Outbox(0, 0)
    queue = outbox.lanes[ROUTINE]
    queue.offer([record(i, size=ROUTINE_BYTES // 2) for i in range(3)], READ_AHEAD)
    assert outbox.take(0.0, 90, 100)
    assert outbox.take(0.0, 89, 100)
    assert outbox.take(0.0, 88, 100) is None
    queue.delivered(0)
    assert outbox.take(0.0, 89, 100)


def test_the_cursor_moves_over_what_is_acknowledged_without_a_gap() -> None:
    queue = filled(3, 5, 9)
    assert taken(queue) == [3, 5, 9]
    queue.delivered(5)
    assert queue.cursor == 0
    queue.delivered(3)
    assert (queue.cursor, queue.idle) == (6, False)
    queue.delivered(9)
    assert (queue.cursor, queue.idle) == (10, True)


def test_a_refused_record_holds_the_cursor_and_goes_again_after_a_pause() -> None:
    queue = filled(0, 1)
    taken(queue)
    queue.delivered(1)
    queue.refused(0, now_s=10.0)
    assert queue.cursor == 0
    assert taken(queue, 10.9) == []
    assert taken(queue, 11.0) == [0]
    queue.delivered(0)
    assert queue.cursor == 2


def test_pauses_grow_with_each_burst_of_refusals_up_to_a_bound() -> None:
    queue = filled(0, 1, 2)
    taken(queue)
    now, pauses = 0.0, []
    for _ in range(9):
        for index in (0, 1, 2):  # one burst counts once
            queue.refused(index, now)
        start = now
        while taken(queue, now) == []:
            now += 0.5
        pauses.append(now - start)
    assert pauses == [1, 2, 4, 8, 16, 32, RETRY_MOST_S, RETRY_MOST_S, RETRY_MOST_S]
    queue.delivered(0)
    queue.refused(1, now)
    assert taken(queue, now + 1.0) == [1]


def test_a_lane_stops_behind_a_record_that_is_refused_for_ever() -> None:
    queue = LaneQueue(0)
    queue.offer(records(*range(SENT_LIMIT + 10)), READ_AHEAD)
    for index in taken(queue)[1:]:
        queue.delivered(index)
    assert queue.cursor == 0
    assert taken(queue) == []
    queue.delivered(0)
    assert queue.cursor == SENT_LIMIT
    assert taken(queue) == list(range(SENT_LIMIT, SENT_LIMIT + 10))


def test_after_a_loss_everything_from_the_cursor_on_is_read_and_sent_again() -> None:
    queue = filled(0, 1, 2, 3)
    queue.take(0.0)
    queue.take(0.0)
    queue.refused(1, 0.0)
    queue.delivered(0)
    queue.reset()
    assert queue.wanted == 1
    assert queue.bytes_under_way == 0
    queue.offer(records(1, 2, 3), READ_AHEAD)
    assert taken(queue) == [1, 2, 3]


def test_answers_from_before_the_loss_change_nothing() -> None:
    queue = filled(0, 1)
    taken(queue)
    queue.reset()
    queue.delivered(0)
    queue.refused(1, 0.0)
    assert queue.cursor == 0
    assert queue.bytes_under_way == 0


def test_a_second_answer_for_a_record_changes_nothing() -> None:
    queue = filled(0, 1)
    taken(queue)
    queue.delivered(1)
    queue.delivered(1)
    queue.refused(1, 0.0)
    assert taken(queue) == []
    assert queue.cursor == 0


def test_the_ledger_is_asked_again_when_it_gave_all_that_fitted_or_when_woken() -> None:
    queue = LaneQueue(4)
    asked = [queue.wanted]
    queue.offer(records(*range(4, 4 + READ_AHEAD)), READ_AHEAD)
    asked.append(queue.wanted)
    taken(queue)
    asked.append(queue.wanted)
    queue.offer([], READ_AHEAD)
    asked.append(queue.wanted)
    queue.wake()
    asked.append(queue.wanted)
    assert asked == [4, None, 4 + READ_AHEAD, None, 4 + READ_AHEAD]


def test_a_delivered_record_that_waited_to_go_again_does_not_go() -> None:
    queue = filled(0)
    taken(queue)
    queue.refused(0, 0.0)
    queue.delivered(0)
    assert (taken(queue, 5.0), queue.idle) == ([], True)


def idle_outbox(count: int) -> Outbox:
    """Everything read, sent and PUBACKed: records 0, 2, 4 … routine, 1, 3, 5 … alarm."""
    outbox = Outbox(0, 0)
    outbox.lanes[ROUTINE].offer(records(*range(0, count, 2)), READ_AHEAD)
    outbox.lanes[ALARM].offer(records(*range(1, count, 2), lane=ALARM), READ_AHEAD)
    while (item := outbox.take(0.0, 100, 100)) is not None:
        outbox.lanes[item.lane].delivered(item.index)
    return outbox


def test_a_stretch_is_sent_once_more_and_then_reading_goes_on_where_it_was() -> None:
    outbox = idle_outbox(10)
    assert outbox.repeat(3, 7)
    routine = outbox.lanes[ROUTINE]
    assert routine.wanted == 3
    routine.offer(records(4, 6), 2)
    assert taken(routine) == [4, 6]
    assert (routine.wanted, routine.cursor) == (7, 9)
    routine.offer(records(8), 2)
    for index in (4, 6):
        routine.delivered(index)
    assert (routine.wanted, routine.cursor, taken(routine)) == (9, 9, [])
    routine.offer(records(10), 2)
    assert taken(routine) == [10]
    routine.delivered(10)
    assert routine.cursor == 11


def test_a_stretch_that_ends_within_a_page_is_cut_there() -> None:
    outbox = idle_outbox(10)
    outbox.repeat(0, 3)
    routine = outbox.lanes[ROUTINE]
    routine.offer(records(0, 2, 3, 4), 4)
    assert (taken(routine), routine.wanted) == ([0, 2], 9)


def test_nothing_is_repeated_while_something_is_under_way() -> None:
    outbox = idle_outbox(4)
    outbox.lanes[ROUTINE].wake()
    assert outbox.repeat(0, 4) is False
    assert outbox.lanes[ALARM].wanted is None


def test_a_lost_connection_ends_a_repeat() -> None:
    outbox = idle_outbox(10)
    outbox.repeat(0, 9)
    outbox.reset()
    routine = outbox.lanes[ROUTINE]
    assert routine.wanted == 9
    routine.offer([], READ_AHEAD)
    assert routine.wanted is None


@given(
    lanes=st.lists(st.sampled_from([ALARM, ROUTINE]), max_size=30),
    script=st.lists(st.sampled_from(["ok", "ok", "refuse", "lose", "wait"]), max_size=60),
    window=st.integers(1, 12),
)
def test_whatever_the_broker_does_every_record_arrives_and_no_cursor_runs_ahead(
    lanes: list[Lane], script: list[str], window: int
) -> None:
    ledger = [record(i, lane) for i, lane in enumerate(lanes)]
    outbox = Outbox(0, 0)
    delivered: set[int] = set()
    under_way: list[Record] = []
    now = 0.0
    for what in [*script, *["ok"] * 300]:
        now += RETRY_MOST_S + 1
        for lane, queue in outbox.lanes.items():
            if (start := queue.wanted) is not None:
                queue.offer([r for r in ledger if r.lane is lane and r.index >= start][:5], 5)
        while item := outbox.take(now, window - len(under_way), window):
            waiting_alarms = [
                r for r in ledger if r.lane is ALARM and r.index < item.index and r not in under_way
                and r.index not in delivered
            ]  # fmt: skip
            assert (
                item.lane is ALARM or not waiting_alarms or outbox.lanes[ALARM].wanted is not None
            )
            under_way.append(item)
        assert len(under_way) <= window
        if what == "lose":
            outbox.reset()
            under_way.clear()
        elif under_way and what != "wait":
            answered = under_way.pop(len(under_way) // 2)
            if what == "ok":
                delivered.add(answered.index)
                outbox.lanes[answered.lane].delivered(answered.index)
            else:
                outbox.lanes[answered.lane].refused(answered.index, now)
        for lane, queue in outbox.lanes.items():
            before = {r.index for r in ledger if r.lane is lane and r.index < queue.cursor}
            assert before <= delivered
    assert delivered == {r.index for r in ledger}
    assert outbox.idle


def test_the_pace_holds_routine_back_and_no_alarm() -> None:
    outbox = Outbox(0, 0, Pace(per_s=2, burst=1))
    outbox.lanes[ROUTINE].offer(records(0, 1, 2, 3), READ_AHEAD)
    outbox.lanes[ALARM].offer(records(4, 5, lane=ALARM), READ_AHEAD)
    outbox.pace.hold(10.0)
    order = [outbox.take(9.0, 100, 100) for _ in range(3)]
    assert [item.index if item else None for item in order] == [4, 5, None]
    sent = [outbox.take(10.0 + step / 4, 100, 100) for step in range(5)]
    assert [item.index if item else None for item in sent] == [0, 1, 2, None, 3]


def test_bytes_under_way_are_those_of_records_without_an_answer() -> None:
    queue = LaneQueue(0)
    queue.offer([record(0, size=7), record(1, size=11)], READ_AHEAD)
    taken(queue)
    assert queue.bytes_under_way == 18
    queue.refused(0, now_s=0.0)
    assert queue.bytes_under_way == 11
    queue.delivered(1)
    assert queue.bytes_under_way == 0
    assert taken(queue, 1.0) == [0]
    assert queue.bytes_under_way == 7
    queue.delivered(0)
    assert queue.bytes_under_way == 0


def test_without_a_pace_routine_goes_as_fast_as_the_window_has_room() -> None:
    outbox = Outbox(0, 0)
    outbox.lanes[ROUTINE].offer(records(*range(50)), READ_AHEAD)
    assert [item.index for _ in range(50) if (item := outbox.take(0.0, 90, 100))] == [*range(50)]


def test_what_was_refused_before_the_line_broke_goes_once_on_the_next() -> None:
    queue = filled(0, 1)
    taken(queue)
    queue.refused(0, now_s=0.0)
    queue.reset()
    queue.offer(records(0, 1), READ_AHEAD)
    assert taken(queue, 5.0) == [0, 1]
