"""`eseal probe …`: look at a device before it is wired into seal.toml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.errors import Unfit
from edge.terminal import out

_MAX_URL = 1000

app = typer.Typer(no_args_is_help=True, help="探测 · Look at a device before it is wired.")


@app.callback()
def probe() -> None:
    """探测 · Look at a device before it is wired."""


@app.command()
def camera(
    url: Annotated[
        str, typer.Argument(help="its URL; - reads it from standard input, out of sight of others")
    ],
    transport: Annotated[str, typer.Option(help="auto, tcp or udp")] = "auto",
    ca_file: Annotated[Path | None, typer.Option(help="PEM of an authority to trust")] = None,
    tls_pin: Annotated[str, typer.Option(help="SHA-256 of its certificate")] = "",
    seconds: Annotated[
        float, typer.Option(min=2, max=120, help="how long each way of watching is measured")
    ] = 8.0,
    snapshot: Annotated[
        Path | None, typer.Option(dir_okay=False, help="write a picture there (JPEG)")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """探测摄像机 · Say what a camera sends, and what watching it costs on this machine a day."""
    from edge.probe import probe as probe_camera
    from edge.vision.spec import main_url
    from edge.vision.stream.access import Access, Transport

    text = sys.stdin.readline(_MAX_URL).strip() if url == "-" else url
    try:
        main_url(text)
    except Unfit as error:
        raise typer.BadParameter(f"{error.problem}; {error.remedy}", param_hint="URL") from error
    if transport not in set(Transport):
        raise typer.BadParameter("is auto, tcp or udp", param_hint="--transport")
    access = Access(text, Transport(transport), str(ca_file or ""), tls_pin)
    out.print(probe_camera(access, seconds, snapshot, as_json=json))


@app.command()
def meter(
    where: Annotated[
        str,
        typer.Argument(
            help="/dev/ttyS1, HOST[:PORT] of a Modbus TCP server, or rtu-over-tcp://HOST:PORT"
        ),
    ],
    baud: Annotated[int, typer.Option(help="the line's speed, if it is known")] = 0,
    parity: Annotated[str, typer.Option(help="N, E or O, if it is known")] = "",
    units: Annotated[str, typer.Option(help="addresses to ask, e.g. 1-32,40")] = "1-247",
    timeout: Annotated[
        float | None,
        typer.Option(min=0.05, max=5, help="seconds that a unit may think; 0.3, on TCP 1"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=5, max=3600, help="that the search may take at most")
    ] = 300.0,
    live: Annotated[
        float, typer.Option(min=0, max=3600, help="seconds that values are shown live afterwards")
    ] = 10.0,
    profile: Annotated[
        list[Path] | None, typer.Option(help="a profile of your own to try too; repeat for more")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """探测电表 · Find speed, units and profiles of an unknown bus. Stop the daemon first."""
    from edge.probe_meter import Wanted, probe_meter, wanted_bus, wanted_units

    try:
        bus = wanted_bus(where, timeout, baud, parity)
        asked = wanted_units(units)
    except Unfit as error:
        raise typer.BadParameter(f"{error.problem}; {error.remedy}") from error
    known = bool(baud or parity)
    own = tuple(str(path.absolute()) for path in profile or ())
    probe_meter(Wanted(bus, known, asked, own, seconds, live), as_json=json)
