"""Which part of which file goes next, and what happens to files that cannot go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from edge.clock import ManualClock
from edge.domain.activity import EvidenceRef, evidence_data
from edge.domain.record import Draft, RecordType
from edge.errors import UplinkUnavailable
from edge.ledger.spare import Spare
from edge.ledger.store import Ledger
from edge.uplink import courier as module
from edge.uplink.codec import MAX_EVIDENCE_PARTS, EvidencePart, decode_part
from edge.uplink.connection import Connection
from edge.uplink.courier import MAX_PUSHED_BYTES, Courier
from edge.uplink.limits import Pace
from edge.uplink.topics import Topics
from tests.uplink.rig import GATEWAY, MINE, ORIGIN, SIGNER

PART = 65_536
JPEG, MP4 = b"\xff\xd8\xff", b"\x00\x00\x00\x20ftypisom"


class Wire:
    """A connection that keeps what is sent, or refuses it."""

    def __init__(self) -> None:
        self.max_packet = 268_435_460
        self.parts: list[EvidencePart] = []
        self.refuses = False

    async def send(self, topic: str, payload: bytes) -> None:
        if self.refuses:
            raise UplinkUnavailable("refused")
        part = decode_part(payload)
        assert topic.endswith(f"/evidence/{part.sha256}/{part.part}")
        self.parts.append(part)


class Desk:
    """A courier over a real ledger."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = ManualClock()
        self.ledger = Ledger.open(directory, origin=ORIGIN, signer=SIGNER, clock=self.clock)
        self.lost: list[tuple[str, str]] = []
        self.wire = Wire()
        self.courier = self.new()

    def new(self, pace: Pace | None = None) -> Courier:
        return Courier(
            self.ledger,
            Topics(MINE, GATEWAY),
            self.clock,
            pace=pace,
            progress=Spare(self.directory / "upload.json"),
            on_lost=lambda ref, why: self.lost.append((ref.sha256, why)),
        )

    def file(self, data: bytes, media_type: str = "image/jpeg") -> EvidenceRef:
        return self.ledger.put_evidence(data, media_type, "clean").result(5)

    def alarm(self, *refs: EvidenceRef) -> None:
        data = {"evidence": [evidence_data(ref) for ref in refs]}
        draft = Draft(RecordType.INCIDENT_OPENED, self.clock.now(), data)
        self.ledger.submit([draft]).result(5)

    async def step(self, until: int = 1_000) -> bool:
        return await self.courier.carry(cast("Connection", self.wire), until)

    async def all(self, until: int = 1_000) -> list[tuple[str, int]]:
        """Carry until nothing waits; the parts that were sent, as hash and number."""
        while await self.step(until):
            pass
        return [(part.sha256, part.part) for part in self.wire.parts]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.close()


async def test_every_part_goes_once_and_in_order(desk: Desk) -> None:
    ref = desk.file(bytes(range(256)) * 700)
    desk.alarm(ref)
    assert await desk.all() == [(ref.sha256, 0), (ref.sha256, 1), (ref.sha256, 2)]
    assert b"".join(part.data for part in desk.wire.parts) == bytes(range(256)) * 700
    assert desk.courier.cursor == 1
    assert desk.courier.counts == {"sent": 1}


async def test_an_alarm_that_is_not_delivered_waits_with_its_picture(desk: Desk) -> None:
    desk.alarm(desk.file(b"a"))
    desk.alarm(desk.file(b"b"))
    assert len(await desk.all(until=1)) == 1
    assert desk.courier.cursor == 1
    assert len(await desk.all(until=2)) == 2


async def test_alarms_without_pictures_are_passed_over(desk: Desk) -> None:
    for _ in range(120):
        desk.alarm()
    desk.alarm(desk.file(b"a"))
    assert len(await desk.all()) == 1
    assert desk.courier.cursor == 121


async def test_films_come_after_pictures_and_what_is_asked_for_between_them(desk: Desk) -> None:
    film = desk.file(MP4 + b"f" * 100, "video/mp4")
    old, asked = desk.file(b"old"), desk.file(b"asked")
    desk.alarm(film, old)
    late = desk.file(b"late")
    desk.alarm(late)
    sent = desk.courier.ask(asked.sha256)
    order = [ref.sha256 for ref in (old, late, asked, film)]
    assert [name for name, _part in await desk.all()] == order
    assert sent.result() == ""
    assert not await desk.step()


async def test_a_picture_overtakes_a_film_between_two_parts(desk: Desk) -> None:
    film = desk.file(b"f" * (3 * PART), "video/mp4")
    desk.alarm(film)
    await desk.step()
    picture = desk.file(b"p")
    desk.alarm(picture)
    names = [(film.sha256, 0), (picture.sha256, 0), (film.sha256, 1), (film.sha256, 2)]
    assert await desk.all() == names


@pytest.mark.parametrize("restart", [False, True])
async def test_a_broken_upload_goes_on_with_the_first_part_without_puback(
    desk: Desk, restart: bool
) -> None:
    ref = desk.file(b"x" * (4 * PART))
    desk.alarm(ref)
    await desk.step()
    await desk.step()
    desk.wire.refuses = True
    with pytest.raises(UplinkUnavailable):
        await desk.step()
    desk.wire.refuses = False
    if restart:
        desk.courier = desk.new()
    assert await desk.all() == [(ref.sha256, number) for number in range(4)]
    assert desk.courier.cursor == 1


async def test_a_broker_with_smaller_packets_gets_the_file_from_its_beginning(desk: Desk) -> None:
    ref = desk.file(b"x" * (2 * PART))
    desk.alarm(ref)
    await desk.step()
    desk.wire.max_packet = 40_000
    await desk.all()
    first, *rest = desk.wire.parts
    assert first.parts == 2
    assert [part.part for part in rest] == list(range(rest[0].parts))
    assert b"".join(part.data for part in rest) == b"x" * (2 * PART)


async def test_a_film_that_was_begun_goes_on_after_a_restart_and_is_not_sent_again(
    desk: Desk,
) -> None:
    film = desk.file(b"f" * (2 * PART), "video/mp4")
    desk.alarm(film)
    await desk.step()
    desk.courier = desk.new()
    assert await desk.all() == [(film.sha256, 0), (film.sha256, 1)]
    desk.courier = desk.new()
    assert len(await desk.all()) == 2


@pytest.mark.parametrize("why", ["missing", "damaged"])
async def test_a_file_that_cannot_be_sent_is_skipped_counted_and_told_once(
    desk: Desk, why: str
) -> None:
    gone, there = desk.file(b"g" * 100), desk.file(b"there")
    path = desk.ledger.evidence_path(gone.sha256)
    path.unlink()
    if why == "damaged":
        path.write_bytes(b"h" * 100)
    desk.alarm(gone, there)
    desk.alarm(gone)
    assert await desk.all() == [(there.sha256, 0)]
    assert desk.lost == [(gone.sha256, why)]
    assert desk.courier.counts == {why: 1, "sent": 1}
    assert desk.courier.cursor == 2


async def test_a_file_that_vanishes_half_way_is_given_up(desk: Desk) -> None:
    ref = desk.file(b"x" * (3 * PART))
    desk.alarm(ref)
    await desk.step()
    desk.ledger.evidence_path(ref.sha256).unlink()
    assert len(await desk.all()) == 1
    assert desk.lost == [(ref.sha256, "missing")]


async def test_a_file_cut_short_is_damaged(desk: Desk) -> None:
    ref = desk.file(b"x" * 1000)
    desk.ledger.evidence_path(ref.sha256).write_bytes(b"x" * 10)
    desk.alarm(ref)
    assert await desk.all() == []
    assert desk.lost == [(ref.sha256, "damaged")]


async def test_large_files_go_only_when_they_are_asked_for(desk: Desk) -> None:
    ref = desk.file(b"l" * (MAX_PUSHED_BYTES + 1), "video/mp4")
    desk.alarm(ref)
    assert await desk.all() == []
    assert desk.courier.counts == {"kept_back": 1}
    sent = desk.courier.ask(ref.sha256)
    assert len(await desk.all()) == -(-ref.size // PART)
    assert sent.result() == ""


async def test_what_is_asked_for_and_not_there_says_why(desk: Desk) -> None:
    assert desk.courier.ask("0" * 64).result() == "missing"
    spoilt = desk.file(b"s" * 10)
    desk.ledger.evidence_path(spoilt.sha256).write_bytes(b"t" * 10)
    sent = desk.courier.ask(spoilt.sha256)
    await desk.all()
    assert sent.result() == "damaged"
    sent = desk.courier.ask(spoilt.sha256)
    sent.cancel()  # who asked went away
    await desk.all()
    assert [why for _name, why in desk.lost] == ["missing", "damaged", "damaged"]


async def test_a_file_may_be_asked_for_again(desk: Desk) -> None:
    ref = desk.file(JPEG + b"again")
    desk.alarm(ref)
    await desk.all()
    desk.courier.ask(ref.sha256)
    await desk.all()
    assert [part.media_type for part in desk.wire.parts] == ["image/jpeg"] * 2


@pytest.mark.parametrize(
    ("head", "media_type"),
    [(JPEG, "image/jpeg"), (MP4, "video/mp4"), (b"", "application/octet-stream")],
)
async def test_a_file_that_is_asked_for_says_what_it_is(
    desk: Desk, head: bytes, media_type: str
) -> None:
    desk.courier.ask(desk.file(head).sha256)
    await desk.all()
    assert [part.media_type for part in desk.wire.parts] == [media_type]


async def test_an_empty_file_that_is_gone_is_missing(desk: Desk) -> None:
    ref = desk.file(b"")
    desk.ledger.evidence_path(ref.sha256).unlink()
    desk.alarm(ref)
    assert await desk.all() == []
    assert desk.lost == [(ref.sha256, "missing")]


async def test_requests_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ASKED", 2)
    names = [desk.file(b"%d" % number).sha256 for number in range(3)]
    answers: list[asyncio.Future[str]] = [desk.courier.ask(name) for name in names]
    assert answers[2].result() == "too many files are asked for"


async def test_a_file_with_more_parts_than_there_may_be_is_kept_back(desk: Desk) -> None:
    desk.wire.max_packet = 1_300
    ref = desk.file(b"x" * 100 * (MAX_EVIDENCE_PARTS + 1))
    desk.alarm(ref)
    assert await desk.all() == []
    assert desk.courier.counts == {"kept_back": 1}


async def test_evidence_keeps_to_its_pace(desk: Desk) -> None:
    desk.courier = desk.new(Pace(per_s=PART, burst=PART))
    began = desk.clock.now()
    desk.alarm(desk.file(b"x" * (10 * PART)))
    await desk.all()
    assert 7.5 < desk.clock.now().since(began) < 10.5


async def test_memories_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    refs: list[Any] = [desk.file(b"%d" % number) for number in range(6)]
    for ref in refs[:3]:
        desk.ledger.evidence_path(ref.sha256).unlink()
    desk.alarm(*refs)
    await desk.all()
    assert len(desk.courier._lost) == len(desk.courier._done) == 2
