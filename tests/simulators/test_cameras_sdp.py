"""The description says what a decoder needs before the first packet."""

from __future__ import annotations

import base64

from simulators.cameras.sdp import describe
from simulators.cameras.units import Codec


def lines(*args):
    return describe(*args).split("\r\n")


def test_h264_names_profile_and_parameter_sets():
    sps, pps = b"\x67\x42\xc0\x1fsps", b"\x68pps"
    found = lines(Codec.H264, (sps, pps), "10.0.0.9", 12.5)
    assert "a=rtpmap:96 H264/90000" in found
    assert "a=framerate:12.5" in found
    sets = ",".join(base64.b64encode(one).decode() for one in (sps, pps))
    fmtp = f"packetization-mode=1;profile-level-id=42C01F;sprop-parameter-sets={sets}"
    assert f"a=fmtp:96 {fmtp}" in found
    assert found[-2:] == ["a=control:track1", ""]


def test_h265_names_its_three_sets():
    found = lines(Codec.H265, (b"v", b"s", b"p"), "::1", 25)
    assert "a=rtpmap:96 H265/90000" in found
    assert "a=fmtp:96 sprop-vps=dg==;sprop-sps=cw==;sprop-pps=cA==" in found


def test_without_parameter_sets_they_come_in_band():
    assert "a=fmtp:96 packetization-mode=1" in lines(Codec.H264, (), "h", 25)
    assert not any("fmtp" in line for line in lines(Codec.H265, (), "h", 25))
