"""A gateway as the site has one: `eseal run` in a process of its own, watched as systemd would."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

READY_S = 60.0


class GatewayError(Exception):
    """The daemon did not do what it was asked; carries the end of its log."""


class Gateway:
    """The daemon with its seal.toml, storage and log under one directory.

    Attributes:
        config: what seal.toml is written from at each start.
        log: file that the daemon's log goes to, JSON lines.
    """

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        self.directory = directory
        self.config = config
        self.config_file = directory / "seal.toml"
        self.log = directory / "eseal.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Process id of the running daemon."""
        if self._process is None:
            raise GatewayError("the daemon is not running")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code of the daemon that was started last, None while it runs."""
        return self._process.returncode if self._process else None

    async def start(self) -> float:
        """Start the daemon and wait for READY=1.

        Returns:
            Seconds that it took.

        Raises:
            GatewayError: it ended or was not ready in a minute; with its last words.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(to_toml(self.config), "utf-8")
        notify = self.directory / "notify"
        notify.unlink(missing_ok=True)
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(str(notify))
            receiver.setblocking(False)
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "edge",
                    "run",
                    "-c",
                    str(self.config_file),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=os.environ | {"NOTIFY_SOCKET": str(notify)},
                )
            await self._ready(receiver, began)
        return time.monotonic() - began

    async def _ready(self, receiver: socket.socket, began: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            left = began + READY_S - time.monotonic()
            try:
                message = await asyncio.wait_for(loop.sock_recv(receiver, 4096), min(left, 0.2))
            except TimeoutError:
                if self.exit_code is not None or left <= 0.2:
                    raise GatewayError(f"the daemon is not ready:\n{self.last_words()}") from None
                continue
            if b"READY=1" in message:
                return

    async def stop(self, timeout_s: float = 10.0) -> float:
        """SIGTERM, and wait.

        Returns:
            Seconds until the process was gone.

        Raises:
            GatewayError: it was still there after `timeout_s`.
        """
        if self._process is None or self._process.returncode is not None:
            return 0.0
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError:
            await self.kill()
            raise GatewayError(f"SIGTERM did not end the daemon:\n{self.last_words()}") from None
        return time.monotonic() - began

    async def kill(self) -> None:
        """SIGKILL, as a power cut does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def verifier_key(self) -> str:
        """Public key of the gateway's ledger, C2SP form."""
        storage = Path(self.config["storage"]["dir"])
        return (storage / "gateway.vkey").read_text("ascii").strip()


def to_toml(data: Mapping[str, Any], prefix: str = "") -> str:
    """`data` as TOML: scalars, lists of scalars, tables and lists of tables."""
    plain: list[str] = []
    tables: list[str] = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            tables.append(f"\n[{name}]\n{to_toml(value, f'{name}.')}")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            tables += [f"\n[[{name}]]\n{to_toml(item, f'{name}.')}" for item in value]
        else:
            plain.append(f"{key} = {_scalar(value)}\n")
    return "".join(plain + tables)


def _scalar(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value, ensure_ascii=False)
