from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge.errors import UplinkUnavailable
from edge.uplink.spec import BrokerSpec, TlsSpec
from edge.uplink.tls import client_context, password
from simulators.province.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


def spec(ca: Path, certificate: Path, key: Path) -> TlsSpec:
    return TlsSpec(ca=ca, certificate=certificate, key=key)


def test_a_context_checks_name_and_certificate_and_wants_1_2_at_least(
    authority: Authority,
) -> None:
    pair = authority.issue("gateway")
    context = client_context(spec(authority.certificate, pair.certificate, pair.key))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_an_authority_alone_is_enough_where_the_broker_asks_for_no_certificate(
    authority: Authority,
) -> None:
    assert client_context(TlsSpec(ca=authority.certificate)).cert_store_stats()["x509_ca"] == 1


def test_certificate_and_key_of_two_pairs_do_not_belong_together(authority: Authority) -> None:
    one, two = authority.issue("one"), authority.issue("two")
    with pytest.raises(UplinkUnavailable, match="do not belong together"):
        client_context(spec(authority.certificate, one.certificate, two.key))


def test_a_ca_file_without_a_certificate_is_named(authority: Authority, tmp_path: Path) -> None:
    empty = tmp_path / "ca.crt"
    empty.write_text("nothing here\n")
    with pytest.raises(UplinkUnavailable, match=r"tls\.ca .*ca\.crt: is not what it should be"):
        client_context(TlsSpec(ca=empty))


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(
    authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("locked")
    key = ec.generate_private_key(ec.SECP256R1())
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(UplinkUnavailable, match="without a password"):
        client_context(spec(authority.certificate, pair.certificate, locked))


def test_a_password_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"\xff\xfe")
    broker = BrokerSpec(host="127.0.0.1", username="gw", password_file=file)
    with pytest.raises(UplinkUnavailable, match=r"password_file .*password"):
        password(broker)
    assert password(BrokerSpec(host="127.0.0.1")) is None
