"""`eseal simulate camera`: one camera on one address."""

from __future__ import annotations

import asyncio
import contextlib
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.errors import EsealError
from simulators.cameras.auth import Scheme
from simulators.cameras.identity import self_signed
from simulators.cameras.mjpeg import MjpegServer, live_pictures
from simulators.cameras.scene import Condition, Scene
from simulators.cameras.server import CameraServer
from simulators.cameras.units import Codec

_CAST_S = 45.0  # somebody comes by this often


def camera(
    port: Annotated[int, typer.Option(help="0 lets the system choose")] = 8554,
    host: Annotated[str, typer.Option(help="interface to listen on")] = "127.0.0.1",
    codec: Annotated[Codec | None, typer.Option(help="h264 unless a file is played")] = None,
    place: Annotated[str, typer.Option(help="shaft or gate")] = "shaft",
    condition: Annotated[Condition, typer.Option(help="light and weather")] = Condition.DAY,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT, both even")] = "1280x720",
    fps: Annotated[float, typer.Option(min=1, max=60, help="frames a second")] = 12.5,
    seed: Annotated[int, typer.Option(help="another seed, another mine")] = 0,
    play: Annotated[Path | None, typer.Option(help="play this video in a loop instead")] = None,
    user: Annotated[str, typer.Option(help="name to ask for")] = "",
    password: Annotated[str, typer.Option(help="password to ask for")] = "",
    auth: Annotated[Scheme, typer.Option(help="how to ask")] = Scheme.NONE,
    corrupt: Annotated[
        float, typer.Option(min=0, max=1, help="share of packets in which bytes are changed")
    ] = 0.0,
    *,
    udp: Annotated[bool, typer.Option(help="offer UDP beside TCP")] = False,
    tls: Annotated[bool, typer.Option(help="RTSPS or HTTPS, self-signed; prints the pin")] = False,
    mjpeg: Annotated[bool, typer.Option(help="JPEG over HTTP instead of RTSP")] = False,
    still: Annotated[bool, typer.Option(help="nobody ever comes by")] = False,
) -> None:
    """Run one camera until Ctrl-C: a rendered shaft head, or a video file."""
    if auth is not Scheme.NONE and not user:
        raise typer.BadParameter("needs --user and --password", param_hint="--auth")
    if mjpeg and (play is not None or codec is not None or udp):
        raise typer.BadParameter("goes without --play, --codec, --udp", param_hint="--mjpeg")
    identity = self_signed(address=_numeric(host)) if tls else None
    common: dict[str, Any] = {
        "host": host,
        "port": port,
        "user": user,
        "password": password,
        "auth": auth,
    }
    common |= {"identity": identity}
    transports = ("tcp", "udp") if udp else ("tcp",)
    server: CameraServer | MjpegServer
    scene = None
    if play is not None:
        server = CameraServer.play(play, codec=codec, transports=transports, **common)
    else:
        if place not in {"shaft", "gate"}:
            raise typer.BadParameter("is shaft or gate", param_hint="--place")
        scene = Scene(_size(size), seed, place, condition=condition)
        if mjpeg:
            server = MjpegServer(live_pictures(scene), fps, **common)
        else:
            kind = codec or Codec.H264
            server = CameraServer.live(scene, codec=kind, fps=fps, transports=transports, **common)
    server.corrupt = corrupt
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(server, None if still else scene))
    except (EsealError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


async def _serve(server: CameraServer | MjpegServer, scene: Scene | None) -> None:
    async with server:
        typer.echo(server.url)
        if server.identity is not None:
            typer.echo(f"tls_pin = {server.identity.pin}", err=True)
        turn = 0
        while True:
            if scene is not None:
                _cast(scene, turn)
            turn += 1
            await asyncio.sleep(_CAST_S)


def _cast(scene: Scene, turn: int) -> None:
    """Somebody comes by: a person, then a vehicle, then a person the other way."""
    start = scene.now() + 5
    if turn % 3 == 1:
        scene.drive(start, seed=turn)
    else:
        scene.walk(start, "in" if turn % 3 == 0 else "out", seed=turn)


def _numeric(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return ""


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    if match is None:
        raise typer.BadParameter("is WIDTHxHEIGHT, as 1280x720", param_hint="--size")
    width, height = int(match[1]), int(match[2])
    if width % 2 or height % 2 or not (64 <= width <= 1920 and 64 <= height <= 1080):
        raise typer.BadParameter("is even and 64x64 to 1920x1080", param_hint="--size")
    return width, height
