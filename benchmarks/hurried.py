"""A camera's process that takes no breath between packets, where hours pass in minutes."""

from __future__ import annotations

import socket

from edge.vision.camera import stream
from edge.vision.camera.gate import Masks
from edge.vision.stream.access import Access
from edge.vision.stream.policy import Watch


def camera_process(
    access: Access, channel: socket.socket, watch: Watch = Watch.AUTO, masks: Masks = ()
) -> None:
    """`edge.vision.camera.stream.camera_process` without its pauses."""
    stream.BREATH_S = 0.0
    stream.camera_process(access, channel, watch, masks)
