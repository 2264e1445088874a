from __future__ import annotations

import re
import socket
import ssl

import pytest

from edge.uplink.broker_faults import explain, refusal


def tls_error(kind: type[ssl.SSLError], reason: str) -> ssl.SSLError:
    error = kind(1, f"[SSL: {reason}] somewhere")
    error.reason = reason
    return error


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "check host and DNS"),
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens"),
        (TimeoutError("timed out"), "the address is silent"),
        (OSError(113, "No route to host"), "No route to host"),
        (ConnectionError("its name has no address"), "its name has no address"),
        (ValueError("odd"), "odd"),
        (untrusted(), "self-signed certificate.*check tls.ca and host"),
        (
            tls_error(ssl.SSLError, "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            "certificate required.*check tls.certificate",
        ),
        (tls_error(ssl.SSLError, "WRONG_VERSION_NUMBER"), "is this port for TLS"),
        (ssl.SSLError("handshake"), "TLS failed"),
    ],
)
def test_a_failure_is_told_so_that_somebody_can_mend_it(error: Exception, words: str) -> None:
    assert re.search(words, explain(error))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x86, "username or password"),
        (0x87, "does not authorise us"),
        (0x84, "version of MQTT"),
        (0x97, "Quota exceeded (0x97)"),
    ],
)
def test_a_refused_login_says_what_to_check(code: int, words: str) -> None:
    assert words in refusal(code, "Quota exceeded")
