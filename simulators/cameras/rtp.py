"""RTP packets of H.264 (RFC 6184) and H.265 (RFC 7798), and their frames on RTSP's connection."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from simulators.cameras.units import AccessUnit, Codec

CLOCK = 90_000  # ticks a second, both payloads
PAYLOAD_TYPE = 96
HEAD = 12  # bytes of a packet before its payload
MTU = 1400  # bytes of payload in one packet
_FU_A = 28
_FU_265 = 49


def fragments(codec: Codec, nal: bytes, mtu: int = MTU) -> Iterator[bytes]:
    """Payloads that carry one NAL unit: itself when it fits, else fragmentation units.

    Args:
        codec: what the NAL unit belongs to.
        nal: with its header, without start code.
        mtu: most bytes of one payload; at least 4.
    """
    if len(nal) <= mtu:
        yield nal
        return
    header, body = nal[: codec.header], memoryview(nal)[codec.header :]
    if codec is Codec.H264:
        indicator = bytes([header[0] & 0xE0 | _FU_A])
        kind = header[0] & 0x1F
    else:
        indicator = bytes([header[0] & 0x81 | _FU_265 << 1, header[1]])
        kind = (header[0] >> 1) & 0x3F
    room = mtu - len(indicator) - 1
    for start in range(0, len(body), room):
        piece = body[start : start + room]
        first, last = start == 0, start + room >= len(body)
        yield indicator + bytes([first << 7 | last << 6 | kind]) + piece


class Packetiser:
    """Makes numbered RTP packets of access units.

    Attributes:
        sequence: number of the next packet, 16 bits.
        timestamp: ticks of the newest unit, 32 bits.
    """

    def __init__(self, codec: Codec, ssrc: int, sequence: int = 0, mtu: int = MTU) -> None:
        self._codec, self._ssrc, self._mtu = codec, ssrc & 0xFFFFFFFF, mtu
        self.sequence = sequence & 0xFFFF
        self.timestamp = 0

    def packets(self, unit: AccessUnit) -> list[bytes]:
        """Packets of one access unit; the last one carries the marker."""
        self.timestamp = round(unit.pts * CLOCK) & 0xFFFFFFFF
        payloads = [part for nal in unit.nals for part in fragments(self._codec, nal, self._mtu)]
        made: list[bytes] = []
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            head = struct.pack(
                "!BBHII",
                0x80,
                marker << 7 | PAYLOAD_TYPE,
                self.sequence,
                self.timestamp,
                self._ssrc,
            )
            self.sequence = (self.sequence + 1) & 0xFFFF
            made.append(head + payload)
        return made


def interleave(packets: list[bytes], channel: int) -> bytes:
    """Packets framed for RTSP's own connection (RFC 2326 section 10.12)."""
    return b"".join(struct.pack("!cBH", b"$", channel, len(one)) + one for one in packets)
