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
from edge.vision.camera.channel import HEADER, MAGIC, Kind, Why, pack_picture, pack_quality
from edge.vision.camera.gate import GateState
from edge.vision.stream.access import Access

TRACE = Path("/tmp/eseal-test-was-here")
FINE_MESSAGE = pack_quality(Measures(100, 30, 200, 0), GateState.QUIET, 4.0)


class _Bomb:
    def __reduce__(self):
        return os.system, (f"touch {TRACE}",)


def pickled(_access: Access, channel: socket.socket, *_: object) -> None:
    channel.sendall(pickle.dumps(_Bomb()))
    time.sleep(30)


def flood(_access: Access, channel: socket.socket, *_: object) -> None:
    while True:
        channel.sendall(FINE_MESSAGE)


def unasked(_access: Access, channel: socket.socket, *_: object) -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    while True:
        channel.sendall(b"".join(pack_picture(frame, Why.MOTION)))


def giant(_access: Access, channel: socket.socket, *_: object) -> None:
    channel.sendall(HEADER.pack(MAGIC, Kind.PICTURE, 0xFFFFFFF0))
    time.sleep(30)


def liar(_access: Access, channel: socket.socket, *_: object) -> None:
    nan = struct.pack("<d", float("nan"))
    channel.sendall(FINE_MESSAGE[: HEADER.size] + nan + FINE_MESSAGE[HEADER.size + len(nan) :])
    time.sleep(30)


def filmer(_access: Access, channel: socket.socket, *_: object) -> None:
    channel.sendall(HEADER.pack(MAGIC, Kind.CLIP, 12_000_000))
    time.sleep(30)


def half(_access: Access, channel: socket.socket, *_: object) -> None:
    channel.sendall(FINE_MESSAGE + FINE_MESSAGE[:20])
    time.sleep(30)


def crash(_access: Access, channel: socket.socket, *_: object) -> None:
    channel.sendall(FINE_MESSAGE)
    os._exit(11)
