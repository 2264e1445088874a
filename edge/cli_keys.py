"""The commands `eseal enroll` and `eseal rotate-key`: the box's own keys."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from edge.clock import SystemClock
from edge.config import load
from edge.terminal import DEFAULT_CONFIG, ConfigOption, out


def enroll(
    config: ConfigOption = DEFAULT_CONFIG,
    province: Annotated[
        list[str] | None,
        typer.Option(help="public key that the province gave; may be repeated"),
    ] = None,
) -> None:
    """登记 · Make this box's keys and a certificate request; run again, it changes nothing."""
    settings = load(config)
    from edge.enroll import enroll as make

    made = make(settings, province or [])
    out.print("网关公钥，报上级平台备案 · public key, to be enrolled at the province:")
    out.print(Text(f"  {made.vkey}", "bold"))
    out.print(f"证书申请，交上级平台签发 · request, to be signed by the province: {made.request}")
    out.print(f"其私钥，不得外传 · its private key, to be kept here: {made.tls_key}")
    if made.province:
        out.print("写入配置 · add to seal.toml:")
        out.print(made.province)


def rotate_key(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """更换密钥 · Change the gateway's key, signed by the old and the new one; stop eseal first."""
    settings = load(config)
    from edge.ledger.rotate import rotate_key as rotate

    site = settings.site
    old, new, index = rotate(
        settings.storage.dir,
        gateway=f"eseal/{site.mine_code}/{site.gateway}",
        clock=SystemClock(),
        state=site.state,
    )
    out.print(f"旧公钥 · old key: {old}")
    out.print(f"新公钥 · new key: {new}")
    out.print(f"第 {index} 条记录起由新密钥签名 · the new key signs from record {index} on")
