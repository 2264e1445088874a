"""The command within this process and beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge import cli
from tests.configs import MINIMAL

METER = """
[[bus]]
code = "b"
transport = "tcp"
host = "127.0.0.1"
[[bus.meter]]
code = "hoist"
profile = "eastron_sdm630"
unit = 1
duty = "hoist"
running_kw = 10.0
"""
PAGE_OFF = "\n[page]\nenabled = false\n"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def eseal(monkeypatch, capsys) -> Callable[..., Said]:
    """Run the command within this process."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["eseal", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        code = ended.value.code
        assert isinstance(code, int)
        return Said(code, told.out, told.err)

    return run


def process(*arguments: object, **environment: str) -> Said:
    """Run the command as people do."""
    done = subprocess.run(
        [sys.executable, "-m", "edge", *map(str, arguments)],
        capture_output=True,
        timeout=50,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": "100", **environment},
    )
    told = Said(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in told.err, told.err
    return told


@pytest.fixture
def config(tmp_path) -> Path:
    """seal.toml with one meter and storage in a temporary directory."""
    return config_of(tmp_path, METER + PAGE_OFF)


def config_of(tmp_path: Path, more: str = "") -> Path:
    path = tmp_path / "seal.toml"
    path.write_text(MINIMAL.replace("/var/lib/eseal", str(tmp_path / "store")) + more, "utf-8")
    return path


@pytest.fixture
def apart(monkeypatch) -> None:
    """What is registered in this test is forgotten after it."""
    monkeypatch.setattr(cli.app, "registered_commands", cli.app.registered_commands[:])
    monkeypatch.setattr(cli.app, "registered_groups", cli.app.registered_groups[:])
