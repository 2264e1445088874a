"""`eseal check` beyond the file itself: does what it names exist and work here?

Faults keep the daemon from doing its work; notes say what works and is still unwise.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edge.certificates import tls_faults
from edge.config import SealConfig
from edge.config.words import hide_passwords
from edge.errors import ConfigError, Fault, Refused
from edge.sensors.load import busy_share, sweep_seconds
from edge.sensors.spec import LineBus, SerialBus
from edge.vision.detect.loading import load_detector

BUSY_SHARE = 0.8  # of the period; a unit that answers late needs the rest
MAX_PASSWORD_BYTES = 4096


def examine(config: SealConfig, now: datetime) -> list[Fault]:
    """Every fault found by looking, not by connecting; empty when all is well."""
    return [
        *storage_faults(config.storage.dir),
        *_serial_devices(config),
        *_brokers(config, now),
        *_cameras(config),
        *_model(config),
    ]


def notes(config: SealConfig) -> list[Fault]:
    """What is allowed and unwise."""
    return [
        *_busy_buses(config),
        *_shared_addresses(config),
        *_idle_wiring(config),
        *_trust(config),
    ]


def storage_faults(directory: Path) -> Iterator[Fault]:
    """Why nothing can be written below `directory`, or could be made there."""
    place = directory
    try:
        while not place.exists() and place != place.parent:
            place = place.parent
        usable = place.is_dir()
    except OSError as error:  # a folder above it may not be searched, or a name is too long
        yield Fault("storage.dir", f"{place}: {error.strerror}", "name a directory")
        return
    if not usable:
        yield Fault("storage.dir", f"{place} is not a directory", "name a directory")
    elif os.statvfs(place).f_flag & os.ST_RDONLY:
        yield Fault("storage.dir", f"{place} is mounted read-only", "mount it so it can be written")
    elif not os.access(place, os.W_OK | os.X_OK):
        yield Fault(
            "storage.dir", f"{place} cannot be written", "give the eseal user write access to it"
        )


def _serial_devices(config: SealConfig) -> Iterator[Fault]:
    for i, bus in enumerate(config.bus):
        if not isinstance(bus, SerialBus):
            continue
        where, device = f"bus[{i}].device", Path(bus.device)
        try:
            mode = device.stat().st_mode
        except OSError as error:
            yield Fault(where, f"{device}: {error.strerror}", "name a serial device")
            continue
        if not stat.S_ISCHR(mode):
            yield Fault(where, f"{device} is not a serial device", "name a serial device")
        elif not os.access(device, os.R_OK | os.W_OK):
            yield Fault(
                where,
                f"{device} cannot be read and written",
                "put the eseal user into the group that owns it (dialout)",
            )


def _brokers(config: SealConfig, now: datetime) -> Iterator[Fault]:
    for i, broker in enumerate(config.broker):
        if broker.tls:
            yield from tls_faults(f"broker[{i}].tls", broker.tls, now)
        if broker.password_file:
            problem = _password_problem(broker.password_file)
            if problem:
                yield Fault(
                    f"broker[{i}].password_file",
                    f"{broker.password_file} {problem}",
                    "write the password into its first line",
                )


def _password_problem(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_PASSWORD_BYTES + 1)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if len(raw) > MAX_PASSWORD_BYTES:
        return f"is larger than {MAX_PASSWORD_BYTES} bytes"
    try:
        first = raw.decode("utf-8").partition("\n")[0]
    except UnicodeDecodeError:
        return "is not UTF-8"
    return "" if first.strip() else "has an empty first line"


def _cameras(config: SealConfig) -> Iterator[Fault]:
    for i, camera in enumerate(config.camera):
        parts = urlsplit(camera.url)
        path = unquote(parts.path)
        if parts.scheme == "file" and not os.access(path, os.R_OK):
            yield Fault(f"camera[{i}].url", f"{path} cannot be read", "name a video file")
        if parts.scheme == "v4l2" and not os.access(path, os.R_OK | os.W_OK):
            yield Fault(
                f"camera[{i}].url",
                f"{path} is no device that can be read and written",
                "name one, and put the eseal user into the group that owns it (video)",
            )
        if camera.ca_file is not None and (problem := _pem_problem(camera.ca_file)):
            yield Fault(
                f"camera[{i}].ca_file", f"{camera.ca_file} {problem}", "name a PEM certificate"
            )


def _pem_problem(path: Path) -> str:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return "holds no certificate in PEM"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return ""


def _model(config: SealConfig) -> list[Fault]:
    if not config.camera:
        return []
    wanted = config.detector
    try:
        load_detector(wanted.model, wanted.threads, wanted.models)
    except ConfigError as error:
        return error.faults
    except Refused as error:
        return [Fault("detector.model", str(error), "name a model that `eseal detect` can run")]
    return []


def _busy_buses(config: SealConfig) -> Iterator[Fault]:
    for i, bus in enumerate(config.bus):
        if not isinstance(bus, LineBus):
            continue
        if busy_share(bus) > BUSY_SHARE:
            seconds = sweep_seconds(bus)
            yield Fault(
                f"bus[{i}].period_s",
                f"is {bus.period_s:g} s; this bus needs {seconds:.1f} s a sweep at {bus.baud} baud",
                f"write {seconds / BUSY_SHARE:.1f} or more, raise baud, or split the bus",
            )


def bus_lines(config: SealConfig) -> Iterator[str]:
    """How much of its time each serial line is taken, for people."""
    for bus in config.bus:
        if isinstance(bus, LineBus):
            yield (
                f"bus {bus.code}: {sweep_seconds(bus):.2f} s a sweep at {bus.baud} baud, "
                f"{busy_share(bus):.0%} busy at one every {bus.period_s:g} s"
            )


def _shared_addresses(config: SealConfig) -> Iterator[Fault]:
    servers = Counter((bus.host, bus.port) for bus in config.bus if bus.transport != "rtu")
    streams = Counter(camera.url for camera in config.camera)
    for (host, port), count in servers.items():
        if count > 1:
            yield Fault(
                "bus", f"{host}:{port} is {count} buses", "list all units of a line under one bus"
            )
    for url, count in streams.items():
        if count > 1:
            yield Fault(
                "camera",
                f"{hide_passwords(url)} is {count} cameras",
                "give each camera its own stream",
            )


def _idle_wiring(config: SealConfig) -> Iterator[Fault]:
    if not config.bus and not config.camera:
        yield Fault("seal.toml", "names no bus and no camera", "add what the seal shall watch")
    for i, bus in enumerate(config.bus):
        if not bus.meter and not bus.contact:
            yield Fault(f"bus[{i}]", "has no meter and no contact", "add them or remove the bus")
    for i, camera in enumerate(config.camera):
        if not camera.zone and not camera.line:
            yield Fault(
                f"camera[{i}]",
                "has no zone and no line: it is watched for tampering only",
                "add a zone",
            )


def _trust(config: SealConfig) -> Iterator[Fault]:
    if not config.province.keys:
        yield Fault(
            "province.keys",
            "is empty: every order and every receipt is refused",
            "add the key that the province gave",
        )
    for i, broker in enumerate(config.broker):
        if broker.tls is None:
            yield Fault(
                f"broker[{i}].tls",
                "is missing: records travel in the clear, and anybody may play the broker",
                "add it",
            )
    if not config.storage.dir.is_absolute():
        yield Fault(
            "storage.dir",
            f"is {str(config.storage.dir)!r}, which depends on where eseal is started",
            "write a path that begins with /",
        )
