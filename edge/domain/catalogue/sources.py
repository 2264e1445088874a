"""Sources that fall silent, and guarded contacts."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

ALARMS = (
    Alarm(
        AlarmCode.METER_LOST,
        ActivityKind.METER_LOST,
        Name("电表失联", "Meter lost"),
        Name("电表 {source} 没有读数", "meter {source} gives no figures"),
        2,
    ),
    Alarm(
        AlarmCode.CONTACT_LOST,
        ActivityKind.CONTACT_LOST,
        Name("开关量失联", "Contact lost"),
        Name("开关量 {source} 读不到", "contact {source} cannot be read"),
        3,
    ),
    Alarm(
        AlarmCode.DETECTOR_LOST,
        ActivityKind.DETECTOR_LOST,
        Name("识别失效", "Detector does not run"),
        Name(
            "识别模型没有运行，看不到人员和车辆",
            "the detector does not run: people and vehicles are not seen",
        ),
        1,
    ),
    Alarm(
        AlarmCode.CONTACT_OPEN,
        ActivityKind.CONTACT_OPEN,
        Name("箱门或触点打开", "Guarded contact is open"),
        Name("触点 {source} 不在正常位置", "contact {source} is not in its normal position"),
        2,
    ),
)
