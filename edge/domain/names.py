"""What states, places and duties are called in sentences for people, in two languages."""

from __future__ import annotations

from typing import NamedTuple

from edge.domain.activity import Duty, ZoneKind
from edge.domain.mine import MineState


class Name(NamedTuple):
    """One thing's name in Chinese and in English."""

    zh: str
    en: str


STATE_NAMES: dict[MineState, Name] = {
    MineState.PRODUCING: Name("正常生产", "producing"),
    MineState.RECTIFYING: Name("停产停工整改", "stopped for rectification"),
    MineState.SUSPENDED: Name("长期停产停工", "suspended"),
    MineState.CLOSING: Name("即将关闭退出", "closing"),
    MineState.CLOSED: Name("关闭取缔", "closed"),
}

ASPECT_NAMES: dict[str, Name] = {
    ZoneKind.SHAFT_MOUTH: Name("井口", "shaft mouth"),
    ZoneKind.GATE: Name("大门", "gate"),
    ZoneKind.YARD: Name("场区", "yard"),
    Duty.INCOMING: Name("进线", "incoming"),
    Duty.FAN: Name("主通风机", "main fan"),
    Duty.PUMP: Name("排水泵", "drainage pump"),
    Duty.HOIST: Name("提升机", "hoist"),
    Duty.BELT: Name("带式输送机", "belt"),
    Duty.COMPRESSOR: Name("空压机", "compressor"),
    Duty.FACE: Name("采掘工作面", "face"),
    Duty.LIVING: Name("生活用电", "living quarters"),
    Duty.OTHER: Name("其他", "other"),
    "in": Name("进", "in"),
    "out": Name("出", "out"),
}
"""By an activity's aspect; the position of a contact speaks for itself and is not here."""
