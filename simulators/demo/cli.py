"""`eseal demo`: plays the story live and says whether the province got what it should."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from simulators.demo.stage import Stage
from simulators.demo.story import EXPECTED, LENGTH_S, STORY, Beat
from simulators.demo.verdict import Verdict, compare

MIN_SECONDS = 60.0  # a person needs ten seconds for his way, whatever the story's length
CRASH_AT = 29.0  # in a story of LENGTH_S: the hoist works, nobody is in the picture
_REFRESH_S = 0.25
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture that fetches nothing


def demo(
    seconds: Annotated[
        float, typer.Option(min=MIN_SECONDS, max=3600, help="length of the story")
    ] = LENGTH_S,
    keep: Annotated[
        Path | None, typer.Option(help="keep configuration, log, ledger, evidence in this folder")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--json", help="write the verdict to this file")
    ] = None,
    crash: Annotated[
        bool, typer.Option("--crash", help="kill -9 the daemon in the middle and start it again")
    ] = False,
    model: Annotated[
        str, typer.Option(help="detector to use instead of the default: a name or an .onnx file")
    ] = "",
    svg: Annotated[
        Path | None, typer.Option(help="write the last screen to this file as a picture")
    ] = None,
) -> None:
    """演示 · Play a night at an idle mine; exit 0 only if the province got every alarm, once.

    Everything runs on sockets of this machine: Modbus TCP and RTU, RTSP, MQTT over TLS.
    """
    console = Console(record=svg is not None, width=110 if svg else None)
    folder = keep or Path(tempfile.mkdtemp(prefix="eseal-demo-"))
    try:
        verdict = asyncio.run(_play(Stage(folder, model), seconds, console, crash=crash))
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if report is not None:
        report.write_text(json.dumps({**verdict.as_json(), "crash": crash}, indent=1) + "\n")
    if svg is not None:
        picture = _FONTS.sub("", console.export_svg(title="make demo"))
        svg.write_text("\n".join(line.rstrip() for line in picture.splitlines()) + "\n", "utf-8")
    raise typer.Exit(0 if verdict.good else 1)


async def _play(unset: Stage, seconds: float, console: Console, *, crash: bool) -> Verdict:
    pace = seconds / LENGTH_S
    told: list[tuple[float, Beat]] = []
    console.print("[dim]broker, province, mine and gateway are starting …[/]")
    async with unset as stage:
        if stage.broker.kind != "mosquitto":
            console.print("[yellow]mosquitto is not installed: amqtt stands in (MQTT 3.1.1)[/]")
        await stage.settle()
        began = time.monotonic()
        crash_at = CRASH_AT * pace if crash else None
        with Live(_screen(stage, told), console=console, refresh_per_second=4) as live:
            for beat in STORY:
                while (left := began + beat.at * pace - time.monotonic()) > 0:
                    await asyncio.sleep(min(left, _REFRESH_S))
                    live.update(_screen(stage, told))
                    if crash_at is not None and time.monotonic() - began >= crash_at:
                        crash_at = None
                        await stage.crash()
                await stage.act(beat)
                told.append((time.monotonic() - began, beat))
            size = await stage.finish()
            live.update(_screen(stage, told))
        view = stage.view
        verdict = compare(
            EXPECTED,
            [
                (row.code, row.source)
                for row in view.incidents
                for _ in range(view.opened.get(row.id, 0))
            ],
            records=(size, view.received),
            verified=view.verified and not view.missing and not view.faults,
            repeats=view.duplicates,
        )
        console.print(_verdict(verdict))
        if not verdict.good:
            console.print("the daemon's last words:", stage.gateway.last_words(), markup=False)
    return verdict


def _screen(stage: Stage, told: list[tuple[float, Beat]]) -> RenderableType:
    story = Table.grid(padding=(0, 2))
    for at, beat in told[-5:]:
        story.add_row(Text(f"{at:5.1f} s", "dim"), f"{beat.zh}  {beat.en}")
    return Group(stage.province.table(), story)


def _verdict(verdict: Verdict) -> RenderableType:
    table = Table("incident", "source", "expected", "received", box=box.SIMPLE_HEAD)
    for code, source, expected, received in verdict.rows:
        style = "green" if expected == received else "bold red"
        table.add_row(code, source, str(expected), str(received), style=style)
    held, arrived = verdict.records
    line = Text.assemble(
        (
            "通过 PASSED" if verdict.good else "失败 FAILED",
            "bold green" if verdict.good else "bold red",
        ),
        f"  records {held}, received {arrived}, repeats {verdict.repeats}, ",
        "verified" if verdict.verified else ("not verified", "bold red"),
    )
    return Group(table, line)
