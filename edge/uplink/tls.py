"""Who we are to the broker and who it must be: TLS 1.2 or later, always checked; password."""

from __future__ import annotations

import ssl

from edge.errors import UplinkUnavailable
from edge.uplink.spec import BrokerSpec, TlsSpec


def client_context(spec: TlsSpec) -> ssl.SSLContext:
    """A context from the files, read anew at each connection so that they can be renewed.

    Raises:
        UplinkUnavailable: names the file and what is wrong with it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=spec.ca)
    except (OSError, ValueError) as error:
        raise UplinkUnavailable(f"tls.ca {spec.ca}: {_why(error)}") from error
    if spec.certificate is not None:
        try:
            context.load_cert_chain(spec.certificate, spec.key, password=_no_password)
        except (OSError, ValueError) as error:
            raise UplinkUnavailable(
                f"tls.certificate {spec.certificate} with tls.key {spec.key}: {_why(error)}"
            ) from error
    return context


def password(broker: BrokerSpec) -> str | None:
    """The password, read anew at each connection. Raises UplinkUnavailable."""
    path = broker.password_file
    if path is None:
        return None
    try:
        return path.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UplinkUnavailable(f"password_file {path}: {_why(error)}") from error


def _no_password() -> str:
    # OpenSSL would ask on the terminal and wait.
    raise ValueError("the key is encrypted; give one without a password")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "is not what it should be in PEM, or the two do not belong together"
    return getattr(error, "strerror", None) or str(error)
