"""Requests from strangers: taken when they are requests, refused when not, never too long."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Refused
from simulators.cameras.rtsp import (
    MAX_BODY,
    MAX_HEAD,
    MAX_HEADERS,
    Request,
    Transport,
    parse_request,
    parse_transport,
    read_request,
    response,
)

OPTIONS = b"OPTIONS rtsp://cam/stream RTSP/1.0\r\nCSeq: 1\r\n"


async def read(*chunks, end=True):
    reader = asyncio.StreamReader(limit=MAX_HEAD)
    for chunk in chunks:
        reader.feed_data(chunk)
    if end:
        reader.feed_eof()
    return await read_request(reader)


def test_a_request_is_read():
    request, length = parse_request(
        b"SETUP rtsp://cam:554/stream/track1?x=1 RTSP/1.0\r\nCSeq: 3\r\nTransport:  a;b \r\n"
        b"content-length: 12\r\n\r\n"
    )
    assert request.method == "SETUP"
    assert request.path == "/stream/track1"
    assert request.headers == {"cseq": "3", "transport": "a;b", "content-length": "12"}
    assert length == 12


@pytest.mark.parametrize(
    ("url", "path"),
    [("rtsp://cam/a/b", "/a/b"), ("rtsp://cam", ""), ("*", ""), ("/only/path?q", "/only/path")],
)
def test_the_path_of_a_url_is_found(url, path):
    assert Request("OPTIONS", url, {}).path == path


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nCSeq: 1\r\n\r\n",
        b"BREW rtsp://cam RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS  rtsp://cam RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS rtsp://cam RTSP/2.0\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS rtsp://cam RTSP/1.0\r\n\r\n",
        b"OPTIONS rtsp://cam RTSP/1.0\r\nCSeq: minus\r\n\r\n",
        b"OPTIONS rtsp://cam RTSP/1.0\r\nCSeq: 12345678901\r\n\r\n",
        b"OPTIONS rtsp://cam RTSP/1.0\r\nCSeq: \xc2\xb2\r\n\r\n",
        OPTIONS + b"no colon\r\n\r\n",
        OPTIONS + b": no name\r\n\r\n",
        OPTIONS + b" folded: x\r\n\r\n",
        OPTIONS + b"X: \xff\r\n\r\n",
        OPTIONS + b"Content-Length: -1\r\n\r\n",
        OPTIONS + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1),
        OPTIONS + b"".join(b"H%d: x\r\n" % n for n in range(MAX_HEADERS + 1)) + b"\r\n",
        OPTIONS + b"X: " + b"x" * MAX_HEAD + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(head):
    with pytest.raises(Refused):
        parse_request(head)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: OPTIONS + tail))
def test_any_bytes_are_parsed_or_refused(data):
    try:
        request, length = parse_request(data)
    except Refused:
        return
    assert request.headers["cseq"]
    assert 0 <= length <= MAX_BODY


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1", Transport(0)),
        ("RTP/AVP/TCP;interleaved=6-7;mode=play", Transport(6)),
        ("RTP/AVP/TCP;unicast", Transport(0)),
        ("RTP/AVP/UDP;client_port=4-5, RTP/AVP/TCP;interleaved=2-3", Transport(2)),
        ("RTP/AVP;unicast;client_port=4588-4589", None),
        ("", None),
    ],
)
def test_only_interleaved_transport_is_offered(value, expected):
    assert parse_transport(value) == expected


def test_udp_is_offered_where_the_camera_has_it():
    offer = "RTP/AVP/TCP;interleaved=0-1, RTP/AVP/UDP;unicast;client_port=4588-4589"
    assert parse_transport(offer, udp=True) == Transport(0)
    assert parse_transport(offer, tcp=False, udp=True) == Transport(ports=(4588, 4589))
    assert parse_transport(offer, tcp=False) is None
    assert parse_transport("RTP/AVP;multicast", udp=True) is None
    for port in ("80", "x", "65535", ""):
        with pytest.raises(Refused):
            parse_transport(f"RTP/AVP;client_port={port}", udp=True)


@pytest.mark.parametrize("channels", ["x", "255-256", "-1", "99999999999"])
def test_channels_that_are_none_are_refused(channels):
    with pytest.raises(Refused):
        parse_transport(f"RTP/AVP/TCP;interleaved={channels}")


@settings(deadline=None)
@given(st.text(max_size=80) | st.text(max_size=40).map(lambda t: f"RTP/AVP/TCP;interleaved={t}"))
def test_any_transport_is_parsed_or_refused(value):
    try:
        transport = parse_transport(value)
    except Refused:
        return
    assert transport is None or 0 <= transport.channel <= 254


def test_a_response_tells_the_length_of_its_body():
    text = response(200, "7", {"X": "y"}, "hé").decode()
    assert text == "RTSP/1.0 200 OK\r\nCSeq: 7\r\nX: y\r\nContent-Length: 3\r\n\r\nhé"
    assert b"Content-Length" not in response(454, "7", {})


async def test_rtcp_between_requests_is_passed_over():
    rtcp = b"$\1\0\4abcd"
    request = await read(rtcp, rtcp + OPTIONS + b"\r\n")
    assert request.method == "OPTIONS"


async def test_a_body_is_read_with_its_request():
    request = await read(OPTIONS + b"Content-Length: 4\r\n\r\nbodynext")
    assert request.body == b"body"


async def test_an_endless_head_is_refused_after_its_limit():
    with pytest.raises(Refused):
        await read(OPTIONS + b"X: " + b"x" * (2 * MAX_HEAD), end=False)


@pytest.mark.parametrize("data", [b"", b"OPT", b"$\0", OPTIONS, b"$\0\0\5abc"])
async def test_a_client_that_goes_in_the_middle_is_noticed(data):
    with pytest.raises(EOFError):
        await read(data)
