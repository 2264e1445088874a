"""The camera over a real socket, read by clients that we did not write."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from itertools import pairwise

import av
import pytest

from simulators.cameras.feeds import Feed, LiveFeed, LoopFeed, encode_loop
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer
from simulators.cameras.units import AccessUnit, Codec
from tests.support import require_program

SIZE = (160, 96)
QUICK = {"rtsp_transport": "tcp", "analyzeduration": "100000", "fpsprobesize": "0"}


@pytest.fixture(scope="module")
def scene():
    return Scene(SIZE, 1)


@pytest.fixture(scope="module")
def loops(scene):
    return {codec: encode_loop(scene, 1.0, codec, fps=12, gop=0.5) for codec in Codec}


class SpyFeed(LoopFeed):
    """Knows whether somebody lets it work."""

    working = 0

    def units(self, stop):
        self.working += 1
        try:
            yield from super().units(stop)
        finally:
            self.working -= 1


class FloodFeed(Feed):
    """More than any client takes that does not read."""

    codec, fps, sets = Codec.H264, 100.0, ()

    def units(self, stop):
        pts = 0.0
        while not stop.wait(0.005):
            pts += 0.01
            yield AccessUnit((b"\x65" + bytes(500_000),), pts, key=True)


def frames(url, count, **options):
    """Times of the first frames that PyAV decodes."""
    with av.open(url, options={**QUICK, **options}, timeout=10) as container:
        times = []
        for frame in container.decode(video=0):
            times.append(frame.time)
            if len(times) >= count:
                return times
    return times


async def read(url, count=3, **options):
    return await asyncio.to_thread(frames, url, count, **options)


class Client:
    """RTSP spoken by hand."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.cseq = reader, writer, 0

    async def ask(self, method, path="/stream", **headers):
        self.cseq += 1
        lines = [f"{method} rtsp://cam{path} RTSP/1.0", f"CSeq: {self.cseq}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        found = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
        if "Content-Length" in found:
            await self.reader.readexactly(int(found["Content-Length"]))
        return int(head.split(b" ")[1]), found

    async def play(self):
        await self.ask("DESCRIBE")
        _, headers = await self.ask("SETUP", "/stream/track1", Transport="RTP/AVP/TCP")
        return await self.ask("PLAY", Session=headers["Session"].partition(";")[0])


@asynccontextmanager
async def spoken(server):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for is another thread's
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("codec", "auth", "name"),
    [
        (Codec.H264, "none", "h264"),
        (Codec.H264, "basic", "h264"),
        (Codec.H265, "none", "hevc"),
        (Codec.H265, "digest", "hevc"),
    ],
)
async def test_ffprobe_reads_both_codecs_with_and_without_password(scene, codec, auth, name):
    program = require_program("ffprobe")
    arguments = "-v error -show_streams -of json -analyzeduration 100000 -rtsp_transport tcp"
    login = {"user": "ann", "password": "s3cret", "auth": auth}
    async with CameraServer.live(scene, codec=codec, fps=12, **login) as server:
        process = await asyncio.create_subprocess_exec(
            program, *arguments.split(), server.url, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
    assert process.returncode == 0, err
    (stream,) = json.loads(out)["streams"]
    assert stream["codec_name"] == name
    assert (stream["width"], stream["height"]) == SIZE


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_pyav_reads_with_the_right_password_only(loops, codec, auth):
    login = {"user": "ann", "password": "s3cret", "auth": auth}
    async with CameraServer(lambda: LoopFeed(loops[codec]), **login) as server:
        assert len(await read(server.url)) == 3
        with pytest.raises(av.FFmpegError):
            await read(server.url.replace("s3cret", "guess"))


async def test_a_client_that_asks_for_udp_first_falls_back_to_tcp(loops):
    async with CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server:
        assert len(await asyncio.to_thread(frames, server.url, 2, rtsp_transport="udp+tcp")) == 2


async def test_several_clients_share_one_feed_and_start_at_a_key_frame(loops):
    spy = SpyFeed(loops[Codec.H264])
    async with CameraServer(lambda: spy) as server:
        reads = [asyncio.create_task(read(server.url, 14)) for _ in range(4)]
        await until(lambda: server.clients >= 3)
        assert spy.working == 1
        for times in await asyncio.gather(*reads):
            assert len(times) == 14
            steps = [b - a for a, b in pairwise(times[1:])]  # FFmpeg leaves the first one out
            assert steps == pytest.approx([1 / 12] * 12, abs=2e-3)  # through the loop's seam
        await until(lambda: server.clients == 0)
        assert server.dropped == 0


async def test_nothing_is_encoded_while_nobody_watches(loops):
    spy = SpyFeed(loops[Codec.H264])
    async with CameraServer(lambda: spy) as server:
        await asyncio.sleep(0.1)
        assert spy.working == 0
        await read(server.url)
        await until(lambda: spy.working == 0)
        await read(server.url)  # and again for the next one
        await until(lambda: spy.working == 0)


async def test_a_client_that_does_not_read_loses_pictures_and_hurts_nobody():
    async with CameraServer(FloodFeed) as server, spoken(server) as slow:
        assert (await slow.play())[0] == 200
        await until(lambda: server.dropped > 3)
        async with spoken(server) as other:
            assert (await other.ask("OPTIONS"))[0] == 200


async def test_udp_is_refused_as_unsupported_transport(loops):
    async with (
        CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server,
        spoken(server) as client,
    ):
        offer = "RTP/AVP;unicast;client_port=5000-5001"
        assert (await client.ask("SETUP", "/stream/track1", Transport=offer))[0] == 461


async def test_the_conversation_ends_with_teardown(loops):
    async with (
        CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server,
        spoken(server) as client,
    ):
        assert (await client.ask("GET_PARAMETER"))[0] == 200
        assert (await client.ask("TEARDOWN"))[0] == 454
        assert await asyncio.wait_for(client.reader.read(), 5) == b""


@pytest.mark.parametrize("data", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"x" * 20_000])
async def test_a_stranger_s_bytes_end_his_connection_only(loops, data):
    async with CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server:
        async with spoken(server) as client:
            client.writer.write(data)
            assert (await asyncio.wait_for(client.reader.read(), 5)).startswith(b"RTSP/1.0 400 ")
        async with spoken(server) as client:
            assert (await client.ask("OPTIONS"))[0] == 200


async def test_a_client_that_asks_on_and_reads_nothing_is_cut_off(loops, monkeypatch):
    monkeypatch.setattr("simulators.cameras.clients._ROOM", 50_000)
    async with (
        CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server,
        spoken(server) as client,
    ):
        client.writer.transport.pause_reading()
        with pytest.raises(ConnectionError):
            await pester(client.writer)


async def pester(writer):
    while True:
        writer.write(1000 * b"OPTIONS rtsp://cam/stream RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        await writer.drain()


async def test_too_many_connections_are_turned_away(loops, monkeypatch):
    monkeypatch.setattr("simulators.cameras.server._MAX_CLIENTS", 1)
    async with CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server, spoken(server) as first:
        await first.ask("OPTIONS")
        async with spoken(server) as second:
            assert (await asyncio.wait_for(second.reader.read(), 5)).startswith(b"RTSP/1.0 503 ")


async def test_a_hung_camera_takes_connections_and_says_nothing(loops):
    async with CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server:
        server.hung = True
        async with spoken(server) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.ask("OPTIONS"), 0.3)
        server.hung = False
        assert await read(server.url)


async def test_kicked_clients_are_cut_off_and_may_come_back(loops):
    async with CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server:
        task = asyncio.create_task(read(server.url, 1000))
        await until(lambda: server.clients == 1)
        server.kick()
        with pytest.raises((av.FFmpegError, AssertionError)):
            assert len(await task) == 1000
        assert await read(server.url)


async def test_garbage_gives_no_pictures(loops):
    async with (
        CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server,
        spoken(server) as client,
    ):
        server.garbage = True
        await client.play()
        assert await asyncio.wait_for(client.reader.readexactly(1), 5) == b"$"
        with pytest.raises(av.FFmpegError):
            await asyncio.to_thread(garbled, server.url)


def garbled(url):
    with av.open(url, options=QUICK, timeout=2) as c:
        for _ in c.decode(video=0):
            raise AssertionError("a picture out of chance bytes")


async def test_without_key_frames_a_new_client_gets_nothing(loops):
    async with (
        CameraServer(lambda: LoopFeed(loops[Codec.H264])) as server,
        spoken(server) as client,
    ):
        server.drop_keys = True
        await client.play()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.readexactly(1), 1.2)


async def test_a_closed_camera_leaves_nothing_behind(scene):
    before = threading.active_count()
    async with CameraServer(lambda: LiveFeed(scene, Codec.H264, 20)) as server:
        task = asyncio.create_task(read(server.url, 10_000))
        await until(lambda: server.clients == 1)
    with pytest.raises((av.FFmpegError, AssertionError)):
        assert len(await task) == 10_000
    assert not [one for one in threading.enumerate() if one.name == "camera feed"]
    assert threading.active_count() <= before + 4  # asyncio's own pool


async def test_a_film_is_played_from_its_file(loops, tmp_path):
    path = tmp_path / "film.h264"
    path.write_bytes(
        b"".join(b"\0\0\0\1" + nal for unit in loops[Codec.H264].units for nal in unit.nals)
    )
    async with CameraServer.play(path, port=0) as server:
        assert len(await read(server.url, 3)) == 3


def test_the_url_carries_what_a_client_needs():
    server = CameraServer(FloodFeed, "127.0.0.1", 8554)
    assert server.url == "rtsp://127.0.0.1:8554/stream"
    closed = CameraServer(FloodFeed, "10.0.0.9", 1, user="ann", password="x", auth="digest")
    assert closed.url.startswith("rtsp://ann:x@10.0.0.9:1/")
