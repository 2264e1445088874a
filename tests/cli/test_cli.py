"""The `eseal` command: help, wrong use, errors on purpose, bugs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from rich.text import Text

import edge
from edge import cli
from edge.errors import EsealError, LedgerCorrupt, Refused, StorageFull, UplinkUnavailable
from tests.cli.conftest import Said, process

# --- every command -------------------------------------------------------------------------

OWN = ("run", "check", "detect", "replay", "export", "verify", "status", "version")


@pytest.mark.parametrize("command", OWN)
def test_each_command_explains_itself_and_every_option(eseal, command):
    said = eseal(command, "--help")
    assert said.code == 0
    assert " · " in said.out  # a heading in both languages
    context = typer.main.get_command(cli.app)
    for parameter in context.commands[command].params:  # type: ignore[attr-defined]
        assert getattr(parameter, "help", None), (command, parameter.name)


@pytest.mark.parametrize("command", ["run", "check", "replay", "export", "status"])
def test_a_configuration_that_is_missing_is_told_with_78(eseal, command, tmp_path):
    more = {"replay": ("--readings", "x.csv"), "export": (tmp_path / "b.tar",)}.get(command, ())
    said = eseal(command, *more, "-c", tmp_path / "none.toml")
    assert said.code == 78
    assert "配置有 1 处错误 · 1 fault in the configuration:" in said.err
    assert "none.toml: cannot be read (No such file or directory)" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("check", "--colour"),
        ("detect",),
        ("export",),
        ("verify",),
        ("replay",),
        ("replay", "--video", "shaft"),
        ("replay", "--video", "=film.mp4"),
        ("replay", "--video", "a=b", "--video", "a=c"),
        ("replay", "--readings", "x.csv", "--start", "yesterday"),
        ("export", "b.tar", "--start", "-1"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_told_with_2(apart, eseal, arguments):
    said = eseal(*arguments)
    assert said.code == 2
    assert "--help" in said.err


def test_the_help_lists_every_command_with_the_simulators_and_the_exit_codes():
    said = process("--help")
    assert said.code == 0
    for command in (*OWN, "simulate", "demo"):
        assert f" {command} " in said.out
    assert "78 faults in the configuration" in said.out


SIMULATORS = ("site", "meters", "contacts", "camera", "province")


def test_the_simulators_are_listed(apart, eseal):
    listed = eseal("simulate", "--help").out
    assert [name for name in SIMULATORS if f" {name} " not in listed] == []


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_a_simulator_says_where_it_listens(apart, eseal, simulator):
    said = eseal("simulate", simulator, "--help")
    assert said.code == 0
    assert "port" in said.out


def test_the_demo_says_what_it_takes(apart, eseal):
    said = eseal("demo", "--help").out
    assert all(option in said for option in ("--seconds", "--keep", "--json"))


def test_no_help_loses_words_because_they_look_like_markup(apart, eseal):
    eseal("simulate", "--help")
    eaten = [
        parameter.help
        for command in commands_of(typer.main.get_command(cli.app))
        for parameter in command.params
        if parameter.help and Text.from_markup(parameter.help).plain != parameter.help
    ]
    assert eaten == []


def commands_of(command: Any) -> Iterator[Any]:
    """A command and all below it."""
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from commands_of(inner)


def test_the_version_is_that_of_the_package(eseal):
    assert eseal("version") == Said(0, f"{edge.__version__}\n", "")


def test_the_daemon_and_the_checks_do_not_load_the_simulators():
    script = "import sys; from edge import cli; cli._add_simulators(['run']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = done.stdout.decode().split()
    assert not [name for name in loaded if name.startswith(("simulators", "cv2", "onnxruntime"))]


def test_a_console_without_chinese_loses_signs_and_nothing_else(tmp_path):
    said = process("check", "-c", tmp_path, PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert said.code == 78
    assert "1 fault in the configuration" in said.err


# --- errors on purpose ---------------------------------------------------------------------


def failing(monkeypatch, error: BaseException) -> None:
    def app() -> None:
        raise error

    app.registered_commands = []  # type: ignore[attr-defined]
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(cli, "_add_simulators", lambda arguments: None)


@pytest.mark.parametrize(
    ("error", "code", "heading"),
    [
        (Refused("odd [bold]bytes"), 1, "拒绝 · refused: odd [bold]bytes"),
        (StorageFull("no room"), 74, "存储写不进 · storage takes nothing: no room"),
        (LedgerCorrupt("leaf 3"), 65, "账本损坏 · ledger damaged: leaf 3"),
        (UplinkUnavailable("no broker"), 1, "错误 · error: no broker"),
        (ExceptionGroup("tasks", [LedgerCorrupt("leaf 3")]), 65, "ledger damaged: leaf 3"),
        (
            ExceptionGroup("t", [Refused("a"), ExceptionGroup("u", [StorageFull("b")])]),
            74,
            "storage takes nothing: b",
        ),
        (
            PermissionError(13, "Permission denied", "/x/y"),
            74,
            "错误 · error: /x/y: Permission den",
        ),
    ],
)
def test_an_error_on_purpose_is_told_in_words(monkeypatch, eseal, error, code, heading):
    failing(monkeypatch, error)
    said = eseal("status")
    assert said.code == code
    assert heading in said.err


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        OSError("about no file"),
        ExceptionGroup("tasks", [EsealError("on purpose"), ValueError("a bug")]),
    ],
)
def test_a_bug_is_not_hidden(monkeypatch, error):
    failing(monkeypatch, error)
    monkeypatch.setattr(sys, "argv", ["eseal", "status"])
    with pytest.raises(type(error)):
        cli.main()


def test_what_the_system_refuses_the_daemon_is_not_hidden_either(monkeypatch):
    failing(monkeypatch, PermissionError(13, "Permission denied", "/x/y"))
    monkeypatch.setattr(sys, "argv", ["eseal", "run"])
    with pytest.raises(PermissionError):
        cli.main()


def test_without_the_simulators_the_rest_works(apart, monkeypatch, eseal):
    monkeypatch.setitem(sys.modules, "simulators.cli", None)
    said = eseal("demo")
    assert said.code == 2
    assert "No such command 'demo'" in said.err


def test_simulators_that_lack_a_library_are_not_taken_for_absent(monkeypatch):
    class Lacking:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == "simulators.cli":
                raise ModuleNotFoundError("No module named 'some_library'", name="some_library")

    monkeypatch.delitem(sys.modules, "simulators.cli", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Lacking(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match="some_library"):
        cli._add_simulators(["demo"])
