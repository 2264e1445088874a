"""The alarm catalogue: what an incident can be called, in two languages, and how grave it is.

Levels are configuration (1 red … 4 blue); those here are the defaults. `analysis_case` is the
field code met on regional platforms, so that a platform-side adapter is a lookup.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.domain.activity import ActivityKind
from edge.domain.names import Name


class AlarmCode(StrEnum):
    """Stable codes of incidents; never reused for another meaning."""

    PERSON_AT_SHAFT = "person-at-shaft"
    VEHICLE_AT_GATE = "vehicle-at-gate"
    VEHICLE_AT_SHAFT = "vehicle-at-shaft"
    PRODUCTION_LOAD = "production-load"
    CAMERA_LOST = "camera-lost"
    CAMERA_COVERED = "camera-covered"
    CAMERA_FROZEN = "camera-frozen"
    METER_LOST = "meter-lost"
    CONTACT_LOST = "contact-lost"
    DETECTOR_LOST = "detector-lost"
    CONTACT_OPEN = "contact-open"
    CLOCK_STEPPED = "clock-stepped"
    STORAGE_LOW = "storage-low"
    CLOCK_WRONG = "clock-wrong"
    LEDGER_ROLLED_BACK = "ledger-rolled-back"
    SESSION_TAKEN = "session-taken"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One line of the catalogue.

    Attributes:
        code: what records call it.
        kind: the activity that raises it.
        name: what a list shows.
        because: the sentence that explains it; may name `{source}`, `{place}`, `{aspect}`
            and any figure of the activity's detail.
        level: 1 red … 4 blue.
        analysis_case: code of the picture fault on regional platforms, if it has one.
    """

    code: AlarmCode
    kind: ActivityKind
    name: Name
    because: Name
    level: int
    analysis_case: str = ""


_VEHICLES = Name(
    "摄像机 {source} 在区域 {place}（{aspect}）看到 {count} 辆车",
    "camera {source} sees vehicles in zone {place} ({aspect}): {count}",
)

_ALARMS = (
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
    Alarm(
        AlarmCode.PRODUCTION_LOAD,
        ActivityKind.LOAD_RUNNING,
        Name("生产设备用电", "Production feeder is running"),
        Name(
            "电表 {source} 显示{aspect}在运行：{kw} kW，峰值 {peak_kw} kW，空载 {idle_kw} kW",
            "meter {source} shows the {aspect} running: {kw} kW, peak {peak_kw} kW, "
            "idle {idle_kw} kW",
        ),
        1,
    ),
    Alarm(
        AlarmCode.CAMERA_LOST,
        ActivityKind.CAMERA_LOST,
        Name("摄像机失联", "Camera lost"),
        Name("摄像机 {source} 没有画面", "camera {source} gives no picture"),
        2,
        "0007",
    ),
    Alarm(
        AlarmCode.CAMERA_COVERED,
        ActivityKind.PICTURE_COVERED,
        Name("摄像机被遮挡", "Camera covered"),
        Name("摄像机 {source} 的画面被遮挡", "the view of camera {source} is covered"),
        1,
        "0001",
    ),
    Alarm(
        AlarmCode.CAMERA_FROZEN,
        ActivityKind.PICTURE_FROZEN,
        Name("画面冻结", "Picture frozen"),
        Name("摄像机 {source} 的画面不再变化", "the picture of camera {source} does not change"),
        1,
        "0006",
    ),
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
    Alarm(
        AlarmCode.CLOCK_STEPPED,
        ActivityKind.CLOCK_STEPPED,
        Name("时钟跳变", "Clock stepped"),
        Name("系统时钟跳变 {step_s} 秒", "the wall clock was moved by {step_s} s"),
        2,
    ),
    Alarm(
        AlarmCode.STORAGE_LOW,
        ActivityKind.STORAGE_LOW,
        Name("存储空间不足", "Storage is nearly full"),
        Name(
            "存储空间不足：剩余 {free_mb} MB，已用 {used_mb} MB",
            "storage is nearly full: {free_mb} MB are free, {used_mb} MB are used",
        ),
        2,
    ),
    Alarm(
        AlarmCode.CLOCK_WRONG,
        ActivityKind.CLOCK_WRONG,
        Name("时钟不准", "Clock is wrong"),
        Name(
            "系统时钟与上级平台相差至少 {offset_s} 秒",
            "the wall clock is off from the province's by {offset_s} s or more",
        ),
        2,
    ),
    Alarm(
        AlarmCode.LEDGER_ROLLED_BACK,
        ActivityKind.LEDGER_ROLLED_BACK,
        Name("账本被回退或替换", "Ledger rolled back or replaced"),
        Name(
            "账本与先前的不连续（{reason}）：上级平台已回执的记录，本机至少缺 {lost} 条；"
            "由新账本 {origin} 继续",
            "the ledger does not continue the one before ({reason}): of what the province has "
            "receipted, {lost} records or more are missing here; a new one goes on: {origin}",
        ),
        1,
    ),
    Alarm(
        AlarmCode.SESSION_TAKEN,
        ActivityKind.SESSION_TAKEN,
        Name("会话被抢占", "Session taken over"),
        Name(
            "另一台设备以本网关的名义登录 {broker}，本网关已被挤下线 {times} 次",
            "somebody else logs in to {broker} under this gateway's name; "
            "it was thrown out so often: {times}",
        ),
        1,
    ),
)

CATALOGUE: dict[AlarmCode, Alarm] = {alarm.code: alarm for alarm in _ALARMS}
