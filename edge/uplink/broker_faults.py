"""What keeps us from a broker, in words that say where to look. Pure."""

from __future__ import annotations

import socket
import ssl

WRONG_VERSION = 0x84

_REFUSALS = {
    WRONG_VERSION: "it does not speak this version of MQTT",
    0x85: "it does not accept our client id",
    0x86: "it refuses our username or password; check username and password_file",
    0x87: "it does not authorise us; check its access rules and our certificate",
    0x8A: "it has banned us",
    0x9C: "it sends us to another server",
    0x9D: "its server has moved",
}


def refusal(code: int, name: str) -> str:
    """A CONNACK's failing reason code (MQTT 5; paho maps 3.1.1's onto it)."""
    return _REFUSALS.get(code, f"it refuses the connection: {name} (0x{code:02x})")


def explain(error: Exception) -> str:
    """What an exception of a connection means for the person who must mend it."""
    match error:
        case socket.gaierror():
            return f"its name cannot be resolved ({error.strerror}); check host and DNS"
        case ssl.SSLError():
            return _explain_tls(error)
        case ConnectionRefusedError():
            return "the connection is refused: nothing listens there"
        case TimeoutError():
            return "no answer: the address is silent"
    return getattr(error, "strerror", None) or str(error)


def _explain_tls(error: ssl.SSLError) -> str:
    reason = getattr(error, "reason", None) or str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"TLS: its certificate is not trusted ({error.verify_message}); check tls.ca and host"
        )
    if "ALERT" in reason:
        alert = reason.rpartition("ALERT_")[2].replace("_", " ").lower()
        return f"TLS: it refuses us ({alert}); check tls.certificate and tls.key"
    return f"TLS failed ({reason}); is this port for TLS?"
