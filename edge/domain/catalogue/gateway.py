"""What the gateway notices about itself: clock, storage, ledger, session."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

ALARMS = (
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
