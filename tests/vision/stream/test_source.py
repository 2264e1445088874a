"""How streams are opened, against cameras on real sockets; each trouble has its own words."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from contextlib import AsyncExitStack
from itertools import islice
from typing import Any

import av
import pytest

from edge.domain.loss import Loss, said
from edge.errors import SourceError
from edge.vision.stream.access import Access, Transport
from edge.vision.stream.decoding import luma
from edge.vision.stream.reach import certificate, fingerprint
from edge.vision.stream.source import packets
from simulators.cameras.feeds import Loop, LoopFeed, encode_loop
from simulators.cameras.identity import self_signed
from simulators.cameras.mjpeg import MjpegServer, jpeg
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer

LOGIN: dict[str, Any] = {"user": "ann", "password": "s3cret", "auth": "digest"}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene((160, 96), 1)


@pytest.fixture(scope="module")
def loop(scene) -> Loop:
    return encode_loop(scene, 1.0, "h264", fps=12, gop=0.5)


@pytest.fixture(scope="module")
def picture(scene) -> bytes:
    return jpeg(scene, 0.0)


def _read(access: Access, count: int) -> list[tuple[str, bool]]:
    read = islice(packets(access), count)
    return [(stream.codec_context.name, packet.is_keyframe) for stream, packet in read]


async def read(access: Access, count: int = 8) -> list[tuple[str, bool]]:
    return await asyncio.to_thread(_read, access, count)


async def trouble(access: Access) -> str:
    with pytest.raises(SourceError) as caught:
        await read(access)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def _pictures(picture: bytes):
    def endless():
        while True:
            yield picture

    return endless


@pytest.mark.parametrize(
    ("offered", "asked", "works"),
    [
        (("tcp",), "auto", True),
        (("udp",), "auto", True),
        (("udp",), "udp", True),
        (("tcp", "udp"), "udp", True),
        (("tcp",), "udp", False),
        (("udp",), "tcp", False),
    ],
)
async def test_tcp_and_udp_are_used_as_asked_and_auto_takes_what_there_is(
    loop, offered, asked, works
):
    async with CameraServer(lambda: LoopFeed(loop), transports=offered, **LOGIN) as server:
        access = Access(server.url, Transport(asked))
        if works:
            assert any(key for _, key in await read(access))
        else:
            assert await trouble(access) == Loss.NO_TRANSPORT


@pytest.mark.parametrize("auth", ["none", "basic", "digest"])
async def test_pictures_over_http_are_each_a_key(picture, auth):
    login = LOGIN | {"auth": auth}
    async with MjpegServer(_pictures(picture), 30, **login) as server:
        assert await read(Access(server.url)) == [("mjpeg", True)] * 8


@pytest.mark.parametrize("kind", ["rtsps", "https"])
async def test_tls_is_for_whom_the_pin_or_the_authority_names(loop, picture, tmp_path, kind):
    identities = {
        "nameless": self_signed(),
        "named": self_signed(address="127.0.0.1"),
        "outdated": self_signed(address="127.0.0.1", days=-3),
    }
    ca_file = tmp_path / "ca.crt"
    ca_file.write_bytes(identities["named"].certificate)
    told = {}
    for name, identity in identities.items():
        made: CameraServer | MjpegServer
        if kind == "rtsps":
            made = CameraServer(lambda: LoopFeed(loop), identity=identity, **LOGIN)
        else:
            made = MjpegServer(_pictures(picture), 30, identity=identity, **LOGIN)
        async with made as server:
            trusts = {
                "pin": Access(server.url, tls_pin=identity.pin),
                "ca": Access(server.url, ca_file=str(ca_file)),
                "other": Access(server.url, tls_pin="0" * 64),
            }
            shown = await asyncio.to_thread(certificate, trusts["pin"])
            assert fingerprint(shown) == identity.pin
            for trust, access in trusts.items():
                try:
                    told[name, trust] = str(bool(await read(access, 2)))
                except SourceError as error:
                    told[name, trust] = str(error)
    outdated = said(Loss.OUTDATED, "certificate has expired")
    strange = said(Loss.UNTRUSTED, "self-signed certificate")
    assert told == {
        ("nameless", "pin"): "True",
        ("nameless", "ca"): strange,
        ("nameless", "other"): said(Loss.NOT_PINNED, identities["nameless"].pin),
        ("named", "pin"): "True",
        ("named", "ca"): "True",
        ("named", "other"): said(Loss.NOT_PINNED, identities["named"].pin),
        ("outdated", "pin"): outdated,
        ("outdated", "ca"): strange,
        ("outdated", "other"): said(Loss.NOT_PINNED, identities["outdated"].pin),
    }


async def test_a_certificate_that_names_another_host_is_not_taken_for_the_authority_s(
    loop, tmp_path
):
    identity = self_signed(address="10.0.0.1")
    (ca_file := tmp_path / "ca.crt").write_bytes(identity.certificate)
    async with CameraServer(lambda: LoopFeed(loop), identity=identity) as server:
        told = await trouble(Access(server.url, ca_file=str(ca_file)))
        assert told.startswith(Loss.UNTRUSTED)
        assert "mismatch" in told
        gone = await trouble(Access(server.url, ca_file="/nowhere.crt"))
        assert gone == said(Loss.UNTRUSTED, "ca_file cannot be read")


async def test_pictures_never_travel_outside_of_tls(loop):
    """A camera that offers UDP alone, asked for within TLS, is refused rather than overheard."""
    identity = self_signed()
    async with CameraServer(
        lambda: LoopFeed(loop), identity=identity, transports=("udp",)
    ) as server:
        for transport in Transport:
            access = Access(server.url, transport, tls_pin=identity.pin)
            assert await trouble(access) == Loss.NO_TRANSPORT


async def test_each_trouble_has_its_words(loop, picture):
    """Side by side, as most of them end by a time limit."""
    async with AsyncExitStack() as stack:

        async def camera(*, web: bool = False, **faults) -> CameraServer | MjpegServer:
            made: CameraServer | MjpegServer = CameraServer(lambda: LoopFeed(loop), **LOGIN)
            if web:
                made = MjpegServer(_pictures(picture))
            await stack.enter_async_context(made)
            for name, value in faults.items():
                setattr(made, name, value)
            return made

        other = await stack.enter_async_context(
            CameraServer(lambda: LoopFeed(loop), host="127.0.0.2")
        )
        good, web = await camera(), await camera(web=True)
        silent = await stack.enter_async_context(
            await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
        )
        playlist = await stack.enter_async_context(
            await asyncio.start_server(_send_a_playlist, "127.0.0.1", 0)
        )
        ports = [server.sockets[0].getsockname()[1] for server in (silent, playlist)]
        cases = {
            (await camera(redirect=other.url)).url: Loss.ELSEWHERE,
            (await camera(redirect="rtsp://127.0.0.1:9/")).url: Loss.ELSEWHERE,
            (await camera(web=True, redirect=web.url)).url: Loss.ELSEWHERE,
            (await camera(trickle=True)).url: Loss.NO_ANSWER,
            (await camera(web=True, trickle=True)).url: Loss.NO_ANSWER,
            (await camera(hung=True)).url: Loss.NO_ANSWER,
            (await camera(stalled=True)).url: Loss.NO_ANSWER,
            f"rtsp://127.0.0.1:{ports[0]}/x": Loss.NO_ANSWER,
            f"http://127.0.0.1:{ports[1]}/list.m3u8": Loss.NOT_A_STREAM,
            good.url.replace("s3cret", "guess"): Loss.LOGIN,
            f"{good.url}x": Loss.NO_PATH,
            f"{web.url}x": Loss.NO_PATH,
            good.url.replace("rtsp:", "rtsps:"): Loss.NO_ANSWER,
            "rtsp://ann:s3cret@127.0.0.1:9/": Loss.REFUSED,
            "http://ann:s3cret@127.0.0.1:9/": Loss.REFUSED,
            "rtsp://ann:s3cret@no-such-host.invalid/": Loss.NO_NAME,
            "v4l2:///dev/video99": Loss.NO_FILE,
            "v4l2:///dev/null": Loss.NO_DEVICE,
            "file:///nowhere.mp4": Loss.NO_FILE,
        }
        told = await asyncio.gather(*(trouble(Access(url, tls_pin="0" * 64)) for url in cases))
        assert other.clients == 0
    assert dict(zip(cases, told, strict=True)) == cases


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _send_a_playlist(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\n\r\n"
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    )
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "line",
    ["m=video 0 RTP/AVP 32\r\na=control:track1\r\n", "m=audio 0 RTP/AVP 0\r\na=control:track1\r\n"],
    ids=["MPEG-1", "sound alone"],
)
async def test_only_codecs_of_cameras_are_taken(loop, line):
    """A description may name any of hundreds of decoders."""
    async with CameraServer(lambda: LoopFeed(loop)) as server:
        server.description = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n{line}"
        told = await trouble(Access(server.url))
    assert told.startswith((Loss.NOT_A_STREAM, Loss.NO_VIDEO, Loss.ANSWER))


async def test_a_description_with_other_hosts_leads_nowhere_else(loop):
    """Pictures still come over the connection that we made."""
    listener = socket.create_server(("127.0.0.2", 0))
    listener.settimeout(0.1)
    port = listener.getsockname()[1]
    async with CameraServer(lambda: LoopFeed(loop)) as server:
        server.description = server.description.replace(
            "a=control:track1", f"a=control:rtsp://127.0.0.2:{port}/stream/track1"
        ).replace("c=IN IP4 127.0.0.1", "c=IN IP4 127.0.0.2")
        with pytest.raises((SourceError, AssertionError)):
            assert not await read(Access(server.url))
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(listener.accept)
    listener.close()


async def test_a_proxy_in_the_environment_is_not_used(picture, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with MjpegServer(_pictures(picture), 30) as server:
        assert len(await read(Access(server.url), 2)) == 2
    assert "http_proxy" not in os.environ


def test_raw_pictures_of_a_device_are_each_a_key_and_can_be_decoded(tmp_path, monkeypatch):
    """There is no device here: a file of raw pictures is opened in its place."""
    (raw := tmp_path / "raw").write_bytes(bytes([90, 128, 90, 128]) * (32 * 64 // 4 * 2) * 3)
    opened = av.open

    def instead(_path, *, format, options, **kwargs):  # noqa: A002 - as in PyAV
        assert format == "v4l2"
        shape = {"video_size": "64x32", "pixel_format": "yuyv422"}
        return opened(str(raw), format="rawvideo", options=shape, **kwargs)

    monkeypatch.setattr(av, "open", instead)
    seen = []
    for stream, packet in packets(Access("v4l2:///dev/video0")):
        seen.append(packet.is_keyframe)
        (frame,) = stream.codec_context.decode(packet)
        grey = luma(frame)
        assert grey.shape == (32, 64)
        assert abs(int(grey.mean()) - 90) < 12
    assert seen == [True] * 3


def test_an_access_does_not_show_its_password():
    assert "s3cret" not in repr(Access("rtsp://ann:s3cret@10.0.0.1/x"))


def test_ports_are_those_of_the_scheme_unless_one_is_given():
    assert [Access(f"{scheme}://h/x").port for scheme in ("rtsp", "rtsps", "http", "https")] == [
        554,
        322,
        80,
        443,
    ]
    assert Access("rtsps://h:8322/x").port == 8322


def test_a_pin_needs_a_context_that_verifies():
    identity = self_signed()
    assert identity.pin == fingerprint(ssl.PEM_cert_to_DER_cert(identity.certificate.decode()))
