"""A bundle as its parts, and the hands of a forger who mends the manifest."""

from __future__ import annotations

import io
import json
from hashlib import sha256

from edge.ledger.bundle import BundleWriter
from edge.ledger.report import Report

START = 3
PICTURE = b"picture" * 50
DIGEST = sha256(PICTURE).hexdigest()
GONE = "e" * 64
RECORDS = "records/0000000000000003.jsonl"

Members = dict[str, bytes]


def packed(content: Members) -> bytes:
    file = io.BytesIO()
    writer = BundleWriter(file)
    for name, data in content.items():
        if name == "manifest.json":
            stated = json.loads(data)
            writer.finish(stated["origin"], stated["start"], stated["size"])
        else:
            writer.add(name, data)
    return file.getvalue()


def replaced(members: Members, name: str, data: bytes) -> Members:
    return {key: data if key == name else value for key, value in members.items()}


def said(report: Report) -> str:
    assert not report.sound
    return report.text()
