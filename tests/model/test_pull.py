"""A model over a real socket: whole, broken off, lied about, and from a stick."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from edge.errors import Refused
from edge.model import pull as module
from edge.model.pull import Unreachable, carry, pull
from edge.vision.detect.manifest import ModelSpec

DATA = bytes(range(256)) * 2000


class _Site(ThreadingHTTPServer):
    """Gives `data`; breaks off after `cuts` bytes, as often as there are cuts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.data = DATA
        self.cuts: list[int] = []
        self.ranges = True
        self.asked: list[str | None] = []


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        site = self.server
        wanted = self.headers.get("Range")
        site.asked.append(wanted)
        if self.path != "/m.onnx":
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and site.ranges else 0
        rest = site.data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: site.cuts.pop(0)] if site.cuts else rest)

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch) -> Iterator[_Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with _Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _spec(site: _Site, path: str = "m.onnx", **other: Any) -> ModelSpec:
    told: dict[str, Any] = {
        "name": "m",
        "file": "m.onnx",
        "url": f"http://127.0.0.1:{site.server_port}/{path}",
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "size_bytes": len(DATA),
        "decoder": "grid",
        "width": 64,
        "height": 64,
        "classes": {"person": [0]},
    }
    return ModelSpec.model_validate(told | other, strict=False)


def test_a_model_comes_whole_and_progress_is_told(site, tmp_path):
    told: list[int] = []
    path = pull(_spec(site), tmp_path / "new", told.append)
    assert path.read_bytes() == DATA
    assert told == sorted(told)
    assert told[-1] == len(DATA)
    assert [item.name for item in path.parent.iterdir()] == ["m.onnx"]


def test_a_broken_transfer_is_gone_on_with(site, tmp_path):
    site.cuts = [100_000, 50_000]
    pull(_spec(site), tmp_path, lambda _done: None)
    assert site.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_a_server_that_knows_no_ranges_begins_anew(site, tmp_path):
    site.cuts, site.ranges = [100_000], False
    assert pull(_spec(site), tmp_path, lambda _done: None).read_bytes() == DATA


def test_what_was_left_by_an_earlier_call_is_used_unless_it_is_too_long(site, tmp_path):
    (tmp_path / "m.onnx.part").write_bytes(DATA[:1000])
    pull(_spec(site), tmp_path, lambda _done: None)
    (tmp_path / "m.onnx.part").write_bytes(DATA + b"more")
    pull(_spec(site), tmp_path, lambda _done: None)
    assert site.asked == ["bytes=1000-", None]


def test_other_bytes_than_the_manifest_names_are_not_kept(site, tmp_path):
    site.data = DATA[:-1] + b"!"
    with pytest.raises(Refused, match="SHA-256"):
        pull(_spec(site), tmp_path, lambda _done: None)
    assert list(tmp_path.iterdir()) == []


def test_a_flood_is_cut_off(site, tmp_path):
    site.data = DATA * 3
    with pytest.raises(Unreachable, match="carry it here"):
        pull(_spec(site), tmp_path, lambda _done: None)
    assert (tmp_path / "m.onnx.part").stat().st_size <= len(DATA) + 1


def test_an_address_that_gives_nothing_says_so_and_how_else(site, tmp_path):
    with pytest.raises(Unreachable, match=r"Not Found.*--from FILE"):
        pull(_spec(site, "absent"), tmp_path, lambda _done: None)
    assert len(site.asked) == 1
    site.cuts = [0] * 99
    with pytest.raises(Unreachable, match="--from FILE"):
        pull(_spec(site), tmp_path, lambda _done: None)
    assert len(site.asked) == 1 + module.TRIES
    with pytest.raises(Refused, match="no address"):
        pull(_spec(site, url=""), tmp_path, lambda _done: None)


def test_a_stick_does_as_well(site, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "m.onnx").write_bytes(DATA)
    own = tmp_path / "own"
    assert carry(_spec(site), stick, own).read_bytes() == DATA
    assert carry(_spec(site), stick / "m.onnx", own).read_bytes() == DATA
    (stick / "m.onnx").write_bytes(DATA + b"!")
    with pytest.raises(Refused, match="SHA-256"):
        carry(_spec(site), stick, own)
    assert [item.name for item in own.iterdir()] == ["m.onnx"]
