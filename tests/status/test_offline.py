"""`eseal status`: what the ledger on disk says, beside the daemon and after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.domain.mine import OrderKind
from edge.domain.record import RecordType
from edge.errors import ConfigError
from edge.status import read_offline
from edge.status.offline import _ago
from tests.orders import an_order
from tests.seals import site
from tests.status.gateway import PROVINCE, Gateway


def _told(config):
    return {title.split(" · ")[1]: dict(rows) for title, rows in read_offline(config).items()}


def _value(rows, name):
    [value] = [value for title, value in rows.items() if name in title]
    return value


async def test_it_reads_the_ledger_while_the_daemon_has_it_open(tmp_path):
    gateway = Gateway(tmp_path, province={"keys": [str(PROVINCE.cosigner)]})
    await gateway.hoist()
    gateway.acknowledge_all()
    await gateway.note(RecordType.GATEWAY_STARTED, {})
    await gateway.note(RecordType.GATEWAY_HEALTH, gateway.status.health())
    told = _told(gateway.config)
    size = gateway.ledger.size
    assert _value(told["Site"], "mine code") == "220182000001"
    assert "suspended" in _value(told["Site"], "state")
    assert _value(told["Ledger"], "records") == str(size)
    assert _value(told["Ledger"], "checkpoint") == str(size - 2)
    assert _value(told["Ledger"], "public key") == gateway.ledger.vkey
    assert _value(told["Uplink"], "receipt").startswith(f"{size - 2}/{size} (province.example")
    assert _value(told["Uplink"], "alarm lane") == "0"
    assert _value(told["Uplink"], "routine lane").startswith("2，最早 · oldest ")
    assert _value(told["Gateway"], "started").startswith("2025-")
    assert _value(told["Gateway"], "PUBACK") != "无 · none"
    [incident] = told["Open incidents"].items()
    assert incident[0] == "1 production-load"
    assert "hoist" in incident[1]
    gateway.ledger.close()


async def test_an_ordered_state_is_told_with_its_time(tmp_path):
    gateway = Gateway(tmp_path)
    args = {"state": "closing"}
    gateway.recorder.order(an_order(OrderKind.SET_STATE, args, gateway.clock.now()))
    await gateway.recorder.drain()
    gateway.ledger.close()
    told = _told(gateway.config)
    assert "closing (命令 · 2025-" in _value(told["Site"], "state")


async def test_a_receipt_by_a_key_that_is_not_enrolled_is_told_as_such(tmp_path):
    gateway = Gateway(tmp_path)
    await gateway.note(RecordType.GATEWAY_HEALTH, {})
    gateway.acknowledge_all()
    gateway.ledger.close()
    assert "no enrolled key" in _value(_told(gateway.config)["Uplink"], "receipt")


def test_an_empty_ledger_is_told_without_an_error(tmp_path):
    gateway = Gateway(tmp_path)
    gateway.ledger.close()
    told = _told(gateway.config)
    assert _value(told["Ledger"], "records") == "0"
    assert _value(told["Uplink"], "receipt") == "无 · none"
    assert told["Gateway"] == {}
    assert told["Open incidents"] == {"无 · none": ""}


def test_a_directory_without_a_ledger_is_a_fault_that_says_so(tmp_path):
    with pytest.raises(ConfigError):
        read_offline(site(storage={"dir": str(Path(tmp_path) / "nothing")}))


async def test_every_row_is_a_pair_of_texts(tmp_path):
    gateway = Gateway(tmp_path)
    await gateway.hoist()
    gateway.ledger.close()
    for title, rows in read_offline(gateway.config).items():
        assert isinstance(title, str)
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in rows)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
        (-7200, "-2 h"),
    ],
)
def test_ages_are_told_in_a_unit_that_fits_also_of_a_future_that_should_not_be(seconds, text):
    assert _ago(seconds * 1_000_000) == text


async def test_a_gateway_that_never_delivered_says_so(tmp_path):
    gateway = Gateway(tmp_path)
    await gateway.note(RecordType.GATEWAY_HEALTH, gateway.status.health())
    gateway.ledger.close()
    assert _value(_told(gateway.config)["Gateway"], "PUBACK") == "无 · none"
