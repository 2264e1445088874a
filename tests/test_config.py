"""seal.toml: what is refused, in which words, and that nothing else than ConfigError comes out."""

from __future__ import annotations

import copy
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from datetime import time as day_time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from edge.config import MAX_BYTES, SealConfig, decode, load, parse
from edge.config.words import faults_of, hide_passwords, show
from edge.errors import ConfigError, Fault, Unfit
from tests.configs import SAMPLE, changed, minimal, sample
from tests.docs.rows import SECTIONS


def faults(data: dict[str, Any]) -> dict[str, Fault]:
    with pytest.raises(ConfigError) as caught:
        parse(data)
    return {fault.path: fault for fault in caught.value.faults}


def only_fault(data: dict[str, Any]) -> Fault:
    (fault,) = faults(data).values()
    return fault


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
    assert config.camera[0].watch_url.endswith("/sub")
    assert config.camera[1].watch_url.endswith("/main")
    assert config.broker[0].tls is not None


def test_every_fault_is_told_at_once_also_those_between_tables():
    data = changed(sample(), "site.mine_code", 2201)
    data = changed(data, "bus.0.meter.1.unit", 1)
    data = changed(data, "camera.1.code", "hoist")
    data = changed(data, "page.host", "0.0.0.0")
    data = changed(data, "broker.0.tls.key", None)
    assert set(faults(data)) == {
        "site.mine_code",
        "bus[0].meter[1].unit",
        "camera[1].code",
        "page.host",
        "broker[0].tls.key",
    }


# path of the key, what is written there, what the fault's text must say
WRONG = [
    ("site", None, "is missing; add it: which mine and which box"),
    ("site.mine_code", None, 'is missing; add it: 12-digit mine code, e.g. mine_code = "220100'),
    ("site.mine_code", 220100000001, "is 220100000001, not text; write text in quotes"),
    ("site.mine_code", "2201", "is '2201'; write the mine's code of 12 digits"),
    ("site.mine_code", "٢" * 12, "write the mine's code of 12 digits"),
    ("site.name", "n" * 101, "is longer than 100 characters; shorten it"),
    ("site.gateway", "Main Shaft", "use 1 to 32 small letters, digits and hyphens"),
    ("site.state", "suspend", "did you mean suspended?"),
    ("site.state", 3, "is 3; use one of 'producing', 'rectifying'"),
    ("site", "mine", "is 'mine', not a table; write [site] and its keys below"),
    ("storage.dir", "", "is ''; name a path"),
    ("storage.dir", "a\0b", "name a path"),
    ("storage.dir", "d" * 1025, "is longer than 1024 bytes"),
    ("storage.dir", 7, "is 7, not a path; write a path in quotes"),
    ("bus", {"code": "b"}, "is a table, not a list; write [[bus]] above its keys"),
    ("bus.0", 5, "is 5, not a table; write [[bus]] and its keys below"),
    ("bus.0.transport", None, 'has no transport; add transport = "tcp" or "rtu"'),
    ("bus.0.transport", "tpc", "has transport = 'tpc'; use one of 'tcp', 'rtu'; did you mean tcp?"),
    ("bus.0.transport", "udp", "has transport = 'udp'; use one of 'tcp', 'rtu'"),
    ("bus.0.period_s", 0.1, "is 0.1, too small; write 0.2 or more"),
    ("bus.0.period_s", 1e9, "is 1000000000.0, too large; write 3600.0 or less"),
    ("bus.0.period_s", float("nan"), "is nan; write a finite number, e.g. period_s = 2.0"),
    ("bus.0.period_s", float("inf"), "is inf; write a finite number"),
    ("bus.0.period_s", "2", "is '2', not a number; write a number without quotes"),
    ("bus.0.timeout_s", 0, "is 0, too small; write a number above 0"),
    ("bus.0.host", "tcp://10.0.0.20", "write a name or an address alone; the port is a key"),
    ("bus.0.host", "10.0.0.20:502", "write a name or an address alone"),
    ("bus.0.host", "", "write a name or an address alone"),
    ("bus.0.port", 0, "is 0, too small; write 1 or more"),
    ("bus.0.port", "502", "is '502', not a whole number; write digits without quotes"),
    ("bus.0.port", 502.0, "is 502.0, not a whole number"),
    ("bus.0.port", 10**5000, "a number of very many digits"),
    ("bus.0.meter.0.unit", True, "is true, not a whole number"),
    ("bus.0.meter.0.unit", 248, "is 248, too large; write 247 or less"),
    ("bus.0.meter.0.profile", "eastron_sdm360", "which no profile is called; use one of acrel"),
    ("bus.0.meter.0.duty", "hosit", "did you mean hoist?"),
    ("bus.0.meter.3.running_kw", 0, "write a number above 0"),
    ("bus.0.meter.0.position_code", "12", "write the platform's 14 digits, or leave it out"),
    ("bus.0.meter.1.code", "incoming", "is 'incoming', as bus[0].meter[0].code already is"),
    ("bus.0.meter.1.code", "host", "names a part of the gateway itself; choose another"),
    ("bus.0.meter.1.unit", 1, "is 1, as bus[0].meter[0].unit already is; one unit, one meter"),
    ("bus.1.code", "substation", "give every bus a code of its own"),
    ("bus.1.device", "ttyS1", "name a device, e.g. /dev/ttyS1"),
    ("bus.1.baud", 9601, "is 9601; use one of 1200"),
    ("bus.1.contact.0.normally", "close", "did you mean closed?"),
    ("bus.1.contact.0.code", "shaft-cam", ""),
    ("camera.0.url", "http://10.0.0.1/", "is not a URL of rtsp or rtsps or file"),
    ("camera.0.url", "rtsp://", "is not a URL of rtsp"),
    ("camera.0.url", "rtsp://[::1/x", "has a host or a port that cannot be read"),
    ("camera.0.url", "rtsp://h:99999/x", "has a host or a port that cannot be read"),
    (
        "camera.0.url",
        "rtsp://u:12/3@h/x",
        "has an @ behind the host; write @ : / # ? of a password",
    ),
    ("camera.0.url", "rtsp://h/a b", "is not a URL"),
    ("camera.0.url", "file:///", "names no file"),
    ("camera.0.url", "file:///a%00b", "is not a URL"),
    ("camera.0.sub_url", "file:///a", "is not a URL of rtsp or rtsps"),
    ("camera.0.camera_code", "1", "write the platform's 20 digits"),
    ("camera.0.zone.0.kind", "shaft", "use one of 'shaft-mouth', 'gate' or 'yard'"),
    ("camera.0.zone.0.polygon", 5, "is 5, not a list; write a list in square brackets, e.g."),
    ("camera.0.zone.0.polygon", [[0, 0], [1, 1]], "has 2, too few; give at least 3"),
    ("camera.0.zone.0.polygon", [[0, 0], [1, 1]] * 17, "has more than 32; give at most 32"),
    ("camera.0.zone.0.polygon", [[0, 0], [1, 1], [1, 0], [0, 1]], "crosses itself: the side from"),
    ("camera.0.zone.0.polygon", [[0, 0], [0.01, 0], [0, 0.01]], "has next to no area"),
    ("camera.0.zone.0.polygon.1", [0.5], "is missing; write a point as [x, y]"),
    ("camera.0.zone.0.polygon.1", [0.5, 0.5, 0.5], "has more than 2; give at most 2"),
    ("camera.0.zone.0.polygon.1", [0.5, 50], "is 50, too large; write 1.0 or less"),
    ("camera.0.line.0.code", "main-shaft-mouth", "use each code once within a camera"),
    ("camera.0.line.0.end", [0.3, 0.7], "is where the line starts"),
    ("detector.threads", 0, "write 1 or more"),
    ("broker", [], "has 0, too few; give at least 1"),
    ("broker", None, "is missing; add it: addresses of the province's broker"),
    ("broker.0.port", 70000, "write 65535 or less"),
    ("broker.0.protocol", "3.1", "is '3.1'; use one of 'auto', '5' or '3.1.1'"),
    ("broker.0.keepalive_s", 1, "write 5 or more"),
    ("broker.0.window", 0, "write 1 or more"),
    ("broker.0.window", 2001, "write 2000 or less"),
    ("broker.0.tls", "yes", "is 'yes', not a table"),
    ("broker.0.tls.key", None, "certificate is given without key; give both or neither"),
    ("broker.0.tls.certificate", None, "key is given without certificate"),
    ("broker.0.username", "", "is given without a username; add username, or remove it"),
    ("broker.1.host", "MQTT.example.org", "as broker[0].host already is; name each broker once"),
    ("province.keys", ["a+b+c"], "copy the whole line that the province gave"),
    ("province.keys", "a+b+c", "is 'a+b+c', not a list; write a list in square brackets"),
    ("page.enabled", "no", "is 'no'; write true or false without quotes"),
    ("page.host", "0.0.0.0", "the page has no accounts yet; write 127.0.0.1"),
    ("page.host", "gateway.local", "the page has no accounts yet"),
    ("page.host", "::", "the page has no accounts yet"),
    ("page.port", -1, "write 0 or more"),
    ("logging.level", "warn", "did you mean warning?"),
    ("logging.level", datetime(2026, 1, 1, tzinfo=UTC), "is datetime.datetime(2026"),
    ("logging", [], "is a list, not a table"),
    ("pgae", {}, "is not a key that is known here; did you mean page?"),
    ("site.mine-code", "1", "did you mean mine_code?"),
    ("site.colour", "red", "remove it; known here: mine_code, name, gateway, state"),
    ("bus.0.tcp", 1, "is not a key that is known here"),
    ("camera.0.zone.0.polygn", [], "did you mean polygon?"),
]


@pytest.mark.parametrize(
    ("path", "value", "words"), WRONG, ids=[f"{i}-{path}" for i, (path, *_) in enumerate(WRONG)]
)
def test_each_fault_is_told_in_plain_words(path: str, value: Any, words: str):
    said = [str(fault) for fault in faults(changed(sample(), path, value)).values()]
    assert any(words in line for line in said), said
    assert not any("input should" in line.lower() for line in said), said


def test_the_path_of_a_fault_is_written_as_people_write_it():
    data = changed(sample(), "bus.0.meter.2.unit", 999)
    assert only_fault(data).path == "bus[0].meter[2].unit"


def test_a_list_that_is_short_only_because_its_items_are_faulty_is_not_a_fault_of_its_own():
    assert only_fault(changed(minimal(), "broker.0.window", 0)).path == "broker[0].window"


def test_addresses_that_only_this_machine_reaches_may_show_the_page():
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        assert parse(changed(sample(), "page.host", host)).page.host == host


def test_two_lines_may_not_share_a_device_nor_two_contacts_an_input():
    data = changed(sample(), "bus.0", {**sample()["bus"][1], "code": "other", "meter": []})
    data["bus"][0]["contact"] = [
        {"code": "a", "unit": 1, "address": 4},
        {"code": "b", "unit": 1, "address": 4},
    ]
    found = faults(data)
    assert found["bus[1].device"].remedy == "list all units of a line under one bus"
    assert found["bus[0].contact[1].address"].problem.startswith("is 'unit 1 input 4'")


def test_platform_codes_are_claimed_once_and_empty_ones_by_everybody():
    data = changed(sample(), "camera.0.camera_code", "22010000000101000001")
    assert only_fault(data).remedy == "one code, one camera"
    data = changed(sample(), "bus.0.meter.0.position_code", "22010000000101")
    data = changed(data, "bus.1.meter.0.position_code", "22010000000101")
    assert only_fault(data).remedy == "one code, one position"


def test_strange_keys_cannot_steer_the_terminal():
    fault = only_fault(changed(minimal(), "site.\x1b[31m red", 1))
    assert fault.path == "site.'\\x1b[31m red'"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://seal:pa55@10.0.0.31/ main",
        "nonsense://seal:pa55@h",
        "rtsp://seal:x#pa55@h/x",
        "rtsp://seal:x/pa55@h",
        "rtsp://seal:x?pa55@h:",
        "rtsp://seal:pa55@[h/x",
        "rtsp://h:554/user=seal&password=pa55&channel=1 ",
    ],
)
def test_a_password_is_never_told(url: str):
    assert "pa55" not in str(only_fault(changed(sample(), "camera.0.url", url)))
    assert "pa55" not in show(url)
    assert "pa55" not in str(faults(changed(sample(), "page.enabled", url)))


def test_hiding_a_password_leaves_the_rest_of_a_text():
    assert hide_passwords("x rtsp://a:p@ss@h y") == "x rtsp://a:***@h y"
    assert hide_passwords("is 'rtsp://h/a?pwd=p&c=1'") == "is 'rtsp://h/a?pwd=***&c=1'"


def test_after_a_hundred_faults_the_rest_is_counted():
    data = {**minimal(), **{f"key{i}": i for i in range(250)}}
    found = list(faults(data).values())
    assert len(found) == 101
    assert str(found[-1]) == "seal.toml: has 150 further faults; mend these first"


def test_what_pydantic_may_come_to_say_later_is_told_in_its_own_words():
    class Later(BaseModel):
        name: str = Field(pattern="^x$")

    with pytest.raises(ValidationError) as caught:
        Later.model_validate({"name": "y"})
    (fault,) = faults_of(caught.value, Later)
    assert str(fault) == "name: is 'y'; string should match pattern '^x$'"


def test_what_is_no_table_at_all_is_told():
    with pytest.raises(ValidationError) as caught:
        SealConfig.model_validate([])
    (fault,) = faults_of(caught.value, SealConfig)
    assert str(fault).startswith("seal.toml: is a list, not a table")


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


@pytest.mark.parametrize(
    "raw",
    [
        b"\n".join(b"a%d" % i + b".a" * 505 + b"=1" for i in range(120)),
        b"[" + b"a." * 505 + b"b]\n" + b"\n".join(b"%x=1" % i for i in range(18000)),
        b"[[broker]]\nq=1\n" * 8000,
        b"[site]\n" + b"\n".join(b"%x=1" % i for i in range(18000)),
    ],
    ids=["dotted keys", "a deep table", "many tables", "many keys"],
)
def test_the_worst_file_is_answered_in_seconds(raw: bytes):
    begun = time.monotonic()
    with pytest.raises(ConfigError):
        parse(decode(raw))
    assert time.monotonic() - begun < 20  # about 2 on an idle machine


# --- whatever comes ------------------------------------------------------------------------

NAMES = st.sampled_from(
    sorted({name for model, _ in SECTIONS.values() for name in model.model_fields})
)
SCALARS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["tcp", "rtu", "hoist", "gate", "suspended", "a", "rtsp://u:pa55@h/x"]),
    st.integers(),
    st.integers(-3, 300),
    st.just(1 << 700),
    st.floats(),
    st.booleans(),
    st.dates(date(1970, 1, 1)),
    st.datetimes(),
    st.just(day_time(1, 2)),
)
TABLES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) within the data."""
    items: list[tuple[Any, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))
    return [(data, key) for key, _ in items] + [
        place for _, value in items for place in _places(value)
    ]


def answered(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    told: list[Fault] = []
    try:
        config = parse(data)
    except ConfigError as error:
        told = error.faults
    else:
        assert parse(data).sha256() == config.sha256()
    for fault in told:
        assert str(fault).isprintable()
        assert "pa55" not in str(fault)
        assert len(str(fault)) < 1200
        assert fault.remedy
    assert before == data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES | st.text(max_size=5), TABLES, max_size=8))
def test_whatever_tables_come_only_a_config_error_comes_out(data):
    answered(data)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_good_file_with_a_few_things_changed_gives_only_a_config_error(data):
    tables = sample()
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(_places(tables)))
        if data.draw(st.booleans()) or isinstance(container, list):
            container[key] = data.draw(TABLES)
        elif data.draw(st.booleans()):
            del container[key]
        else:
            container[data.draw(NAMES | st.text(max_size=30))] = data.draw(TABLES)
        if not tables:
            break
    answered(tables)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_bytes_come_only_unfit_comes_out(raw):
    with suppress(Unfit):
        decode(raw)
