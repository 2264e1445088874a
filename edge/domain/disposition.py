"""What an incident turned out to be. Not what its alarm was called: that is another field."""

from __future__ import annotations

from enum import StrEnum

from edge.domain.names import Name


class Disposition(StrEnum):
    """Stable codes; never reused for another meaning."""

    FALSE_ALARM = "false-alarm"
    SUSPECTED_ILLEGAL_PRODUCTION = "suspected-illegal-production"
    NORMAL_REPAIR = "normal-repair"
    APPROVED_WORK = "approved-work"
    PATROL = "patrol"
    EQUIPMENT_FAULT = "equipment-fault"
    OUTAGE = "outage"
    TAMPERING = "tampering"
    TEST = "test"
    OTHER = "other"


DISPOSITION_NAMES: dict[Disposition, Name] = {
    Disposition.FALSE_ALARM: Name("误报", "false alarm"),
    Disposition.SUSPECTED_ILLEGAL_PRODUCTION: Name("疑似违法生产", "suspected illegal production"),
    Disposition.NORMAL_REPAIR: Name("正常检修", "normal repair"),
    Disposition.APPROVED_WORK: Name("批准的作业", "approved work"),
    Disposition.PATROL: Name("巡查人员", "patrol"),
    Disposition.EQUIPMENT_FAULT: Name("设备故障", "fault of the equipment"),
    Disposition.OUTAGE: Name("停电或断网", "power or network outage"),
    Disposition.TAMPERING: Name("人为破坏封条", "tampering with the seal"),
    Disposition.TEST: Name("测试", "test"),
    Disposition.OTHER: Name("其他", "other"),
}
