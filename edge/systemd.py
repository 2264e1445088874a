"""Tell systemd how we are (sd_notify). Does nothing where NOTIFY_SOCKET is not set."""

from __future__ import annotations

import os
import socket


def notify(message: str) -> bool:
    """Send `message` (`READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…`).

    Returns:
        False when there is nobody to tell or its queue is full. The socket does not block:
        a blocking one freezes the event loop once the receiver's queue of ten is full.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):  # abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.setblocking(False)
        try:
            sock.sendto(message.encode(), address)
        except (BlockingIOError, ConnectionRefusedError, FileNotFoundError):
            return False
    return True
