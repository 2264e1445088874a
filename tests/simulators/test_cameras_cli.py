"""`eseal simulate camera` as a person runs it."""

from __future__ import annotations

import asyncio
import signal
import sys
from itertools import islice

import pytest
import typer
from typer.testing import CliRunner

from edge.vision.stream.access import Access
from edge.vision.stream.source import packets
from simulators.cameras.cli import camera
from tests.simulators.test_cameras_server import read

app = typer.Typer()
app.command()(camera)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--place", "moon"], "shaft or gate"),
        (["--size", "big"], "WIDTHxHEIGHT"),
        (["--size", "641x360"], "even"),
        (["--size", "4000x3000"], "even"),
        (["--auth", "basic"], "--user"),
        (["--codec", "mjpeg"], "h264"),
        (["--mjpeg", "--udp"], "goes without"),
    ],
)
def test_wrong_use_is_told_with_what_would_be_right(arguments, words):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert words in result.output.replace("\n", " ")


def test_a_file_that_cannot_be_played_is_told(tmp_path):
    result = CliRunner().invoke(app, ["--play", str(tmp_path / "none.mp4"), "--port", "0"])
    assert result.exit_code == 1
    assert "none.mp4" in result.output


async def test_the_printed_url_can_be_opened_until_ctrl_c():
    program = "import typer; from simulators.cameras.cli import camera; typer.run(camera)"
    arguments = [
        "--port",
        "0",
        "--size",
        "160x96",
        "--place",
        "gate",
        "--condition",
        "night",
        "--codec",
        "h265",
    ]
    login = ["--user", "ann", "--password", "x", "--auth", "digest"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments, *login, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        url = line.decode().strip()
        assert url.startswith("rtsp://ann:x@127.0.0.1:")
        assert len(await read(url)) == 3
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_jpeg_within_tls_is_shown_with_its_pin():
    program = "import typer; from simulators.cameras.cli import camera; typer.run(camera)"
    arguments = ["--port", "0", "--size", "160x96", "--mjpeg", "--tls", "--still"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments, stdout=pipe, stderr=pipe
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        url = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        pin = (await asyncio.wait_for(process.stderr.readline(), 30)).decode().split()[-1]
        access = Access(url, tls_pin=pin)
        assert len(await asyncio.to_thread(lambda: list(islice(packets(access), 2)))) == 2
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 10) == 0
