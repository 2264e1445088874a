"""RTSP 1.0 requests and responses as text (RFC 2326). Requests come from strangers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from edge.errors import Refused

MAX_HEAD = 8192  # bytes of request line and headers
MAX_HEADERS = 64
MAX_BODY = 4096
_METHODS = frozenset(
    {
        "OPTIONS",
        "DESCRIBE",
        "SETUP",
        "PLAY",
        "PAUSE",
        "GET_PARAMETER",
        "SET_PARAMETER",
        "TEARDOWN",
        "ANNOUNCE",
        "RECORD",
        "REDIRECT",
    }
)
REASONS = {
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The URL's path: `/stream/track1`."""
        _, _, rest = self.url.partition("://")
        _, slash, path = (rest or self.url).partition("/")
        return slash + path.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Transport:
    """The transport a client asks for, as far as cameras here offer it.

    Attributes:
        channel: of RTP within the RTSP connection.
        ports: the client's, for RTP and RTCP over UDP; None within the connection.
    """

    channel: int = 0
    ports: tuple[int, int] | None = None


def parse_request(head: bytes) -> tuple[Request, int]:
    """Request line and headers, and how many bytes of body follow.

    Args:
        head: up to and including the empty line.

    Raises:
        Refused: when it is not a request, or larger than a camera takes.
    """
    if len(head) > MAX_HEAD:
        raise Refused("request is too long")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("request is not UTF-8") from None
    lines = text.split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "RTSP/1.0" or words[0] not in _METHODS:
        raise Refused("not an RTSP 1.0 request line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        if not line:
            break
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or len(headers) >= MAX_HEADERS:
            raise Refused("malformed header")
        headers[name.lower()] = value.strip()
    cseq, length = headers.get("cseq", ""), headers.get("content-length", "0")
    if not _small_number(cseq):
        raise Refused("request without CSeq")
    if not _small_number(length) or int(length) > MAX_BODY:
        raise Refused("body is too long")
    return Request(words[0], words[1], headers), int(length)


def parse_transport(value: str, *, tcp: bool = True, udp: bool = False) -> Transport | None:
    """The first offer in a Transport header that may be taken; None without one.

    Args:
        value: the header.
        tcp: RTP over this connection may be.
        udp: RTP over UDP to one client may be.

    Raises:
        Refused: when its channels or ports are none.
    """
    for offer in value.split(","):
        profile, *options = (part.strip() for part in offer.split(";"))
        given = {key.lower(): text for key, _, text in (o.partition("=") for o in options)}
        if profile.upper() == "RTP/AVP/TCP" and tcp:
            first = given.get("interleaved", "0").partition("-")[0]
            if not _small_number(first) or int(first) > 254:
                raise Refused("interleaved channels are two of 0..255")
            return Transport(int(first))
        if profile.upper() in {"RTP/AVP", "RTP/AVP/UDP"} and udp and "client_port" in given:
            first = given["client_port"].partition("-")[0]
            if not _small_number(first) or not 1024 <= int(first) <= 65534:
                raise Refused("client ports are two of 1024..65535")
            return Transport(ports=(int(first), int(first) + 1))
    return None


def response(status: int, cseq: str, headers: Mapping[str, str], body: str = "") -> bytes:
    """A response as bytes."""
    lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {cseq}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    payload = body.encode("utf-8")
    if payload:
        lines.append(f"Content-Length: {len(payload)}")
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + payload


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The next request; interleaved packets that the client sends (RTCP) are passed over.

    The reader's limit must be `MAX_HEAD`.

    Raises:
        Refused: for what `parse_request` refuses.
        EOFError: when the client has gone.
    """
    try:
        first = await reader.readexactly(1)
        while first == b"$":
            size = await reader.readexactly(3)
            await reader.readexactly(int.from_bytes(size[1:], "big"))
            first = await reader.readexactly(1)
        rest = await reader.readuntil(b"\r\n\r\n")
        request, length = parse_request(first + rest)
        if not length:
            return request
        body = await reader.readexactly(length)
    except asyncio.LimitOverrunError:
        raise Refused("request is too long") from None
    return Request(request.method, request.url, request.headers, body)


def _small_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10
