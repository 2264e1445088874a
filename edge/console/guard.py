"""What every request passes: the name it came for, its method, and headers of every answer.

The page has no accounts and listens on this machine only. A web page elsewhere can still make
a browser on this machine ask it, by letting its own name point here (DNS rebinding): so the
name that the browser asked for must be this machine's.
"""

from __future__ import annotations

from ipaddress import ip_address

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD"})
_CONTENT_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _CONTENT_POLICY),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class Guard:
    """ASGI middleware: refuses foreign names and everything but GET and HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no WebSocket is spoken here
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        answer: ASGIApp = self._app
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not is_local(hosts[0].decode("latin-1")):
            answer = PlainTextResponse("this name is not served here\n", 421)
        elif scope["method"] not in _METHODS:
            answer = PlainTextResponse("read-only\n", 405, {"Allow": "GET, HEAD"})
        await answer(scope, receive, send_guarded)


def is_local(host: str) -> bool:
    """Whether a Host header names this machine: `localhost` or a loopback address, any port."""
    name, bracket, port = host.rpartition("]")
    if bracket:
        name = name.removeprefix("[")
    else:
        name, _, port = host.partition(":")
    port = port.removeprefix(":")
    if port and not (port.isascii() and port.isdigit()):
        return False
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
