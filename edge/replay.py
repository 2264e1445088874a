"""Recorded readings and video through the same analysers and rules, in simulated time.

Deterministic: the same input gives the same bytes. In a replay monotonic time is the wall
time of the recording, so a recording cannot step its clock.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

from rich.progress import Progress, TaskID

from edge.clock import Stamp
from edge.config import SealConfig
from edge.domain.observation import Observation, Quality, Reading
from edge.domain.record import Draft, RecordType
from edge.errors import ConfigError, Fault, Refused
from edge.ledger.leaf import encode_leaf
from edge.rules.engine import initial
from edge.seal import Outcome, Seal
from edge.vision.detect.loading import load_detector
from edge.vision.playback import play

BOOT = "replay"
MAX_GAP_S = 1.0  # the seal is told that time passes at least this often, up to …
MAX_TICKS = 10  # … this many times in one gap of the recording
SHOWN_INCIDENTS = 20  # in the summary
_MAX_KW = 1e7  # a larger figure is no load of a mine
_EPOCH, _NAIVE_EPOCH = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1)  # noqa: DTZ001
_YEARS_US = (946_684_800_000_000, 4_133_980_800_000_000)  # 2000 to 2100
_QUANTITIES = (
    "energy_import_kwh",
    "energy_export_kwh",
    "voltage_l1_v",
    "current_l1_a",
    "power_factor",
    "frequency_hz",
    "ct_ratio",
    "pt_ratio",
)


def replay_files(
    config: SealConfig,
    readings: Iterable[Path],
    videos: Mapping[str, Path],
    target: Path,
    meter: str,
    start: datetime,
) -> str:
    """Replay files into `target`, one record a line.

    Args:
        config: the site as it would be in the daemon.
        readings: CSV files (may be .gz) with `ts`, `p_kw`, and optionally `meter` and columns
            named like the other quantities of a reading.
        videos: camera code to file.
        target: where the leaves go; replaced only by a whole replay.
        meter: code for a CSV without a meter column; needed when there are several meters.
        start: UTC time of the first video frame.

    Returns:
        A summary for people.

    Raises:
        ConfigError: a camera or meter that the configuration does not have.
        Refused: a file that cannot be read as what it should be; says where.
    """
    meters = _meter_codes(config, meter)
    with Progress(transient=True) as progress, _whole(target) as out:
        streams = [_csv_readings(path, meters, progress) for path in readings]
        streams += _video_streams(config, videos, start, progress)
        merged = heapq.merge(*streams, key=lambda item: item.stamp.wall_us)
        return _replay(config, streams[0] if len(streams) == 1 else merged, out)


@contextmanager
def _whole(target: Path) -> Iterator[IO[bytes]]:
    """A file that becomes `target` once it is whole: a replay that fails leaves what was there."""
    if target.exists() and not target.is_file():  # a pipe or a terminal
        with target.open("wb") as out:
            yield out
        return
    part = target.with_name(f"{target.name}.part")
    try:
        out = part.open("wb")
    except OSError as error:
        error.filename = str(target)  # the one that somebody named
        raise
    try:
        with out:
            yield out
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _replay(config: SealConfig, observations: Iterable[Observation], out: IO[bytes]) -> str:
    seal = Seal(config, initial(config.site.state))
    told = _Told(out, f"eseal/{config.site.mine_code}/{config.site.gateway}/replay")

    def settle(outcome: Outcome, now: Stamp) -> None:
        told.write(outcome.facts)
        for activity in outcome.activities:
            told.write(seal.judge(activity, now))

    previous: Stamp | None = None
    quiet_us, seen = 0, 0  # until then, time that passes changes nothing
    for observation in observations:
        now = observation.stamp
        if previous is not None and now.wall_us >= quiet_us:
            for moment in _moments(previous, now, quiet_us):
                if moment.wall_us < quiet_us:
                    continue
                settle(seal.tick(moment), moment)
                quiet_us = seal.quiet_until(moment)
        outcome = seal.observe(observation)
        if outcome.facts or outcome.activities:
            settle(outcome, now)
        if outcome.activities or type(observation) is not Reading:
            quiet_us = 0
        seen += 1
        previous = now
    return told.summary(seen, len(seal.rules.open))


class _Told:
    """The records written so far."""

    def __init__(self, out: IO[bytes], origin: str) -> None:
        self._out, self._origin = out, origin
        self._records = self._closed = self._incidents = 0
        self._opened: list[str] = []

    def write(self, drafts: Iterable[Draft]) -> None:
        """Write records in their place."""
        for draft in drafts:
            self._out.write(encode_leaf(draft, self._origin, self._records) + b"\n")
            self._records += 1
            if draft.type is RecordType.INCIDENT_CLOSED:
                self._closed += 1
            elif draft.type is RecordType.INCIDENT_OPENED:
                self._incidents += 1
                if len(self._opened) < SHOWN_INCIDENTS:
                    data = draft.data
                    what = f"  {data['opened']} {data['code']} {data['source']} {data['place']}"
                    self._opened.append(what.rstrip())

    def summary(self, observations: int, still_open: int) -> str:
        """For people."""
        many = self._incidents > SHOWN_INCIDENTS
        more = f"; the first {SHOWN_INCIDENTS}:" if many else ""
        first = (
            f"{observations} observations, {self._records} records: "
            f"{self._incidents} incidents opened, {self._closed} closed, "
            f"{still_open} open at the end{more}"
        )
        return "\n".join([first, *self._opened])


def _moments(previous: Stamp, now: Stamp, quiet_us: int) -> Iterator[Stamp]:
    """Moments between two observations at which the seal is told that time passes.

    Those before `quiet_us` are passed over; whoever is told may say so of more.
    """
    gap_us = now.wall_us - previous.wall_us
    ticks = min(MAX_TICKS, max(1, math.ceil(gap_us / (MAX_GAP_S * 1e6))))
    for i in range(1, ticks + 1):
        wall_us = previous.wall_us + gap_us * i // ticks
        if wall_us >= quiet_us:
            yield Stamp(wall_us, wall_us, BOOT)


def _stamp(wall_us: int) -> Stamp:
    return Stamp(wall_us, wall_us, BOOT)


def _meter_codes(config: SealConfig, wanted: str) -> Mapping[str, str]:
    """What a row's meter column may say, to the meter's code; empty for a row without one."""
    codes = [meter.code for bus in config.bus for meter in bus.meter]
    if wanted and wanted not in codes:
        raise ConfigError([Fault("--meter", f"is {wanted!r}", f"use one of {', '.join(codes)}")])
    meters = {code: code for code in codes}
    if wanted or len(codes) == 1:
        meters[""] = wanted or codes[0]
    return meters


def _csv_readings(
    path: Path, meters: Mapping[str, str], progress: Progress
) -> Iterator[Observation]:
    try:
        with path.open("rb") as raw:
            task = progress.add_task(path.name, total=path.stat().st_size)
            plain = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            text = TextIOWrapper(cast("IO[bytes]", plain), "utf-8-sig", newline="")
            rows = csv.reader(text)
            parse = _parser(next(rows, []), meters, path)
            latest = -1
            for number, row in enumerate(rows):
                if not row:
                    continue
                try:
                    reading = parse(row)
                    wall_us = reading.stamp.wall_us
                    if wall_us < latest:
                        raise _RowError("earlier than the line before; sort by ts")
                except _RowError as error:
                    raise Refused(f"{path}:{rows.line_num}: {error}") from error
                except ValueError as error:
                    remedy = "ts is ISO-8601 UTC, the others numbers"
                    raise Refused(f"{path}:{rows.line_num}: {error}; {remedy}") from error
                latest = wall_us
                if not number % 1000:
                    progress.update(task, completed=raw.tell())
                yield reading
            progress.update(task, completed=raw.tell())
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise Refused(f"{path}: cannot be read as CSV ({error}); give a CSV or .csv.gz") from error


def _parser(
    header: Sequence[str], meters: Mapping[str, str], path: Path
) -> Callable[[list[str]], Reading]:
    """What makes a reading of a row; it raises ValueError or _RowError.

    Raises:
        Refused: columns are missing.
    """
    at = {name: i for i, name in enumerate(header)}
    missing = {"ts", "p_kw"} - set(at)
    if missing:
        raise Refused(f"{path}: has no column {' and '.join(sorted(missing))}; add it")
    ts, kw_at, meter_at, width = at["ts"], at["p_kw"], at.get("meter", -1), len(header)
    more = [(name, at[name]) for name in _QUANTITIES if name in at]
    earliest, latest = _YEARS_US
    good, bad, most = Quality.GOOD, Quality.BAD, _MAX_KW
    known = ", ".join(code for code in meters if code)

    def parse(row: list[str]) -> Reading:
        if len(row) < width:  # what is cut off is empty
            row += [""] * (width - len(row))
        code = meters.get(row[meter_at] if meter_at >= 0 else "")
        if code is None:
            raise _RowError(f"which meter? Use one of {known} in a column meter, or --meter")
        wall_us = _wall_us(row[ts])
        if not earliest <= wall_us < latest:
            year = datetime.fromisoformat(row[ts]).year
            raise _RowError(f"the year {year} is not of this century; mend ts")
        kw = float(row[kw_at] or "nan")
        quality = good
        if -most <= kw <= most:
            values = {"power_kw": kw}
        else:
            values, quality = {}, bad
        for name, place in more:
            value = float(row[place] or "nan")
            if -most <= value <= most:
                values[name] = value
        return Reading(code, Stamp(wall_us, wall_us, BOOT), quality, values)

    return parse


class _RowError(Exception):
    """What is wrong with a row and how to mend it."""


def _wall_us(text: str) -> int:
    """Microseconds since 1970 of an ISO-8601 time, UTC where it does not say. Raises ValueError."""
    when = datetime.fromisoformat(text)
    past = when - (_EPOCH if when.tzinfo is not None else _NAIVE_EPOCH)
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds


def _video_streams(
    config: SealConfig, videos: Mapping[str, Path], start: datetime, progress: Progress
) -> Iterator[Iterator[Observation]]:
    cameras = {camera.code: camera for camera in config.camera}
    unknown = [code for code in videos if code not in cameras]
    if unknown:
        raise ConfigError(
            [
                Fault("--video", f"names camera {code!r}", f"use one of {', '.join(cameras)}")
                for code in unknown
            ]
        )
    if not videos:
        return
    wanted = config.detector
    detector = load_detector(wanted.model, wanted.threads, wanted.models)
    first = _stamp(round(start.timestamp() * 1e6))
    for code, path in videos.items():
        frames = play(path, cameras[code], detector, first)
        task = progress.add_task(path.name, total=None)
        observations = (observation for observation, _picture in frames)
        yield _told(observations, first, progress, task)


def _told(
    observations: Iterable[Observation], first: Stamp, progress: Progress, task: TaskID
) -> Iterator[Observation]:
    """The observations of a video of unknown length; the bar tells how far it is."""
    for observation in observations:
        minutes = observation.stamp.since(first) / 60
        progress.update(task, description=f"{observation.source}, {minutes:.1f} min")
        yield observation
