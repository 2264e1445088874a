"""Recorded readings and video through the same analysers and rules, in simulated time.

Deterministic: the same input gives the same bytes. In a replay monotonic time is the wall
time of the recording, so a recording cannot step its clock.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

from rich.progress import Progress

from edge.clock import Stamp
from edge.config import SealConfig
from edge.domain.observation import Observation, Quality, Reading
from edge.domain.record import Draft, RecordType
from edge.errors import ConfigError, Fault, Refused
from edge.ledger.leaf import encode_leaf
from edge.rules.engine import initial
from edge.seal import Outcome, Seal
from edge.vision.detector import load_detector
from edge.vision.playback import play

BOOT = "replay"
MAX_GAP_S = 1.0  # the seal is told that time passes at least this often, up to …
MAX_TICKS = 10  # … this many times in one gap of the recording


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
        readings: CSV files (may be .gz) with `ts`, `p_kw` and optionally `meter` and quantities.
        videos: camera code to file.
        target: where the leaves go.
        meter: code for a CSV without a meter column; needed when there are several meters.
        start: UTC time of the first video frame.

    Returns:
        A summary for people.

    Raises:
        ConfigError: a camera or meter that the configuration does not have.
        Refused: a file that cannot be read as what it should be; says where.
    """
    with Progress(transient=True) as progress, target.open("wb") as out:
        streams = [
            _csv_readings(path, _meter_code(config, meter), progress) for path in readings
        ] + list(_video_streams(config, videos, start))
        return _replay(config, heapq.merge(*streams, key=lambda item: item.stamp.wall_us), out)


def _replay(config: SealConfig, observations: Iterable[Observation], out: IO[bytes]) -> str:
    seal = Seal(config, initial(config.site.state))
    origin = f"eseal/{config.site.mine_code}/{config.site.gateway}/replay"
    counts: Counter[str] = Counter()

    def write(drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            out.write(encode_leaf(draft, origin, counts["records"]) + b"\n")
            counts["records"] += 1
            counts[draft.type] += 1

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
    return (
        f"{counts['observations']} observations, {counts['records']} records: "
        f"{counts[RecordType.INCIDENT_OPENED]} incidents opened, "
        f"{counts[RecordType.INCIDENT_CLOSED]} closed"
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


def _meter_code(config: SealConfig, wanted: str) -> str:
    codes = [meter.code for bus in config.bus for meter in bus.meter]
    if wanted and wanted not in codes:
        raise ConfigError([Fault("--meter", f"is {wanted!r}", f"use one of {', '.join(codes)}")])
    return wanted or (codes[0] if len(codes) == 1 else "")


def _csv_readings(path: Path, meter: str, progress: Progress) -> Iterator[Observation]:
    try:
        with path.open("rb") as raw:
            task = progress.add_task(path.name, total=path.stat().st_size)
            plain = gzip.open(raw) if path.suffix == ".gz" else raw
            rows = csv.DictReader(TextIOWrapper(cast("IO[bytes]", plain), "utf-8", newline=""))
            latest = -1
            for line, row in enumerate(rows, start=2):
                reading = _reading(row, meter, f"{path}:{line}")
                if reading.stamp.wall_us < latest:
                    raise Refused(f"{path}:{line}: earlier than the line before; sort by ts")
                latest = reading.stamp.wall_us
                if line % 1000 == 0:
                    progress.update(task, completed=raw.tell())
                yield reading
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path}: cannot be read as CSV ({error}); give a CSV or .csv.gz") from error


def _reading(row: Mapping[str, str | None], meter: str, where: str) -> Reading:
    try:
        when = datetime.fromisoformat(row["ts"] or "")
        values = {"power_kw": float(row["p_kw"] or "nan")}
    except KeyError as error:
        raise Refused(f"{where}: no column {error}; columns ts and p_kw are needed") from error
    except ValueError as error:
        raise Refused(f"{where}: {error}; ts is ISO-8601 UTC, p_kw a number") from error
    source = row.get("meter") or meter
    if not source:
        raise Refused(f"{where}: which meter? Add a column meter, or say --meter")
    quality = Quality.GOOD if math.isfinite(values["power_kw"]) else Quality.BAD
    wall = when if when.tzinfo else when.replace(tzinfo=UTC)
    stamp = _stamp(round(wall.timestamp() * 1e6))
    return Reading(source, stamp, quality, values if quality is Quality.GOOD else {})


def _video_streams(
    config: SealConfig, videos: Mapping[str, Path], start: datetime
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
    detector = load_detector(config.detector.model, config.detector.threads)
    for code, path in videos.items():
        frames = play(path, cameras[code], detector, _stamp(round(start.timestamp() * 1e6)))
        yield (observation for observation, _picture in frames)
