"""The catalogue is whole and speaks both languages."""

from __future__ import annotations

import re
import string

import pytest

from edge.domain.activity import Duty, ZoneKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.mine import MineState
from edge.domain.names import ASPECT_NAMES, STATE_NAMES

ALARMS = [pytest.param(alarm, id=alarm.code) for alarm in CATALOGUE.values()]


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_has_a_name_a_sentence_and_a_level(alarm: Alarm) -> None:
    for name in (alarm.name, alarm.because):
        assert re.search(r"[\u4e00-\u9fff]", name.zh)
        assert name.en.isascii()
    assert 1 <= alarm.level <= 4
    assert re.fullmatch(r"(\d{4})?", alarm.analysis_case)


@pytest.mark.parametrize("alarm", ALARMS)
def test_both_languages_name_the_same_figures(alarm: Alarm) -> None:
    def figures(template: str) -> set[str | None]:
        return {field for _, field, _, _ in string.Formatter().parse(template) if field}

    assert figures(alarm.because.zh) == figures(alarm.because.en)


def test_every_code_has_its_entry() -> None:
    assert set(CATALOGUE) == set(AlarmCode)


def test_every_state_zone_and_duty_has_a_name() -> None:
    assert set(STATE_NAMES) == set(MineState)
    assert {*ZoneKind, *Duty} <= set(ASPECT_NAMES)
