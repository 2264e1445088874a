"""What is wrong with a camera, its picture or what it looks at."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

ALARMS = (
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
)
