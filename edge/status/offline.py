"""`eseal status`: what the ledger on disk says, whether or not the daemon runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from edge.clock import parse_iso
from edge.config import SealConfig
from edge.domain.names import STATE_NAMES
from edge.domain.order import SetState
from edge.domain.record import Lane, RecordType
from edge.errors import Refused
from edge.ledger.checkpoint import Verifier, parse_note, verify_cosignature
from edge.ledger.leaf import decode_leaf
from edge.ledger.store import LedgerView
from edge.rules.incidents import Incident, fold
from edge.rules.recall import obeyed
from edge.status.live import RESTORED_TYPES

Rows = list[tuple[str, str]]

_LANES = {Lane.ALARM: "报警 · alarm lane", Lane.ROUTINE: "常规 · routine lane"}
_NONE = "无 · none"


def read_offline(config: SealConfig) -> dict[str, Rows]:
    """Tables of name and value, by title.

    Raises:
        ConfigError, LedgerCorrupt, StorageFull: there is no ledger that can be read.
    """
    now_us = time.time_ns() // 1000
    view = LedgerView.open(config.storage.dir)
    try:
        orders = list(view.leaves_of([RecordType.ORDER_DONE]))
        found = fold(view.leaves_of(RESTORED_TYPES))
        return {
            "站点 · Site": _site(config, orders),
            "账本 · Ledger": _ledger(view, now_us),
            "上传 · Uplink": _uplink(view, config, now_us),
            "网关 · Gateway": _gateway(view, now_us),
            "未结异常 · Open incidents": _incidents(found.values(), now_us),
        }
    finally:
        view.close()


def _site(config: SealConfig, orders: Iterable[Mapping[str, Any]]) -> Rows:
    state, since = config.site.state, "配置 · configured"
    for order in orders:
        args = obeyed(order)
        if isinstance(args, SetState):
            state, since = args.state, f"命令 · {order['time']}"
    name = STATE_NAMES[state]
    return [
        ("煤矿编码 · mine code", config.site.mine_code),
        ("名称 · name", config.site.name or _NONE),
        ("网关 · gateway", config.site.gateway),
        ("状态 · state", f"{name.zh} · {name.en} ({since})"),
    ]


def _ledger(view: LedgerView, now_us: int) -> Rows:
    size, note = view.size, view.checkpoint()
    newest = [decode_leaf(leaf) for _, leaf in view.reader.leaves(size - 1, size)] if size else []
    return [
        ("来源 · origin", view.origin),
        ("记录 · records", str(size)),
        ("最新记录 · newest record", _since(newest[0]["time"], now_us) if newest else _NONE),
        ("检查点 · checkpoint", f"{parse_note(note).checkpoint.size}" if note else _NONE),
        ("公钥 · public key", view.vkey),
    ]


def _uplink(view: LedgerView, config: SealConfig, now_us: int) -> Rows:
    rows: Rows = [("回执 · receipt", _receipt(view, config, now_us))]
    if not config.province.keys:
        text = "未配置，不认回执和命令 · not configured: receipts and orders are refused"
        rows.append(("上级平台公钥 · province keys", text))
    for lane, title in _LANES.items():
        count, oldest_us = view.backlog(lane)
        waits = f"，最早 · oldest {_ago(now_us - oldest_us)}" if oldest_us is not None else ""
        rows.append((f"待传 · waiting, {title}", f"{count}{waits}"))
    return rows


def _receipt(view: LedgerView, config: SealConfig, now_us: int) -> str:
    held = view.receipt()
    if held is None:
        return _NONE
    size, note = held
    try:
        keys = [Verifier.parse(key) for key in config.province.keys]
        _, name, unix_s = verify_cosignature(note, [*keys, *(key.as_cosigner() for key in keys)])
        signed = f"{name}, {_ago(now_us - unix_s * 1_000_000)}"
    except Refused:
        signed = "无已登记公钥的签名 · signed by no enrolled key"
    return f"{size}/{view.size} ({signed})"


def _gateway(view: LedgerView, now_us: int) -> Rows:
    """What the newest health record said, and whether the gateway stopped since."""
    lasting = {
        RecordType.GATEWAY_STARTED: "启动 · started",
        RecordType.GATEWAY_STOPPED: "停止 · stopped",
        RecordType.GATEWAY_HEALTH: "自检 · health record",
    }
    newest = {kind: _last(view.leaves_of([kind])) for kind in lasting}
    rows = [
        (title, _since(leaf["time"], now_us))
        for kind, title in lasting.items()
        if (leaf := newest[kind]) is not None
    ]
    health = newest[RecordType.GATEWAY_HEALTH]
    if health is not None:
        data = health["data"]
        rows.append(("故障 · failing", ", ".join(data.get("failing", [])) or _NONE))
        puback_s = data.get("uplink", {}).get("puback_s")
        told = _NONE if puback_s is None else f"自检前 · {puback_s} s before the health record"
        rows.append(("最新送达 · newest PUBACK", told))
    return rows


def _incidents(incidents: Iterable[Incident], now_us: int) -> Rows:
    rows = [
        (
            f"{incident.level} {incident.code.value}",
            "\n".join([*incident.text(), _since(incident.opened.iso(), now_us)]),
        )
        for incident in incidents
        if incident.closed is None
    ]
    return rows or [(_NONE, "")]


def _last(leaves: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    last = None
    for leaf in leaves:
        last = leaf
    return last


def _since(iso: str, now_us: int) -> str:
    return f"{iso} ({_ago(now_us - parse_iso(iso))})"


def _ago(us: int) -> str:
    """An age for people; a negative one shows that a clock was set back."""
    seconds = us // 1_000_000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
