"""A new box's keys: made once, shown again, never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from edge.enroll import enroll
from edge.errors import ConfigError
from edge.ledger.checkpoint import Signer
from tests.seals import site

PROVINCE = Signer.generate("province.example")
KEYS = (str(PROVINCE.verifier), str(PROVINCE.cosigner))


def config(directory: Path, **changes):
    return site(storage={"dir": str(directory)}, **changes)


def everything(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_keys_and_a_request_are_made_once_and_shown_again(tmp_path):
    directory = tmp_path / "storage"
    made = enroll(config(directory), [])
    before = everything(directory)
    assert set(before) == {"gateway.key", "gateway.vkey", "tls.key", "tls.csr"}
    assert enroll(config(directory), []) == made
    assert everything(directory) == before
    assert before["gateway.vkey"].decode().strip() == made.vkey
    for name in ("gateway.key", "tls.key"):
        assert (directory / name).stat().st_mode & 0o777 == 0o600


def test_the_request_names_mine_and_gateway_and_is_for_the_key_beside_it(tmp_path):
    made = enroll(config(tmp_path), [])
    request = x509.load_pem_x509_csr(made.request.read_bytes())
    assert request.is_signature_valid
    (name,) = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "220182000001/gw1"
    key = load_pem_private_key(made.tls_key.read_bytes(), None)
    assert request.public_key() == key.public_key()


def test_the_key_lies_where_the_configuration_wants_it(tmp_path):
    tls = {
        "ca": str(tmp_path / "ca.crt"),
        "certificate": str(tmp_path / "gw.crt"),
        "key": str(tmp_path / "gw.key"),
    }
    made = enroll(config(tmp_path / "storage", broker=[{"host": "127.0.0.1", "tls": tls}]), [])
    assert (made.tls_key, made.request) == (tmp_path / "gw.key", tmp_path / "gw.csr")
    assert made.tls_key.exists()


def test_the_provinces_keys_are_given_as_lines_for_the_configuration(tmp_path):
    made = enroll(config(tmp_path), KEYS)
    assert made.province == f'[province]\nkeys = ["{KEYS[0]}", "{KEYS[1]}"]'
    pinned = config(tmp_path, province={"keys": list(KEYS)})
    assert enroll(pinned, KEYS).province == ""
    assert enroll(pinned, []).province == ""


def test_a_pinned_key_is_not_replaced_and_a_wrong_one_is_said(tmp_path):
    pinned = config(tmp_path, province={"keys": list(KEYS)})
    with pytest.raises(ConfigError, match="pins other keys"):
        enroll(pinned, [str(Signer.generate("province.example").verifier)])
    with pytest.raises(ConfigError, match="--province") as told:
        enroll(pinned, ["nonsense", "more nonsense"])
    assert len(told.value.faults) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tls.key", b"no key", "not a private key"),
        ("tls.csr", b"no request", "no request for the key"),
    ],
)
def test_what_lies_there_and_is_something_else_is_left_alone(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    (tmp_path / name).chmod(0o600)
    with pytest.raises(ConfigError, match=words):
        enroll(config(tmp_path), [])
    assert (tmp_path / name).read_bytes() == content


def test_a_request_for_another_key_is_left_alone(tmp_path):
    made = enroll(config(tmp_path), [])
    made.tls_key.unlink()
    with pytest.raises(ConfigError, match="no request for the key"):
        enroll(config(tmp_path), [])


def test_a_key_that_cannot_sign_a_request_or_that_others_can_read_is_said(tmp_path):
    first = enroll(config(tmp_path), [])
    (tmp_path / "tls.key").write_bytes((tmp_path / "gateway.key").read_bytes())
    with pytest.raises(ConfigError, match="cannot sign a request"):
        enroll(config(tmp_path), [])
    first.tls_key.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read it"):
        enroll(config(tmp_path), [])
