"""`eseal simulate …` and `eseal demo`: added to the command where the simulators are installed."""

from __future__ import annotations

import typer

from simulators.cameras.cli import camera
from simulators.demo.cli import demo
from simulators.meters.cli import contacts, meters
from simulators.province.cli import province
from simulators.site.cli import site


def register(app: typer.Typer) -> None:
    """Add the simulators' commands to `app`."""
    simulate = typer.Typer(no_args_is_help=True, help="模拟 · Run one simulator until Ctrl-C.")
    for command in (site, meters, contacts, camera, province):
        simulate.command()(command)
    app.add_typer(simulate, name="simulate")
    app.command()(demo)
