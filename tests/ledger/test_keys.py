"""The gateway's key: made once, for nobody else's eyes, and never half a file."""

import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.clock import ManualClock
from edge.errors import ConfigError, StorageFull
from edge.ledger.checkpoint import Verifier
from edge.ledger.keys import gateway_signer, load_or_create, new_successor
from edge.ledger.store import Ledger
from tests.ledger.support import ORIGIN, WAIT_S


def test_a_key_is_made_once_and_found_again(tmp_path):
    path = tmp_path / "gateway.key"
    first = load_or_create(path, "gw")
    again = load_or_create(path, "gw")
    assert str(first.verifier) == str(again.verifier)
    assert path.stat().st_mode & 0o777 == 0o600
    assert {item.name for item in tmp_path.iterdir()} == {"gateway.key", "gateway.vkey"}


def test_the_public_half_lies_beside_it_and_follows_the_key(tmp_path):
    path = tmp_path / "gateway.key"
    public = tmp_path / "gateway.vkey"
    signer = load_or_create(path, "gw")
    assert str(Verifier.parse(public.read_text())) == str(signer.verifier)
    public.write_bytes(b"\xff stale")
    load_or_create(path, "gw")
    assert str(Verifier.parse(public.read_text())) == str(signer.verifier)


def test_a_key_that_others_can_read_is_not_used(tmp_path):
    path = tmp_path / "gateway.key"
    load_or_create(path, "gw")
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"mode 640.*chmod 600"):
        load_or_create(path, "gw")


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_key_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "gateway.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not a private key"):
        load_or_create(path, "gw")


def test_a_key_of_another_kind_is_said_to_be_so(tmp_path):
    path = tmp_path / "gateway.key"
    path.write_bytes(
        X25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not an Ed25519"):
        load_or_create(path, "gw")


def test_a_key_that_cannot_be_read_is_a_fault_of_the_configuration(tmp_path):
    path = tmp_path / "gateway.key"
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_or_create(path, "gw")


def test_where_nothing_can_be_written_no_key_is_made(tmp_path):
    with pytest.raises(StorageFull, match="no key can be made"):
        load_or_create(tmp_path / "absent" / "gateway.key", "gw")


def test_a_failing_disk_leaves_no_half_key(tmp_path, monkeypatch):
    path = tmp_path / "gateway.key"

    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StorageFull, match="No space left"):
            load_or_create(path, "gw")
    assert not path.exists()
    load_or_create(path, "gw")


def test_a_public_half_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "gateway.vkey").mkdir()
    with pytest.raises(StorageFull, match=r"gateway\.vkey"):
        load_or_create(tmp_path / "gateway.key", "gw")


def test_a_key_that_systemd_hands_us_goes_before_the_file(tmp_path, monkeypatch):
    credentials, storage = tmp_path / "credentials", tmp_path / "storage"
    for directory in (credentials, storage):
        directory.mkdir()
    ours = load_or_create(storage / "gateway.key", "gw")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert str(gateway_signer(storage, "gw").verifier) == str(ours.verifier)  # none is handed
    handed = load_or_create(credentials / "gateway.key", "gw")
    assert str(gateway_signer(storage, "gw").verifier) == str(handed.verifier)
    assert (storage / "gateway.vkey").read_text().strip() == str(handed.verifier)


def rotated(directory, *, known):
    """A change of key that a crash interrupted after (`known`) or before the ledger knew."""
    old = gateway_signer(directory, ORIGIN)
    ledger = Ledger.open(directory, origin=ORIGIN, signer=old, clock=ManualClock())
    new = new_successor(directory, ORIGIN)
    if known:
        ledger.rotate(new).result(WAIT_S)
    ledger.close()
    return old, new


def test_a_change_of_key_that_the_ledger_knows_is_finished(tmp_path):
    _old, new = rotated(tmp_path, known=True)
    for _ in range(2):
        signer = gateway_signer(tmp_path, ORIGIN)
        assert str(signer.verifier) == str(new.verifier)
        Ledger.open(tmp_path, origin=ORIGIN, signer=signer, clock=ManualClock()).close()
    assert not (tmp_path / "gateway.key.next").exists()
    assert (tmp_path / "gateway.vkey").read_text().strip() == str(new.verifier)


def test_a_change_of_key_that_the_ledger_does_not_know_never_was(tmp_path):
    old, _new = rotated(tmp_path, known=False)
    assert str(gateway_signer(tmp_path, ORIGIN).verifier) == str(old.verifier)
    assert not (tmp_path / "gateway.key.next").exists()


def test_without_a_ledger_a_new_key_beside_the_old_one_is_dropped(tmp_path):
    old = gateway_signer(tmp_path, ORIGIN)
    new_successor(tmp_path, ORIGIN)
    assert str(gateway_signer(tmp_path, ORIGIN).verifier) == str(old.verifier)


def test_a_disk_that_takes_no_key_is_said(tmp_path):
    with pytest.raises(StorageFull):
        new_successor(tmp_path / "nowhere", ORIGIN)
    (tmp_path / "gateway.key.next").mkdir()
    with pytest.raises((ConfigError, StorageFull)):
        gateway_signer(tmp_path, ORIGIN)
