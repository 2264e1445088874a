"""Decoding: total over every register content, and the inverse of the simulator's encoding."""

from __future__ import annotations

import math
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.observation import Quality
from edge.sensors.decode import LIMITS, decode
from edge.sensors.profiles import (
    RATIO_PARTS,
    Pace,
    Profile,
    load_profile,
    profile_names,
)
from edge.sensors.profiles import pace as pace_of
from edge.sensors.quantity import QuantityName
from simulators.meters.registers import encode

TYPES = ("u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64")


def _profile(quantities):
    return Profile.model_validate(
        {
            "maker": "nobody",
            "models": ["made up"],
            "confidence": "medium",
            "sources": ["this test"],
            "max_registers": 125,
            "max_gap": 0,
            "link": {"baud": 9600, "parity": "N", "stop_bits": 1},
            "quantity": quantities,
        }
    )


def _places(profile):
    return sorted(
        {
            (quantity.function, quantity.address + offset)
            for quantity in profile.quantity.values()
            for offset in range(quantity.count)
        }
    )


@st.composite
def profiles(draw):
    """The shipped profiles and made-up ones of every type, word order, scale and ratio."""
    if draw(st.booleans()):
        return load_profile(draw(st.sampled_from(profile_names())))
    names = list(get_args(QuantityName))
    quantities = {}
    for number, name in enumerate(
        ["power_kw", "ct_ratio", "pt_ratio", *draw(st.sets(st.sampled_from(names[1:14])))]
    ):
        ratio = [] if name.endswith("_ratio") else draw(st.sampled_from([[], ["ct"], ["pt", "ct"]]))
        quantities[name] = {
            "function": draw(st.sampled_from([3, 4])),
            "address": 8 * number,
            "type": draw(st.sampled_from(TYPES)),
            "order": draw(st.sampled_from(["big", "little"])),
            "scale": draw(st.sampled_from([1.0, 0.1, 0.001, 1e300])),
            "ratio": ratio,
            "absent": draw(st.lists(st.sampled_from([0, 0x8000, 0xFFFF, 0xFFFFFFFF]), max_size=8)),
        }
    return _profile(quantities)


@given(st.data())
def test_any_register_content_gives_finite_figures_and_a_quality_that_says_how_good(data):
    profile = data.draw(profiles())
    word = st.one_of(st.integers(0, 0xFFFF), st.sampled_from([0, 0x7F80, 0x7FC0, 0x8000, 0xFFFF]))
    registers = {place: data.draw(word) for place in _places(profile)}
    seen = decode(profile, registers)
    values, quality = seen.values, seen.quality
    assert set(values) <= profile.tells
    assert all(math.isfinite(value) for value in values.values())
    inside = {name: LIMITS[name][0] <= value <= LIMITS[name][1] for name, value in values.items()}
    if not inside.get("power_kw", True):
        assert quality is Quality.BAD
    elif len(values) < len(profile.tells) or not all(inside.values()):
        assert quality is Quality.UNCERTAIN
    else:
        assert quality is not Quality.BAD
    assert seen.serial.isprintable()


@st.composite
def measured(draw):
    return {
        "ct_ratio": float(draw(st.integers(1, 9999))),
        "pt_ratio": float(draw(st.integers(1, 999))),
        "power_kw": draw(st.floats(-5e4, 5e4)),
        **{f"power_l{phase}_kw": draw(st.floats(-2e4, 2e4)) for phase in (1, 2, 3)},
        "power_factor": draw(st.floats(-1, 1)),
        "frequency_hz": draw(st.floats(45, 65)),
        "energy_import_kwh": draw(st.floats(0, 4e8)),
        "energy_export_kwh": draw(st.floats(0, 4e8)),
        **{f"voltage_l{phase}_v": draw(st.floats(0, 40_000)) for phase in (1, 2, 3)},
        **{f"current_l{phase}_a": draw(st.floats(-5000, 5000)) for phase in (1, 2, 3)},
    }


def _resolution(quantity, figures):
    """By how much one step of the register changes the value."""
    step = quantity.scale if quantity.type[0] in "iu" else 1e-30
    for ratio in quantity.ratio:
        step *= figures[f"{ratio}_ratio"]
    return step


def _held(profile, figures):
    """The figures, within what their registers can hold."""
    held = dict(figures)
    for name, quantity in profile.quantity.items():
        if name in figures and quantity.type[0] in "iu":
            bits = int(quantity.type[1:]) - (quantity.type[0] == "i")
            most = (2**bits - 2) * _resolution(quantity, figures)  # all ones may mean absent
            least = 0.0 if quantity.type[0] == "u" else -most
            held[name] = max(least, min(figures[name], most))
    return held


@given(st.sampled_from(profile_names()), measured())
def test_what_the_simulator_encodes_is_decoded_within_the_registers_resolution(name, figures):
    profile = load_profile(name)
    figures = _held(profile, figures)
    seen = decode(profile, encode(profile, figures, "20196172"))
    assert seen.quality is Quality.GOOD
    assert seen.serial == ("20196172" if profile.serial else "")
    assert set(seen.values) == profile.tells
    quantities = {str(name): quantity for name, quantity in profile.quantity.items()}
    for told, value in seen.values.items():
        quantity = quantities.get(told)
        step = _resolution(quantity, figures) if quantity else 0.0  # else a quotient of two
        # f32 holds 24 bits; an integer register is off by half a step at most.
        assert value == pytest.approx(figures[told], rel=2e-7, abs=0.5001 * step)


@given(st.sampled_from(profile_names()), measured(), st.data())
def test_any_part_of_the_registers_gives_the_same_figures_with_the_ratios_remembered(
    name, figures, data
):
    profile = load_profile(name)
    registers = encode(profile, _held(profile, figures), "20196172")
    whole = decode(profile, registers)
    pace = data.draw(st.sampled_from(list(Pace)))
    some = {
        (read.function, address): registers.get((read.function, address), 0)
        for read in profile.reads(pace)
        for address in range(read.address, read.end)
    }
    ratios = {ratio: whole.values[ratio] for ratio in RATIO_PARTS if ratio in whole.values}
    part = decode(profile, some, ratios)
    assert part.quality is Quality.GOOD
    assert part.values.items() <= whole.values.items()
    assert part.serial in {"", whole.serial}
    assert all((pace_of(told) is pace) == (told in part.values) for told in whole.values)


@given(st.data())
def test_registers_survive_the_way_back_for_every_type_and_word_order(data):
    kind = data.draw(st.sampled_from(TYPES))
    order = data.draw(st.sampled_from(["big", "little"]))
    profile = _profile({"power_kw": {"function": 3, "address": 7, "type": kind, "order": order}})
    # Doubles carry integers of 53 bits: of wider registers the upper ones are kept small.
    limit = 2 ** (52 if kind[1:] == "64" else int(kind[1:]) - 1) - 1
    if kind[0] == "f":
        width: Literal[32, 64] = 32 if kind == "f32" else 64
        number = data.draw(st.floats(width=width, allow_nan=False, allow_infinity=False))
    else:
        number = float(data.draw(st.integers(-limit if kind[0] == "i" else 0, limit)))
    registers = encode(profile, {"power_kw": number})
    assert len(registers) == int(kind[1:]) // 16
    assert decode(profile, registers).values == {"power_kw": number}


def test_little_word_order_puts_the_least_significant_register_first():
    profile = _profile(
        {"power_kw": {"function": 3, "address": 0, "type": "u32", "order": "little"}}
    )
    assert decode(profile, {(3, 0): 2, (3, 1): 1}).values == {"power_kw": 65538.0}


def test_an_encoder_keeps_integers_within_their_registers():
    profile = _profile({"power_kw": {"function": 3, "address": 0, "type": "i16"}})
    assert encode(profile, {"power_kw": 1e9}) == {(3, 0): 0x7FFF}
    assert encode(profile, {"power_kw": -1e9}) == {(3, 0): 0x8000}


def test_a_product_with_a_ratio_that_overflows_is_absent():
    profile = _profile(
        {
            "power_kw": {"function": 3, "address": 0, "type": "f64", "ratio": ["ct"]},
            "ct_ratio": {"function": 3, "address": 4, "type": "f64"},
        }
    )
    registers = encode(profile, {"power_kw": 1.0, "ct_ratio": 1e300})
    registers |= dict(zip(((3, i) for i in range(4)), (0x7FE0, 0, 0, 0), strict=True))
    seen = decode(profile, registers)
    assert "power_kw" not in seen.values
    assert seen.quality is Quality.UNCERTAIN
