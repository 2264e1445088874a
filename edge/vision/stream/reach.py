"""What we do with sockets of our own around FFmpeg's: whose address, whose certificate, why not.

FFmpeg follows an RTSP redirection to any host and says "Input/output error" to most things. So
a name is resolved before, where its connections led is looked at after, and when it fails one
bare request of ours finds the words for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from edge.domain.loss import Loss, said
from edge.errors import SourceError
from edge.vision.stream.access import HTTP_SCHEMES, Access

LIMIT_S = 3.0  # for each thing asked here; a name server or a slow camera must not hold us
_MAX_LINE = 200
_OUTDATED = (9, 10)  # OpenSSL: not yet valid, expired
Address = IPv4Address | IPv6Address
T = TypeVar("T")


def within(limit_s: float, work: Callable[[], T], late: Loss) -> T:
    """What `work` gives; SourceError when it takes longer (its thread is left to end alone)."""
    found: list[T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            found.append(work())
        except (OSError, SourceError) as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="reach", daemon=True)
    thread.start()
    thread.join(limit_s)
    for error in tuple(failed):
        raise error
    if not found:
        raise SourceError(said(late))
    return found[0]


def addresses(access: Access) -> frozenset[Address]:
    """Every address of the camera's host. Raises SourceError when its name is not known."""

    def resolve() -> frozenset[Address]:
        try:
            answers = socket.getaddrinfo(access.host, access.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise SourceError(said(Loss.NO_NAME)) from error
        return frozenset(_address(str(answer[4][0])) for answer in answers)

    return within(LIMIT_S, resolve, Loss.NO_NAME)


def _address(text: str) -> Address:
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def open_files() -> frozenset[int]:
    """Numbers of this process's open files."""
    return frozenset(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only


def strayed(allowed: frozenset[Address], before: frozenset[int]) -> bool:
    """Whether a connection opened since `before` leads to another address than those allowed."""
    return any(peer not in allowed for peer in _peers(open_files() - before))


def _peers(files: frozenset[int]) -> Iterator[Address]:
    for number in files:
        try:
            with socket.socket(fileno=os.dup(number)) as one:
                if one.family in (socket.AF_INET, socket.AF_INET6):
                    yield _address(one.getpeername()[0])
        except OSError:
            continue  # no socket, not connected, or closed meanwhile


def certificate(access: Access) -> bytes:
    """The certificate that the camera shows, DER; nothing is checked. Raises SourceError."""

    def ask() -> bytes:
        with _greeted(access, _trusting_anybody()) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            shown = connection.getpeercert(binary_form=True)
        if shown is None:
            raise SourceError(said(Loss.NOT_TLS))
        return shown

    return within(LIMIT_S, ask, Loss.NO_ANSWER)


def _trusting_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def fingerprint(der: bytes) -> str:
    """What `tls_pin` holds for a certificate."""
    return hashlib.sha256(der).hexdigest()


def pinned(access: Access) -> tuple[bytes, str]:
    """The pinned certificate as PEM, and a name it has, for FFmpeg to verify against.

    Raises:
        SourceError: the camera shows another one.
    """
    der = certificate(access)
    if fingerprint(der) != access.tls_pin:
        raise SourceError(said(Loss.NOT_PINNED, fingerprint(der)))
    return ssl.DER_cert_to_PEM_cert(der).encode(), name_in(der) or access.host


def name_in(der: bytes) -> str:
    """A host name or address that the certificate is good for."""
    with contextlib.suppress(ValueError, x509.ExtensionNotFound):
        shown = x509.load_der_x509_certificate(der)
        with contextlib.suppress(x509.ExtensionNotFound):
            names = shown.extensions.get_extension_for_oid(
                ExtensionOID.SUBJECT_ALTERNATIVE_NAME
            ).value
            assert isinstance(names, x509.SubjectAlternativeName)
            hosts = names.get_values_for_type(x509.DNSName)
            hosts += [str(one) for one in names.get_values_for_type(x509.IPAddress)]
            if hosts:
                return hosts[0].replace("*", "camera")
        common = shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(common[0].value) if common else ""
    return ""


def tls_trouble(access: Access) -> str:
    """Why a verified TLS connection does not come about; empty when it does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = not access.tls_pin
    try:
        if access.tls_pin:
            context.load_verify_locations(cadata=pinned(access)[0].decode())
        else:
            context.load_verify_locations(access.ca_file)
    except OSError:
        return said(Loss.UNTRUSTED, "ca_file cannot be read")
    except SourceError as error:
        return str(error)

    def ask() -> str:
        with _greeted(access, context):
            return ""

    try:
        return within(LIMIT_S, ask, Loss.NO_ANSWER)
    except ssl.SSLCertVerificationError as error:
        outdated = error.verify_code in _OUTDATED
        return said(Loss.OUTDATED if outdated else Loss.UNTRUSTED, error.verify_message)
    except ssl.SSLError:
        return said(Loss.NOT_TLS)
    except SourceError as error:
        return str(error)


def status(access: Access) -> int:
    """The number in the camera's answer to a bare request without credentials; 0 without one."""
    path = access.url.partition("://")[2].partition("/")[2]
    if access.scheme in HTTP_SCHEMES:
        request = f"GET /{path} HTTP/1.0\r\nHost: {access.host}\r\n\r\n"
    else:
        where = f"{access.scheme}://{access.host}:{access.port}/{path}"
        request = f"DESCRIBE {where} RTSP/1.0\r\nCSeq: 1\r\n\r\n"

    def ask() -> bytes:
        with _greeted(access, _trusting_anybody() if access.tls else None) as connection:
            connection.sendall(request.encode("utf-8", "replace"))
            return connection.recv(_MAX_LINE)

    try:
        words = within(LIMIT_S, ask, Loss.NO_ANSWER).split(maxsplit=2)
    except (OSError, SourceError):
        return 0
    number = words[1] if len(words) > 1 and words[0][:5] in (b"RTSP/", b"HTTP/") else b""
    return int(number) if number.isdigit() and len(number) == 3 else 0


@contextlib.contextmanager
def _greeted(access: Access, context: ssl.SSLContext | None) -> Iterator[socket.socket]:
    """A connection to the camera, through TLS where there is a context.

    Raises:
        SourceError: none came about.
        ssl.SSLError: from verification, where the context verifies.
    """
    try:
        plain = socket.create_connection((access.host, access.port), LIMIT_S)
    except ConnectionRefusedError as error:
        raise SourceError(said(Loss.REFUSED)) from error
    except (OSError, UnicodeError) as error:
        raise SourceError(said(Loss.NO_ANSWER)) from error
    with plain:
        if context is None:
            yield plain
            return
        try:
            wrapped = context.wrap_socket(plain, server_hostname=access.host)
        except ssl.SSLError as error:
            if context.verify_mode is ssl.CERT_NONE:
                raise SourceError(said(Loss.NOT_TLS)) from error
            raise
        except OSError as error:
            raise SourceError(said(Loss.NO_ANSWER)) from error
        with wrapped:
            yield wrapped
