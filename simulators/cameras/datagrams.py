"""RTP over UDP to one client: a pair of sockets with neighbouring ports."""

from __future__ import annotations

import contextlib
import socket

_TRIES = 50


class Datagrams:
    """Sends RTP packets to `peer`; what comes back is not read.

    Attributes:
        ports: ours, for RTP and RTCP.
        dropped: packets that the system took no more.
    """

    def __init__(self, host: str, peer: tuple[str, int]) -> None:
        self._peer = peer
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for _ in range(_TRIES):
            self._rtp = socket.socket(family, socket.SOCK_DGRAM)
            self._rtcp = socket.socket(family, socket.SOCK_DGRAM)
            self._rtp.bind((host, 0))
            port = self._rtp.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                self._rtcp.bind((host, port + 1))
                break
            self.close()
        else:
            raise OSError("no two neighbouring UDP ports are free")
        self._rtp.setblocking(False)
        self._rtp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.ports = (port, port + 1)
        self.dropped = 0

    def send(self, packets: list[bytes]) -> None:
        """Send now what the system takes."""
        for packet in packets:
            try:
                self._rtp.sendto(packet, self._peer)
            except (BlockingIOError, ConnectionRefusedError):
                self.dropped += 1

    def close(self) -> None:
        self._rtp.close()
        self._rtcp.close()
