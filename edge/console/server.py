"""The page's HTTP server, inside the daemon's event loop. The page is not the seal."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractContextManager, nullcontext

import structlog
import uvicorn
from starlette.types import ASGIApp

MAX_CONNECTIONS = 32  # people on this machine; more is a mistake or an attack
KEEP_ALIVE_S = 5
STOP_S = 1  # answers under way may take so long once we are told to stop

log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """uvicorn's, without its signal handlers: SIGTERM is the daemon's to answer."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


async def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve `app` until cancelled.

    When the address cannot be listened on, that is logged and the coroutine returns: the seal
    goes on without its page.
    """
    try:
        listener = _listen(host, port)
    except OSError as error:
        log.error(
            "no local page: its address cannot be used; free it or change page.port",
            host=host,
            port=port,
            error=str(error),
        )
        return
    with listener:
        server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_S,
            )
        )
        log.info("local page", url=_url(listener))
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(MAX_CONNECTIONS)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
