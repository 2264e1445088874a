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


# --- meter profiles of the site's own ------------------------------------------------------

PROFILE = (Path(__file__).parents[2] / "edge/sensors/meters/eastron_sdm630.toml").read_bytes()


@pytest.fixture
def own(tmp_path):
    """A seal.toml whose first and fourth meter have profiles of the site's own, and both files."""
    first, fourth = tmp_path / "winder.toml", tmp_path / "spare.toml"
    first.write_bytes(PROFILE)
    fourth.write_bytes(PROFILE)
    text = SAMPLE.read_text()
    text = text.replace('"acrel_adl400"', f'"{first}"', 1)
    text = text.replace('"eastron_sdm630"', f'"{fourth}"', 1)
    path = tmp_path / "seal.toml"
    path.write_text(text)
    return path, first, fourth


def test_the_sites_own_profiles_are_read_and_their_hashes_recorded(own):
    path, first, fourth = own
    profiles = load(path).profiles()
    assert profiles.keys() == {str(first), str(fourth)}
    assert len(set(profiles.values())) == 1
    assert parse(sample()).profiles() == {}


def test_faults_of_the_sites_own_profiles_are_told_along_with_all_others(own):
    path, first, fourth = own
    first.write_bytes(PROFILE.replace(b'"f32"', b'"f31"', 1))
    fourth.unlink()
    path.write_text(path.read_text().replace('state = "suspended"', 'state = "asleep"'))
    with pytest.raises(ConfigError) as caught:
        load(path)
    told = {fault.path for fault in caught.value.faults}
    assert told == {"site.state", f"{first}: quantity.voltage_l1_v.type", str(fourth)}
    path.write_text(path.read_text().replace('"asleep"', '"suspended"'))
    with pytest.raises(ConfigError, match=r"winder\.toml"):
        load(path)


def test_a_profile_that_is_no_whole_path_is_told():
    for name in ("profiles/own.toml", "/etc/eseal/own", "../../etc/passwd"):
        with pytest.raises(ConfigError, match="name the whole path"):
            parse(changed(sample(), "bus.0.meter.0.profile", name))


def test_only_so_many_profiles_of_the_sites_own_are_read(tmp_path):
    bus = "".join(
        f'[[bus.meter]]\ncode = "m{n}"\nprofile = "/none/{n}.toml"\nunit = {n + 1}\nduty = "fan"\n'
        for n in range(40)
    )
    path = tmp_path / "seal.toml"
    path.write_text(f'[[bus]]\ncode = "b"\ntransport = "tcp"\nhost = "10.0.0.1"\n{bus}')
    with pytest.raises(ConfigError) as caught:
        load(path)
    told = [str(fault) for fault in caught.value.faults]
    assert sum("/none/" in fault for fault in told) == 32
    assert any("names 40 meter profiles of its own" in fault for fault in told)
