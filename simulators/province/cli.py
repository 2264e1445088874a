"""`eseal simulate province`: a live table of everything that a broker's gateways send."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from edge.errors import ConfigError, Fault
from edge.ledger.keys import load_or_create
from simulators.province.broker import Broker
from simulators.province.orders import parse_order, parse_state
from simulators.province.service import Province

out = Console()


def province(
    host: Annotated[str, typer.Option(help="broker's name or address")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="broker's TCP port")] = 1883,
    start_broker: Annotated[
        bool, typer.Option("--broker", help="start a broker on this machine at --port first")
    ] = False,
    tls_ca: Annotated[Path | None, typer.Option(help="CA that signed the broker's")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="our client certificate")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="its private key")] = None,
    key: Annotated[
        Path, typer.Option(help="our Ed25519 key (PEM), made on first use; .vkey beside it")
    ] = Path("province.key"),
    gateway_key: Annotated[
        list[str] | None,
        typer.Option(help="a gateway's public key (its gateway.vkey); else trusted on first use"),
    ] = None,
    set_state: Annotated[
        list[str] | None,
        typer.Option(help="order a state first: MINE/GATEWAY=suspended; may be repeated"),
    ] = None,
    order: Annotated[
        list[str] | None,
        typer.Option(help="send an order: 'MINE/GATEWAY KIND {JSON}'; may be repeated"),
    ] = None,
    evidence: Annotated[Path | None, typer.Option(help="folder for evidence files")] = None,
    seconds: Annotated[float, typer.Option(help="stop after so long; 0: until Ctrl-C")] = 0.0,
    once: Annotated[
        bool, typer.Option("--once", help="print the table once everything is verified, and end")
    ] = False,
) -> None:
    """Subscribe, verify, cosign, and show a live table."""
    tls = _tls(tls_ca, tls_cert, tls_key)
    orders = [parse_state(text) for text in set_state or []]
    orders += [parse_order(text) for text in order or []]
    enrolled = dict(_enrolment(text) for text in gateway_key or [])
    signer = load_or_create(key, "province.simulated")

    async def work() -> None:
        async with Broker(port) if start_broker else _Nothing() as broker:
            address = (host, port) if broker is None else (broker.host, broker.province_port)
            service = Province(
                *address, signer=signer, tls=tls, gateway_keys=enrolled, evidence=evidence
            )
            keys = ", ".join(f'"{text}"' for text in service.keys)
            # soft_wrap: the line is there to be copied into seal.toml.
            out.print(f"[province]\nkeys = [{keys}]\n", markup=False, soft_wrap=True)
            async with service:
                for one in orders:
                    await service.send_order(one.mine_code, one.gateway, one.kind, one.args)
                await _show(service, seconds, once=once)

    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        out.print("stopped")


async def _show(service: Province, seconds: float, *, once: bool) -> None:
    if once:
        await service.wait_until(_settled, seconds or 30.0)
        out.print(service.table())
        if not _settled(service):
            raise typer.Exit(1)
        return
    until = asyncio.get_running_loop().time() + seconds
    with Live(service.table(), console=out, refresh_per_second=4) as live:
        while not seconds or asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.25)
            live.update(service.table())


def _settled(service: Province) -> bool:
    views = service.ledgers.values()
    return bool(views) and all(
        view.verified and not view.missing and not view.breaks for view in views
    )


class _Nothing:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_exc: object) -> None: ...


def _tls(ca: Path | None, cert: Path | None, key: Path | None) -> tuple[Path, Path, Path] | None:
    if ca is None and cert is None and key is None:
        return None
    if ca is None or cert is None or key is None:
        raise ConfigError(
            [Fault("--tls-ca, --tls-cert, --tls-key", "are not all given", "give all or none")]
        )
    return ca, cert, key


def _enrolment(text: str) -> tuple[tuple[str, str], str]:
    origin = text.partition("+")[0].split("/")
    if len(origin) != 3 or origin[0] != "eseal":
        raise ConfigError(
            [Fault("--gateway-key", f"is {text[:60]!r}", "give the line in gateway.vkey")]
        )
    return (origin[1], origin[2]), text
