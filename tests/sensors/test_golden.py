"""Every meter profile against registers worked out by hand from the makers' tables."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from edge.domain.observation import Quality
from edge.sensors.decode import decode
from edge.sensors.profiles import load_profile, profile_names

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*/*.toml"))


def _registers(case):
    registers = {}
    for place, words in case["registers"].items():
        function, first = place.split(":")
        for offset, word in enumerate(words.split()):
            registers[int(function), int(first, 16) + offset] = int(word, 16)
    return registers


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_has_a_case_that_gives_every_quantity(name):
    path = GOLDEN / name / "running.toml"
    assert path.is_file(), f"add {path.relative_to(GOLDEN.parent)}"
    case = tomllib.loads(path.read_text())
    profile, given = load_profile(name), _registers(case)
    assert set(case["values"]) == profile.tells
    assert bool(case.get("serial")) == bool(profile.serial)
    for item in profile.quantity.values():
        assert all((item.function, item.address + at) in given for at in range(item.count))


def test_every_folder_of_cases_belongs_to_a_profile():
    assert {path.parent.name for path in CASES} == set(profile_names())


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_registers_worked_out_by_hand_give_the_values_of_the_case(path):
    case = tomllib.loads(path.read_text())
    seen = decode(load_profile(path.parent.name), _registers(case), case.get("ratios", {}))
    assert seen.values == pytest.approx(case["values"], rel=1e-9)
    assert seen.quality is Quality(case["quality"])
    assert seen.serial == case.get("serial", "")
