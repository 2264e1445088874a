"""Readings as CSV."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from edge.clock import ManualClock
from edge.domain.observation import Quality, Reading
from edge.replay import replay_files
from edge.sensors.evidence.table import table
from tests.seals import site


def test_a_table_names_every_quantity_and_leaves_empty_what_was_not_read():
    clock = ManualClock()
    rows = [
        Reading("hoist", clock.now(), Quality.GOOD, {"power_kw": 1.5, "voltage_l1_v": 230.0}),
        Reading("hoist", clock.advance(2), Quality.BAD, {"ct_ratio": 40.0}, serial="A1,2"),
    ]
    assert table(rows).decode().splitlines() == [
        "ts,meter,p_kw,quality,serial,ct_ratio,voltage_l1_v",
        "2025-06-15T15:06:40.000000Z,hoist,1.5,good,,,230.0",
        '2025-06-15T15:06:42.000000Z,hoist,,bad,"A1,2",40.0,',
    ]


def test_a_table_can_be_replayed(tmp_path: Path):
    clock, config = ManualClock(), site()
    meter = config.bus[0].meter[0].code
    kw = [0.2] * 100 + [90.0] * 100
    rows = [Reading(meter, clock.advance(2), Quality.GOOD, {"power_kw": load}) for load in kw]
    (tmp_path / "readings.csv").write_bytes(table(rows))
    target = tmp_path / "out.jsonl"
    replay_files(config, [tmp_path / "readings.csv"], {}, target, "", datetime.now(UTC))
    types = {json.loads(line)["type"] for line in target.read_bytes().splitlines()}
    assert "eseal.activity.started" in types
