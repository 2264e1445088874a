"""Basic and digest authentication (RFC 7617, RFC 7616 with MD5, as cameras do it)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from enum import StrEnum

from simulators.cameras.rtsp import Request

_REALM = "camera"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,"]+))')


class Scheme(StrEnum):
    """How a camera wants to be asked."""

    NONE = "none"
    BASIC = "basic"
    DIGEST = "digest"


class Guard:
    """Checks requests; one per connection, so that a nonce is of no use elsewhere."""

    def __init__(self, scheme: Scheme, user: str, password: str) -> None:
        self._scheme, self._user, self._password = scheme, user, password
        self._nonce = secrets.token_hex(16)

    def challenge(self) -> str:
        """What a 401 says in WWW-Authenticate."""
        if self._scheme is Scheme.BASIC:
            return f'Basic realm="{_REALM}"'
        return f'Digest realm="{_REALM}", nonce="{self._nonce}", algorithm=MD5'

    def admits(self, request: Request) -> bool:
        """Whether the request may pass."""
        if self._scheme is Scheme.NONE:
            return True
        kind, _, rest = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != self._scheme.value:
            return False
        return self._basic(rest) if self._scheme is Scheme.BASIC else self._digest(request, rest)

    def _basic(self, text: str) -> bool:
        try:
            given = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, f"{self._user}:{self._password}".encode())

    def _digest(self, request: Request, text: str) -> bool:
        fields = {key: quoted or bare for key, quoted, bare in _FIELD.findall(text)}
        if fields.get("username") != self._user or fields.get("nonce") != self._nonce:
            return False
        secret = _md5(f"{self._user}:{_REALM}:{self._password}")
        what = _md5(f"{request.method}:{fields.get('uri', '')}")
        middle = self._nonce
        if "qop" in fields:
            names = ("nc", "cnonce", "qop")
            middle = ":".join([middle, *(fields.get(name, "") for name in names)])
        expected = _md5(f"{secret}:{middle}:{what}").encode()
        return hmac.compare_digest(expected, fields.get("response", "").encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
