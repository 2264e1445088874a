"""What people and vehicles do where they must not be."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

_VEHICLES = Name(
    "摄像机 {source} 在区域 {place}（{aspect}）看到 {count} 辆车",
    "camera {source} sees vehicles in zone {place} ({aspect}): {count}",
)

ALARMS = (
    Alarm(
        AlarmCode.PERSON_AT_SHAFT,
        ActivityKind.PERSON_IN_ZONE,
        Name("井口有人", "Person at the shaft mouth"),
        Name(
            "摄像机 {source} 在区域 {place}（{aspect}）看到 {count} 人",
            "camera {source} sees people in zone {place} ({aspect}): {count}",
        ),
        1,
    ),
    Alarm(
        AlarmCode.VEHICLE_AT_GATE,
        ActivityKind.VEHICLE_IN_ZONE,
        Name("大门有车辆", "Vehicle at the gate"),
        _VEHICLES,
        2,
    ),
    Alarm(
        AlarmCode.VEHICLE_AT_SHAFT,
        ActivityKind.VEHICLE_IN_ZONE,
        Name("井口有车辆", "Vehicle at the shaft mouth"),
        _VEHICLES,
        1,
    ),
)
