"""Profiles: the shipped ones load, faulty ones are told with every fault."""

from __future__ import annotations

from typing import get_args

import pytest

from edge.errors import ConfigError
from edge.sensors.profiles import (
    Pace,
    QuantityName,
    load_profile,
    pace,
    parse_profile,
    profile_names,
)

GOOD = """
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
    parse_profile("made_up", GOOD)
    with pytest.raises(ConfigError) as caught:
        parse_profile("made_up", GOOD.replace(*change))
    assert complaint in str(caught.value)
    assert "edge/sensors/meters/made_up.toml" in str(caught.value)


def test_every_fault_of_a_profile_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_profile("made_up", 'maker = 3\nmodels = []\nquantity = {}\nconfidence = "sure"')
    assert len(caught.value.faults) >= 5
