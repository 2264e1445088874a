"""`eseal probe meter`: what is on an unknown bus, for people who wire it into seal.toml."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from edge.clock import SystemClock
from edge.domain.activity import Duty
from edge.domain.names import Name
from edge.errors import SourceError, Unfit
from edge.sensors.identify import Guess
from edge.sensors.plausible import Check
from edge.sensors.port import BusDownError
from edge.sensors.profiles import load_profile, profile_names
from edge.sensors.search import Found, FoundUnit, Search, Step, live, settings
from edge.sensors.spec import AnyBus, BusSpec, LineBus, SerialBus
from edge.terminal import err, out

LAST_UNIT = 247
_BUS: TypeAdapter[AnyBus] = TypeAdapter(BusSpec)
_ROWS = (
    (Name("电压", "voltage"), "voltage_", ",.1f", "V"),
    (Name("电流", "current"), "current_", ",.4g", "A"),
    (Name("功率", "power"), "power_kw", ",.5g", "kW"),
    (Name("分相功率", "phases"), "power_l", ",.4g", "kW"),
    (Name("功率因数", "power factor"), "power_factor", ".3f", ""),
    (Name("频率", "frequency"), "frequency_", ".2f", "Hz"),
    (Name("电量（反/正）", "energy out/in"), "energy_", ",.1f", "kWh"),
    (Name("CT 变比", "CT ratio"), "ct_", "g", ""),
    (Name("PT 变比", "PT ratio"), "pt_", "g", ""),
)
_DUTIES = ", ".join(Duty)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to probe.

    Attributes:
        bus: as it was named.
        known: its speed or parity was named: no other is tried.
        units: addresses to ask.
        own: files of the site's own profiles, tried beside the shipped ones.
        seconds: that the search may take.
        live_s: that values are shown afterwards.
    """

    bus: AnyBus
    known: bool
    units: tuple[int, ...]
    own: tuple[str, ...]
    seconds: float
    live_s: float


def wanted_bus(where: str, timeout_s: float | None, baud: int, parity: str) -> AnyBus:
    """The bus that `where` names.

    Raises:
        Unfit: it names none.
    """
    kind, _, rest = where.rpartition("://")
    transport = "rtu" if where.startswith("/") else kind or "tcp"
    # A gateway waits for a unit that is not there, and all later requests wait with it.
    patience_s = timeout_s or (1.0 if transport == "tcp" else 0.3)
    keys: dict[str, Any] = {"code": "bus-1", "timeout_s": patience_s, "transport": transport}
    if transport == "rtu":
        keys["device"] = where
    else:
        found = re.fullmatch(r"\[?(.*?)\]?(?::(\d{1,5}))?", rest)
        host, port = found.groups() if found else (rest, None)
        keys |= {"host": host} | ({"port": int(port)} if port else {})
    if transport != "tcp":
        keys |= ({"baud": baud} if baud else {}) | ({"parity": parity} if parity else {})
    try:
        return _BUS.validate_python(keys)
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False)
        raise Unfit(f"{where[:60]!r} names no bus", str(first["msg"])) from error


def wanted_units(text: str) -> tuple[int, ...]:
    """Addresses of a list such as `1-32,40`.

    Raises:
        Unfit: it is none.
    """
    units: dict[int, None] = {}
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", part)
        first, last = (int(one or found[1]) for one in found.groups()) if found else (0, 0)
        if not 1 <= first <= last <= LAST_UNIT:
            raise Unfit(f"is {text[:60]!r}", "write addresses of 1 to 247, e.g. 1-32,40")
        units |= dict.fromkeys(range(first, last + 1))
    return tuple(units)


def probe_meter(wanted: Wanted, *, as_json: bool) -> None:
    """Probe a bus and print what is found.

    Raises:
        ConfigError: a profile of the site's own is faulty.
        SourceError: the bus cannot be opened, or nobody answers.
    """
    asyncio.run(_probe(wanted, as_json=as_json))


async def _probe(wanted: Wanted, *, as_json: bool) -> None:
    try:
        found = await _search(wanted)
    except BusDownError as error:
        raise SourceError(
            "无法打开：请检查地址、接线，并先停止 eseal 等占用它的程序 · "
            f"{error}, and that no other program holds it (stop eseal first)"
        ) from error
    if found.bus is None:
        raise SourceError(_nobody(found))
    if as_json:
        out.print(json.dumps(as_data(found), ensure_ascii=False))
        return
    chosen = {unit.unit: unit.guesses[0] for unit in found.units if unit.guesses}
    if chosen and wanted.live_s and out.is_terminal:
        with Live(_view(found, chosen), console=out, transient=True) as view:
            async for readings in live(found.bus, chosen, wanted.live_s, SystemClock()):
                view.update(_view(found, readings))
    out.print(_view(found, chosen))
    out.print(as_toml(found))


async def _search(wanted: Wanted) -> Found:
    profiles = {name: load_profile(name) for name in (*profile_names(), *wanted.own)}
    buses: list[AnyBus] = [wanted.bus]
    if isinstance(wanted.bus, SerialBus) and not wanted.known:
        buses = [*settings(wanted.bus, profiles)]
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("")

        def tell(step: Step) -> None:
            what = f"{name_of_bus(step.bus)}  单元 unit {step.unit}  {step.profile}"
            progress.update(
                task,
                description=f"{what}  已找到 found {step.found}  剩余 left {step.left_s:.0f} s",
            )

        search = Search(
            buses,
            profiles,
            wanted.units,
            seconds=wanted.seconds,
            clock=SystemClock(),
            tell=tell,
        )
        return await search.run()


def _nobody(found: Found) -> str:
    if found.whole:
        return (
            "总线上无应答：请检查 A/B 接线、供电、地址与波特率 · nobody answers on the bus: check "
            "the wiring (A/B), supply, addresses and speed"
        )
    return (
        "时间已到，尚无应答：请用 --units 或 --baud 缩小范围，或加大 --seconds · "
        "the time is up and nobody answered: ask less (--units, --baud) or give more --seconds"
    )


def name_of_bus(bus: AnyBus) -> str:
    """The bus as people call it: `/dev/ttyS1 9600 8N1`, `10.0.0.20:502`."""
    place = bus.device if isinstance(bus, SerialBus) else f"{bus.host}:{bus.port}"
    if isinstance(bus, SerialBus):
        return f"{place} {bus.baud} 8{bus.parity}{bus.stop_bits}"
    return place


def _view(found: Found, readings: Mapping[int, Guess | None]) -> RenderableType:
    parts: list[RenderableType] = [Text(f"总线 · bus: {name_of_bus(cast('AnyBus', found.bus))}")]
    if found.any_unit:
        parts.append(Text("服务器不区分单元地址 · the server answers for every address alike"))
    for unit in found.units:
        if not unit.guesses:
            words = "有应答，但与任何型号不符 · answers, and fits no profile"
            parts.append(Text(f"单元 · unit {unit.unit}: {words}"))
            continue
        guess = readings.get(unit.unit)
        parts.append(_heading(unit))
        parts.append(_table(guess) if guess else Text("  无应答 · no answer"))
    if not found.whole:
        parts.append(
            Text("时间已到，未查完 · the time was up before all was asked (--seconds, --units)")
        )
    return Group(*parts)


def _heading(unit: FoundUnit) -> Text:
    best, *others = unit.guesses
    words = f"单元 · unit {unit.unit}: {best.name} ({best.profile.maker} {best.profile.models[0]})"
    if best.seen.serial:
        words += f", 序列号 · serial {best.seen.serial}"
    if not best.verdict.fits:
        words += ", 存疑 · doubtful"
    if best.verdict.missing:
        words += f", 缺 {best.verdict.missing} 项 · {best.verdict.missing} quantities missing"
    if others:
        words += f"; 也可能是 · may be {', '.join(guess.name for guess in others[:3])}"
    return Text(words)


def _table(guess: Guess) -> Table:
    """A row for each sort of quantity, and one for each comparison; why only where one fails."""
    table = Table("", "值 value", "可信 plausible", "应为 should be", show_edge=False)
    checks, values = guess.verdict.checks, guess.seen.values
    for name, prefix, form, unit in _ROWS:
        mine = [check for check in checks if check.about.startswith(prefix)]
        told = " / ".join(format(values[check.about], form) for check in mine)
        _row(table, name, f"{told} {unit}", mine)
    for check in checks:
        if check.about not in values:
            _row(table, Name(check.about, ""), "", [check])
    return table


def _row(table: Table, name: Name, told: str, checks: Sequence[Check]) -> None:
    wrong = [check.why for check in checks if not check.ok]
    if checks:
        table.add_row(
            f"{name.zh} {name.en}",
            told,
            "✗" if wrong else "✓",
            f"{wrong[0].zh} · {wrong[0].en}" if wrong else "",
            style="bold red" if wrong else None,
        )


def as_toml(found: Found) -> str:
    """What to copy into seal.toml: the bus, and a meter for every unit that fits a profile."""
    bus = cast("AnyBus", found.bus)
    keys = {"code": bus.code, "transport": bus.transport}
    lines = ["", "[[bus]]", *(f'{key} = "{value}"' for key, value in keys.items())]
    if isinstance(bus, SerialBus):
        lines.append(f'device = "{bus.device}"')
    else:
        lines += [f'host = "{bus.host}"', f"port = {bus.port}"]
    if isinstance(bus, LineBus):
        lines += [
            f"baud = {bus.baud}",
            f'parity = "{bus.parity}"',
            f"stop_bits = {bus.stop_bits}",
        ]
    for unit in found.units:
        if unit.guesses:
            lines += [
                "",
                "[[bus.meter]]",
                f'code = "meter-{unit.unit}"',
                f'profile = "{unit.guesses[0].name}"',
                f"unit = {unit.unit}",
                f'duty = "other"  # {_DUTIES}',
            ]
    return "\n".join(lines)


def as_data(found: Found) -> dict[str, Any]:
    """The same as JSON values."""
    bus = cast("AnyBus", found.bus)
    return {
        "bus": bus.model_dump(mode="json", exclude={"meter", "contact", "code"}),
        "whole": found.whole,
        "any_unit": found.any_unit,
        "units": [
            {"unit": unit.unit, "profiles": [_guess_data(guess) for guess in unit.guesses]}
            for unit in found.units
        ],
    }


def _guess_data(guess: Guess) -> dict[str, Any]:
    return {
        "profile": guess.name,
        "fits": guess.verdict.fits,
        "share": round(guess.verdict.share, 3),
        "missing": guess.verdict.missing,
        "serial": guess.seen.serial,
        "values": guess.seen.values,
        "checks": [
            {"about": check.about, "ok": check.ok, "zh": check.why.zh, "en": check.why.en}
            for check in guess.verdict.checks
        ],
    }
