"""What `eseal probe camera` finds out, against cameras on real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import pytest
from typer.testing import CliRunner

from edge import cli_probe, probe
from edge.errors import SourceError
from edge.probe import rows
from simulators.cameras.feeds import LoopFeed, encode_loop
from simulators.cameras.identity import self_signed
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer

LOGIN = {"user": "ann", "password": "s3cret", "auth": "digest"}
FOUND = {
    "url": "rtsp://ann:***@10.0.0.1/main",
    "facts": {"codec": "h264", "width": 1920, "height": 1080, "fps": 25, "gop_s": 4, "kbps": 4000},
    "auto": {"zh": "甲", "en": "a"},
    "gop_verdict": {"zh": "乙", "en": "b"},
    "mb_per_day": 43_200,
    "cpu_s_per_day": {"keys": 500, "full": None},
    "moving_share": 0.5,
    "picture": {"brightness": 99.0},
    "sub_streams": [{"url": "rtsp://x/sub", "codec": "h264", "width": 640, "height": 360}],
    "tls_pin": "ab",
}


@contextmanager
def served(**kwargs) -> Iterator[CameraServer]:
    """A camera with a loop of its own in a thread, as the command runs a loop too."""
    loop = encode_loop(Scene((320, 192), 1), 2.0, "h264", fps=12, gop=1)
    server = CameraServer(lambda: LoopFeed(loop), **kwargs)
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            while not stop.is_set():  # noqa: ASYNC110 - another thread's
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield server
    finally:
        stop.set()
        thread.join()


def run(*arguments: str, stdin: str = ""):
    return CliRunner().invoke(cli_probe.app, ["camera", *arguments], input=stdin)


def test_a_camera_is_described_with_its_pin_its_cost_and_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(probe, "SETTLE_S", 3.0)
    identity, picture = self_signed(), tmp_path / "p.jpg"
    with served(identity=identity, **LOGIN) as server:
        arguments = ["--json", "--seconds", "2", "--snapshot", str(picture)]
        done = run("-", *arguments, stdin=server.url + "\n")
    assert done.exit_code == 0, done.output
    assert "s3cret" not in done.output
    found = json.loads(done.stdout)
    facts = found["facts"]
    assert (facts["codec"], facts["width"], facts["height"]) == ("h264", 320, 192)
    assert facts["gop_s"] == pytest.approx(1, abs=0.3)
    assert found["gop_verdict"] is None
    assert found["tls_pin"] == identity.pin
    assert found["auto"]["decoding"] == "full"
    assert 0 <= found["cpu_s_per_day"]["keys"] < 86_400  # may be less than the clock can tell
    assert found["mb_per_day"] > 100
    assert found["sub_streams"] == []
    assert 0 < found["picture"]["brightness"] < 255
    shown = cv2.imread(str(picture))
    assert shown is not None
    assert shown.shape == (192, 320, 3)


def test_a_camera_that_cannot_be_watched_is_told_in_both_languages_without_its_password():
    with served(**LOGIN) as server:
        done = run(server.url.replace("s3cret", "guess"))
    assert isinstance(done.exception, SourceError)
    told = str(done.exception)
    assert "用户名或密码错误 · user or password is wrong" in told
    assert "guess" not in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftp://a:b@h/"], "is not a URL"),
        (["rtsp://h/", "--transport", "pigeon"], "auto, tcp or udp"),
        (["rtsp://h/", "--seconds", "0"], "greater than or equal to 2"),
    ],
)
def test_wrong_use_is_told(arguments, words):
    done = run(*arguments)
    assert done.exit_code == 2
    assert words in done.output.replace("\n", " ")


def test_findings_are_rows_in_both_languages():
    told = {name.en: text for name, text in rows(FOUND)}
    assert told["size"] == "1920x1080"
    assert told["note"] == "乙 · b"
    assert told["cost a day (keys)"] == "500 CPU s"
    assert "unknown" in told["cost a day (full)"]
    assert told["sub-stream"] == "rtsp://x/sub h264 640x360"
    assert told["of the time something moved"] == "50%"
    bare = FOUND | {"sub_streams": [], "gop_verdict": None, "auto": None, "tls_pin": None}
    assert "未找到" in {name.en: text for name, text in rows(bare)}["sub-stream"]
