"""Which lane a record travels on."""

from __future__ import annotations

import pytest

from edge.clock import Stamp
from edge.domain.record import ALARM_TYPES, Draft, Lane, RecordType


@pytest.mark.parametrize("kind", list(RecordType))
def test_incidents_answers_and_news_of_the_log_take_the_alarm_lane(kind: RecordType) -> None:
    lane = Draft(kind, Stamp(0, 0, "boot"), {}).lane
    assert (lane is Lane.ALARM) == (kind in ALARM_TYPES)
    for prefix in ("eseal.incident.", "eseal.order.done"):
        assert not kind.value.startswith(prefix) or lane is Lane.ALARM
