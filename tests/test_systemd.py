"""sd_notify: says what it should, and never blocks the loop."""

import socket

from edge.systemd import notify


def test_says_nothing_where_nobody_listens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert notify("READY=1") is False


def test_the_message_arrives_at_the_socket(monkeypatch, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        assert notify("READY=1") is True
        assert receiver.recv(100) == b"READY=1"


def test_a_full_queue_drops_the_message_instead_of_blocking(monkeypatch, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        sent = [notify("WATCHDOG=1") for _ in range(5000)]
        assert sent[0] is True
        assert sent[-1] is False


def test_a_vanished_receiver_is_no_reason_to_die(monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    assert notify("WATCHDOG=1") is False
