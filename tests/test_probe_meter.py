"""`eseal probe meter` as people on site use it: a bus of simulated meters, and what is printed."""

from __future__ import annotations

import asyncio
import json
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.live import Live
from typer.testing import CliRunner

from edge import probe_meter
from edge.cli_probe import app
from edge.config import parse
from edge.errors import SourceError, Unfit
from edge.probe_meter import name_of_bus, wanted_bus, wanted_units
from edge.sensors.search import Found, Search
from edge.sensors.spec import SerialBus, SerialServerBus, TcpBus
from simulators.meters.loads import Fan
from simulators.meters.server import MeterServer, RtuMeterServer
from simulators.meters.units import ContactUnit, MeterUnit
from tests.configs import minimal

METERS = Path(__file__).parents[1] / "edge/sensors/meters"


@contextmanager
def served(*units, server=None) -> Iterator[str]:
    """A Modbus TCP server in a thread, as the command runs a loop too; gives HOST:PORT."""
    ready, stop = threading.Event(), threading.Event()
    server = server or MeterServer(units)

    async def serve() -> None:
        async with server:
            ready.set()
            while not stop.is_set():  # noqa: ASYNC110 - another thread's
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield getattr(server, "device", "") or f"127.0.0.1:{server.port}"
    finally:
        stop.set()
        thread.join(10)


def run(*args):
    return CliRunner().invoke(app, ["meter", *args, "--timeout", "0.1"])


@pytest.fixture(scope="module")
def bus():
    units = (
        MeterUnit(1, "eastron_sdm630", Fan(75), serial="20196172"),
        MeterUnit(2, "acrel_adl400_secondary", Fan(110), ct_ratio=60, pt_ratio=10),
        ContactUnit(3),
    )
    with served(*units) as where:
        yield where


def test_what_is_found_is_shown_with_its_plausibility_in_both_languages(bus):
    result = run(bus, "--units", "1-4")
    assert result.exit_code == 0, result.output
    assert (
        "unit 1: eastron_sdm630 (Eastron SDM630-Modbus), 序列号 · serial 20196172" in result.output
    )
    assert "unit 2: acrel_adl400_secondary" in result.output
    assert "unit 3: 有应答，但与任何型号不符 · answers, and fits no profile" in result.output
    for words in ("电压 voltage", "功率 power", "CT 变比 CT ratio", "P ~ U x I x PF", "✓"):
        assert words in result.output
    assert "✗" not in result.output


def test_what_is_to_be_copied_is_a_bus_of_seal_toml(bus):
    output = run(bus, "--units", "1-4").output
    copied = tomllib.loads(output[output.index("[[bus]]") :])
    config = parse({**minimal(), **copied})
    assert [(m.unit, m.profile) for m in config.bus[0].meter] == [
        (1, "eastron_sdm630"),
        (2, "acrel_adl400_secondary"),
    ]
    assert isinstance(config.bus[0], TcpBus)
    assert f"{config.bus[0].host}:{config.bus[0].port}" == bus


def test_all_of_it_is_had_as_one_json_object(bus):
    found = json.loads(run(bus, "--units", "1-3", "--json").output)
    assert found["whole"]
    assert [unit["unit"] for unit in found["units"]] == [1, 2, 3]
    best = found["units"][0]["profiles"][0]
    assert best["profile"] == "eastron_sdm630"
    assert best["fits"]
    assert best["serial"] == "20196172"
    assert best["values"]["power_kw"] == pytest.approx(75, rel=0.05)


def test_a_profile_of_the_sites_own_is_tried_too(tmp_path):
    text = (METERS / "eastron_sdm630.toml").read_text().replace("0x0034", "0x0134")
    own = tmp_path / "odd.toml"
    own.write_text(text.replace('high"', 'medium"'))
    with served(MeterUnit(1, str(own), Fan(30))) as where:
        output = run(where, "--units", "1", "--profile", str(own)).output
    assert f'profile = "{own}"' in output


def test_a_bus_that_is_not_there_and_one_where_nobody_answers_are_told():
    with served(MeterUnit(200, "abb_b23", Fan())) as where:
        result = run(where, "--units", "1-3")
        assert isinstance(result.exception, SourceError)
        assert "无应答" in str(result.exception)
        assert "nobody answers" in str(result.exception)
    result = run(where)
    assert isinstance(result.exception, SourceError)
    assert "stop eseal first" in str(result.exception)


def test_a_line_is_found_with_its_speed_and_parity():
    server = RtuMeterServer([MeterUnit(2, "schneider_iem3000", Fan(30))])
    with served(server=server) as device:
        output = run(device, "--units", "2").output
        known = json.loads(run(device, "--units", "2", "--baud", "9600", "--json").output)
    assert known["bus"]["baud"] == 9600
    assert f"总线 · bus: {device} 9600 8N1" in output
    copied = tomllib.loads(output[output.index("[[bus]]") :])["bus"][0]
    assert copied["device"] == device
    assert (copied["baud"], copied["parity"], copied["stop_bits"]) == (9600, "N", 1)
    assert copied["meter"][0]["profile"] == "schneider_iem3000"


def test_a_search_that_found_nobody_in_its_time_says_how_to_go_on(bus, monkeypatch):
    async def late(_search):
        return Found(whole=False)

    monkeypatch.setattr(Search, "run", late)
    result = run(bus)
    assert isinstance(result.exception, SourceError)
    assert "时间已到" in str(result.exception)
    assert "give more --seconds" in str(result.exception)


def test_values_that_stop_fitting_and_a_search_cut_short_are_told(bus, monkeypatch):
    async def cut(search):
        found = await run_search(search)
        found.whole, found.any_unit = False, True
        check = found.units[0].guesses[0].verdict.checks
        found.units[0].guesses[0] = replaced(found.units[0].guesses[0], check)
        return found

    run_search = Search.run
    monkeypatch.setattr(Search, "run", cut)
    output = run(bus, "--units", "1").output
    assert "doubtful" in output
    assert "2 quantities missing" in output
    assert "✗" in output
    assert "近，40 V" in output
    assert "the time was up" in output
    assert "for every address alike" in output


def replaced(guess, checks):
    """The guess with its first check failed and two quantities not told."""
    wrong = (replace(checks[0], ok=False), *checks[1:])
    return replace(guess, verdict=replace(guess.verdict, checks=wrong, missing=2))


def test_on_a_terminal_the_values_are_shown_live_for_a_while(bus, monkeypatch):
    shown: list[object] = []

    terminal = Console(soft_wrap=True, markup=False, force_terminal=True)
    monkeypatch.setattr(probe_meter, "out", terminal)
    monkeypatch.setattr(Live, "update", lambda _live, view: shown.append(view))
    assert run(bus, "--units", "1", "--live", "1.2").exit_code == 0
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("where", "bus_type", "name"),
    [
        ("/dev/ttyS1", SerialBus, "/dev/ttyS1 9600 8N1"),
        ("10.0.0.20", TcpBus, "10.0.0.20:502"),
        ("10.0.0.20:503", TcpBus, "10.0.0.20:503"),
        ("tcp://meter.lan:503", TcpBus, "meter.lan:503"),
        ("[fe80::1]:503", TcpBus, "fe80::1:503"),
        ("rtu-over-tcp://10.0.0.21:4001", SerialServerBus, "10.0.0.21:4001"),
    ],
)
def test_a_bus_is_named_as_people_name_it(where, bus_type, name):
    bus = wanted_bus(where, 0.3, 0, "")
    assert isinstance(bus, bus_type)
    assert name_of_bus(bus) == name


def test_speed_and_parity_that_are_known_are_kept():
    bus = wanted_bus("/dev/ttyS1", 0.3, 19200, "E")
    assert name_of_bus(bus) == "/dev/ttyS1 19200 8E1"


@pytest.mark.parametrize("where", ["http://10.0.0.1", "10.0.0.1:99999", "a b", "", "tcp://"])
def test_what_names_no_bus_is_told(where):
    with pytest.raises(Unfit):
        wanted_bus(where, 0.3, 0, "")
    assert run(where).exit_code == 2


@pytest.mark.parametrize(
    ("text", "units"), [("1-3,7", (1, 2, 3, 7)), ("247", (247,)), ("2, 1-2", (2, 1))]
)
def test_units_are_named_as_ranges(text, units):
    assert wanted_units(text) == units


@pytest.mark.parametrize("text", ["", "0", "248", "5-2", "a", "1-", "1;2"])
def test_what_names_no_units_is_told(text):
    with pytest.raises(Unfit):
        wanted_units(text)
