"""What goes to standard error, in which form."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
import structlog

from edge import logs

SCRIPT = """
import logging, warnings, structlog
from edge import logs
logs.configure({level!r})
log = structlog.get_logger("t")
log.debug("small")
log.info("sealed", site="井口", source=b"\\xff")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("a bug")
logging.getLogger("pymodbus").error("a library's fault")
logging.getLogger("pymodbus").warning("a library's chatter")
warnings.warn("more of it")
"""


def lines(level: str, **environment: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(level=level)],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **environment},
    )
    assert done.stdout == b""
    return [json.loads(line) for line in done.stderr.decode().splitlines()]


def test_under_systemd_every_line_is_one_json_object():
    said = lines("info", INVOCATION_ID="x")
    assert [line["event"] for line in said] == ["sealed", "a bug", "a library's fault"]
    assert said[0]["site"] == "井口"
    assert said[0]["level"] == "info"
    assert str(said[0]["timestamp"]).endswith("Z")
    assert "ZeroDivisionError" in str(said[1]["exception"])


def test_the_level_decides_what_is_told():
    assert next(line["event"] for line in lines("debug")) == "small"
    assert [line["event"] for line in lines("error")] == ["a bug", "a library's fault"]


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Standard error that says it is a terminal; logging as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    yield capsys
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_on_a_terminal_lines_are_for_people_and_cannot_steer_it(terminal):
    logs.configure("info")
    structlog.get_logger("t").info("sealed", source="\x1b]0;owned\x07")
    said = terminal.readouterr().err
    assert "sealed" in said
    assert "\x1b]0;" not in said
    assert not said.startswith("{")
