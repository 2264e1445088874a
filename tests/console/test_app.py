"""The local page over a real socket: what it shows, and what it refuses."""

from __future__ import annotations

import re
from importlib import resources
from typing import get_args

import pytest

from edge.console.words import WORDS
from edge.domain.activity import Duty
from edge.domain.names import ASPECT_NAMES
from edge.errors import LedgerCorrupt
from edge.sensors.quantity import QuantityName
from edge.status import checks
from tests.console.pages import INCIDENT, page, snapshot

FOREIGN = [
    "evil.example",
    "evil.example:8088",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example@127.0.0.1",
    "127.0.0.1:80:80",
    "10.0.0.1",
    "[::1",
    "::1]x",
    "[2001:db8::1]:80",
    "127.0.0.1:8o",
    "",
]


async def test_the_page_is_chinese_unless_the_browser_prefers_english():
    async with page() as local:
        plain = await local.ask("/")
        english = await local.ask("/", Accept_Language="en-GB,en;q=0.9,zh;q=0.5")
        asked = await local.ask("/?lang=zh", Accept_Language="en")
    assert plain.status == english.status == asked.status == 200
    assert '<html lang="zh">' in plain.text
    assert WORDS["zh"]["title"] in plain.text
    assert '<html lang="en">' in english.text
    assert WORDS["en"]["title"] in english.text
    assert '<html lang="zh">' in asked.text
    assert english.headers["content-language"] == "en"
    assert "accept-language" in english.headers["vary"].lower()


def test_both_languages_have_every_word():
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    assert all(text for words in WORDS.values() for text in words.values())


async def test_every_file_that_the_page_names_is_served_and_none_lies_elsewhere():
    async with page() as local:
        html = (await local.ask("/")).text
        named = re.findall(r'(?:src|href)="([^"]*)"', html)
        assert {"/page.js", "/page.css"} <= set(named)
        for path in named:
            assert path.startswith("/")
            assert not path.startswith("//")
            assert (await local.ask(path)).status == 200
        script = await local.ask("/page.js")
        names = await local.ask("/names.js")
        style = await local.ask("/page.css")
    imported = re.findall(r'from "([^"]*)"', script.text)
    assert imported == ["/names.js"]
    assert names.headers["content-type"].startswith("text/javascript")
    assert "http" not in names.text
    assert "import" not in names.text.replace("energy_import_kwh", "")
    assert script.headers["content-type"].startswith("text/javascript")
    assert style.headers["content-type"].startswith("text/css")
    assert "http" not in script.text
    assert "url(" not in style.text
    assert "@import" not in style.text


def _script(name):
    return (resources.files("edge.console") / "page" / name).read_text("utf-8")


def test_the_page_calls_every_duty_and_figure_by_its_name_in_both_languages():
    names = _script("names.js")
    for duty in Duty:
        zh, en = ASPECT_NAMES[duty]
        assert f'{duty.value}: say("{zh}", "{en}")' in names
    for figure in get_args(QuantityName):
        assert re.search(rf"^  {figure}: \[say\(", names, re.MULTILINE), figure


def test_the_script_never_makes_markup_of_text():
    script = _script("page.js") + _script("names.js")
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new F"):
        assert way not in script


async def test_the_page_has_no_inline_script_or_style_that_its_own_policy_would_refuse():
    async with page() as local:
        answer = await local.ask("/")
    assert "style=" not in answer.text
    assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text)
    assert not re.search(r"\son[a-z]+=", answer.text)


async def test_status_and_incidents_are_given_as_json():
    async with page() as local:
        status = await local.ask("/api/status")
        incidents = await local.ask("/api/incidents")
    assert status.json == snapshot()
    assert incidents.json == {"incidents": [INCIDENT]}
    assert status.headers["content-type"] == "application/json"


async def test_every_answer_forbids_framing_sniffing_caching_and_foreign_content():
    async with page() as local:
        answers = [
            await local.ask("/"),
            await local.ask("/page.js"),
            await local.ask("/api/status"),
            await local.ask("/healthz"),
            await local.ask("/none"),
            await local.ask("/", "POST"),
            await local.ask("/", host="evil.example"),
        ]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 404, 405, 421]
    for headers in (answer.headers for answer in answers):
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "deny"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


async def test_healthz_says_503_and_names_what_does_not_work():
    broken = snapshot()
    broken["works"] = broken["checks"][1]["works"] = False
    seen = [snapshot(), broken]
    async with page(lambda: seen[0]) as local:
        good = await local.ask("/healthz")
        seen.pop(0)
        bad = await local.ask("/healthz")
    assert (good.status, good.json) == (200, {"works": True, "failing": [], "not_set_up": []})
    told = {"works": False, "failing": ["uplink"], "not_set_up": []}
    assert (bad.status, bad.json) == (503, told)


async def test_healthz_says_200_without_a_key_of_the_province_and_names_it():
    unset = snapshot()
    verdict = checks.no_province()
    unset["checks"].append({"name": verdict.name, "works": verdict.works})
    unset["works"] = False
    async with page(lambda: unset) as local:
        answer = await local.ask("/healthz")
    told = {"works": True, "failing": [], "not_set_up": ["province"]}
    assert (answer.status, answer.json) == (200, told)


@pytest.mark.parametrize("path", ["/api/status", "/api/incidents", "/healthz"])
async def test_a_ledger_that_cannot_be_read_is_said_and_does_not_break_the_page(path):
    def unreadable():
        raise LedgerCorrupt("leaf 7 is damaged; restore it")

    async with page(unreadable, unreadable) as local:
        answer = await local.ask(path)
        still = await local.ask("/")
    assert answer.status == 503
    assert answer.json["error"] == "leaf 7 is damaged; restore it"
    assert still.status == 200


async def test_head_gives_the_headers_alone():
    async with page() as local:
        answer = await local.ask("/api/status", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


async def test_nothing_but_reading_is_allowed():
    async with page() as local:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"):
            answer = await local.ask("/api/status", method)
            assert answer.status == 405
            assert answer.headers["allow"] == "get, head"


async def test_this_machines_own_names_are_served():
    async with page() as local:
        for host in ("127.0.0.1", "127.0.0.1:8088", "localhost", "LOCALHOST:1", "[::1]:8088"):
            assert (await local.ask("/", host=host)).status == 200, host


async def test_a_name_that_is_not_this_machines_gets_nothing():
    async with page() as local:
        for host in FOREIGN:
            answer = await local.ask("/api/status", host=host)
            assert answer.status == 421, host
            assert b"works" not in answer.body


async def test_a_request_with_two_names_gets_nothing():
    async with page() as local:
        answer = await local.raw(
            b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n"
            b"Connection: close\r\n\r\n"
        )
    assert answer.status in {400, 421}
    assert b"works" not in answer.body


async def test_paths_that_are_not_the_pages_are_not_found():
    paths = [
        "/../edge/config.py",
        "/page/page.html",
        "/%2e%2e/etc/passwd",
        "/page.js/..",
        "/api",
        "/docs",
    ]
    async with page() as local:
        for path in paths:
            assert (await local.ask(path)).status == 404, path


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n",
        b"G" * 100_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=["tls", "version", "no line", "long path", "many headers"],
)
async def test_bytes_that_are_no_request_leave_the_page_in_service(request_):
    async with page() as local:
        try:
            answer = await local.raw(request_)
            assert answer.status >= 400
        except (ConnectionError, ValueError, IndexError):
            pass  # refused without an answer
        assert (await local.ask("/")).status == 200


async def test_a_web_socket_is_not_spoken():
    async with page() as local:
        answer = await local.ask(
            "/",
            Upgrade="websocket",
            Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
            Sec_WebSocket_Version="13",
        )
    assert answer.status != 101
