"""The simulated line keeps the time that frames take, and garbles what overlaps."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from edge.sensors.frames import crc
from simulators.meters.mischief import Mischief
from simulators.meters.units import Site
from simulators.meters.wire import TURNAROUND_S, Wire, answer_pdu, framed
from simulators.skipping import run_skipping

CHARACTER_S = 10 / 9600
READ = framed(1, bytes([3, 0, 6, 0, 2]))


def heard_on(trial, **options):
    """What a client hears, and when, while `trial(wire)` goes on."""
    heard = []

    async def whole():
        wire = Wire({unit.unit: unit for unit in Site().units}, **options)
        loop = asyncio.get_running_loop()
        wire.deliver = lambda data: heard.append((loop.time(), data))
        await trial(wire)
        await asyncio.sleep(10)
        return {"hasty": wire.hasty, "collisions": wire.collisions}

    return heard, run_skipping(whole())


def test_a_request_and_its_answer_take_what_arithmetic_says():
    async def trial(wire):
        wire.send(READ)

    [(moment, answer)], counts = heard_on(trial)
    assert answer == framed(1, bytes([3, 4, 0, 40, 0, 10]))
    expected = (8 + 3.5 + len(answer)) * CHARACTER_S + TURNAROUND_S
    assert moment == pytest.approx(expected)
    assert counts == {"hasty": 0, "collisions": 0}


def test_a_request_that_follows_too_soon_is_not_understood():
    async def trial(wire):
        wire.send(READ)
        await asyncio.sleep((8 + 3.5 + 9) * CHARACTER_S + TURNAROUND_S + CHARACTER_S)
        wire.send(READ)

    heard, counts = heard_on(trial)
    assert len(heard) == 1
    assert counts["hasty"] == 1


def test_what_overlaps_is_garbled():
    async def trial(wire):
        wire.send(READ)
        await asyncio.sleep((8 + 3.5 + 4) * CHARACTER_S + TURNAROUND_S)
        wire.disturb(bytes(8))

    heard, counts = heard_on(trial)
    assert counts["collisions"] == 1
    assert all(crc(data[:-2]) != data[-2:] for _, data in heard)


def test_a_line_that_echoes_lets_a_client_hear_itself():
    async def trial(wire):
        wire.send(READ)

    heard, _ = heard_on(trial, echoes=True)
    assert heard[0][1] == READ
    assert len(heard) == 2


@pytest.mark.parametrize(
    "frame", [READ[:-1], READ[:-1] + b"\0", framed(77, READ[1:-2]), b"\x01\x03"]
)
def test_what_is_no_request_to_a_unit_is_not_answered(frame):
    async def trial(wire):
        wire.send(frame)

    assert heard_on(trial)[0] == []


def test_what_a_unit_has_not_is_refused():
    fan = Site().fan
    assert answer_pdu(fan, bytes([3, 0x90, 0, 0, 2]), 0.0) == bytes([0x83, 2])
    assert answer_pdu(fan, bytes([22, 0, 0, 0, 2]), 0.0) == bytes([0x96, 1])
    assert answer_pdu(fan, bytes([5, 0, 0, 0xFF, 0]), 0.0) == bytes([0x85, 2])


def test_mischief_is_the_same_with_the_same_seed_and_does_everything():
    def spoiled(seed):
        mischief = Mischief(seed, checked=True)

        async def many():
            fan = Site().fan
            return {"all": [mischief.answers(fan, READ[1:-2]) for _ in range(400)]}

        return run_skipping(many())["all"], mischief.done

    answers, done = spoiled(3)
    assert spoiled(3) == (answers, done)
    assert spoiled(4)[0] != answers
    assert len(done) == 11
    assert Counter(len(sent) for sent in answers)[2] > 20, "halves, and what comes twice"
