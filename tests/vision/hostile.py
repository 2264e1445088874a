"""Camera processes in an attacker's hands: what they write to the daemon."""

from __future__ import annotations

import os
import pickle
import socket
import struct
import time
from pathlib import Path

import numpy as np

from edge.domain.observation import Measures
from edge.vision.channel import HEADER, MAGIC, Kind, Why, pack_picture, pack_quality

TRACE = Path("/tmp/eseal-test-was-here")
FINE = Measures(100, 30, 200, 1, 0)


class _Bomb:
    def __reduce__(self):
        return os.system, (f"touch {TRACE}",)


def pickled(_url: str, channel: socket.socket) -> None:
    channel.sendall(pickle.dumps(_Bomb()))
    time.sleep(30)


def flood(_url: str, channel: socket.socket) -> None:
    while True:
        channel.sendall(pack_quality(FINE))


def unasked(_url: str, channel: socket.socket) -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    while True:
        channel.sendall(b"".join(pack_picture(frame, Why.MOTION)))


def giant(_url: str, channel: socket.socket) -> None:
    channel.sendall(HEADER.pack(MAGIC, Kind.PICTURE, 0xFFFFFFF0))
    time.sleep(30)


def liar(_url: str, channel: socket.socket) -> None:
    body = struct.pack("<5d", float("nan"), 1, 1, 1, 1)
    channel.sendall(HEADER.pack(MAGIC, Kind.QUALITY, len(body)) + body)
    time.sleep(30)


def half(_url: str, channel: socket.socket) -> None:
    channel.sendall(pack_quality(FINE) + HEADER.pack(MAGIC, Kind.QUALITY, 40) + b"1234")
    time.sleep(30)


def crash(_url: str, channel: socket.socket) -> None:
    channel.sendall(pack_quality(FINE))
    os._exit(11)
