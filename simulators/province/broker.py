"""The province's MQTT broker for one machine: mosquitto if it is installed, else amqtt."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal, Self

from simulators.province.cable import Cable
from simulators.province.certificates import Authority, Pair

START_S = 10.0
STOP_S = 5.0

Kind = Literal["mosquitto", "amqtt"]


class BrokerError(Exception):
    """The broker does not come up; carries the end of its log."""


class Broker:
    """A broker in a process of its own, with a cable in front that can be cut.

    Args:
        port: that gateways connect to (the cable's near end); 0 lets the system choose.
        tls: mutual TLS with an authority made for the occasion.
        kind: which broker; by default mosquitto if it is there.
        durable: mosquitto stores its state at every change (hundreds of messages a second, no
            more), so that it may be killed; otherwise once a second and when it is stopped.
        options: lines added to mosquitto's configuration.

    Attributes:
        port: for gateways, through the cable.
        province_port: straight to the broker; stays when the cable is cut.
        ca, gateway, province: certificate files, with `tls` only.
        cable: the cable itself (`delay_s`, `hung`).
    """

    def __init__(
        self,
        port: int = 0,
        *,
        tls: bool = False,
        kind: Kind | None = None,
        durable: bool = False,
        options: tuple[str, ...] = (),
    ) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self.province_port = 0
        self.tls = tls
        self.kind: Kind = kind or ("mosquitto" if find_mosquitto() else "amqtt")
        self.ca: Path | None = None
        self.gateway: Pair | None = None
        self.province: Pair | None = None
        self._server: Pair | None = None
        self._durable = durable
        self._options = options
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self.cable = Cable(0, port)

    async def __aenter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="eseal-broker-"))
        try:
            if self.tls:
                authority = Authority(self._folder / "tls")
                self.ca = authority.certificate
                self._server = authority.issue("broker", server=True)
                self.gateway = authority.issue("gateway")
                self.province = authority.issue("province")
            self.province_port = _free_port()
            await self.start()
            self.cable.target = self.province_port
            await self.cable.restore()
        except BaseException:
            await self.kill()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.port = self.cable.port
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.cable.cut()
        await self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def mqtt(self) -> Literal["5", "3.1.1"]:
        """The best version of MQTT that it speaks; saying so saves a client the trial of 5."""
        return "3.1.1" if self.kind == "amqtt" else "5"

    @property
    def log(self) -> str:
        """What the broker has said."""
        path = self._folder / "broker.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    async def cut(self) -> None:
        """Cut the cable: gateways lose the broker, the province does not."""
        await self.cable.cut()

    async def restore(self) -> None:
        """Mend the cable."""
        await self.cable.restore()

    async def start(self) -> None:
        """Start the process and wait until it listens. Raises BrokerError."""
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  starting takes a millisecond
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        loop = asyncio.get_running_loop()
        until = loop.time() + START_S
        while not await _listens(self.province_port):
            if self._process.poll() is not None or loop.time() > until:
                await self.kill()
                raise BrokerError(f"{self.kind} does not come up:\n{self.log[-2000:]}")
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """SIGTERM: sessions are stored (mosquitto)."""
        loop = asyncio.get_running_loop()
        until = loop.time() + STOP_S
        # Again and again: mosquitto forgets a signal that comes while it starts.
        while self._process is not None and loop.time() < until:
            self._process.terminate()
            await self._gone(0.5)
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            await self._gone(STOP_S)

    async def _gone(self, timeout_s: float) -> None:
        """Wait until the process has ended, or time is up."""
        until = asyncio.get_running_loop().time() + timeout_s
        while self._process is not None and asyncio.get_running_loop().time() < until:
            if self._process.poll() is not None:
                self._process = None
            else:
                await asyncio.sleep(0.01)

    def _command(self) -> list[str]:
        if self.kind == "amqtt":
            tls = {}
            if self._server is not None:
                tls = {
                    "cafile": str(self.ca),
                    "certfile": str(self._server.certificate),
                    "keyfile": str(self._server.key),
                }
            module = "simulators.province.amqtt_broker"
            return [sys.executable, "-m", module, str(self.province_port), json.dumps(tls)]
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(self._mosquitto_lines()) + "\n", "utf-8")
        return [find_mosquitto() or "mosquitto", "-c", str(config)]

    def _mosquitto_lines(self) -> list[str]:
        lines = [
            "persistence true",
            f"persistence_location {self._folder}/",
            f"autosave_on_changes {'true' if self._durable else 'false'}",
            "autosave_interval 1",
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            "set_tcp_nodelay true",
            "log_type error",
            "log_type warning",
            "log_type notice",
            f"listener {self.province_port} {self.host}",
            "allow_anonymous true",
            *self._options,
        ]
        if os.geteuid() == 0:
            lines.insert(0, "user root")  # else it changes to a user who cannot write here
        if self._server is not None:
            lines += [
                f"cafile {self.ca}",
                f"certfile {self._server.certificate}",
                f"keyfile {self._server.key}",
                "require_certificate true",
                "tls_version tlsv1.2",
            ]
        return lines


def find_mosquitto() -> str | None:
    """Path of mosquitto; Debian keeps it where ordinary users do not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def _listens(port: int) -> bool:
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
