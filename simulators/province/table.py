"""The province's live table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulators.province.chapters import Break
from simulators.province.view import GatewayView, IncidentRow

_LEVELS = {1: "bold red", 2: "dark_orange", 3: "yellow", 4: "blue"}
_SHOWN_INCIDENTS = 12
_SHOWN_ANSWERS = 8


def render(views: Iterable[GatewayView], now: float) -> RenderableType:
    """Gateways above, their incidents below.

    Args:
        views: what is known of each gateway.
        now: monotonic seconds.
    """
    views = list(views)
    rows = [(view, row) for view in views for row in view.incidents]
    rows.sort(key=lambda pair: pair[1].arrived)
    parts: list[RenderableType] = [_gateways(views, now)]
    parts += [_break(view, broken) for view in views for broken in view.breaks]
    answers = [(view, data) for view in views for data in view.answers.values()]
    if answers:
        parts.append(_answers(answers[-_SHOWN_ANSWERS:]))
    return Group(*parts, _incidents(rows[-_SHOWN_INCIDENTS:]))


def _gateways(views: list[GatewayView], now: float) -> Table:
    on_trust = any(view.key_source == "first use" for view in views)
    table = Table(
        title="省级平台 Province",
        title_justify="left",
        caption="* 首次使用时信任的密钥  key trusted on first use" if on_trust else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("矿 / 网关\nmine / gateway", no_wrap=True)
    table.add_column("在线\nonline", no_wrap=True)
    for name in ("收到\ngot", "缺失\nmissing", "重复\nrepeats", "证据\nfiles"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("签名与树\nverified", min_width=13)
    table.add_column("最近\nseen", justify="right", no_wrap=True)
    for view in views:
        table.add_row(
            f"{view.mine_code} / {view.gateway}",
            Text("●", "green") if view.online else Text("○", "red"),
            str(view.received),
            Text(str(view.missing), "red" if view.missing else "green"),
            str(view.duplicates),
            str(len(view.shelf.files)),
            _verdict(view),
            f"{max(0.0, now - view.last_seen):.0f} s",
        )
    return table


def _verdict(view: GatewayView) -> Text:
    if view.faults:
        return Text(f"✗ {view.faults[-1]}", "bold red")
    size = f"{view.log.proven}/{view.log.claimed}"
    note = "*" if view.key_source == "first use" else ""
    return Text(f"✓ {size}{note}", "green") if view.verified else Text(f"… {size}{note}", "yellow")


def _break(view: GatewayView, broken: Break) -> Text:
    """A log that ended out of order is never whole, whatever of it arrived."""
    return Text(
        f"✗ {view.mine_code} / {view.gateway}: 账本中断 log broken off ({broken.reason or '?'}): "
        f"{broken.ended or '?'} → {broken.origin}; 本机丢失 gateway lost ≥ {broken.lost}, "
        f"平台存有 held here {broken.held}",
        "bold red",
    )


def _incidents(rows: list[tuple[GatewayView, IncidentRow]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("级\nlvl", justify="center")
    table.add_column("异常\nincident")
    table.add_column("来源\nsource")
    table.add_column("发生\nopened", no_wrap=True)
    table.add_column("状态\nstate")
    table.add_column("图\npictures", justify="right")
    for view, row in rows:
        held = sum(digest in view.shelf.files for digest in row.evidence)
        table.add_row(
            Text(str(row.level), _LEVELS.get(row.level, "")),
            Text(f"{row.zh}  {row.en}", _LEVELS.get(row.level, "")),
            f"{row.source} {row.place}".strip(),
            row.opened[11:19],
            Text("已结束 closed", "dim") if row.closed else Text("进行中 open", "bold"),
            f"{held}/{len(row.evidence)}" if row.evidence else "",
        )
    return table


def _answers(rows: list[tuple[GatewayView, Mapping[str, Any]]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("命令\norder", "矿 / 网关\nmine / gateway", "结果\nresult", "说明\ndetail"):
        table.add_column(name)
    for view, data in rows:
        done = data["result"] == "done"
        reason = data.get("reason") or {}
        detail = data.get("detail") or {}
        words = f"{reason.get('zh', '')}  {reason.get('en', '')}".strip()
        files = len(data.get("evidence") or ())
        figures = [f"{name} {value}" for name, value in detail.items()]
        figures += [f"图 files {files}"] if files else []
        table.add_row(
            str(data.get("kind", "?")),
            f"{view.mine_code} / {view.gateway}",
            Text("✓ 完成 done", "green") if done else Text("✗ 未执行 failed", "bold red"),
            Text(words or ", ".join(figures)),
        )
    return table
