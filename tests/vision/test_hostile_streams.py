"""A few of the campaign's hostile streams against real camera processes (benchmarks/streams.py)."""

from __future__ import annotations

import random

import pytest

from benchmarks.streams import run
from benchmarks.streams_cases import Kind, case, sps

SEEDS = list(range(14))  # two of each kind
FOUND = [46, 228]  # an unknown codec and a title in no encoding ended the process by bugs of ours


async def test_hostile_streams_end_their_own_process_at_most_and_in_time():
    done = await run([*SEEDS, *FOUND], abreast=4)
    outcomes = done["outcomes"]
    assert {one.seed for one in outcomes} == {*SEEDS, *FOUND}
    assert {one.kind for one in outcomes} == set(Kind)
    assert not [one for one in outcomes if "crashed" in one.ended or "hangs" in one.ended]
    assert all(one.seconds < 30 for one in outcomes)
    assert any(one.pictures for one in outcomes)  # they got as far as the decoder
    assert done["own"]["end"]["mb"] - done["own"]["quarter"]["mb"] < 32


@pytest.mark.parametrize("seed", SEEDS[:7])
def test_the_same_seed_gives_the_same_stream(seed):
    one, two = case(seed), case(seed)
    assert (one.kind, one.description, one.wire) == (two.kind, two.description, two.wire)


def test_an_invented_parameter_set_never_looks_like_a_start_code():
    for seed in range(50):
        made = sps(random.Random(seed))
        assert made[0] == 0x67
        assert not any(start in made for start in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
