"""`eseal simulate meters` and `contacts`, run alone."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from contextlib import asynccontextmanager

import pytest
import typer
from typer.testing import CliRunner

from edge import cli
from edge.clock import SystemClock
from edge.sensors.modbus import open_port
from edge.sensors.plan import Span
from edge.sensors.spec import TcpBus
from simulators.meters.cli import contacts, meters
from tests.configs import REPO

app = typer.Typer()
app.command()(meters)
app.command()(contacts)

RUN = "import typer; from simulators.meters.cli import *; a = typer.Typer(); a.command()(meters); "
RUN += "a.command()(contacts); a()"


@asynccontextmanager
async def _running(*args):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        *args,
        cwd=REPO,
        env={"COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _said(process, pattern):
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while line := (await process.stdout.readline()).decode():
            if found := re.search(pattern, line):
                return found
    raise AssertionError(f"{pattern} was not said")


def _plain(text):
    return " ".join(re.sub(r"[│╭╰─]", " ", text).split())


@pytest.mark.parametrize(
    ("command", "port"), [("meters", "127.0.0.1:5020"), ("contacts", "127.0.0.1:5021")]
)
def test_help_says_ports_and_files(command, port):
    text = _plain(CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output)
    assert f"Ports: Modbus TCP on {port}" in text
    assert "Files: none" in text
    for option in ("--port", "--rtu", "--link", "--duration"):
        assert option in text


async def test_meters_run_until_they_are_interrupted_and_can_be_read():
    async with _running("meters", "--port", "0", "--run", "hoist", "--silent", "2") as process:
        port = int((await _said(process, r"Modbus TCP on 127\.0\.0\.1:(\d+)"))[1])
        await _said(process, r"1 .*chint_dtsu666.*stands")
        await _said(process, r"2 .*answers nothing")
        await _said(process, r"3 .*hoist.*runs")
        bus = TcpBus(code="b", transport="tcp", host="127.0.0.1", port=port, timeout_s=2)
        line = open_port(bus, SystemClock())
        assert len(await line.read(3, Span(4, 0, 18))) == 18
        assert await line.read(10, Span(2, 0, 2)) == [1, 1]
        line.close()
        process.send_signal(signal.SIGINT)
        await _said(process, "stopped")
        assert await process.wait() == 0


async def test_contacts_on_a_serial_line_have_a_link_that_goes_when_they_stop(tmp_path):
    link = tmp_path / "line"
    link.symlink_to("/dev/null")  # of an earlier run
    async with _running(
        "contacts",
        "--rtu",
        "--link",
        str(link),
        "--open",
        "3",
        "--toggle",
        "0.2",
        "--duration",
        "1",
    ) as process:
        await _said(process, rf"Modbus RTU 9600 8N1 on {link}")
        await _said(process, r"open: 3")
        assert link.resolve().is_relative_to("/dev/pts")
        await _said(process, "contact 0 of unit 10: open")
        await _said(process, "contact 0 of unit 10: closed")
        assert await process.wait() == 0
    assert not link.is_symlink()


def test_a_contact_that_does_not_exist_is_refused():
    answer = CliRunner().invoke(app, ["contacts", "--open", "8"], env={"COLUMNS": "200"})
    assert answer.exit_code == 2
    assert "contacts are 0 to 7" in _plain(answer.output)


def test_an_address_that_is_not_ours_is_an_error_that_the_command_tells():
    answer = CliRunner().invoke(app, ["meters", "--host", "192.0.2.1", "--duration", "1"])
    assert isinstance(answer.exception, OSError)
    assert answer.exception.errno in cli._ADDRESS_ERRORS
    assert "192.0.2.1:5020 cannot be opened" in str(answer.exception)
