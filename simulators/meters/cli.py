"""`eseal simulate meters` and `eseal simulate contacts`: units on a real line until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from simulators.meters.server import MeterServer, RtuMeterServer
from simulators.meters.units import ContactUnit, MeterUnit, Site, Unit

out = Console()


class Machine(StrEnum):
    """Loads of the simulated site that can be switched on or off at the start."""

    FAN = "fan"
    PUMP = "pump"
    HOIST = "hoist"
    LIVING = "living"


HostOption = Annotated[str, typer.Option(help="interface for Modbus TCP")]
RtuOption = Annotated[
    bool, typer.Option("--rtu", help="Modbus RTU on a pseudo-terminal (9600 8N1) instead of TCP")
]
LinkOption = Annotated[
    Path | None, typer.Option(help="symbolic link to make to the terminal's device; implies --rtu")
]
DurationOption = Annotated[
    float, typer.Option(min=0, help="seconds to run; 0 = until Ctrl-C", show_default=False)
]


def meters(
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 = any free one")] = 5020,
    rtu: RtuOption = False,
    link: LinkOption = None,
    duration: DurationOption = 0.0,
    run: Annotated[
        list[Machine] | None, typer.Option(help="machine that runs; repeat for more")
    ] = None,
    silent: Annotated[
        list[int] | None, typer.Option(help="unit that answers nothing; repeat for more")
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of the loads' noise")] = 0,
) -> None:
    """Play an idle mine's power meters and contacts on one Modbus line.

    Ports: Modbus TCP on 127.0.0.1:5020 unless told otherwise. Files: none; with --rtu the
    device of a pseudo-terminal is printed, and --link makes a symbolic link to it.
    Units: 1 fan, 2 pump, 3 hoist, 4 guard house (living), 10 contacts and lamp.
    """
    site = Site(seed)
    named = {
        Machine.FAN: site.fan,
        Machine.PUMP: site.pump,
        Machine.HOIST: site.hoist,
        Machine.LIVING: site.living,
    }
    for machine in run or (Machine.FAN, Machine.LIVING):
        named[machine].start()
    for machine in set(named) - set(run or (Machine.FAN, Machine.LIVING)):
        named[machine].stop()
    for unit in site.units:
        unit.silent = unit.unit in (silent or ())
    names = {unit.unit: machine.value for machine, unit in named.items()}
    _run(_serve(site.units, names, host, port, rtu=rtu, link=link, duration=duration))


def contacts(
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 = any free one")] = 5021,
    rtu: RtuOption = False,
    link: LinkOption = None,
    duration: DurationOption = 0.0,
    unit: Annotated[int, typer.Option(min=1, max=247, help="Modbus address of the module")] = 10,
    opened: Annotated[
        list[int] | None, typer.Option("--open", help="contact (0-7) that is open; repeat for more")
    ] = None,
    toggle: Annotated[
        float, typer.Option(min=0, help="seconds after which contact 0 changes, over and over")
    ] = 0.0,
) -> None:
    """Play an input module: eight contacts (discrete inputs 0-7) and lamps (coils 0-7).

    Ports: Modbus TCP on 127.0.0.1:5021 unless told otherwise. Files: none; with --rtu the
    device of a pseudo-terminal is printed, and --link makes a symbolic link to it.
    """
    module = ContactUnit(unit, on_coil=_tell_lamp)
    for address in opened or ():
        if not 0 <= address < module.inputs:
            raise typer.BadParameter(f"{address}: contacts are 0 to {module.inputs - 1}")
        module.open(address)
    _run(_serve((module,), {}, host, port, rtu=rtu, link=link, duration=duration, toggle_s=toggle))


def _run(work: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        out.print("stopped")


async def _serve(
    units: Sequence[Unit],
    names: dict[int, str],
    host: str,
    port: int,
    *,
    rtu: bool,
    link: Path | None,
    duration: float,
    toggle_s: float = 0.0,
) -> None:
    server = RtuMeterServer(units) if rtu or link else MeterServer(units, host, port)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        if isinstance(server, RtuMeterServer):
            stack.enter_context(_linked(link, server.device))
            where = f"Modbus RTU 9600 8N1 on {link or server.device}"
        else:
            where = f"Modbus TCP on {server.host}:{server.port}"
        out.print(_table(where, units, names), soft_wrap=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(duration or None):
                await _toggle(units, toggle_s)


@contextmanager
def _linked(link: Path | None, device: str) -> Iterator[None]:
    if link is None:
        yield
        return
    if link.is_symlink():  # of an earlier run; anything else is not ours to replace
        link.unlink()
    link.symlink_to(device)
    try:
        yield
    finally:
        link.unlink(missing_ok=True)


async def _toggle(units: Sequence[Unit], period_s: float) -> None:
    modules = [unit for unit in units if isinstance(unit, ContactUnit)]
    while True:
        await asyncio.sleep(period_s or 3600.0)
        for module in modules if period_s else ():
            (module.open if module.is_closed(0) else module.close)(0)
            out.print(f"contact 0 of unit {module.unit}: {_position(module, 0)}")


def _position(module: ContactUnit, address: int) -> str:
    return "closed" if module.is_closed(address) else "open"


def _tell_lamp(address: int, on: bool) -> None:
    out.print(f"lamp {address}: {'on' if on else 'off'}")


def _table(where: str, units: Sequence[Unit], names: dict[int, str]) -> Table:
    table = Table("unit", "name", "what", "state", title=where, title_justify="left")
    for unit in units:
        if isinstance(unit, MeterUnit):
            state = "runs" if unit.running else "stands"
            what = unit.profile_name
        else:
            assert isinstance(unit, ContactUnit)
            open_ones = [str(i) for i in range(unit.inputs) if not unit.is_closed(i)]
            state = f"open: {', '.join(open_ones)}" if open_ones else "all closed"
            what = f"{unit.inputs} discrete inputs, {unit.coils} coils"
        table.add_row(
            str(unit.unit),
            names.get(unit.unit, "contacts"),
            what,
            "answers nothing" if unit.silent else state,
        )
    return table
