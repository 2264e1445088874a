"""Names, certificates and where connections led, each in bounded time."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from edge.domain.loss import Loss, said
from edge.errors import SourceError
from edge.vision.stream import reach
from edge.vision.stream.access import Access


def test_what_takes_too_long_is_told_and_not_waited_for():
    begun = time.monotonic()
    with pytest.raises(SourceError, match="no way leads"):
        reach.within(0.1, lambda: time.sleep(2), Loss.NO_ROUTE)
    assert time.monotonic() - begun < 1
    assert reach.within(5, lambda: 7, Loss.NO_ROUTE) == 7


def test_a_name_server_that_says_nothing_is_told_as_an_unknown_name(monkeypatch):
    def silence(*_, **__):
        time.sleep(0.5)
        raise OSError

    monkeypatch.setattr(reach, "LIMIT_S", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", silence)
    with pytest.raises(SourceError) as caught:
        reach.addresses(Access("rtsp://camera.example/x"))
    assert str(caught.value) == said(Loss.NO_NAME)


def test_addresses_are_found_of_names_and_numbers():
    assert reach.addresses(Access("rtsp://127.0.0.1/x")) == {ip_address("127.0.0.1")}
    assert reach.addresses(Access("rtsp://[::1]/x")) == {ip_address("::1")}


def test_a_connection_that_leads_elsewhere_is_noticed():
    allowed = frozenset({ip_address("127.0.0.1")})
    with (
        socket.create_server(("127.0.0.1", 0)) as here,
        socket.create_server(("127.0.0.2", 0)) as there,
    ):
        before = reach.open_files()
        with socket.create_connection(here.getsockname()):
            assert not reach.strayed(allowed, before)
            with socket.socket(type=socket.SOCK_DGRAM) as packets:
                packets.connect(there.getsockname())
                assert reach.strayed(allowed, before)


@pytest.mark.parametrize(
    ("common", "names", "found"),
    [
        ("IPC", [], "IPC"),
        ("IPC", [x509.DNSName("cam.example"), x509.DNSName("b")], "cam.example"),
        ("IPC", [x509.DNSName("*.example")], "camera.example"),
        ("IPC", [x509.IPAddress(ip_address("10.0.0.1"))], "10.0.0.1"),
        ("", [x509.RFC822Name("a@b")], ""),
    ],
)
def test_a_name_that_a_certificate_is_good_for_is_found(common, names, found):
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else []
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .issuer_name(x509.Name(attributes))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    der = builder.sign(key, SHA256()).public_bytes(Encoding.DER)
    assert reach.name_in(der) == found


def test_what_is_no_certificate_names_nobody():
    assert reach.name_in(b"\x30\x03abc") == ""


def test_a_port_without_tls_shows_no_certificate():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]
        access = Access(f"rtsps://127.0.0.1:{port}/x", tls_pin="0" * 64)

        def refuse() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"RTSP/1.0 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(SourceError) as caught:
            reach.certificate(access)
        thread.join()
    assert str(caught.value) == said(Loss.NOT_TLS)
