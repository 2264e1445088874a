"""How a camera may be described; faults in a whole file are in config/."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from edge.vision.spec import CameraSpec, LineSpec, MaskSpec
from edge.vision.stream.access import Access, Transport

PIN = "5f" * 32
CORNERS = ((0.0, 0.1), (0.2, 0.1), (0.2, 0.5))


def camera(**changes: object) -> CameraSpec:
    return CameraSpec.model_validate({"code": "cam", "url": "rtsp://10.0.0.31/main"} | changes)


def test_without_tls_pictures_may_come_over_udp():
    assert camera(transport="udp").access.transport is Transport.UDP


def test_the_cheaper_stream_is_decoded_and_reached_as_its_camera_is():
    assert camera().access == Access("rtsp://10.0.0.31/main")
    sub = "rtsps://10.0.0.31/sub"
    assert camera(sub_url=sub, tls_pin=PIN).access == Access(sub, tls_pin=PIN)


def test_a_certificate_is_trusted_by_its_pin_or_by_its_authority_but_not_by_both(tmp_path: Path):
    pem = tmp_path / "ca.pem"
    pem.write_text("any")
    url = "rtsps://10.0.0.31/main"
    assert camera(url=url, ca_file=pem).access.ca_file == str(pem)
    with pytest.raises(ValidationError, match="is given beside ca_file"):
        camera(url=url, ca_file=pem, tls_pin=PIN)


def test_masks_are_their_polygons_in_order():
    assert camera().masks == ()
    other = (*CORNERS, (0.0, 0.9))
    masked = camera(mask=(MaskSpec(polygon=CORNERS), MaskSpec(polygon=other)))
    assert masked.masks == (CORNERS, other)


def test_a_line_that_ends_where_it_starts_could_not_be_crossed():
    with pytest.raises(ValidationError, match="is where the line starts"):
        LineSpec(code="l", start=(0.5, 0.5), end=(0.5, 0.505))
