"""`eseal simulate site`: a whole mine to point a gateway at."""

from __future__ import annotations

import asyncio
from itertools import cycle
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulators.gateway import to_toml
from simulators.site.site import Site, seal_toml

out = Console()

_EVENTS = (
    ("a person walks to the shaft", Site.person_walks_in),
    ("the pump starts", Site.pump_starts),
    ("a truck leaves", Site.truck_leaves),
    ("the hoist starts", Site.hoist_starts),
    ("the pump stops", Site.pump_stops),
    ("the hoist stops", Site.hoist_stops),
    ("the shaft's camera is covered", Site.camera_is_covered),
    ("the cover is taken off", Site.camera_is_uncovered),
)


def site(
    write: Annotated[Path, typer.Option(help="seal.toml to write for a gateway")] = Path(
        "site.toml"
    ),
    storage: Annotated[Path, typer.Option(help="its storage.dir")] = Path("site-storage"),
    broker_port: Annotated[int, typer.Option(help="broker on this machine, without TLS")] = 1883,
    province_key: Annotated[
        list[str] | None,
        typer.Option(help="for the keys of the province; `simulate province` prints them"),
    ] = None,
    modbus_port: Annotated[int, typer.Option(help="Modbus TCP; 0: any")] = 5020,
    shaft_port: Annotated[int, typer.Option(help="RTSP of the shaft's camera; 0: any")] = 8554,
    gate_port: Annotated[int, typer.Option(help="RTSP of the gate's camera; 0: any")] = 8555,
    events: Annotated[
        float, typer.Option(min=0, help="seconds between two things that happen; 0: all is quiet")
    ] = 20.0,
) -> None:
    """Meters, contacts and two cameras; writes the seal.toml that fits them.

    Ports: Modbus TCP 5020, RTSP 8554 and 8555, and a pseudo-terminal for the serial line.
    """

    async def work() -> None:
        ports = (shaft_port, gate_port)
        async with Site(modbus_port=modbus_port, camera_ports=ports) as mine:
            broker = {"host": "127.0.0.1", "port": broker_port}
            config = seal_toml(mine, storage.resolve(), broker, tuple(province_key or ()))
            write.write_text(to_toml(config), "utf-8")
            for bus in config["bus"]:
                out.print(bus["code"], bus.get("device") or f"{bus['host']}:{bus['port']}")
            for camera in config["camera"]:
                out.print(camera["code"], camera["url"])
            out.print(f"wrote {write}: eseal run -c {write}")
            await _live(mine, events)

    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        out.print("stopped")


async def _live(mine: Site, period_s: float) -> None:
    if not period_s:
        await asyncio.Event().wait()
    for text, act in cycle(_EVENTS):
        await asyncio.sleep(period_s)
        out.print(text)
        act(mine)
