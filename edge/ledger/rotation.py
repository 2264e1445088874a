"""Changing the gateway's key: a leaf that the old and the new key both sign. Pure.

The old key says whom it trusts next, the new one that it is there; so whoever enrolled the old key
can follow. Heads of more records than the leaf's index are signed by the new key alone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import rfc8785

from edge.errors import Refused
from edge.ledger.checkpoint import Signer, Verifier
from edge.ledger.origin import key_name

_PREFIX = b"eseal-key-rotation/1\n"
_FIELDS = frozenset({"old", "new", "by_old", "by_new"})


def rotation_data(origin: str, index: int, old: Signer, new: Signer) -> dict[str, str]:
    """Data of the leaf at `index` of `origin` from which on `new` signs.

    Raises:
        ValueError: it is the same key, or one that is named after another gateway.
    """
    keys = str(old.verifier), str(new.verifier)
    if keys[0] == keys[1] or {old.name, new.name} != {key_name(origin)}:
        raise ValueError("a key is changed for another one of the same gateway")
    message = _message(origin, index, *keys)
    by_old, by_new = (base64.b64encode(signer.sign(message)).decode() for signer in (old, new))
    return {"old": keys[0], "new": keys[1], "by_old": by_old, "by_new": by_new}


def read_rotation(origin: str, index: int, data: Mapping[str, Any]) -> tuple[Verifier, Verifier]:
    """The old and the new key of a leaf that claims to change them, not trusted.

    Raises:
        Refused: it is not signed by both, or names another gateway's keys.
    """
    if set(data) != _FIELDS or not all(isinstance(value, str) for value in data.values()):
        raise Refused(f"record {index} changes the key, but not as it should")
    old, new = Verifier.parse(data["old"]), Verifier.parse(data["new"])
    if {old.name, new.name} != {key_name(origin)}:
        raise Refused(f"record {index} changes the key of another gateway")
    message = _message(origin, index, str(old), str(new))
    for key, name in ((old, "by_old"), (new, "by_new")):
        try:
            signature = base64.b64decode(data[name], validate=True)
        except ValueError as error:
            raise Refused(f"record {index}: {name} is not base64") from error
        if not key.accepts(message, signature):
            raise Refused(f"record {index}: {name} does not sign this change of the key")
    return old, new


def _message(origin: str, index: int, old: str, new: str) -> bytes:
    return _PREFIX + rfc8785.dumps({"index": index, "new": new, "old": old, "origin": origin})
