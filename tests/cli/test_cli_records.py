"""`eseal export`, `verify`, `status` and `run`: what the ledger holds."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from edge import logs
from edge.clock import SystemClock
from edge.domain.record import Draft, RecordType
from edge.ledger.keys import load_or_create
from edge.ledger.store import Ledger

# --- export, verify, status ----------------------------------------------------------------


def filled(config: Path) -> str:
    """Write a few records as the daemon would; gives the public key."""
    directory = config.parent / "store"
    directory.mkdir()
    clock = SystemClock()
    origin = "eseal/220100000001/main-shaft"
    signer = load_or_create(directory / "gateway.key", origin)
    with closing(Ledger.open(directory, origin=origin, signer=signer, clock=clock)) as ledger:
        drafts = [
            Draft(RecordType.GATEWAY_HEALTH, clock.now(), {"number": number}) for number in range(5)
        ]
        ledger.submit(drafts).result(20)
        ledger.seal_head().result(20)
    return str(signer.verifier)


def test_what_export_writes_verify_finds_sound_and_a_change_does_not_pass(eseal, config, tmp_path):
    key, bundle = filled(config), tmp_path / "bundle.tar"
    assert eseal("export", bundle, "-c", config).code == 0
    said = eseal("verify", bundle, "--key", key)
    assert said.code == 0
    assert "bundle.tar" in said.out

    changed, data = tmp_path / "changed.tar", bytearray(bundle.read_bytes())
    at = data.index(b'"number":3')
    data[at : at + 10] = b'"number":4'
    changed.write_bytes(data)
    both = eseal("verify", changed, bundle, "--key", key)
    assert both.code == 1
    assert both.out.count("bundle.tar") == 1  # the second is looked at all the same


def test_verify_tells_what_is_no_bundle_and_what_is_no_key(eseal, config, tmp_path):
    key, bundle = filled(config), tmp_path / "bundle.tar"
    eseal("export", bundle, "-c", config)
    (tmp_path / "other.tar").write_bytes(b"nothing of the sort")
    assert eseal("verify", tmp_path / "other.tar", "--key", key).code == 1
    said = eseal("verify", tmp_path / "none.tar", bundle, "--key", key)
    assert said.code == 1
    assert "none.tar: cannot be read" in said.err
    assert "bundle.tar" in said.out
    assert eseal("verify", bundle, "--key", "nonsense").code in {1, 78}


def test_export_of_nothing_is_told(eseal, config, tmp_path):
    said = eseal("export", tmp_path / "bundle.tar", "-c", config)
    assert said.code in {1, 74, 78}
    assert said.err
    assert not (tmp_path / "bundle.tar").exists()


def test_fsck_says_what_is_whole_and_names_what_is_missing(eseal, config):
    filled(config)
    said = eseal("fsck", "-c", config)
    assert said.code == 0
    assert "账本完好" in said.out
    database = sqlite3.connect(config.parent / "store" / "ledger.db")
    with database:
        database.execute("DELETE FROM leaf WHERE idx = 3")
    database.close()
    said = eseal("fsck", "-c", config)
    assert said.code == 65
    assert "1 条记录缺失：3" in said.out
    assert "records are missing: 3" in said.out


def test_fsck_without_a_ledger_is_told(eseal, config):
    assert eseal("fsck", "-c", config).code == 78


def test_status_reads_the_ledger_without_the_daemon(eseal, config):
    key = filled(config)
    said = eseal("status", "-c", config)
    assert said.code == 0
    assert "账本 · Ledger" in said.out
    cells = "".join(line.rpartition("│")[0].rpartition("│")[2] for line in said.out.splitlines())
    assert key in cells.replace(" ", "")


def test_status_without_a_ledger_is_told(eseal, config):
    said = eseal("status", "-c", config)
    assert said.code in {1, 78}
    assert said.err


# --- run -----------------------------------------------------------------------------------


def test_run_on_storage_that_takes_nothing_ends_with_74_so_that_systemd_tries_again(
    eseal, config, monkeypatch
):
    monkeypatch.setattr(logs, "configure", lambda level: None)
    (config.parent / "store").write_text("a file where the directory should be")
    said = eseal("run", "-c", config)
    assert said.code == 74
    assert "存储写不进" in said.err
    assert "is not a directory" in said.err


def test_run_says_ready_and_stops_on_sigterm_within_three_seconds(config, tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        with subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "-c", str(config)],
            stderr=subprocess.PIPE,
            env={**os.environ, "NOTIFY_SOCKET": address, "INVOCATION_ID": "x"},
        ) as daemon:
            try:
                ready = told(systemd, b"READY=1", daemon)
                begun = time.monotonic()
                daemon.terminate()
                _, err = daemon.communicate(timeout=20)
            finally:
                daemon.kill()
    took = time.monotonic() - begun
    assert ready, err.decode()
    assert daemon.returncode == 0, err.decode()
    assert took < 5  # 3 s are promised; this machine may be busy with other tests
    lines: list[dict[str, Any]] = [json.loads(line) for line in err.splitlines()]
    assert "sealed" in [line["event"] for line in lines]


def told(systemd: socket.socket, message: bytes, daemon: subprocess.Popen[bytes]) -> bool:
    """Wait until the daemon says `message`; False when it ends before."""
    systemd.settimeout(0.5)
    while daemon.poll() is None:
        try:
            if systemd.recv(100) == message:
                return True
        except TimeoutError:
            continue
    return False
