"""An incident is a fold over its records."""

from __future__ import annotations

import pytest

from edge.domain.activity import EvidenceRef, Phase
from edge.domain.alarm import AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.mine import MineState, OrderKind
from edge.domain.order import Acknowledge
from edge.domain.record import RecordType
from edge.ledger.leaf import MAX_LEAF_BYTES, encode_leaf
from edge.rules.engine import restore
from edge.rules.incidents import (
    MAX_ACKNOWLEDGED,
    MAX_EVIDENCE,
    MAX_REASONS,
    Incident,
    apply,
    draft,
    fold,
    opened,
)
from edge.rules.policy import RULES
from tests.rules.world import COVERED, HOIST, PERSON, World

RULE_OF = {rule.code: rule for rule in RULES}


def refs(count: int) -> list[EvidenceRef]:
    return [EvidenceRef(f"{i:064x}", "image/jpeg", i, "annotated") for i in range(count)]


def test_every_record_of_an_incident_explains_itself() -> None:
    world = World()
    world.start(COVERED, *refs(2), brightness=3.5)
    world.wait(5)
    data = world.newest
    assert data == {
        "incident": f"camera-covered/shaft-cam/-/{1_750_000_000_000_000}",
        "code": "camera-covered",
        "name": {"zh": "摄像机被遮挡", "en": "Camera covered"},
        "text": {
            "zh": "矿井状态“长期停产停工”：摄像机 shaft-cam 的画面被遮挡。",
            "en": "The mine is suspended, and the view of camera shaft-cam is covered.",
        },
        "level": 1,
        "analysis_case": "0001",
        "state": "suspended",
        "source": "shaft-cam",
        "place": "",
        "opened": "2025-06-15T15:06:40.000000Z",
        "stamp": "2025-06-15T15:06:41.000000Z",
        "count": 1,
        "reasons": [
            {
                "kind": "picture-covered",
                "source": "shaft-cam",
                "place": "",
                "aspect": "",
                "phase": "started",
                "started": "2025-06-15T15:06:40.000000Z",
                "stamp": "2025-06-15T15:06:40.000000Z",
                "detail": {"brightness": 3.5},
                "evidence": data["evidence"],
            }
        ],
        "evidence": [
            {
                "sha256": ref.sha256,
                "media_type": "image/jpeg",
                "size": ref.size,
                "caption": "annotated",
            }
            for ref in refs(2)
        ],
        "acknowledged": [],
    }


def test_a_running_hoist_is_explained_with_its_figures_in_both_languages() -> None:
    world = World()
    world.start(HOIST, kw=62.5, peak_kw=88.1, idle_kw=3.0)
    world.wait(5)
    world.goes_on(HOIST, kw=61.0, peak_kw=90.0, idle_kw=3.0)
    world.end(HOIST, kw=3.0, peak_kw=90.0, idle_kw=3.0)
    world.wait(60)
    assert world.newest["text"] == {
        "zh": "矿井状态“长期停产停工”：电表 hoist 显示提升机在运行：3.0 kW，峰值 90.0 kW，"
        "空载 3.0 kW；已停止，持续 5 秒。",
        "en": "The mine is suspended, and meter hoist shows the hoist running: 3.0 kW, "
        "peak 90.0 kW, idle 3.0 kW; it ceased, after 5 s.",
    }


@pytest.mark.parametrize("code", list(AlarmCode))
def test_every_alarm_has_a_sentence_even_when_a_figure_is_missing(code: AlarmCode) -> None:
    world = World()
    aspect = next(iter(RULE_OF[code].aspects), "closed")
    thing = (CATALOGUE[code].kind, "a-source", "a-place", aspect)
    now = world.clock.now()
    activity = world.activity(thing, Phase.STARTED)
    incident = opened(code, MineState.CLOSED, activity, now, now, level=1)
    text = incident.text()
    assert text.zh.startswith("矿井状态“关闭取缔”：")
    assert text.en.startswith("The mine is closed, and ")
    assert "{" not in text.zh + text.en


def test_what_goes_on_for_days_still_fits_a_leaf() -> None:
    world = World()
    now = world.clock.now()
    incident = opened(
        AlarmCode.PERSON_AT_SHAFT,
        MineState.SUSPENDED,
        world.activity(PERSON, Phase.STARTED),
        now,
        now,
        level=1,
    )
    first = incident.reasons[0]
    for ref in refs(1000):
        world.clock.advance(10)
        incident = incident.joined_by(world.activity(PERSON, Phase.STARTED, ref))
        incident = incident.spoken_of(Acknowledge(incident="i", by="x" * 200), world.clock.now())
    assert incident.count == 1001
    assert len(incident.reasons) == MAX_REASONS
    assert incident.reasons[0] == first
    assert len(incident.evidence) == MAX_EVIDENCE
    assert len(incident.acknowledged) == MAX_ACKNOWLEDGED
    leaf = encode_leaf(draft(RecordType.INCIDENT_UPDATED, incident, now), "o", 1)
    assert len(leaf) < MAX_LEAF_BYTES / 10


def test_the_fold_tells_who_acknowledged_a_closed_incident() -> None:
    world = World()
    world.start(PERSON)
    world.wait(1)
    incident = world.state.open[0].id
    world.end(PERSON)
    world.order(OrderKind.ACKNOWLEDGE, incident=incident, by="Li Wei")
    folded = fold(world.leaves)[incident]
    assert folded.closed is not None
    assert [who.by for who in folded.acknowledged] == ["Li Wei"]


def test_the_fold_forgets_the_oldest_closed_incidents_and_no_open_one() -> None:
    world = World()
    world.start(COVERED)
    world.wait(5)
    for _ in range(5):
        world.start(PERSON)
        world.wait(1)
        world.end(PERSON)
        world.wait(1)
    every = list(fold(world.leaves))
    assert list(fold(world.leaves, keep_closed=2)) == [every[0], *every[-2:]]
    assert len(every) == 6


@pytest.mark.parametrize("key", ["code", "state"])
def test_an_incident_of_a_later_version_does_not_keep_an_earlier_one_from_starting(key) -> None:
    world = World()
    world.start(COVERED)
    world.wait(5)
    later = [{**leaf, "data": {**leaf["data"], key: "not-known-yet"}} for leaf in world.leaves]
    assert fold([*later, *world.leaves]).keys() == fold(world.leaves).keys()
    assert not restore(world.state, later).live


def test_leaves_of_other_kinds_change_nothing() -> None:
    world = World()
    world.set_state(MineState.PRODUCING)
    world.order(OrderKind.ACKNOWLEDGE, incident="unknown", by="Li Wei")
    incidents: dict[str, Incident] = {}
    assert {apply(incidents, leaf) for leaf in world.leaves} == {None}
    assert incidents == {}
