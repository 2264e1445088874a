"""What the feeders tell of work."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

ALARMS = (
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
        AlarmCode.PUMP_UNLIKE,
        ActivityKind.PUMP_UNLIKE,
        Name("水泵馈线用电异常", "Pump feeder does not behave like a pump"),
        Name(
            "电表 {source}：{kw} kW，其中水泵 {permitted_kw} kW，平时 {baseline_kw} kW，"
            "无法解释 {unexplained_kw} kW（限值 {limit_kw} kW）",
            "meter {source}: {kw} kW, of it {permitted_kw} kW pumps, usually {baseline_kw} kW; "
            "{unexplained_kw} kW are no pump's (limit {limit_kw} kW)",
        ),
        1,
    ),
    Alarm(
        AlarmCode.RESIDUAL_LOAD,
        ActivityKind.RESIDUAL_LOAD,
        Name("进线与各馈线之差异常", "Load that no feeder shows"),
        Name(
            "进线 {source} 比各馈线之和多 {kw} kW，平时 {baseline_kw} kW，"
            "无法解释 {unexplained_kw} kW（限值 {limit_kw} kW）",
            "incoming {source} shows {kw} kW more than all feeders, usually {baseline_kw} kW; "
            "{unexplained_kw} kW are unexplained (limit {limit_kw} kW)",
        ),
        1,
    ),
    Alarm(
        AlarmCode.UNEXPLAINED_LOAD,
        ActivityKind.UNEXPLAINED_LOAD,
        Name("无法解释的用电", "Load that nothing permitted explains"),
        Name(
            "电表 {source}（{aspect}）：{kw} kW，平时 {baseline_kw} kW，"
            "允许设备 {permitted_kw} kW，无法解释 {unexplained_kw} kW（限值 {limit_kw} kW）",
            "meter {source} ({aspect}): {kw} kW, usually {baseline_kw} kW, permitted machines "
            "{permitted_kw} kW; {unexplained_kw} kW are unexplained (limit {limit_kw} kW)",
        ),
        1,
    ),
    Alarm(
        AlarmCode.SHARE_RISEN,
        ActivityKind.SHARE_RISEN,
        Name("用电占比上升", "A feeder's share of the energy has risen"),
        Name(
            "电表 {source} 三日占总电量 {share_percent}%，平时 {baseline_percent}%",
            "meter {source} took {share_percent} % of all energy in three days, usually "
            "{baseline_percent} %",
        ),
        2,
    ),
    Alarm(
        AlarmCode.DAY_LIKE_PRODUCTION,
        ActivityKind.DAY_LIKE_PRODUCTION,
        Name("日负荷曲线与生产相似", "A day's curve like one of production"),
        Name(
            "电表 {source} 昨日最高半日用电是其余的 {ratio} 倍，平时 {baseline_ratio} 倍，"
            "一日 {kwh} kWh，平时 {baseline_kwh} kWh",
            "meter {source}: half of yesterday took {ratio} times the other half, usually "
            "{baseline_ratio} times; {kwh} kWh in the day, usually {baseline_kwh} kWh",
        ),
        2,
    ),
)
