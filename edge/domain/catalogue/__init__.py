"""The alarm catalogue, in two languages, by area.

A new alarm is a code in `alarm.py` and an entry in its area's file.
"""

from __future__ import annotations

from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.catalogue import cameras, gateway, meters, power, sources, work

_AREAS = (work, power, cameras, sources, meters, gateway)

CATALOGUE: dict[AlarmCode, Alarm] = {alarm.code: alarm for area in _AREAS for alarm in area.ALARMS}
