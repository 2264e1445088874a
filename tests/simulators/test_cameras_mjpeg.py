"""JPEG over HTTP, read by a client that we did not write."""

from __future__ import annotations

import asyncio

import pytest

from edge.errors import Refused
from simulators.cameras.identity import self_signed
from simulators.cameras.mjpeg import MjpegServer, jpeg, live_pictures, parse_request
from simulators.cameras.scene import Scene


@pytest.fixture(scope="module")
def scene():
    return Scene((160, 96), 1)


async def ask(server, head):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(head)
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    finally:
        writer.transport.abort()


def test_the_scene_is_a_jpeg_of_its_size(scene):
    data = jpeg(scene, 0.0)
    assert data[:2] == b"\xff\xd8"
    assert next(live_pictures(scene)())[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /video.mjpg HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"GET /other HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /video.mjpg HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", b"400"),
        (b"x" * 20_000, b"400"),
    ],
)
async def test_strangers_get_pictures_or_a_refusal(scene, head, status):
    async with MjpegServer(live_pictures(scene)) as server:
        answer = await ask(server, head)
    assert answer.split(b" ")[1] == status


async def test_whoever_does_not_know_the_password_gets_none(scene):
    async with MjpegServer(live_pictures(scene), user="a", password="b", auth="basic") as server:
        answer = await ask(server, b"GET /video.mjpg HTTP/1.1\r\n\r\n")
        assert b"401" in answer
        assert b"WWW-Authenticate: Basic" in answer
        assert server.url.startswith("http://a:b@")


async def test_a_redirection_is_sent_when_asked_for(scene):
    async with MjpegServer(live_pictures(scene)) as server:
        server.redirect = "http://10.0.0.1/"
        answer = await ask(server, b"GET /video.mjpg HTTP/1.1\r\n\r\n")
    assert b"Location: http://10.0.0.1/" in answer


async def test_too_many_are_turned_away(scene, monkeypatch):
    monkeypatch.setattr("simulators.cameras.mjpeg._MAX_CLIENTS", 0)
    async with MjpegServer(live_pictures(scene)) as server:
        answer = await ask(server, b"GET /video.mjpg HTTP/1.1\r\n\r\n")
    assert b"503" in answer


async def test_it_speaks_tls_with_its_identity(scene):
    async with MjpegServer(live_pictures(scene), identity=self_signed()) as server:
        assert server.url.startswith("https://")
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET /video.mjpg HTTP/1.1\r\n\r\n")
        assert not (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()


def test_only_get_requests_are_read():
    request = parse_request(b"GET /a HTTP/1.0\r\nAuthorization: Basic eA==\r\n\r\n")
    assert (request.url, request.headers["authorization"]) == ("/a", "Basic eA==")
    with pytest.raises(Refused):
        parse_request(b"HELLO\r\n\r\n")
