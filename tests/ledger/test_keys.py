"""The gateway's key: made once, for nobody else's eyes, and never half a file."""

import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.errors import ConfigError, StorageFull
from edge.ledger.checkpoint import Verifier
from edge.ledger.keys import load_or_create


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
