"""The story of the demo as data: what happens when, and which incidents must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge.domain.alarm import AlarmCode
from simulators.site.site import Site

LENGTH_S = 90.0  # the beats below are written for this; `--seconds` stretches them


class Uplink(StrEnum):
    """What happens to the cable between the gateway and the broker."""

    CUT = "cut"
    MENDED = "mended"


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens.

    Attributes:
        at: seconds from the start in a story of `LENGTH_S`.
        zh: what a person on site would say, in Chinese.
        en: the same in English.
        act: makes it happen at the site, or to the uplink; None where nothing has to be done.
    """

    at: float
    zh: str
    en: str
    act: Callable[[Site], None] | Uplink | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """An incident that must arrive exactly once."""

    code: AlarmCode
    source: str


STORY: tuple[Beat, ...] = (
    Beat(0, "矿井安静", "The mine is quiet"),
    Beat(4, "排水泵启动（允许）", "The drainage pump starts (permitted)", Site.pump_starts),
    Beat(16, "排水泵停止", "The pump stops", Site.pump_stops),
    Beat(19, "入夜", "Night falls: cameras switch to infrared", Site.night_falls),
    Beat(26, "提升机启动", "The hoist starts", Site.hoist_starts),
    Beat(34, "有人走向井口", "A person walks to the shaft mouth", Site.person_walks_in),
    Beat(46, "卡车驶出", "A truck leaves", Site.truck_leaves),
    Beat(54, "提升机停止", "The hoist stops", Site.hoist_stops),
    Beat(57, "摄像机被遮挡", "A camera is covered", Site.camera_is_covered),
    Beat(66, "遮挡移除", "The cover is taken off", Site.camera_is_uncovered),
    Beat(69, "上行链路中断", "The uplink is cut", Uplink.CUT),
    Beat(72, "机柜门被打开", "Meanwhile the cabinet is opened", Site.door_opens),
    Beat(78, "机柜门关闭", "The cabinet is closed", Site.door_closes),
    Beat(81, "上行链路恢复", "The uplink comes back", Uplink.MENDED),
    Beat(90, "恢复安静", "Quiet again"),
)

EXPECTED: tuple[Expected, ...] = (
    Expected(AlarmCode.PRODUCTION_LOAD, "hoist"),
    Expected(AlarmCode.PERSON_AT_SHAFT, "shaft-cam"),
    Expected(AlarmCode.VEHICLE_AT_GATE, "gate-cam"),
    Expected(AlarmCode.CAMERA_COVERED, "shaft-cam"),
    Expected(AlarmCode.CONTACT_OPEN, "cabinet-door"),
)
