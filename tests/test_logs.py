"""What goes to standard error, in which form."""

from __future__ import annotations

import json
import os
import subprocess
import sys

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

HOSTILE = """
import structlog
from edge import logs
logs.configure("info")
structlog.get_logger("t").info("sealed", source="\\x1b]0;owned\\x07")
"""
PLAIN = {"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"}


def lines(level: str, **environment: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(level=level)],
        capture_output=True,
        check=True,
        env={**PLAIN, **environment},
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


def test_on_a_terminal_lines_are_for_people_and_cannot_steer_it():
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        subprocess.run([sys.executable, "-c", HOSTILE], stderr=theirs, check=True, env=PLAIN)
        os.close(theirs)
        said = screen.read(4096).decode()
    assert "sealed" in said
    assert "\\x1b]0;owned" in said
    assert "\x1b]0;" not in said
    assert not said.startswith("{")
