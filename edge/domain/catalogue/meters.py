"""What is wrong with a meter's data: cheated, broken, or wired wrongly."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

ALARMS = (
    Alarm(
        AlarmCode.METER_GAP,
        ActivityKind.METER_GAP,
        Name("电表数据中断", "Meter gave no readings"),
        Name(
            "电表 {source} 有 {minutes} 分钟没有读数，其间电量 {kwh} kWh；请检查供电和通信线路",
            "meter {source} gave no readings for {minutes} min, {kwh} kWh meanwhile: "
            "check its supply and the bus",
        ),
        3,
    ),
    Alarm(
        AlarmCode.METER_FROZEN,
        ActivityKind.METER_FROZEN,
        Name("电表数值冻结", "Meter frozen"),
        Name(
            "电表 {source} 的数值 {hours} 小时内 {readings} 次读数不变（{kw} kW）；"
            "请现场核对显示值",
            "meter {source} has told the same for {hours} h in {readings} readings ({kw} kW): "
            "compare with its display",
        ),
        2,
    ),
    Alarm(
        AlarmCode.METER_REVERSED,
        ActivityKind.METER_REVERSED,
        Name("电表功率反向", "Meter's power is reversed"),
        Name(
            "电表 {source} 的 {phases} 相功率为负（读数 {kw} kW，按 {used_kw} kW 使用）；"
            "请检查互感器方向和接线",
            "meter {source} has negative power in {phases} (read {kw} kW, used as {used_kw} kW): "
            "check which way its current transformers are wired",
        ),
        1,
    ),
    Alarm(
        AlarmCode.METER_PHASE_LOST,
        ActivityKind.METER_PHASE_LOST,
        Name("电表缺相", "Meter has lost a phase"),
        Name(
            "电表 {source} 的 {phase} 相为 {read} {quantity}，应约 {expected} {quantity}；"
            "请检查电压引线、熔断器，以及互感器是否被短接或断开",
            "phase {phase} of meter {source} shows {read} {quantity} where {expected} {quantity} "
            "are expected: check its voltage lead, its fuse, and its current transformer",
        ),
        1,
    ),
    Alarm(
        AlarmCode.METER_UNBALANCED,
        ActivityKind.METER_UNBALANCED,
        Name("电表三相不平衡", "Meter's phases are unbalanced"),
        Name(
            "电表 {source} 的 {phase} 相为 {read} {quantity}，应约 {expected} {quantity}；"
            "请检查互感器是否被分流",
            "phase {phase} of meter {source} shows {read} {quantity} where {expected} {quantity} "
            "are expected: look for a bridge across its current transformer",
        ),
        2,
    ),
    Alarm(
        AlarmCode.METER_SPIKE,
        ActivityKind.METER_SPIKE,
        Name("电表读数突跳", "Meter told what cannot be"),
        Name(
            "电表 {source} 的个别读数不可能（{kw} kW，之前 {before_kw} kW，共 {count} 次），"
            "已弃用；若反复出现，请检查通信线路",
            "meter {source} told {kw} kW after {before_kw} kW, which cannot be ({count} readings, "
            "not used): check the bus if it recurs",
        ),
        4,
    ),
    Alarm(
        AlarmCode.METER_ENERGY_MISMATCH,
        ActivityKind.METER_ENERGY_MISMATCH,
        Name("电量与功率不符", "Meter's energy does not match its power"),
        Name(
            "电表 {source} 在 {hours} 小时内计量 {read_kwh} kWh，按功率应为 {expected_kwh} kWh；"
            "请核对电表和变比，检查是否绕越",
            "meter {source} counted {read_kwh} kWh in {hours} h where its power makes "
            "{expected_kwh} kWh: compare its display, its ratios and its wiring",
        ),
        2,
    ),
    Alarm(
        AlarmCode.METER_ENERGY_SET_BACK,
        ActivityKind.METER_ENERGY_SET_BACK,
        Name("电表底码回退", "Meter's energy counter was set back"),
        Name(
            "电表 {source} 的电量由 {expected_kwh} kWh 退到 {read_kwh} kWh；"
            "请查明何人清零或更换电表",
            "the counter of meter {source} went back from {expected_kwh} kWh to {read_kwh} kWh: "
            "find out who reset or exchanged it",
        ),
        1,
    ),
    Alarm(
        AlarmCode.METER_RATIO_CHANGED,
        ActivityKind.METER_RATIO_CHANGED,
        Name("互感器变比被改", "Meter's transformer ratio was changed"),
        Name(
            "电表 {source} 的变比为 CT {ct_ratio}、PT {pt_ratio}，应为 CT {expected_ct_ratio}、"
            "PT {expected_pt_ratio}；功率乘以 {factor} 使用；请改回，或按许可登记新变比",
            "meter {source} has the ratios CT {ct_ratio}, PT {pt_ratio} instead of CT "
            "{expected_ct_ratio}, PT {expected_pt_ratio}; its power is used times {factor}: "
            "set them back, or declare the new ones",
        ),
        1,
    ),
    Alarm(
        AlarmCode.METER_CHANGED,
        ActivityKind.METER_CHANGED,
        Name("电表被更换", "Another meter is in its place"),
        Name(
            "电表 {source} 的编号为 {serial}，应为 {expected_serial}；"
            "请现场查验，或按许可登记新编号",
            "meter {source} tells the serial number {serial} instead of {expected_serial}: "
            "look at it, or declare the new one",
        ),
        1,
    ),
    Alarm(
        AlarmCode.METERS_SWAPPED,
        ActivityKind.METERS_SWAPPED,
        Name("电表地址互换", "Two meters have changed places"),
        Name(
            "以电表 {source} 的地址应答的是 {belongs_to} 的电表（编号 {serial}，"
            "应为 {expected_serial}）；其读数记在 {belongs_to} 名下；请改回地址",
            "what answers at the address of meter {source} is the meter of {belongs_to} (serial "
            "number {serial} instead of {expected_serial}); its readings count for {belongs_to}: "
            "set the addresses back",
        ),
        1,
    ),
    Alarm(
        AlarmCode.METER_TOO_PERFECT,
        ActivityKind.METER_TOO_PERFECT,
        Name("电表数值过于规则", "Meter's values are too perfect"),
        Name(
            "电表 {source} 的数值不像实测（{sign}，已 {hours} 小时，{kw} kW），"
            "可能是模拟器，已弃用；请现场查验电表和通信线路",
            "the values of meter {source} are not like measured ones ({sign}, for {hours} h, "
            "{kw} kW) and are not used: look for what else answers on the bus",
        ),
        1,
    ),
    Alarm(
        AlarmCode.METER_VOLTAGE_GONE,
        ActivityKind.METER_VOLTAGE_GONE,
        Name("电表失压", "Voltage gone where it must not be"),
        Name(
            "电表 {source}（{aspect}）的电压为 {volts} V，应约 {expected_v} V，电流 {amps} A；"
            "请检查供电、主通风机和电压引线",
            "meter {source} ({aspect}) has {volts} V where {expected_v} V are expected, at {amps} "
            "A: check the supply, the main fan and the voltage leads",
        ),
        1,
    ),
)
