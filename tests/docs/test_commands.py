"""The commands that pages tell people to run are understood, and the cheap ones do their work."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import typer

from edge import cli
from edge.clock import SystemClock
from edge.domain.record import Draft, RecordType
from edge.ledger.keys import load_or_create
from edge.ledger.store import Ledger
from tests.docs.pages import REPO, commands, eseal, name, pages

README, CHINESE = REPO / "README.md", REPO / "README.zh-CN.md"
LASTING = {"run", "simulate", "demo", "probe"}  # go on until stopped, or need a camera
CONFIG = """
[site]
mine_code = "220100000001"
gateway = "main-shaft"
state = "suspended"
[storage]
dir = "store"
[[bus]]
code = "substation"
transport = "tcp"
host = "127.0.0.1"
[[bus.meter]]
code = "hoist"
profile = "eastron_sdm630"
unit = 1
duty = "hoist"
[[camera]]
code = "shaft"
url = "rtsp://127.0.0.1/"
[[broker]]
host = "127.0.0.1"
"""


@pytest.fixture(scope="module")
def program() -> typer.core.TyperGroup:
    """The whole command, simulators included."""
    from simulators.cli import register

    app = typer.Typer()
    app.registered_commands = cli.app.registered_commands[:]
    app.registered_groups = cli.app.registered_groups[:]
    register(app)
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    return group


@pytest.mark.parametrize("page", [page for page in pages() if eseal(page)], ids=name)
def test_every_eseal_command_in_a_page_is_understood(page: Path, program):
    for arguments in eseal(page):
        understood(program, arguments)


def understood(group: typer.core.TyperGroup, arguments: list[str]) -> None:
    """Parse as the command would; nothing is run. Wrong use raises."""
    if arguments == ["--help"]:
        return
    command = group.commands[arguments[0]]
    if isinstance(command, typer.core.TyperGroup):
        understood(command, arguments[1:])
    elif "--help" not in arguments:
        command.make_context(arguments[0], arguments[1:])


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_make_target_in_a_page_exists(page: Path):
    targets = re.findall(r"^([a-z]+):", (REPO / "Makefile").read_text(), re.MULTILINE)
    inline = re.findall(r"`make ([a-z]+)", page.read_text("utf-8"))
    wanted = [words[1] for words in commands(page) if words[0] == "make"] + inline
    assert [target for target in wanted if target not in targets] == []


def test_every_module_that_a_page_runs_exists():
    for page in pages():
        for module in re.findall(r"python3? -m ([\w.]+)", page.read_text("utf-8")):
            path = REPO / module.replace(".", "/")
            outside = not (REPO / module.partition(".")[0]).is_dir()
            assert outside or path.is_dir() or path.with_suffix(".py").is_file(), (page, module)


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch) -> Path:
    """A directory with what the README's commands name."""
    monkeypatch.chdir(tmp_path)
    Path("seal.toml").write_text(CONFIG)
    cv2.imwrite("picture.jpg", np.full((180, 320, 3), 90, np.uint8))
    Path("day.csv").write_text("ts,p_kw\n2026-03-01T20:00:00Z,0.2\n2026-03-01T20:00:10Z,0.2\n")
    with av.open("night.mp4", "w") as film:
        stream = film.add_stream("mpeg4", rate=5)
        stream.width, stream.height = 320, 180
        for _ in range(5):
            grey = np.full((180, 320, 3), 60, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "bgr24")))
        film.mux(stream.encode())
    clock = SystemClock()
    origin = "eseal/220100000001/main-shaft"
    Path("store").mkdir()
    signer = load_or_create(Path("store/gateway.key"), origin)
    Path("gateway.vkey").write_text(f"{signer.verifier}\n")
    with closing(Ledger.open(Path("store"), origin=origin, signer=signer, clock=clock)) as ledger:
        ledger.submit([Draft(RecordType.GATEWAY_HEALTH, clock.now(), {})]).result(20)
        ledger.seal_head().result(20)
    return tmp_path


@pytest.fixture
def run(monkeypatch) -> Callable[[list[str]], object]:
    def run(arguments: list[str]) -> object:
        monkeypatch.setattr(sys, "argv", ["eseal", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code

    return run


def test_the_cheap_commands_of_the_readme_work_in_its_order(gateway, run, capsys):
    worked = []
    for words in eseal(README):
        if words[0] in LASTING:
            continue
        key = Path("gateway.vkey").read_text().strip()
        arguments = [word.replace("$(cat gateway.vkey)", key) for word in words]
        code = run(arguments)
        assert code == 0, (words, capsys.readouterr())
        worked.append(words[0])
    cheap = ["check", "enroll", "status", "detect", "model", "replay", "fsck", "export", "verify"]
    assert worked == cheap
    assert Path("records.jsonl").exists()
    assert Path("bundle.tar").exists()


def test_both_readmes_show_the_same_commands_links_and_sections():
    english, chinese = README.read_text("utf-8"), CHINESE.read_text("utf-8")
    assert commands(README) == commands(CHINESE)
    other = {"(README.md)", "(README.zh-CN.md)"}
    links = [
        [link for link in re.findall(r"\]\([^)]+\)", text) if link[1:] not in other]
        for text in (english, chinese)
    ]
    assert sorted(links[0]) == sorted(links[1])
    sections = [re.findall(r"^#+", text, re.MULTILINE) for text in (english, chinese)]
    assert sections[0] == sections[1]
    code = [set(re.findall(r"`([^`\n]+)`", text)) for text in (english, chinese)]
    assert code[0] == code[1]
