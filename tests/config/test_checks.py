"""Clashes between tables, told together with every other fault."""

from __future__ import annotations

from tests.configs import changed, faults, only_fault, sample


def test_every_fault_is_told_at_once_also_those_between_tables():
    data = changed(sample(), "site.mine_code", 2201)
    data = changed(data, "bus.0.meter.1.unit", 1)
    data = changed(data, "camera.1.code", "hoist")
    data = changed(data, "page.host", "0.0.0.0")
    data = changed(data, "broker.0.tls.key", None)
    assert set(faults(data)) == {
        "site.mine_code",
        "bus[0].meter[1].unit",
        "camera[1].code",
        "page.host",
        "broker[0].tls.key",
    }


def test_two_lines_may_not_share_a_device_nor_two_contacts_an_input():
    data = changed(sample(), "bus.0", {**sample()["bus"][1], "code": "other", "meter": []})
    data["bus"][0]["contact"] = [
        {"code": "a", "unit": 1, "address": 4},
        {"code": "b", "unit": 1, "address": 4},
    ]
    found = faults(data)
    assert found["bus[1].device"].remedy == "list all units of a line under one bus"
    assert found["bus[0].contact[1].address"].problem.startswith("is 'unit 1 input 4'")


def test_platform_codes_are_claimed_once_and_empty_ones_by_everybody():
    data = changed(sample(), "camera.0.camera_code", "22010000000101000001")
    assert only_fault(data).remedy == "one code, one camera"
    data = changed(sample(), "bus.0.meter.0.position_code", "22010000000101")
    data = changed(data, "bus.1.meter.0.position_code", "22010000000101")
    assert only_fault(data).remedy == "one code, one position"
