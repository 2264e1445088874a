"""`eseal check`: what the configuration names is looked at, and every fault is told at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import NameOID

from edge import check
from edge.config import parse
from edge.errors import ConfigError, Fault, Refused
from tests.configs import changed, minimal, sample

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def certificate(key: EllipticCurvePrivateKey, begin: datetime, end: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def private(key: EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    """ca.crt, gateway.crt, gateway.key, password: good on `NOW`."""
    key = generate_private_key(SECP256R1())
    begin, end = NOW - timedelta(days=1), NOW + timedelta(days=1)
    (tmp_path / "ca.crt").write_bytes(certificate(generate_private_key(SECP256R1()), begin, end))
    (tmp_path / "gateway.crt").write_bytes(certificate(key, begin, end))
    (tmp_path / "gateway.key").write_bytes(private(key))
    (tmp_path / "password").write_text("secret\n")
    return tmp_path


def wired(pki: Path) -> dict[str, Any]:
    data = minimal(pki / "store")
    tls = {"ca": "ca.crt", "certificate": "gateway.crt", "key": "gateway.key"}
    data["broker"][0] |= {
        "tls": {name: str(pki / file) for name, file in tls.items()},
        "username": "g",
        "password_file": str(pki / "password"),
    }
    return data


def found(data: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in check.examine(parse(data), NOW)]


def test_a_gateway_that_is_as_it_should_be_has_no_fault(pki):
    assert found(wired(pki)) == []


def test_all_faults_are_found_at_once(pki, tmp_path):
    data = changed(wired(pki), "storage.dir", str(pki / "password" / "store"))
    data = changed(data, "broker.0.tls.ca", str(pki / "none"))
    data["bus"] = [{"code": "b", "transport": "rtu", "device": "/dev/none"}]
    data["camera"] = [{"code": "c", "url": f"file://{tmp_path}/none.mp4"}]
    data["detector"] = {"model": "no-such-model"}
    said = found(data)
    for path in ("storage.dir", "broker[0].tls.ca", "bus[0].device", "camera[0].url", "detector"):
        assert any(line.startswith(path) for line in said), (path, said)


# --- storage -------------------------------------------------------------------------------


def test_storage_that_does_not_exist_yet_is_judged_by_the_folder_above_it(tmp_path):
    assert found(minimal(tmp_path / "a" / "b" / "c")) == []


def test_a_file_cannot_be_storage(tmp_path):
    (tmp_path / "file").touch()
    assert "is not a directory" in found(minimal(tmp_path / "file"))[0]


def test_storage_that_may_not_be_written_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "give the eseal user write access to it" in found(minimal(tmp_path))[0]


def test_a_read_only_disk_is_a_fault(tmp_path, monkeypatch):
    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda path: ReadOnly)
    assert "is mounted read-only" in found(minimal(tmp_path))[0]


def test_a_path_that_the_system_refuses_is_a_fault(tmp_path):
    assert "File name too long" in found(minimal(tmp_path / ("n" * 300)))[0]


# --- serial devices ------------------------------------------------------------------------


def serial(tmp_path: Path, device: str) -> dict[str, Any]:
    bus = {"code": "b", "transport": "rtu", "device": device}
    return {**minimal(tmp_path), "bus": [bus]}


def test_a_device_that_is_there_is_no_fault(tmp_path):
    ours, theirs = os.openpty()
    try:
        assert found(serial(tmp_path, os.ttyname(theirs))) == []
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_missing_device_and_a_plain_file_are_faults(tmp_path):
    assert "No such file or directory" in found(serial(tmp_path, "/dev/none"))[0]
    (tmp_path / "file").touch()
    assert "is not a serial device" in found(serial(tmp_path, str(tmp_path / "file")))[0]


def test_a_device_of_another_group_is_a_fault(tmp_path, monkeypatch):
    granted = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: str(path) != "/dev/null" and granted(path, mode)
    )
    assert "(dialout)" in found(serial(tmp_path, "/dev/null"))[0]


def test_a_bus_over_tcp_has_no_device(tmp_path):
    bus = {"code": "b", "transport": "tcp", "host": "10.0.0.1"}
    assert found({**minimal(tmp_path), "bus": [bus]}) == []


# --- certificates and passwords ------------------------------------------------------------


def expired(pki: Path) -> None:
    key = generate_private_key(SECP256R1())
    begin, end = NOW - timedelta(days=9), NOW - timedelta(minutes=1)
    (pki / "ca.crt").write_bytes(certificate(key, begin, end))


def too_early(pki: Path) -> None:
    key = generate_private_key(SECP256R1())
    begin, end = NOW + timedelta(days=1), NOW + timedelta(days=9)
    (pki / "ca.crt").write_bytes(certificate(key, begin, end))


def unmatched(pki: Path) -> None:
    (pki / "gateway.key").write_bytes(private(generate_private_key(SECP256R1())))


def locked(pki: Path) -> None:
    (pki / "gateway.key").write_bytes(private(generate_private_key(SECP256R1()), b"secret"))


def cut_short(pki: Path) -> None:
    (pki / "gateway.crt").write_bytes((pki / "gateway.crt").read_bytes()[:200])


def swapped(pki: Path) -> None:
    (pki / "gateway.key").write_bytes((pki / "gateway.crt").read_bytes())


def empty(pki: Path) -> None:
    (pki / "ca.crt").write_bytes(b"")


def endless(pki: Path) -> None:
    (pki / "ca.crt").unlink()
    (pki / "ca.crt").symlink_to("/dev/zero")


def missing(pki: Path) -> None:
    (pki / "gateway.key").unlink()


def folder(pki: Path) -> None:
    (pki / "ca.crt").unlink()
    (pki / "ca.crt").mkdir()


def no_password(pki: Path) -> None:
    (pki / "password").unlink()


def blank_password(pki: Path) -> None:
    (pki / "password").write_bytes(b"\nsecret")


def latin_password(pki: Path) -> None:
    (pki / "password").write_bytes("geheimnisträger".encode("latin-1"))


def endless_password(pki: Path) -> None:
    (pki / "password").unlink()
    (pki / "password").symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("spoil", "path", "words"),
    [
        (expired, "tls.ca", "expired on 2026-05-31 23:59 UTC; ask the province for a new one"),
        (too_early, "tls.ca", "is valid only from 2026-06-02 00:00 UTC; look at the clock"),
        (unmatched, "tls.key", "does not belong to"),
        (locked, "tls.key", "is locked with a password; store it without, mode 600"),
        (cut_short, "tls.certificate", "holds no certificate in PEM"),
        (swapped, "tls.key", "holds no private key in PEM"),
        (empty, "tls.ca", "holds no certificate in PEM"),
        (endless, "tls.ca", "is larger than 1 MB"),
        (missing, "tls.key", "cannot be read (No such file or directory)"),
        (folder, "tls.ca", "cannot be read (Is a directory)"),
        (no_password, "password_file", "cannot be read (No such file or directory)"),
        (blank_password, "password_file", "has an empty first line"),
        (latin_password, "password_file", "is not UTF-8"),
        (endless_password, "password_file", "is larger than 4096 bytes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_spoilt_file_is_one_fault(pki, spoil: Callable[[Path], None], path: str, words: str):
    spoil(pki)
    (said,) = found(wired(pki))
    assert said.startswith(f"broker[0].{path}: ")
    assert words in said


def test_a_broker_may_be_reached_without_client_certificate(pki):
    data = changed(wired(pki), "broker.0.tls.key", None)
    assert found(changed(data, "broker.0.tls.certificate", None)) == []


# --- films and models ----------------------------------------------------------------------


def test_a_film_that_cannot_be_read_is_a_fault(tmp_path):
    film = tmp_path / "a film.mp4"
    data = {
        **minimal(tmp_path),
        "camera": [{"code": "c", "url": f"file://{tmp_path}/a%20film.mp4"}],
    }
    assert "name a video file" in found(data)[0]
    film.touch()
    assert found(data) == []


def test_a_model_is_loaded_only_where_there_is_a_camera(tmp_path):
    data = {**minimal(tmp_path), "detector": {"model": "no-such-model"}}
    assert found(data) == []


def test_a_broken_model_and_an_unknown_name_are_faults(tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    data = {**minimal(tmp_path), "camera": [{"code": "c", "url": "rtsp://10.0.0.1/"}]}
    for model in (str(broken), "no-such-model", str(tmp_path / "none.onnx")):
        (said,) = found({**data, "detector": {"model": model}})
        assert said.startswith("detector")


@pytest.mark.parametrize(
    "error", [Refused("odd"), ConfigError([Fault("detector.model", "odd", "x")])]
)
def test_what_the_loader_refuses_is_told(tmp_path, monkeypatch, error):
    def refuse(model: str, threads: int, own: Path) -> None:
        raise error

    monkeypatch.setattr(check, "load_detector", refuse)
    data = {**minimal(tmp_path), "camera": [{"code": "c", "url": "rtsp://10.0.0.1/"}]}
    (said,) = found(data)
    assert said.startswith("detector.model: odd")


# --- notes ---------------------------------------------------------------------------------


def noted(data: dict[str, Any]) -> list[str]:
    return [str(note) for note in check.notes(parse(data))]


def test_the_sample_is_wise_in_everything():
    assert noted(sample()) == []


def test_a_bus_that_cannot_be_swept_in_its_period_is_noted():
    data = sample()
    meter = data["bus"][1]["meter"][0]
    data["bus"][1]["meter"] = [{**meter, "code": f"m{i}", "unit": i} for i in range(1, 13)]
    (said,) = noted(data)
    assert said.startswith("bus[1].period_s: is 2 s; this bus needs ")
    assert " s a sweep at 9600 baud; write " in said
    assert "or more, raise baud, or split the bus" in said


def test_how_busy_a_serial_line_is_is_told():
    (line,) = check.bus_lines(parse(sample()))
    assert line.startswith("bus cabinet: 0.")
    assert line.endswith(" busy at one every 2 s")


def test_what_is_allowed_and_unwise_is_noted():
    said = noted({**minimal(), "storage": {"dir": "store"}})
    assert [line.split(":")[0] for line in said] == [
        "seal.toml",
        "province.keys",
        "broker[0].tls",
        "storage.dir",
    ]


def test_things_that_watch_nothing_are_noted():
    data = changed(sample(), "bus.1.meter", [])
    data = changed(data, "bus.1.contact", [])
    data = changed(data, "camera.1.zone", [])
    assert [line.split(":")[0] for line in noted(data)] == ["bus[1]", "camera[1]"]


def test_one_address_under_two_names_is_noted_without_its_password():
    data = changed(sample(), "camera.1.url", sample()["camera"][0]["url"])
    data["bus"][1] = {"code": "other", "transport": "tcp", "host": "10.0.0.20", "meter": []}
    data["bus"][1]["contact"] = [{"code": "door", "unit": 1, "address": 0}]
    del data["challenge"]  # its lamp hung on that bus
    said = noted(data)
    assert said[0].startswith("bus: 10.0.0.20:502 is 2 buses")
    assert said[1].startswith("camera: rtsp://seal:***@10.0.0.31:554/main is 2 cameras")


@pytest.mark.parametrize(
    ("camera", "fault"),
    [
        ({"url": "rtsps://10.0.0.1/x", "ca_file": "{dir}/bad.crt"}, "holds no certificate in PEM"),
        ({"url": "rtsps://10.0.0.1/x", "ca_file": "/nowhere.crt"}, "cannot be read"),
        ({"url": "v4l2:///dev/video99"}, "is no device that can be read and written"),
    ],
)
def test_a_camera_s_device_and_authority_are_looked_at(tmp_path, camera, fault):
    (tmp_path / "bad.crt").write_text("no certificate")
    data = minimal()
    data["storage"]["dir"] = str(tmp_path)
    data["camera"] = [
        {"code": "c", **{key: text.format(dir=tmp_path) for key, text in camera.items()}}
    ]
    assert [one for one in found(data) if "camera[0]" in one and fault in one]
