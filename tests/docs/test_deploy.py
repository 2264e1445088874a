"""The systemd unit starts a command that exists and fits the rest."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import typer

from edge import cli
from edge.config import load
from edge.errors import ConfigError
from edge.terminal import DEFAULT_CONFIG
from tests.configs import SAMPLE
from tests.docs.pages import REPO

UNIT = REPO / "deploy" / "eseal.service"
OPERATIONS = (REPO / "docs" / "operations.md").read_text("utf-8")


def directives() -> dict[str, dict[str, list[str]]]:
    """Section → directive → values. A directive may stand several times."""
    found: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = found.setdefault(heading[1], {})
            continue
        key, separator, value = line.partition("=")
        assert separator, line
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", key), line
        section.setdefault(key, []).append(value)
    return found


def only(key: str) -> str:
    (value,) = directives()["Service"][key]
    return value


def test_the_unit_has_the_three_sections():
    assert set(directives()) == {"Unit", "Service", "Install"}


def test_the_command_that_is_started_exists():
    program, *arguments = only("ExecStart").split()
    assert program == "/opt/eseal/bin/eseal"
    assert "python3 -m venv /opt/eseal\n" in OPERATIONS
    group = typer.main.get_command(cli.app)
    command = group.commands[arguments[0]]  # type: ignore[attr-defined]
    context = command.make_context(arguments[0], arguments[1:])
    assert context.params["config"] == DEFAULT_CONFIG


def test_a_faulty_configuration_is_not_started_again_and_everything_else_is():
    assert only("RestartPreventExitStatus") == str(ConfigError.exit_code)
    assert only("Restart") == "always"
    assert directives()["Unit"]["StartLimitIntervalSec"] == ["0"]


def test_systemd_is_told_how_the_daemon_is():
    assert only("Type") == "notify"
    assert only("NotifyAccess") == "main"
    assert int(only("WatchdogSec")) >= 10
    assert int(only("TimeoutStopSec")) > 3  # what a stop may take


def test_the_directories_are_those_of_the_sample():
    assert str(load(SAMPLE).storage.dir) == f"/var/lib/{only('StateDirectory')}"
    assert str(DEFAULT_CONFIG.parent) == f"/etc/{only('ConfigurationDirectory')}"


def test_the_user_is_its_own_and_is_made():
    assert only("User") == "eseal"
    assert "\nu eseal " in (REPO / "deploy" / "eseal.sysusers").read_text("utf-8")


@pytest.mark.parametrize(
    "directive",
    ["NoNewPrivileges", "ProtectHome", "PrivateTmp", "RestrictNamespaces", "LockPersonality"],
)
def test_the_daemon_is_kept_from_what_it_does_not_need(directive):
    assert only(directive) == "yes"


def test_what_the_daemon_needs_is_not_taken_away():
    service = directives()["Service"]
    assert "PrivateDevices" not in service  # serial lines
    assert "PrivateNetwork" not in service
    assert "ProcSubset" not in service  # the boot id
    assert "MemoryDenyWriteExecute" not in service  # cffi
    assert "AF_INET6" in only("RestrictAddressFamilies")
    assert any("ttyUSB" in value for value in service["DeviceAllow"])


def test_systemd_finds_nothing_wrong_where_it_can_be_asked(tmp_path):
    """A container often has no systemd; the directives above are checked there too."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    unit = tmp_path / "eseal.service"
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/eseal/bin/eseal", sys.executable))
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_what_is_installed_has_the_models_of_its_manifest():
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    manifest = tomllib.loads((REPO / "models" / "manifest.toml").read_text("utf-8"))
    ours = {f"models/{model['file']}" for model in manifest["model"] if not model.get("url")}
    assert set(wheel["force-include"]) == {"models/manifest.toml", *ours}
    assert all((REPO / file).is_file() for file in wheel["force-include"])
