"""The fuzzer itself, briefly; `python -m benchmarks.fuzz` does it for half an hour."""

from __future__ import annotations

import random

import pytest

from benchmarks.fuzz import by_chance, mutate
from benchmarks.fuzz_targets import FRESH_VIEW, Targets, seeds


@pytest.fixture(scope="module")
def targets() -> Targets:
    return Targets()


def test_a_second_of_strangers_bytes_is_refused_and_nothing_grows() -> None:
    figures = by_chance(1.0, random.SystemRandom().randrange(1 << 32))
    assert figures["runs"] > FRESH_VIEW // 10
    assert figures["growth_mb"] < 20


@pytest.mark.parametrize("data", seeds(), ids=lambda data: f"{data[0]}-{len(data)}")
def test_what_the_fuzzer_begins_with_is_good(targets: Targets, data: bytes) -> None:
    before = targets.accepted
    targets.feed(data)
    assert targets.accepted == before + 1, data


def test_mutation_makes_other_inputs_of_bounded_size() -> None:
    chance = random.Random(1)
    made = {mutate(b"abc" * 9000, b"xyz", chance) for _ in range(200)}
    assert len(made) > 150
    assert max(map(len, made)) <= 20_000
