"""Profiles: the shipped ones load, faulty ones are told with every fault."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.sensors.profiles import (
    Pace,
    digest,
    load_profile,
    pace,
    parse_profile,
    profile_names,
)
from edge.sensors.quantity import QuantityName

GOOD = b"""
maker = "nobody"
models = ["one"]
confidence = "medium"
sources = ["a test"]
max_registers = 80
max_gap = 4
link = { baud = 9600, parity = "N", stop_bits = 1 }
quantity.power_kw = { function = 3, address = 1, type = "f32" }
"""
CIRCLE = 'quantity.ct_ratio = { function = 3, address = 9, type = "u16", ratio = ["ct"] }'

PART = 'quantity.ct_primary_a = { function = 3, address = 9, type = "u16" }'
SERIAL = 'function = 3, address = 9, type = "u32"'
ILLEGAL = "{ function = 3, first = 2, last = 5 }"


def test_the_profiles_of_the_meters_that_mines_have_are_there():
    assert {
        "abb_b23",
        "acrel_adl400",
        "acrel_adl400_secondary",
        "acrel_adw300",
        "carlo_gavazzi_em24",
        "chint_dtsu666",
        "eastron_sdm630",
        "janitza_umg96",
        "schneider_iem3000",
        "schneider_pm5100",
        "siemens_pac3200",
    } <= set(profile_names())


def test_counters_ratios_and_serial_numbers_are_slow_and_all_else_is_fast():
    slow = {name for name in get_args(QuantityName) if pace(name) is Pace.SLOW}
    assert slow == {
        "energy_import_kwh",
        "energy_export_kwh",
        "ct_ratio",
        "pt_ratio",
        "ct_primary_a",
        "ct_secondary_a",
        "pt_primary_v",
        "pt_secondary_v",
    }
    assert pace("serial") is Pace.SLOW


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_loads_and_says_where_its_facts_come_from(name):
    profile = load_profile(name)
    assert profile.sources
    assert profile.quantity["power_kw"].function in {3, 4}


@pytest.mark.parametrize("name", profile_names())
def test_no_two_quantities_of_a_profile_share_a_register(name):
    seen: dict[tuple[int, int], str] = {}
    for quantity_name, quantity in load_profile(name).quantity.items():
        for offset in range(quantity.count):
            place = quantity.function, quantity.address + offset
            assert place not in seen, f"{quantity_name} and {seen.get(place)} both lie at {place}"
            seen[place] = quantity_name


def test_an_unknown_profile_is_refused_with_the_names_that_exist():
    with pytest.raises(ConfigError, match="eastron_sdm630"):
        load_profile("../../etc/passwd")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("quantity.power_kw", "quantity.voltage_l1_v"), "needs power_kw"),
        (('function = 3, address = 1, type = "f32"', "function = 7"), "function"),
        (("address = 1", "address = 65535"), "beyond 0xFFFF"),
        (('"medium"', '"low"'), "what a probe of a meter showed"),
        (('"medium"', '"high"'), "takes two sources"),
        (("max_gap = 4", f"max_gap = 4\nillegal = [{ILLEGAL}]"), "needed, and illegal"),
        (("address = 1", "address = 1, limits = [9.0, 1.0]"), "the lower one first"),
        (
            ("max_gap = 4", "max_gap = 4\nillegal = [{ function = 3, first = 9, last = 8 }]"),
            "the lower register first",
        ),
        (("quantity.power_kw", f"{PART}\nquantity.power_kw"), "either itself or as"),
        (("max_gap = 4", f"max_gap = 4\nserial = {{ {SERIAL}, count = 3 }}"), "a count of 2"),
        (
            ("max_gap = 4", f"max_gap = 4\nserial = {{ {SERIAL}, count = 2, block = [8, 2] }}"),
            "outside its block",
        ),
        (
            ("max_gap = 4", f"max_gap = 4\nserial = {{ {SERIAL}, count = 2, block = [9, 90] }}"),
            "more than max_registers",
        ),
        (("address = 1", 'address = 1, ratio = ["ct"]'), "which is not read"),
        (("address = 1", "address = 1, scale = 0.0"), "scale"),
        (("max_gap = 4", "max_gap = 4\nsurprise = 1"), "surprise"),
        (("max_gap = 4", "max_gap ="), "is not TOML"),
        (("quantity.power_kw", f"{CIRCLE}\nquantity.power_kw"), "cannot depend on a ratio"),
    ],
)
def test_a_faulty_profile_is_told_with_its_path_and_what_is_wrong(change, complaint):
    where = "/etc/eseal/profiles/made_up.toml"
    parse_profile(where, GOOD)
    before, after = (text.encode() for text in change)
    with pytest.raises(ConfigError) as caught:
        parse_profile(where, GOOD.replace(before, after))
    assert complaint in str(caught.value)
    assert where in str(caught.value)


def test_every_fault_of_a_profile_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_profile("x", b'maker = 3\nmodels = []\nquantity = {}\nconfidence = "sure"')
    assert len(caught.value.faults) >= 5


def test_a_fault_says_the_file_the_key_and_what_is_right():
    raw = GOOD.replace(b'"f32"', b'"f31"').replace(b"max_gap", b"gap")
    with pytest.raises(ConfigError) as caught:
        parse_profile("x.toml", raw)
    assert {(fault.path, fault.problem) for fault in caught.value.faults} == {
        ("x.toml: quantity.power_kw.type", "is 'f31'"),
        ("x.toml: max_gap", "is missing"),
        ("x.toml: gap", "is no key of a profile"),
    }
    assert any("'u16'" in fault.remedy for fault in caught.value.faults)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_bytes_a_profile_has_only_a_config_error_comes_out(raw):
    with pytest.raises(ConfigError):
        parse_profile("x.toml", raw)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (GOOD + b"#" * 40_000, "larger than 32 KiB"),
        (GOOD + b"#" + b"a" * 1100, "has a line of"),
        (GOOD + b"\xff", "is not UTF-8"),
        (GOOD + b"x = " + b"[" * 900 + b"]" * 100, "nests too deep"),
        (GOOD + b"\n".join(b"[k%d]" % n for n in range(500)), "is no key of a profile"),
    ],
)
def test_a_hostile_profile_is_told_within_bounds(raw, complaint):
    with pytest.raises(ConfigError) as caught:
        parse_profile("x.toml", raw)
    assert complaint in str(caught.value)
    assert len(caught.value.faults) <= 20


# Profiles of the site's own


def _told(path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_profile(str(path))
    return str(caught.value)


def test_a_file_of_the_sites_own_is_a_profile_that_stays_as_it_was_read(tmp_path):
    path = tmp_path / "winder.toml"
    path.write_bytes(GOOD)
    before = digest(str(path))
    path.write_bytes(GOOD.replace(b"address = 1", b"address = 3"))
    assert load_profile(str(path)).quantity["power_kw"].address == 1
    assert digest(str(path)) == before
    (tmp_path / "other.toml").write_bytes(path.read_bytes())
    assert digest(str(tmp_path / "other.toml")) != before


def test_a_file_may_not_be_called_as_a_shipped_profile(tmp_path):
    path = tmp_path / "eastron_sdm630.toml"
    path.write_bytes(GOOD)
    assert "is called as the shipped profile" in _told(path)


def test_a_file_that_is_none_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    (tmp_path / "folder.toml").mkdir()
    for name in ("pipe", "endless", "folder", "missing"):
        assert "cannot be read" in _told(tmp_path / f"{name}.toml")


def test_the_example_in_the_handbook_is_a_profile():
    text = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    [example] = re.findall(r"### A meter profile of your own.*?```toml\n(.*?)```", text, re.DOTALL)
    profile = parse_profile("example", example.encode())
    assert profile.tells == {"power_kw", "ct_ratio", "pt_ratio"}
    assert profile.serial is not None
