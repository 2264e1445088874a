"""The command `eseal reference`: what a camera shows now is what it is compared with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer

from edge.config import load
from edge.terminal import DEFAULT_CONFIG, ConfigOption, err, out

_DAEMON_S, _TAKING_S, _STEP_S = 5.0, 90.0, 0.5


def reference(
    cameras: Annotated[list[str] | None, typer.Argument(help="codes of cameras")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    every: Annotated[bool, typer.Option("--all", help="every camera")] = False,
) -> None:
    """基准画面 · Take what cameras show now as what they are compared with; it is recorded."""
    settings = load(config)
    if every == bool(cameras):
        raise typer.BadParameter("name cameras, or give --all")
    from edge import commission

    directory = settings.storage.dir
    known = [camera.code for camera in settings.camera]
    wanted = commission.chosen(cameras or [], known, every=every)
    newest = max((index for index, _ in commission.taken(directory)), default=-1)
    commission.ask(directory, wanted)
    if not _until(lambda: not commission.waits(directory), _DAEMON_S):
        err.print("守护进程未运行，启动后再取 · eseal does not run; it will take them when it does")
        raise typer.Exit(1)

    def missing() -> set[str]:
        had = {data["source"] for index, data in commission.taken(directory) if index > newest}
        return set(wanted) - had

    _until(lambda: not missing(), _TAKING_S)
    for index, data in commission.taken(directory):
        if index > newest and data["source"] in wanted:
            pictures = [item["sha256"] for item in data.get("evidence", [])]
            out.print(f"{data['source']}: 已取 · taken, 记录 · record {index}", *pictures)
    for camera in sorted(missing()):
        err.print(
            f"{camera}: 画面不合格，未取 · not taken: no picture good enough (dark, blank or lost)"
        )
    raise typer.Exit(1 if missing() else 0)


def _until(done: Callable[[], bool], limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(_STEP_S)
    return True
