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
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
_YEARS = range(2000, 2101)
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
        return _replay(config, heapq.merge(*streams, key=lambda item: item.stamp.wall_us), out)


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
    origin = f"eseal/{config.site.mine_code}/{config.site.gateway}/replay"
    counts: Counter[str] = Counter()
    opened: list[str] = []

    def write(drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            out.write(encode_leaf(draft, origin, counts["records"]) + b"\n")
            counts["records"] += 1
            counts[draft.type] += 1
            if draft.type is RecordType.INCIDENT_OPENED and len(opened) < SHOWN_INCIDENTS:
                data = draft.data
                what = f"  {data['opened']} {data['code']} {data['source']} {data['place']}"
                opened.append(what.rstrip())

    def settle(outcome: Outcome, now: Stamp) -> None:
        write(outcome.facts)
        for activity in outcome.activities:
            write(seal.judge(activity, now))

    previous: Stamp | None = None
    for observation in observations:
        now = observation.stamp
        for moment in _moments(previous, now):
            settle(seal.tick(moment), moment)
        settle(seal.observe(observation), now)
        counts["observations"] += 1
        previous = now
    return "\n".join([_summary(counts, len(seal.rules.open)), *opened])


def _summary(counts: Counter[str], still_open: int) -> str:
    incidents = counts[RecordType.INCIDENT_OPENED]
    more = f"; the first {SHOWN_INCIDENTS}:" if incidents > SHOWN_INCIDENTS else ""
    return (
        f"{counts['observations']} observations, {counts['records']} records: "
        f"{incidents} incidents opened, {counts[RecordType.INCIDENT_CLOSED]} closed, "
        f"{still_open} open at the end{more}"
    )


def _moments(previous: Stamp | None, now: Stamp) -> Iterator[Stamp]:
    """Moments between two observations at which the seal is told that time passes."""
    if previous is None:
        return
    gap_us = now.wall_us - previous.wall_us
    ticks = min(MAX_TICKS, max(1, math.ceil(gap_us / (MAX_GAP_S * 1e6))))
    for i in range(1, ticks + 1):
        yield _stamp(previous.wall_us + gap_us * i // ticks)


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
            rows = csv.DictReader(text)
            missing = {"ts", "p_kw"} - set(rows.fieldnames or ())
            if missing:
                raise Refused(f"{path}: has no column {' and '.join(sorted(missing))}; add it")
            latest = -1
            for row in rows:
                where = f"{path}:{rows.line_num}"
                reading = _reading(row, meters, where)
                if reading.stamp.wall_us < latest:
                    raise Refused(f"{where}: earlier than the line before; sort by ts")
                latest = reading.stamp.wall_us
                if rows.line_num % 1000 == 0:
                    progress.update(task, completed=raw.tell())
                yield reading
            progress.update(task, completed=raw.tell())
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise Refused(f"{path}: cannot be read as CSV ({error}); give a CSV or .csv.gz") from error


def _reading(row: Mapping[str, str | None], meters: Mapping[str, str], where: str) -> Reading:
    named = row.get("meter") or ""
    if named not in meters:
        known = ", ".join(code for code in meters if code)
        raise Refused(f"{where}: which meter? Use one of {known} in a column meter, or --meter")
    try:
        when = datetime.fromisoformat(row["ts"] or "")
        values = {"power_kw": float(row["p_kw"] or "nan")}
        values |= {name: float(row[name] or "nan") for name in _QUANTITIES if name in row}
    except ValueError as error:
        raise Refused(f"{where}: {error}; ts is ISO-8601 UTC, the others numbers") from error
    if when.year not in _YEARS:
        raise Refused(f"{where}: the year {when.year} is not of this century; mend ts")
    wall = when if when.tzinfo else when.replace(tzinfo=UTC)
    usable = {name: value for name, value in values.items() if abs(value) <= _MAX_KW}
    quality = Quality.GOOD if "power_kw" in usable else Quality.BAD
    stamp = _stamp(int(wall.replace(microsecond=0).timestamp()) * 1_000_000 + wall.microsecond)
    return Reading(meters[named], stamp, quality, usable)


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
