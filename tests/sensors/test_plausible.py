"""What a profile makes of registers is judged: a feeder's figures fit each other."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.observation import Quality
from edge.sensors.decode import LIMITS, Decoded, decode
from edge.sensors.plausible import judge, possible
from edge.sensors.profiles import load_profile, profile_names
from simulators.meters.loads import Fan, Pump
from simulators.meters.units import MeterUnit

SDM = load_profile("eastron_sdm630")
GOOD = MappingProxyType(MeterUnit(1, "eastron_sdm630", Fan(75)).values(100.0))
NO_VOLTS = {"voltage_l1_v": 0.0, "voltage_l2_v": 0.0, "voltage_l3_v": 0.0}
NO_CURRENT = {"P ~ U x I"}


def verdict(**changes):
    values = {name: value for name, value in GOOD.items() if name in SDM.tells} | changes
    told = {name: value for name, value in values.items() if value is not None}
    return judge(SDM, Decoded(told, "", Quality.GOOD))


def wrong(**changes):
    return {check.about for check in verdict(**changes).checks if not check.ok}


@pytest.mark.parametrize("name", profile_names())
@pytest.mark.parametrize(("load", "pt"), [(Fan(75), 1), (Fan(900), 25), (Pump(5, on_s=1), 1)])
def test_a_meter_in_order_is_plausible_by_its_own_profile(name, load, pt):
    meter = MeterUnit(1, name, load, ct_ratio=40, pt_ratio=pt)
    seen = decode(load_profile(name), meter.memory(300.0))
    assert possible(seen.values)
    told = judge(load_profile(name), seen)
    assert told.fits, [check for check in told.checks if not check.ok]
    assert told.share == 1.0


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"voltage_l2_v": 0.0}, {"voltage_l2_v", "P ~ U x I", "P ~ U x I x PF"}),
        ({"frequency_hz": 55.0}, {"frequency_hz"}),
        ({"frequency_hz": 60.02}, set()),
        ({"power_factor": 98.0}, {"power_factor", "P ~ U x I x PF"}),
        ({"power_factor": 0.2}, {"P ~ U x I x PF"}),
        ({"power_kw": 750.0}, {"P ~ U x I", "P ~ U x I x PF", "P1 + P2 + P3"}),
        ({"power_l1_kw": 0.0}, {"P1 + P2 + P3"}),
        ({"energy_import_kwh": -3.0}, {"energy_import_kwh"}),
        ({"power_factor": None, "frequency_hz": None}, set()),
        ({"power_l1_kw": None}, set()),
        ({"current_l1_a": None, "power_kw": 750.0}, set()),
        ({"current_l1_a": 0.0, "current_l2_a": 0.0, "current_l3_a": 0.0}, NO_CURRENT),
    ],
)
def test_what_cannot_be_is_told(changes, about):
    assert wrong(**changes) == about


def test_one_phase_the_wrong_way_round_is_a_fault_of_the_wiring_and_not_of_the_profile():
    kw = GOOD["power_l1_kw"]
    assert wrong(power_l1_kw=-kw, power_kw=GOOD["power_kw"] - 2 * kw) == set()


def test_what_is_missing_makes_a_profile_less_likely():
    whole, part = verdict(), verdict(energy_import_kwh=None, energy_export_kwh=None)
    assert whole.share == 1.0
    assert part.fits
    assert part.missing == 2
    assert part.share < whole.share
    assert verdict(frequency_hz=0.0).share < whole.share


@pytest.mark.parametrize(
    ("changes", "can"),
    [
        ({}, True),
        ({"voltage_l1_v": 0.0}, True),  # a phase may be lost
        ({"voltage_l1_v": 0.0, "voltage_l2_v": 0.0}, False),
        ({"voltage_l1_v": 23.0, "voltage_l2_v": 900.0}, False),
        ({"power_kw": None}, False),
        (NO_VOLTS, True),  # three wires
        ({**NO_VOLTS, "frequency_hz": 0.0}, False),  # registers that hold nothing
        ({**NO_VOLTS, "voltage_l1_v": 7.0}, False),
    ],
)
def test_a_power_and_two_voltages_of_one_size_or_a_mains_frequency_make_a_meter(changes, can):
    values = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    assert possible(values) is can


@given(st.dictionaries(st.sampled_from(sorted(LIMITS)), st.floats(-1e300, 1e300)))
def test_any_figures_are_judged(values):
    told = judge(SDM, Decoded(values, "", Quality.GOOD))
    assert told.share >= 0
    assert {check.about for check in told.checks} >= set(values)
