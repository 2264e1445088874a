"""The alarm catalogue, in two languages. A new alarm is a code in `alarm.py` and an entry here."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

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
        AlarmCode.CAMERA_MOVED,
        ActivityKind.PICTURE_MOVED,
        Name("摄像机被移动", "Camera moved"),
        Name(
            "摄像机 {source} 的视角与安装时不同",
            "camera {source} looks elsewhere than when it was installed",
        ),
        1,
        "0002",
    ),
    Alarm(
        AlarmCode.CAMERA_BLURRED,
        ActivityKind.PICTURE_BLURRED,
        Name("画面模糊", "Picture blurred"),
        Name(
            "摄像机 {source} 的画面失焦或被涂抹",
            "the picture of camera {source} is out of focus or smeared",
        ),
        2,
        "0005",
    ),
    Alarm(
        AlarmCode.CAMERA_DARK,
        ActivityKind.PICTURE_DARK,
        Name("画面过暗", "Picture too dark"),
        Name(
            "摄像机 {source} 的画面过暗，看不到人",
            "the picture of camera {source} is too dark to see anybody",
        ),
        2,
        "0003",
    ),
    Alarm(
        AlarmCode.CAMERA_OVEREXPOSED,
        ActivityKind.PICTURE_OVEREXPOSED,
        Name("画面过曝", "Picture over-exposed"),
        Name(
            "摄像机 {source} 的画面过曝，看不到人",
            "the picture of camera {source} is too bright to see anybody",
        ),
        2,
        "0004",
    ),
    Alarm(
        AlarmCode.CAMERA_SHAKING,
        ActivityKind.PICTURE_SHAKING,
        Name("画面抖动", "Picture shaking"),
        Name(
            "摄像机 {source} 的画面持续抖动",
            "the picture of camera {source} keeps shaking",
        ),
        3,
        "0008",
    ),
    Alarm(
        AlarmCode.CAMERA_RESIZED,
        ActivityKind.PICTURE_RESIZED,
        Name("分辨率改变", "Resolution changed"),
        Name(
            "摄像机 {source} 的画面尺寸与安装时不同",
            "the picture of camera {source} has another size than when it was installed",
        ),
        2,
        "0009",
    ),
    Alarm(
        AlarmCode.CAMERA_SWAPPED,
        ActivityKind.PICTURE_SWAPPED,
        Name("画面被调换", "Camera swapped"),
        Name(
            "摄像机 {source} 的画面不是安装时的地点",
            "camera {source} does not show the place where it was installed",
        ),
        1,
    ),
    Alarm(
        AlarmCode.CAMERA_REPLAYED,
        ActivityKind.PICTURE_REPLAYED,
        Name("画面为录像回放", "Recording replayed"),
        Name(
            "摄像机 {source} 的画面在重复播放",
            "the picture of camera {source} repeats itself",
        ),
        1,
    ),
    Alarm(
        AlarmCode.CAMERA_STILL_PHOTO,
        ActivityKind.PICTURE_STILL_PHOTO,
        Name("画面为静态照片", "Photo before the lens"),
        Name(
            "摄像机 {source} 拍到的像是一张照片",
            "camera {source} seems to look at a photo",
        ),
        1,
    ),
    Alarm(
        AlarmCode.CAMERA_WITHOUT_DAYLIGHT,
        ActivityKind.PICTURE_WITHOUT_DAYLIGHT,
        Name("画面不随日光变化", "Picture does not follow daylight"),
        Name(
            "摄像机 {source} 的画面未像此前 {days} 天那样随日光变化，可能是照片、录像或强灯光",
            "the picture of camera {source} does not follow daylight as on the {days} days "
            "before: a photo, a recording, or a strong lamp",
        ),
        2,
    ),
    Alarm(
        AlarmCode.CAMERA_CLOCK_WRONG,
        ActivityKind.PICTURE_CLOCK_WRONG,
        Name("画面时钟不符", "Clock in the picture is wrong"),
        Name(
            "摄像机 {source} 画面上的时间与本机时间不符",
            "the time in the picture of camera {source} is not ours",
        ),
        2,
    ),
    Alarm(
        AlarmCode.CHALLENGE_FAILED,
        ActivityKind.CHALLENGE_FAILED,
        Name("画面验证失败", "Challenge failed"),
        Name(
            "摄像机 {source} 没有看到验证灯亮",
            "camera {source} did not see the challenge lamp",
        ),
        1,
    ),
    Alarm(
        AlarmCode.UNNAMED_MOTION,
        ActivityKind.UNNAMED_MOTION,
        Name("井口有不明活动", "Unnamed motion at the shaft mouth"),
        Name(
            "摄像机 {source} 在区域 {place}（{aspect}）看到有物体持续移动，识别模型未能识别",
            "camera {source} sees something move through zone {place} ({aspect}) "
            "that the detector does not name",
        ),
        2,
    ),
    Alarm(
        AlarmCode.GATE_BLIND,
        ActivityKind.GATE_BLIND,
        Name("画面过于杂乱", "Picture too restless to watch"),
        Name(
            "摄像机 {source} 的画面噪声过大，运动检测失效",
            "the picture of camera {source} is so noisy that motion cannot be told",
        ),
        3,
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
        AlarmCode.LEDGER_DAMAGED,
        ActivityKind.LEDGER_DAMAGED,
        Name("账本损坏或丢失", "Ledger damaged or gone"),
        Name(
            "账本损坏或丢失，不再续写：已签名的记录至少有 {lost} 条读不出；"
            "原有文件留存，由新账本 {origin} 继续",
            "the ledger is damaged or gone and is written no further: of what it had signed, "
            "{lost} records or more cannot be read; its files are kept, and a new one goes on: "
            "{origin}",
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
