"""Each fault of a seal.toml is told in plain words, with its path and what would be right."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from edge.config import SealConfig, parse
from edge.config.words import faults_of, hide_passwords, show
from tests.configs import changed, faults, minimal, only_fault, sample

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
    ("bus.0.transport", None, 'has no transport; add transport = "tcp", "rtu-over-tcp" or "rtu"'),
    ("bus.0.transport", "tpc", "one of 'tcp', 'rtu-over-tcp', 'rtu'; did you mean tcp?"),
    ("bus.0.transport", "udp", "has transport = 'udp'; use one of 'tcp', 'rtu-over-tcp', 'rtu'"),
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
    ("bus.0.meter.0.profile", "eastron_sdm360", "which no profile is called; use one of abb_b23"),
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
    ("camera.0.url", "ftp://10.0.0.1/", "is not a URL of rtsp, rtsps, http, https, file or v4l2"),
    ("camera.0.url", "v4l2:///etc/shadow", "names no video device; write v4l2:///dev/video0"),
    ("camera.0.url", "rtsps://10.0.0.1/", "give tls_pin, which `eseal probe camera` prints"),
    ("camera.0.tls_pin", "abc", "write the 64 small hex digits"),
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
    ("camera.0.sub_url", "file:///a", "is not a URL of rtsp, rtsps, http or https"),
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
    ("site.colour", "red", "remove it; known here: mine_code, name, gateway, utc_offset_h, state"),
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


def test_pictures_of_a_camera_with_tls_may_not_go_over_udp():
    data = changed(sample(), "camera.0.sub_url", "rtsps://10.0.0.1/sub")
    data = changed(changed(data, "camera.0.tls_pin", "a" * 64), "camera.0.transport", "udp")
    fault = only_fault(data)
    assert fault.path == "camera[0].transport"
    assert "outside of TLS" in fault.problem
