"""The session description that a camera answers DESCRIBE with (RFC 8866)."""

from __future__ import annotations

import base64

from simulators.cameras.rtp import CLOCK, PAYLOAD_TYPE
from simulators.cameras.units import Codec

CONTROL = "track1"


def describe(codec: Codec, sets: tuple[bytes, ...], host: str, fps: float) -> str:
    """One video track.

    Args:
        codec: of the track.
        sets: its parameter sets in decoder's order; may be empty, then they come in band only.
        host: address of the camera.
        fps: frames a second.
    """
    encoded = [base64.b64encode(one).decode("ascii") for one in sets]
    if codec is Codec.H264:
        name, parts = "H264", ["packetization-mode=1"]
        if sets:
            parts += [f"profile-level-id={sets[0][1:4].hex().upper()}"]
            parts += [f"sprop-parameter-sets={','.join(encoded)}"]
    else:
        name = "H265"
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        parts = [f"{key}={value}" for key, value in zip(names, encoded, strict=False)]
    lines = [
        "v=0",
        f"o=- 0 0 IN IP4 {host}",
        "s=camera",
        f"c=IN IP4 {host}",
        "t=0 0",
        "a=range:npt=now-",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {name}/{CLOCK}",
        f"a=framerate:{fps:g}",
    ]
    if parts:
        lines.append(f"a=fmtp:{PAYLOAD_TYPE} {';'.join(parts)}")
    lines.append(f"a=control:{CONTROL}")
    return "\r\n".join(lines) + "\r\n"
