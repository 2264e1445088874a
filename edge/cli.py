"""The `eseal` command. Heavy parts are imported by the command that needs them."""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import edge
from edge import cli_keys, cli_model, cli_probe, cli_reference, logs
from edge.clock import SystemClock
from edge.config import load
from edge.errors import ConfigError, EsealError, Fault, LedgerCorrupt, Refused, StorageFull
from edge.terminal import DEFAULT_CONFIG, ConfigOption, err, out

EX_IOERR = 74
_ADDRESS_ERRORS = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.ECONNREFUSED}
EXIT_CODES = (
    "Exit codes: 0 done; 1 not sound, or input refused; 2 wrong use of the command; "
    "65 ledger damaged; 69 an address gives nothing; 74 storage takes nothing; "
    "78 faults in the configuration."
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="煤矿电子封条 · Electronic seal for idle mines.",
    epilog=EXIT_CODES,
)
app.command()(cli_keys.enroll)
app.command("rotate-key")(cli_keys.rotate_key)
app.command()(cli_reference.reference)
app.add_typer(cli_probe.app, name="probe")
app.add_typer(cli_model.app, name="model")


@app.command()
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """运行守护进程 · Run the daemon until SIGTERM."""
    settings = load(config)
    logs.configure(settings.logging.level)
    from edge.check import storage_faults

    for fault in storage_faults(settings.storage.dir):
        raise StorageFull(str(fault))  # not a ConfigError: a disk may come back, so try again
    from edge import daemon

    asyncio.run(daemon.run(settings, SystemClock()))


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """检查配置 · Check a seal.toml and what it names; list every fault at once."""
    settings = load(config)
    from edge.check import bus_lines, examine, notes

    faults = examine(settings, datetime.now(UTC))
    remarks = notes(settings)
    if remarks:
        _list(err, "提示 · notes:", "yellow", remarks)
    if faults:
        raise ConfigError(faults)
    counts = {
        "meter": sum(len(bus.meter) for bus in settings.bus),
        "contact": sum(len(bus.contact) for bus in settings.bus),
        "camera": len(settings.camera),
        "broker": len(settings.broker),
    }
    wired = ", ".join(f"{count} {name}{'s'[: count != 1]}" for name, count in counts.items())
    site = settings.site
    out.print(f"正常 · ok: {config}: mine {site.mine_code}, state {site.state}, {wired}")
    for line in bus_lines(settings):
        out.print(f"  {line}")


@app.command()
def detect(
    images: Annotated[list[Path], typer.Argument(help="pictures (JPEG, PNG, …)")],
    model: Annotated[str, typer.Option(help="name in the manifest, or an .onnx file")] = "",
    json: Annotated[bool, typer.Option("--json", help="one JSON object a picture")] = False,
) -> None:
    """识别图片 · Show what the detector sees in pictures."""
    from edge.detect import detect_files

    failed = detect_files(images, model, as_json=json)
    raise typer.Exit(1 if failed else 0)


@app.command()
def replay(
    config: ConfigOption = DEFAULT_CONFIG,
    readings: Annotated[
        list[Path] | None,
        typer.Option(help="CSV (or .csv.gz): ts (ISO-8601 UTC), p_kw[, meter, …]; may be repeated"),
    ] = None,
    video: Annotated[
        list[str] | None, typer.Option(metavar="CAM=FILE", help="film of a camera; may be repeated")
    ] = None,
    records: Annotated[
        Path, typer.Option("--out", dir_okay=False, help="records, one JSON a line")
    ] = Path("records.jsonl"),
    meter: Annotated[str, typer.Option(help="meter code for a CSV without that column")] = "",
    start: Annotated[
        datetime | None, typer.Option(help="wall time (UTC) of the first video frame")
    ] = None,
) -> None:
    """回放 · Run recorded data through the same analysers and rules, in simulated time."""
    films = _films(video or [])
    if not readings and not films:
        raise typer.BadParameter("give --readings, --video or both")
    settings = load(config)
    from edge.replay import replay_files

    when = (start or datetime(2026, 1, 1, tzinfo=UTC)).replace(tzinfo=UTC)
    out.print(replay_files(settings, readings or [], films, records, meter, when))


@app.command()
def export(
    target: Annotated[Path, typer.Argument(dir_okay=False, help="bundle to write (.tar)")],
    config: ConfigOption = DEFAULT_CONFIG,
    start: Annotated[int, typer.Option(min=0, help="first record")] = 0,
    past: Annotated[
        int, typer.Option(min=0, help="a ledger that broke off: its number under epochs/")
    ] = 0,
) -> None:
    """导出证据包 · Write records, checkpoints, receipts and evidence as one bundle."""
    settings = load(config)
    from edge.ledger.export import export as write_bundle

    directory = settings.storage.dir
    if past:
        directory = directory / "epochs" / str(past)
    out.print(write_bundle(directory, target, start))


@app.command()
def verify(
    bundles: Annotated[list[Path], typer.Argument(help="bundles that `eseal export` wrote")],
    key: Annotated[
        list[str] | None, typer.Option(help="public key (C2SP verifier key); may be repeated")
    ] = None,
) -> None:
    """离线校验证据包 · Check bundles offline, with nothing but public keys."""
    from edge.ledger.verify import verify as verify_bundle

    sound = True
    for bundle in bundles:
        out.print(Text(str(bundle), "bold"))
        try:
            report = verify_bundle(bundle, key or [])
        except Refused as error:
            _tell(error)
            sound = False
            continue
        out.print(report.text(), markup=False, highlight=False, soft_wrap=True)
        sound = sound and report.sound
    raise typer.Exit(0 if sound else 1)


@app.command()
def fsck(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """全面检查账本 · Check the whole ledger: every record, hash, signature and evidence file."""
    settings = load(config)
    from rich.progress import Progress, TaskID

    from edge.ledger.checkpoint import Verifier
    from edge.ledger.fsck import fsck as check_ledger

    keys = [Verifier.parse(key) for key in settings.province.keys]
    with Progress(console=err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(stage: tuple[str, str], done: int, total: int) -> None:
            name = " · ".join(stage)
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        found = check_ledger(settings.storage.dir, keys, progress)
    out.print(found.text())
    raise typer.Exit(0 if found.sound else LedgerCorrupt.exit_code)


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """状态 · Say what the ledger holds, what has reached the province, and what is open."""
    settings = load(config)
    from edge.status import read_offline

    for title, rows in read_offline(settings).items():
        table = Table(title=Text(title), show_header=False, title_justify="left")
        table.add_column()
        table.add_column(overflow="fold")  # a key that is cut short is no key
        for name, value in rows:
            table.add_row(Text(name), Text(value))
        out.print(table)


@app.command()
def version() -> None:
    """版本 · Print the version."""
    out.print(edge.__version__)


def _films(pairs: list[str]) -> dict[str, Path]:
    films: dict[str, Path] = {}
    for pair in pairs:
        camera, separator, path = pair.partition("=")
        if not separator or not camera or not path:
            raise typer.BadParameter(f"--video is {pair!r}; write CAM=FILE")
        if camera in films:
            raise typer.BadParameter(f"--video names camera {camera!r} twice; give one film each")
        films[camera] = Path(path)
    return films


_HEADINGS: dict[type[EsealError], str] = {
    Refused: "拒绝 · refused",
    StorageFull: "存储写不进 · storage takes nothing",
    LedgerCorrupt: "账本损坏 · ledger damaged",
}


def _tell(error: EsealError) -> int:
    """Say on stderr what an error means; gives the exit code."""
    if isinstance(error, ConfigError):
        count = len(error.faults)
        plural = "" if count == 1 else "s"
        heading = f"配置有 {count} 处错误 · {count} fault{plural} in the configuration:"
        _list(err, heading, "red", error.faults)
    else:
        heading = _HEADINGS.get(type(error), "错误 · error")
        err.print(Text.assemble((f"eseal: {heading}: ", "red"), str(error)))
    return error.exit_code


def _list(console: Console, heading: str, colour: str, faults: list[Fault]) -> None:
    console.print(Text(heading, colour))
    for fault in faults:
        console.print(
            Text.assemble("  • ", (fault.path, "bold"), f": {fault.problem}; {fault.remedy}")
        )


def _leaves(group: BaseExceptionGroup) -> Iterator[BaseException]:
    for inner in group.exceptions:
        if isinstance(inner, BaseExceptionGroup):
            yield from _leaves(inner)
        else:
            yield inner


def _add_simulators(arguments: list[str]) -> None:
    """Add `simulate` and `demo` where they are installed, unless one of our own is asked for.

    They load servers and a renderer, which a gateway's daemon must not carry.
    """
    own = {info.name or getattr(info.callback, "__name__", "") for info in app.registered_commands}
    own |= {str(info.name) for info in app.registered_groups}
    if arguments and arguments[0] in own:
        return
    try:
        from simulators.cli import register
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "simulators":
            raise
    else:
        register(app)


def main() -> None:
    """Run the command; an error on purpose is told in words and by its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console without Chinese must not end us
    _add_simulators(sys.argv[1:])
    try:
        app()
    except EsealError as error:
        sys.exit(_tell(error))
    except BaseExceptionGroup as group:  # from the daemon's TaskGroup
        told = list(_leaves(group))
        if not all(isinstance(error, EsealError) for error in told):
            raise
        sys.exit(max(_tell(error) for error in told if isinstance(error, EsealError)))
    except OSError as error:
        named = error.filename is not None or error.errno in _ADDRESS_ERRORS
        if not named or sys.argv[1:2] == ["run"]:
            raise  # not about a file or an address that somebody named: a bug
        words = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        err.print(Text.assemble(("eseal: 错误 · error: ", "red"), words))
        sys.exit(EX_IOERR)
