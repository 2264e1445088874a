"""References taken by command and by order: asked for, taken, recorded, remembered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from edge import commission
from edge.clock import ManualClock
from edge.domain.mine import OrderKind
from edge.domain.observation import PictureQuality, ReferenceAsked
from edge.domain.record import Draft, RecordType
from edge.errors import ConfigError
from edge.ledger.leaf import decode_leaf
from edge.rules.engine import initial
from edge.seal import Seal
from edge.vision.picture import Picture
from edge.vision.tamper.taking import ASKED_S, FIRST_S
from tests.docs.contract import validate
from tests.orders import an_order
from tests.recording import Rig
from tests.seals import site
from tests.vision.commissioned import Camera, place


async def _asked(directory: Path) -> list[str]:
    heard: list[ReferenceAsked] = []
    clock = ManualClock()
    work = commission.watch_asked(directory, ["a", "b"], clock, heard.append)
    task = asyncio.get_running_loop().create_task(work)
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    return [observation.source for observation in heard]


async def test_what_is_asked_for_is_heard_once(tmp_path: Path) -> None:
    assert await _asked(tmp_path) == []
    commission.ask(tmp_path, {"b", "a", "elsewhere"})
    assert commission.waits(tmp_path)
    assert await _asked(tmp_path) == ["a", "b"]
    assert not commission.waits(tmp_path)
    assert await _asked(tmp_path) == []


@pytest.mark.parametrize("note", [b"", b"\xff", b"{}", b"[1]", b'["' + b"a" * 20_000 + b'"]'])
async def test_a_note_that_is_none_is_thrown_away(tmp_path: Path, note: bytes) -> None:
    (tmp_path / "reference.asked").write_bytes(note)
    with capture_logs() as logs:
        assert await _asked(tmp_path) == []
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert not commission.waits(tmp_path)


def test_a_camera_that_is_not_wired_is_named() -> None:
    assert commission.chosen(["a"], ["a", "b"], every=False) == ["a"]
    assert commission.chosen([], ["a", "b"], every=True) == ["a", "b"]
    with pytest.raises(ConfigError, match="elsewhere"):
        commission.chosen(["elsewhere"], ["a"], every=False)


class _Shown:
    """Pictures of the seal's camera."""

    def __init__(self) -> None:
        self.camera = Camera()

    def look(self, seal: Seal, shift: int, pace: int) -> list[Draft]:
        measures = self.camera.measure(place(1, shift))
        now = self.camera.clock.advance(pace)
        seen = PictureQuality("shaft-cam", now, quality=_GOOD, measures=measures)
        outcome = seal.observe(seen)
        drafts = list(outcome.facts)
        for activity in outcome.activities:
            drafts += seal.judge(activity, now)
        return drafts

    def looks(self, seal: Seal, seconds: float, shift: int = 0, pace: int = 1) -> list[Draft]:
        times = range(0, round(seconds), pace)
        return [draft for _ in times for draft in self.look(seal, shift, pace)]


_GOOD = ReferenceAsked("x", ManualClock().now()).quality


def _seal() -> Seal:
    config = site()
    return Seal(config, initial(config.site.state))


def _leaf(draft: Draft) -> dict[str, object]:
    return {"type": draft.type.value, "data": dict(draft.data)}


def test_a_seal_takes_its_reference_at_the_first_start_and_remembers_it_after_a_restart() -> None:
    shown, seal = _Shown(), _seal()
    (taken,) = shown.looks(seal, FIRST_S + 6, pace=3)
    assert taken.type is RecordType.CAMERA_REFERENCE
    validate("camera.reference", dict(taken.data))
    again = _seal()
    foreign = replace(taken, data={**taken.data, "source": "gone-cam"})
    again.restore([_leaf(foreign), _leaf(taken)])
    drafts = shown.looks(again, 12, shift=30)
    opened = [d.data["code"] for d in drafts if d.type is RecordType.INCIDENT_OPENED]
    assert opened == ["camera-moved"]


@pytest.mark.parametrize("why", ["order", "command"])
def test_an_order_and_a_command_take_it_anew_and_the_record_says_which(why: str) -> None:
    shown, seal = _Shown(), _seal()
    shown.looks(seal, FIRST_S + 6, pace=3)
    now = shown.camera.clock.now()
    if why == "order":
        order = an_order(OrderKind.REFERENCE, {"camera": "shaft-cam"}, now)
        (answer,) = seal.obey(order, now)
        assert answer.data["result"] == "done"
    else:
        seal.observe(ReferenceAsked("shaft-cam", now))
    drafts = shown.looks(seal, ASKED_S + 3, shift=30)
    taken = [d for d in drafts if d.type is RecordType.CAMERA_REFERENCE]
    assert [d.data["why"] for d in taken] == [why]


def test_an_order_for_a_camera_that_is_not_there_fails() -> None:
    now = ManualClock().now()
    (answer,) = _seal().obey(an_order(OrderKind.REFERENCE, {"camera": "gone-cam"}, now), now)
    assert answer.data["result"] == "failed"


async def test_the_record_of_a_reference_names_a_picture_of_it() -> None:
    rig, shown = Rig(), _Shown()
    frame = np.full((72, 128, 3), 90, np.uint8)
    for _ in range(0, round(FIRST_S) + 6, 3):
        measures = shown.camera.measure(place(1))
        now = rig.clock.advance(3.0)
        seen = PictureQuality("shaft-cam", now, _GOOD, measures)
        rig.recorder.observe(seen, Picture(frame, now))
        await rig.recorder.drain()
    (record,) = [r for r in rig.ledger.records if r.type is RecordType.CAMERA_REFERENCE]
    data = decode_leaf(record.leaf)["data"]
    assert [item["caption"] for item in data["evidence"]] == ["clean"]
    assert data["evidence"][0]["sha256"] in rig.ledger.evidence
