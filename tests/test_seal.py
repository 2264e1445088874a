"""Observations become facts, activities and incidents, without I/O and without a clock."""

from __future__ import annotations

from typing import Any

from edge.clock import ManualClock
from edge.domain.activity import Phase
from edge.domain.mine import MineState, OrderKind
from edge.domain.observation import (
    ClockCompared,
    ClockStepped,
    ContactChange,
    Label,
    MeterHistory,
    Observation,
    Quality,
    Reading,
    SeenObject,
    SessionTaken,
    Sighting,
    SourceBack,
    SourceLost,
    StorageSpace,
)
from edge.domain.permit import moment_text
from edge.domain.record import Draft, RecordType
from edge.ledger.leaf import decode_leaf, encode_leaf
from edge.rules.engine import initial
from edge.seal import DETECTOR, HOST, MAX_REASON, Outcome, Seal
from tests.docs.contract import validate_leaf
from tests.orders import PERMIT, an_order
from tests.seals import picture_quality, reading, sighting, site

OPENED, CLOSED = RecordType.INCIDENT_OPENED, RecordType.INCIDENT_CLOSED


def _passing(gateway: Gateway, seconds: float, quality: Quality, named: bool = False) -> None:
    """A quiet minute, then something moves through the mouth."""
    for _ in range(12):
        gateway.observe(Sighting("shaft-cam", gateway.clock.now(), quality, ()))
        gateway.wait(5)
    for step in range(round(seconds * 4)):
        x = 0.3 + 0.02 * step
        box = (x, 0.5, x + 0.04, 0.7)
        objects = (SeenObject(1, Label.PERSON, 0.9, box),) if named else ()
        now = gateway.clock.now()
        gateway.observe(Sighting("shaft-cam", now, quality, objects, (box,)))
        gateway.wait(0.25)


def test_a_body_that_nobody_names_is_an_incident_also_while_the_detector_is_broken():
    for quality in (Quality.GOOD, Quality.BAD):
        gateway = Gateway()
        _passing(gateway, 4, quality)
        assert (OPENED, "unnamed-motion") in gateway.incidents()
        gateway.wait(10)
        assert (CLOSED, "unnamed-motion") in gateway.incidents()


def test_a_body_that_is_named_is_the_person_alone():
    gateway = Gateway()
    _passing(gateway, 4, Quality.GOOD, named=True)
    assert gateway.incidents() == [(OPENED, "person-at-shaft")]


class Gateway:
    """Drives a seal as recorder and replay do, and keeps the drafts."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.drafts: list[Draft] = []
        self.seal = self.fresh()

    def fresh(self) -> Seal:
        config = site()
        return Seal(config, initial(config.site.state))

    def settle(self, outcome: Outcome) -> None:
        self.drafts += outcome.facts
        for activity in outcome.activities:
            self.drafts += self.seal.judge(activity, self.clock.now())

    def observe(self, observation: Observation) -> None:
        self.settle(self.seal.observe(observation))

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            self.settle(self.seal.tick(self.clock.advance(0.25)))

    def types(self) -> list[RecordType]:
        return [draft.type for draft in self.drafts]

    def incidents(self) -> list[tuple[RecordType, str]]:
        return [
            (draft.type, draft.data["code"])
            for draft in self.drafts
            if draft.type in (OPENED, CLOSED)
        ]

    def leaves(self) -> list[dict[str, Any]]:
        return [decode_leaf(encode_leaf(draft, "o", i)) for i, draft in enumerate(self.drafts)]


def test_a_hoist_that_starts_is_an_activity_an_incident_and_a_minute_of_power() -> None:
    gateway = Gateway()
    for _ in range(40):
        gateway.observe(reading("hoist", gateway.clock.now(), 55.0))
        gateway.wait(2)
    assert RecordType.ACTIVITY_STARTED in gateway.types()
    assert RecordType.POWER_SUMMARY in gateway.types()
    assert gateway.incidents() == [(OPENED, "production-load")]


def test_the_permitted_pump_is_no_incident() -> None:
    gateway = Gateway()
    for kw in [0.1] * 10 + [110.0] * 30:
        gateway.observe(reading("pump", gateway.clock.now(), kw))
        gateway.wait(2)
    assert RecordType.ACTIVITY_STARTED in gateway.types()
    assert gateway.incidents() == []


def test_minute_summaries_come_also_from_meters_that_fell_silent() -> None:
    gateway = Gateway()
    gateway.observe(reading("pump", gateway.clock.now(), 3.0))
    gateway.wait(61)
    assert gateway.types() == [RecordType.POWER_BASELINE, RecordType.POWER_SUMMARY]


def test_what_a_meter_kept_is_a_record_and_never_an_activity() -> None:
    gateway = Gateway()
    gateway.observe(MeterHistory("pump", gateway.clock.now(), "2026-11-23T00:00:00", 1e6))
    assert gateway.types() == [RecordType.METER_HISTORY]


def test_a_person_who_comes_and_leaves_is_one_incident() -> None:
    gateway = Gateway()
    for feet in [()] * 2 + [((0.5, 0.7),)] * 10 + [()] * 10:
        gateway.observe(sighting(gateway.clock.now(), *feet))
        gateway.wait(0.5)
    assert gateway.incidents() == [(OPENED, "person-at-shaft"), (CLOSED, "person-at-shaft")]


def test_a_person_whose_pictures_stop_ends_by_silence() -> None:
    gateway = Gateway()
    for _ in range(4):
        gateway.observe(sighting(gateway.clock.now(), (0.5, 0.7)))
        gateway.wait(0.5)
    gateway.wait(10)
    assert gateway.incidents() == [(OPENED, "person-at-shaft"), (CLOSED, "person-at-shaft")]


def test_a_covered_camera_is_an_incident() -> None:
    gateway = Gateway()
    for covered in [False] * 10 + [True] * 10 + [False] * 20:
        gateway.observe(picture_quality(gateway.clock.now(), covered=covered))
        gateway.wait(1)
    assert gateway.incidents() == [(OPENED, "camera-covered"), (CLOSED, "camera-covered")]


def test_a_contact_that_opens_is_recorded_and_an_incident() -> None:
    gateway = Gateway()
    for closed in (True, False, True):
        gateway.observe(ContactChange("door", gateway.clock.now(), Quality.GOOD, closed))
        gateway.wait(6)
    assert gateway.types().count(RecordType.CONTACT_CHANGED) == 3
    assert gateway.incidents() == [(OPENED, "contact-open"), (CLOSED, "contact-open")]


def test_each_kind_of_source_that_is_lost_has_its_own_alarm() -> None:
    gateway = Gateway()
    for source in ("hoist", "door", "shaft-cam", DETECTOR):
        gateway.observe(SourceLost(source, gateway.clock.now(), "x" * 10_000))
    assert len(gateway.drafts[0].data["reason"]) == MAX_REASON
    gateway.wait(10)
    assert sorted(code for _, code in gateway.incidents()) == [
        "camera-lost",
        "contact-lost",
        "detector-lost",
        "meter-lost",
    ]
    assert set(gateway.seal.lost) == {"hoist", "door", "shaft-cam", DETECTOR}


def test_a_source_that_is_back_ends_its_loss() -> None:
    gateway = Gateway()
    lost = gateway.clock.now()
    gateway.observe(SourceLost("hoist", lost, "timeout"))
    gateway.wait(30)
    gateway.observe(SourceLost("hoist", gateway.clock.now(), "timeout"))
    assert gateway.seal.lost == {"hoist": lost}
    gateway.observe(SourceBack("hoist", gateway.clock.now(), 30.0))
    assert gateway.seal.lost == {}
    gateway.wait(61)
    assert gateway.incidents() == [(OPENED, "meter-lost"), (CLOSED, "meter-lost")]
    assert gateway.drafts[-1].data["duration_s"] == 30.0


def test_a_source_that_is_back_without_having_been_lost_is_only_recorded() -> None:
    gateway = Gateway()
    gateway.observe(SourceBack("shaft-cam", gateway.clock.now(), 1.0))
    assert gateway.types() == [RecordType.SOURCE_BACK, RecordType.ACTIVITY_ENDED]


def test_a_stepped_clock_is_told_at_once() -> None:
    gateway = Gateway()
    gateway.observe(ClockStepped(HOST, gateway.clock.now(), -3600.0))
    assert gateway.incidents() == [(OPENED, "clock-stepped"), (CLOSED, "clock-stepped")]
    assert gateway.types()[0] is RecordType.CLOCK_STEPPED


def test_little_room_for_records_is_one_incident_from_its_start_to_its_end() -> None:
    gateway = Gateway()

    def measure(free_mb: float, *, low: bool) -> None:
        gateway.observe(StorageSpace(HOST, gateway.clock.now(), 7900.4, free_mb, low))
        gateway.wait(30)

    measure(900, low=False)
    assert gateway.drafts == []
    for free_mb in (400, 300, 200):
        measure(free_mb, low=True)
    for _ in range(12):
        measure(900, low=False)
    assert gateway.incidents() == [(OPENED, "storage-low"), (CLOSED, "storage-low")]
    [opened] = [draft for draft in gateway.drafts if draft.type is OPENED]
    assert "剩余 400 MB，已用 7900 MB" in opened.data["text"]["zh"]


def test_an_order_is_obeyed_and_answered() -> None:
    gateway = Gateway()
    order = an_order(OrderKind.SET_STATE, {"state": "producing"}, gateway.clock.now())
    drafts = gateway.seal.obey(order, gateway.clock.now())
    assert [draft.type for draft in drafts] == [RecordType.ORDER_DONE]
    assert drafts[0].data == {
        "nonce": "n" * 22,
        "kind": "set-state",
        "args": {"state": "producing"},
        "result": "done",
        "detail": {},
        "evidence": [],
    }
    assert gateway.seal.rules.mine is MineState.PRODUCING


def test_what_the_state_forbids_is_worth_evidence() -> None:
    gateway = Gateway()
    gateway.observe(sighting(gateway.clock.now(), (0.5, 0.7)))
    gateway.clock.advance(1)
    outcome = gateway.seal.observe(sighting(gateway.clock.now(), (0.5, 0.7)))
    [activity] = outcome.activities
    assert activity.phase is Phase.STARTED
    assert gateway.seal.forbids(activity, gateway.clock.now())
    order = an_order(OrderKind.SET_STATE, {"state": "producing"}, gateway.clock.now())
    gateway.seal.obey(order, gateway.clock.now())
    assert not gateway.seal.forbids(activity, gateway.clock.now())


def test_a_hoist_that_runs_across_a_restart_does_not_pass_for_its_own_idle_level() -> None:
    gateway, after = Gateway(), Gateway()
    for _ in range(3):
        gateway.observe(reading("hoist", gateway.clock.now(), 0.2))
        gateway.wait(2)
    after.seal.restore(gateway.leaves())
    for _ in range(10):
        after.observe(reading("hoist", after.clock.now(), 120.0))
        after.wait(2)
    assert after.incidents() == [(OPENED, "production-load")]


def test_a_restored_seal_goes_on_where_its_records_end() -> None:
    gateway = Gateway()
    for _ in range(5):
        gateway.observe(reading("hoist", gateway.clock.now(), 55.0))
        gateway.wait(2)
    assert gateway.incidents() == [(OPENED, "production-load")]
    before = gateway.seal.rules.open
    gateway.seal = gateway.fresh()
    gateway.seal.restore(gateway.leaves())
    assert gateway.seal.rules.open == before
    for _ in range(20):
        gateway.observe(reading("hoist", gateway.clock.now(), 55.0))
        gateway.wait(2)
    assert gateway.incidents() == [(OPENED, "production-load")]


def test_a_session_that_is_taken_over_is_one_incident_until_ours_holds() -> None:
    gateway = Gateway()
    for times in (1, 2, 0, 0):
        now = gateway.clock.advance(20)
        gateway.observe(SessionTaken("host", now, "mqtt.example:8883", times))
    for _ in range(40):
        gateway.settle(gateway.seal.tick(gateway.clock.advance(10)))
    assert gateway.incidents() == [(OPENED, "session-taken"), (CLOSED, "session-taken")]
    closed = next(draft for draft in gateway.drafts if draft.type is CLOSED)
    assert (
        "以本网关的名义登录 mqtt.example:8883，本网关已被挤下线 2 次" in closed.data["text"]["zh"]
    )


def test_a_permit_for_what_this_gateway_does_not_have_is_answered_with_a_failure() -> None:
    gateway = Gateway()
    now = gateway.clock.now()
    permit = {**PERMIT, "zones": ["mouth", "nowhere"], "feeders": ["hoist", "winch"]}
    permit |= {"begins": moment_text(now.wall_us), "ends": moment_text(now.wall_us + 10**9)}
    order = an_order(OrderKind.GRANT_PERMIT, {"permit": permit}, now)
    [answer] = gateway.seal.obey(order, now)
    assert answer.data["result"] == "failed"
    assert answer.data["reason"]["en"] == "this gateway has no nowhere, winch"
    assert gateway.seal.rules.standing.permits == {}


def test_a_clock_that_is_off_from_the_provinces_is_one_incident_also_over_a_restart() -> None:
    gateway = Gateway()
    now = gateway.clock.now
    gateway.observe(ClockCompared(HOST, now(), 599.0, 600.0))
    gateway.wait(30)
    gateway.observe(ClockCompared(HOST, now(), 599.0, 600.0))
    assert gateway.incidents() == [(OPENED, "clock-wrong")]
    later = Gateway()
    later.seal.restore(gateway.leaves())
    later.observe(ClockCompared(HOST, later.clock.now(), None, 0.4))
    later.wait(3600)  # the uplink is down: nothing is known
    assert later.incidents() == []
    later.observe(ClockCompared(HOST, later.clock.now(), -0.9, 0.4))
    assert later.incidents() == [(CLOSED, "clock-wrong")]


def test_a_meter_that_was_exchanged_while_the_gateway_was_off_is_an_incident() -> None:
    def show(gateway: Gateway, serial: str, minutes: int) -> None:
        for i in range(minutes * 6):
            now = gateway.clock.advance(10)
            slow = {"ct_ratio": 20.0, "energy_import_kwh": 800.0} if i % 6 == 0 else {}
            values = {"power_kw": 0.2, **slow}
            named = serial if slow else ""
            gateway.observe(Reading("pump", now, Quality.GOOD, values, named))
            gateway.settle(gateway.seal.tick(now))

    gateway = Gateway()
    show(gateway, "1001", 5)
    [identity] = [d for d in gateway.drafts if d.type is RecordType.METER_IDENTITY]
    assert identity.data["serial"] == "1001"
    validate_leaf(encode_leaf(identity, "eseal/220182000001/gw1", 1))
    later = Gateway()
    later.seal.restore(gateway.leaves())
    show(later, "2002", 5)
    assert later.incidents() == [(OPENED, "meter-changed")]
    opened = next(draft for draft in later.drafts if draft.type is OPENED)
    assert "电表 pump 的编号为 2002，应为 1001" in opened.data["text"]["zh"]


def test_a_reading_that_cannot_be_is_told_and_is_no_work() -> None:
    gateway = Gateway()
    for i in range(60):
        now = gateway.clock.advance(5)
        gateway.observe(reading("hoist", now, 9000.0 if i in {30, 45} else 0.2))
        gateway.settle(gateway.seal.tick(now))
    assert gateway.incidents() == [(OPENED, "meter-spike")]


def test_a_gap_of_a_meter_that_was_told_as_lost_is_no_second_incident() -> None:
    gateway = Gateway()
    for _ in range(60):
        gateway.observe(reading("pump", gateway.clock.advance(5), 0.2))
    gateway.observe(SourceLost("pump", gateway.clock.now(), "no answer"))
    for _ in range(60):
        gateway.settle(gateway.seal.tick(gateway.clock.advance(60)))
    gateway.observe(SourceBack("pump", gateway.clock.advance(5), 3600.0))
    for _ in range(60):
        gateway.observe(reading("pump", gateway.clock.advance(5), 0.2))
    assert {code for _, code in gateway.incidents()} == {"meter-lost"}
