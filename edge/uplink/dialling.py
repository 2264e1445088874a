"""From a broker's name to a socket that is ready for MQTT, in a thread that may be given up."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from edge.errors import UplinkUnavailable
from edge.uplink.broker_faults import explain

STEP_TIMEOUT_S = 5.0  # TCP per address, and each step of the TLS handshake


class Dialling:
    """Makes one socket. `open` blocks; `give_up` may be called from another thread.

    Args:
        tls: how to wrap the socket; None for plain TCP.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._socket: socket.socket | None = None
        self._given_up = False

    def open(self, host: str, port: int) -> socket.socket:
        """Try the addresses of `host` in turn. Raises OSError; whatever failed is closed."""
        fault: OSError = ConnectionError("its name has no address")
        for family, kind, number, _name, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, number)
            try:
                return self._connect(sock, address, host)
            except OSError as error:
                sock.close()
                fault = error
        raise fault

    def _connect(self, sock: socket.socket, address: Any, host: str) -> socket.socket:
        self._socket = sock
        if self._given_up:
            raise ConnectionError("given up")
        sock.settimeout(STEP_TIMEOUT_S)
        # With Nagle's delay a 20 ms line carries half as many PUBACKed records.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(address)
        if self._tls is None:
            return sock
        wrapped = self._tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        self._socket = wrapped
        try:
            wrapped.do_handshake()
        except OSError:
            wrapped.close()
            raise
        return wrapped

    def give_up(self) -> None:
        """End what blocks in `open`, unless it is still asking the DNS."""
        self._given_up = True
        if self._socket is not None:
            with suppress(OSError):  # it was not connected yet, or is closed already
                self._socket.shutdown(socket.SHUT_RDWR)


async def in_thread(
    work: Callable[[], None], *, give_up: Callable[[], None], drop: Callable[[], None]
) -> None:
    """Do what blocks in a thread that ends with it.

    Args:
        work: blocks for seconds, perhaps.
        give_up: called when nobody waits any more, so that it ends soon.
        drop: called when it has ended and nobody waits any more.

    Raises:
        UplinkUnavailable: says why it failed.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(fault: UplinkUnavailable | None) -> None:
        if done.done():  # nobody waits any more
            drop()
        elif fault is None:
            done.set_result(None)
        else:
            done.set_exception(fault)

    def run() -> None:
        fault: UplinkUnavailable | None = None
        try:
            work()
        except (OSError, ValueError) as error:
            fault = UplinkUnavailable(explain(error))
        try:
            loop.call_soon_threadsafe(settle, fault)
        except RuntimeError:  # the loop is gone, and we with it
            drop()

    threading.Thread(target=run, name="eseal-dial", daemon=True).start()
    try:
        await done
    finally:
        if done.cancelled():
            give_up()
