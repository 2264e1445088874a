"""seal.toml as a whole: defaults, the sample, the file, the hash of what is in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config import MAX_BYTES, SealConfig, decode, load, parse
from edge.config.words import hide_passwords
from edge.errors import ConfigError, Unfit
from tests.configs import SAMPLE, changed, minimal, sample


def test_the_least_configuration_has_conservative_defaults():
    config = parse(minimal())
    assert config.page.host == "127.0.0.1"
    assert config.broker[0].port == 8883
    assert config.province.keys == ()
    assert config.detector.model == ""


def test_the_commented_sample_parses_and_names_a_source_of_each_sort():
    config = load(SAMPLE)
    assert [bus.transport for bus in config.bus] == ["tcp", "rtu"]
    assert config.bus[1].contact[0].code == "cabinet-door"
    assert [camera.code for camera in config.camera] == ["shaft-cam", "gate-cam"]
    assert config.camera[0].access.url.endswith("/sub")
    assert config.camera[1].access.url.endswith("/main")
    assert config.broker[0].tls is not None


# --- the hash and what is recorded ---------------------------------------------------------


def test_what_is_recorded_holds_no_password_and_its_hash_depends_on_none():
    config = load(SAMPLE)
    assert config.redacted()["camera"][0]["url"] == "rtsp://seal:***@10.0.0.31:554/main"
    url = "rtsp://seal:other@10.0.0.31:554/main"
    assert parse(changed(sample(), "camera.0.url", url)).sha256() == config.sha256()


def test_any_other_change_changes_the_hash():
    seen = {parse(sample()).sha256()}
    for path, value in (
        ("camera.0.zone.0.polygon.0", [0.31, 0.4]),
        ("bus.0.meter.3.duty", "pump"),
        ("broker.0.port", 8884),
        ("camera.0.url", "rtsp://other:secret@10.0.0.31:554/main"),
    ):
        seen.add(parse(changed(sample(), path, value)).sha256())
    assert len(seen) == 5


def test_passwords_that_cameras_take_in_the_path_are_hidden_too():
    assert hide_passwords("rtsp://h/user=a&password=pa55&channel=1") == (
        "rtsp://h/user=a&password=***&channel=1"
    )


def test_hiding_leaves_urls_without_password_as_they_are():
    for url in ("rtsp://10.0.0.1/a", "rtsp://user@10.0.0.1/a", "", "file:///a/b.mp4"):
        assert hide_passwords(url) == url


def test_the_configuration_cannot_change_after_loading():
    config = load(SAMPLE)
    with pytest.raises(ValueError, match="frozen"):
        config.site.name = "other"  # type: ignore[misc]


# --- the file ------------------------------------------------------------------------------


def told_of(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    (fault,) = caught.value.faults
    return str(fault)


def test_a_missing_file_and_a_directory_are_told(tmp_path):
    assert "cannot be read (No such file or directory)" in told_of(tmp_path / "none.toml")
    assert "cannot be read (Is a directory)" in told_of(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[site", "is not TOML"),
        (b"a = 1\nb = x\n", "is not TOML (Invalid value (at line 2, column 5)"),
        (b"\xff\xfe[", "is not UTF-8 (byte 0); save it as UTF-8"),
        (b"a = " + b"[" * 900, "nests too deep to be read"),
        (b"a = 1" + b"0" * 1100, "has a line of 1105 bytes; break lines longer than 1024 bytes"),
        (b"#\n" * MAX_BYTES, "is larger than 128 KiB"),
    ],
)
def test_bytes_that_are_no_configuration_are_told(tmp_path, content: bytes, words: str):
    path = tmp_path / "seal.toml"
    path.write_bytes(content)
    assert words in told_of(path)


def test_an_endless_file_is_read_no_further_than_the_limit():
    assert "is larger than 128 KiB" in told_of(Path("/dev/zero"))


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "seal.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SAMPLE.read_bytes())
    assert isinstance(load(path), SealConfig)


def test_a_number_of_too_many_digits_is_told():
    assert "is not TOML" in _unfit(b"a = [\n" + b"\n".join([b"1" + b"0" * 1000 + b","]) + b"=")


def _unfit(raw: bytes) -> str:
    with pytest.raises(Unfit) as caught:
        decode(raw)
    return str(caught.value)
