"""Whether each part works, judged by what it last did. Pure; ages are seconds.

A process that is up proves nothing: a meter works when its newest reading is young, the uplink
when nothing waits long for a PUBACK.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.domain.loss import name_of
from edge.domain.names import Name

GRACE_S = 30.0  # after a start, until which what was never seen is not held against a part
SLACK_S = 10.0  # beyond three sweeps that a meter may miss before it is lost
PICTURE_S = 15.0  # a camera is measured about once a second, and reconnects within this
DETECTED_S = 45.0  # a picture is looked at every ten seconds even when nothing moves
DURABLE_S = 400.0  # a health record is due every five minutes
ALARM_WAITS_S = 30.0
ROUTINE_WAITS_S = 300.0
RECEIPT_S = 300.0
QUEUE_IS_LONG = 500  # observations; a healthy gateway holds fewer than ten


@dataclass(frozen=True, slots=True)
class Check:
    """One part's verdict.

    Attributes:
        name: of the source or part.
        works: the verdict.
        text: why, for people.
    """

    name: str
    works: bool
    text: Name


def source(
    name: str, lost: str | None, age_s: float | None, limit_s: float | None, uptime_s: float
) -> Check:
    """A meter, camera or contact.

    Args:
        name: its code.
        lost: why it is lost; None while it answers.
        age_s: since its newest observation; None before the first.
        limit_s: how old that may be; None for a source that speaks only of changes.
        uptime_s: since the start.
    """
    if lost is not None:
        why = name_of(lost)
        return Check(name, False, Name(f"失联：{why.zh}", f"lost: {why.en}"))
    if age_s is None:
        return Check(name, uptime_s < GRACE_S, Name("尚无数据", "nothing seen yet"))
    text = Name(f"{age_s:.0f} 秒前有数据", f"seen {age_s:.0f} s ago")
    return Check(name, limit_s is None or age_s <= limit_s, text)


def detector(lost: str | None, ages_s: dict[str, float | None], uptime_s: float) -> Check:
    """The detector, by when it last ran on a picture of each camera that gives pictures."""
    if lost is not None:
        return Check("detector", False, Name(f"未运行：{lost}", f"does not run: {lost}"))
    late = [
        camera
        for camera, age_s in ages_s.items()
        if (uptime_s > DETECTED_S if age_s is None else age_s > DETECTED_S)
    ]
    if late:
        names = ", ".join(late)
        return Check("detector", False, Name(f"久未识别：{names}", f"not run lately on {names}"))
    return Check("detector", True, Name("正常识别", "runs"))


def storage(durable_s: float, held: int, queued: int, short_mb: float | None = None) -> Check:
    """The ledger: newest durable record, records that it did not take, judgement's queue.

    Args:
        durable_s: age of the newest durable record.
        held: records that wait for the disk.
        queued: observations that wait to be judged.
        short_mb: what is free where room is short; None where there is enough.
    """
    if held:
        text = Name(f"{held} 条记录写不进账本", f"{held} records could not be written")
        return Check("storage", False, text)
    if short_mb is not None:
        text = Name(
            f"空间不足，剩余 {short_mb:.0f} MB", f"room is short: {short_mb:.0f} MB are free"
        )
        return Check("storage", False, text)
    text = Name(f"{durable_s:.0f} 秒前落盘", f"newest record durable {durable_s:.0f} s ago")
    if queued > QUEUE_IS_LONG:
        text = Name(f"{queued} 条观测待处理", f"{queued} observations wait to be judged")
    return Check("storage", durable_s <= DURABLE_S and queued <= QUEUE_IS_LONG, text)


def uplink(fault: str | None, alarm_waits_s: float, routine_waits_s: float) -> Check:
    """The uplink.

    Args:
        fault: why there is no broker; None while connected.
        alarm_waits_s: how long the oldest record of that lane waits for its PUBACK; 0 = none does.
        routine_waits_s: the same.
    """
    if fault is not None:
        why = fault or "not connected yet"
        return Check("uplink", False, Name(f"未连接：{why}", f"not connected: {why}"))
    waits_s = max(alarm_waits_s, routine_waits_s)
    works = alarm_waits_s <= ALARM_WAITS_S and routine_waits_s <= ROUTINE_WAITS_S
    if works:
        return Check("uplink", True, Name("已连接", "connected"))
    text = Name(f"最早的记录已等待 {waits_s:.0f} 秒", f"oldest record waits for {waits_s:.0f} s")
    return Check("uplink", False, text)


def no_province() -> Check:
    """No key of the province is configured: nothing tells what it has, and nobody can order."""
    text = Name(
        "未配置上级平台公钥：不认回执和命令",
        "no province key is configured: receipts and orders are refused",
    )
    return Check("province", False, text)


def receipt(covered: int, size: int, age_s: float | None, uptime_s: float) -> Check:
    """The province's receipt: how much it covers, and when one last came in this run."""
    works = covered >= size or (uptime_s if age_s is None else age_s) <= RECEIPT_S
    text = Name(f"回执覆盖 {covered}/{size} 条", f"receipt covers {covered} of {size} records")
    return Check("receipt", works, text)
