"""The `eseal` command: what it prints where, and its exit code, for use and misuse of each part."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer

import edge
from edge import cli, logs
from edge.clock import SystemClock
from edge.domain.record import Draft, RecordType
from edge.errors import EsealError, LedgerCorrupt, Refused, StorageFull, UplinkUnavailable
from edge.ledger.keys import load_or_create
from edge.ledger.store import Ledger
from tests.configs import MINIMAL, SAMPLE

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


@pytest.fixture
def apart(monkeypatch) -> None:
    """What is registered in this test is forgotten after it."""
    monkeypatch.setattr(cli.app, "registered_commands", cli.app.registered_commands[:])
    monkeypatch.setattr(cli.app, "registered_groups", cli.app.registered_groups[:])


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


# --- check ---------------------------------------------------------------------------------


def test_check_of_a_good_file_counts_what_is_wired_and_notes_what_is_unwise(eseal, config):
    said = eseal("check", "-c", config)
    assert said.code == 0
    assert "正常 · ok" in said.out
    assert (
        "mine 220100000001, state suspended, 1 meter, 0 contacts, 0 cameras, 1 broker" in said.out
    )
    assert "提示 · notes:" in said.err
    assert "province.keys: is empty" in said.err


def test_check_lists_every_fault_of_the_file_with_78(eseal, tmp_path):
    config = config_of(tmp_path, '[page]\nhost = "0.0.0.0"\n[logging]\nlevel = "loud"\n[x]\n')
    said = eseal("check", "-c", config)
    assert said.code == 78
    assert "配置有 3 处错误 · 3 faults in the configuration:" in said.err
    for path in ("page.host", "logging.level", "  • x: "):
        assert path in said.err


def test_check_looks_at_what_the_file_names(eseal):
    said = eseal("check", "-c", SAMPLE)
    assert said.code == 78
    assert "bus[1].device: /dev/ttyS1" in said.err or "broker[0].tls.ca" in said.err


def test_markup_in_a_file_is_shown_as_it_is(eseal, tmp_path):
    said = eseal("check", "-c", config_of(tmp_path, '["[red]x[/]"]\n'))
    assert "[red]x[/]" in said.err


# --- detect --------------------------------------------------------------------------------


def test_detect_tells_what_it_sees_as_json_or_as_a_table(eseal, tmp_path):
    picture = tmp_path / "grey.jpg"
    cv2.imwrite(str(picture), np.full((180, 320, 3), 90, np.uint8))
    said = eseal("detect", picture, "--json")
    assert said.code == 0
    assert json.loads(said.out) == {"image": str(picture), "detections": []}
    assert "grey.jpg" in eseal("detect", picture).out


def test_detect_goes_on_after_a_file_that_is_no_picture(eseal, tmp_path):
    picture, text = tmp_path / "grey.png", tmp_path / "notes.txt"
    cv2.imwrite(str(picture), np.full((180, 320, 3), 90, np.uint8))
    text.write_text("no picture")
    said = eseal("detect", text, tmp_path / "none.jpg", picture, "--json")
    assert said.code == 1
    assert "notes.txt: is not a picture that can be decoded" in said.err
    assert "none.jpg: cannot be read" in said.err
    assert len(said.out.splitlines()) == 1


def test_a_broken_or_unknown_model_is_told(eseal, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x07nonsense")
    assert eseal("detect", tmp_path / "x.jpg", "--model", broken).code == 1
    assert eseal("detect", tmp_path / "x.jpg", "--model", "no-such").code == 78


# --- replay --------------------------------------------------------------------------------


def readings(tmp_path: Path, rows: list[str]) -> Path:
    path = tmp_path / "day.csv"
    path.write_text("\n".join(["ts,p_kw", *rows]) + "\n")
    return path


def test_replay_writes_records_and_sums_up(eseal, config, tmp_path):
    rows = [
        f"2026-03-01T20:{i // 6:02}:{i % 6 * 10:02}Z,{55.5 if i >= 30 else 0.2}" for i in range(90)
    ]
    target = tmp_path / "records.jsonl"
    said = eseal("replay", "-c", config, "--readings", readings(tmp_path, rows), "--out", target)
    assert said.code == 0
    assert "90 observations" in said.out
    assert "1 incidents opened" in said.out
    types = [json.loads(line)["type"] for line in target.read_bytes().splitlines()]
    assert RecordType.INCIDENT_OPENED in types


def test_replay_says_where_a_file_is_not_as_it_should_be(eseal, config, tmp_path):
    target = tmp_path / "records.jsonl"
    broken = readings(tmp_path, ["2026-03-01T20:00:00Z,1", "yesterday,2"])
    said = eseal("replay", "-c", config, "--readings", broken, "--out", target)
    assert said.code == 1
    assert "拒绝 · refused" in said.err
    assert "day.csv:3: " in said.err


def test_replay_names_the_cameras_that_there_are(eseal, config, tmp_path):
    target = tmp_path / "records.jsonl"
    said = eseal("replay", "-c", config, "--video", "yard=x.mp4", "--out", target)
    assert said.code == 78
    assert "names camera 'yard'" in said.err


def test_replay_cannot_write_into_a_folder_or_a_missing_one(eseal, config, tmp_path):
    given = ("replay", "-c", config, "--readings", readings(tmp_path, []))
    assert eseal(*given, "--out", tmp_path).code == 2
    said = eseal(*given, "--out", tmp_path / "none" / "records.jsonl")
    assert said.code == 74
    assert "none/records.jsonl: No such file or directory" in said.err


# --- export, verify, status ----------------------------------------------------------------


def filled(config: Path) -> str:
    """Write a few records as the daemon would; gives the public key."""
    directory = config.parent / "store"
    directory.mkdir()
    clock = SystemClock()
    origin = "eseal/220100000001/main-shaft"
    signer = load_or_create(directory / "gateway.key", origin)
    with closing(Ledger.open(directory, origin=origin, signer=signer, clock=clock)) as ledger:
        drafts = [
            Draft(RecordType.GATEWAY_HEALTH, clock.now(), {"number": number}) for number in range(5)
        ]
        ledger.submit(drafts).result(20)
        ledger.seal_head().result(20)
    return str(signer.verifier)


def test_what_export_writes_verify_finds_sound_and_a_change_does_not_pass(eseal, config, tmp_path):
    key, bundle = filled(config), tmp_path / "bundle.tar"
    assert eseal("export", bundle, "-c", config).code == 0
    said = eseal("verify", bundle, "--key", key)
    assert said.code == 0
    assert "bundle.tar" in said.out

    changed, data = tmp_path / "changed.tar", bytearray(bundle.read_bytes())
    at = data.index(b'"number":3')
    data[at : at + 10] = b'"number":4'
    changed.write_bytes(data)
    both = eseal("verify", changed, bundle, "--key", key)
    assert both.code == 1
    assert both.out.count("bundle.tar") == 1  # the second is looked at all the same


def test_verify_tells_what_is_no_bundle_and_what_is_no_key(eseal, config, tmp_path):
    key, bundle = filled(config), tmp_path / "bundle.tar"
    eseal("export", bundle, "-c", config)
    (tmp_path / "other.tar").write_bytes(b"nothing of the sort")
    assert eseal("verify", tmp_path / "other.tar", "--key", key).code == 1
    said = eseal("verify", tmp_path / "none.tar", bundle, "--key", key)
    assert said.code == 1
    assert "none.tar: cannot be read" in said.err
    assert "bundle.tar" in said.out
    assert eseal("verify", bundle, "--key", "nonsense").code in {1, 78}


def test_export_of_nothing_is_told(eseal, config, tmp_path):
    said = eseal("export", tmp_path / "bundle.tar", "-c", config)
    assert said.code in {1, 74, 78}
    assert said.err
    assert not (tmp_path / "bundle.tar").exists()


def test_status_reads_the_ledger_without_the_daemon(eseal, config):
    filled(config)
    said = eseal("status", "-c", config)
    assert said.code == 0
    assert "5" in said.out


def test_status_without_a_ledger_is_told(eseal, config):
    said = eseal("status", "-c", config)
    assert said.code in {1, 78}
    assert said.err


# --- run -----------------------------------------------------------------------------------


def test_run_on_storage_that_takes_nothing_ends_with_74_so_that_systemd_tries_again(
    eseal, config, monkeypatch
):
    monkeypatch.setattr(logs, "configure", lambda level: None)
    (config.parent / "store").write_text("a file where the directory should be")
    said = eseal("run", "-c", config)
    assert said.code == 74
    assert "存储写不进" in said.err
    assert "is not a directory" in said.err


def test_run_says_ready_and_stops_on_sigterm_within_three_seconds(config, tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        with subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "-c", str(config)],
            stderr=subprocess.PIPE,
            env={**os.environ, "NOTIFY_SOCKET": address, "INVOCATION_ID": "x"},
        ) as daemon:
            try:
                ready = told(systemd, b"READY=1", daemon)
                begun = time.monotonic()
                daemon.terminate()
                _, err = daemon.communicate(timeout=20)
            finally:
                daemon.kill()
    took = time.monotonic() - begun
    assert ready, err.decode()
    assert daemon.returncode == 0, err.decode()
    assert took < 5  # 3 s are promised; this machine may be busy with other tests
    lines: list[dict[str, Any]] = [json.loads(line) for line in err.splitlines()]
    assert "sealed" in [line["event"] for line in lines]


def told(systemd: socket.socket, message: bytes, daemon: subprocess.Popen[bytes]) -> bool:
    """Wait until the daemon says `message`; False when it ends before."""
    systemd.settimeout(0.5)
    while daemon.poll() is None:
        try:
            if systemd.recv(100) == message:
                return True
        except TimeoutError:
            continue
    return False
