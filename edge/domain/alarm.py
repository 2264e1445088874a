"""The alarm catalogue: what an incident can be called, in two languages, and how grave it is.

Levels are configuration (1 red … 4 blue); those here are the defaults. `analysis_case` and
`direction` are the field codes met on regional platforms (docs/configuration.md), so that a
platform-side adapter is a lookup.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.domain.activity import ActivityKind


class AlarmCode(StrEnum):
    """Stable codes of incidents; never reused for another meaning."""

    PERSON_AT_SHAFT = "person-at-shaft"
    VEHICLE_AT_GATE = "vehicle-at-gate"
    PRODUCTION_LOAD = "production-load"
    CAMERA_LOST = "camera-lost"
    CAMERA_COVERED = "camera-covered"
    CAMERA_FROZEN = "camera-frozen"
    METER_LOST = "meter-lost"
    CONTACT_LOST = "contact-lost"
    DETECTOR_LOST = "detector-lost"
    CONTACT_OPEN = "contact-open"
    CLOCK_STEPPED = "clock-stepped"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One line of the catalogue."""

    code: AlarmCode
    kind: ActivityKind
    name_zh: str
    name_en: str
    level: int
    analysis_case: str = ""


CATALOGUE: dict[AlarmCode, Alarm] = {
    alarm.code: alarm
    for alarm in (
        Alarm(
            AlarmCode.PERSON_AT_SHAFT,
            ActivityKind.PERSON_IN_ZONE,
            "井口有人",
            "Person at the shaft mouth",
            1,
        ),
        Alarm(
            AlarmCode.VEHICLE_AT_GATE,
            ActivityKind.VEHICLE_IN_ZONE,
            "大门有车辆",
            "Vehicle at the gate",
            2,
        ),
        Alarm(
            AlarmCode.PRODUCTION_LOAD,
            ActivityKind.LOAD_RUNNING,
            "生产设备用电",
            "Production feeder is running",
            1,
        ),
        Alarm(
            AlarmCode.CAMERA_LOST, ActivityKind.CAMERA_LOST, "摄像机失联", "Camera lost", 2, "0007"
        ),
        Alarm(
            AlarmCode.CAMERA_COVERED,
            ActivityKind.PICTURE_COVERED,
            "摄像机被遮挡",
            "Camera covered",
            1,
            "0001",
        ),
        Alarm(
            AlarmCode.CAMERA_FROZEN,
            ActivityKind.PICTURE_FROZEN,
            "画面冻结",
            "Picture frozen",
            1,
            "0006",
        ),
        Alarm(AlarmCode.METER_LOST, ActivityKind.METER_LOST, "电表失联", "Meter lost", 2),
        Alarm(AlarmCode.CONTACT_LOST, ActivityKind.CONTACT_LOST, "开关量失联", "Contact lost", 3),
        Alarm(
            AlarmCode.DETECTOR_LOST,
            ActivityKind.DETECTOR_LOST,
            "识别失效",
            "Detector does not run",
            1,
        ),
        Alarm(
            AlarmCode.CONTACT_OPEN,
            ActivityKind.CONTACT_OPEN,
            "箱门或触点打开",
            "Guarded contact is open",
            2,
        ),
        Alarm(AlarmCode.CLOCK_STEPPED, ActivityKind.CLOCK_STEPPED, "时钟跳变", "Clock stepped", 2),
    )
}
