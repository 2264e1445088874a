"""Who may have signed a log's head: a key that was given, or one that it handed over to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.errors import Refused
from edge.ledger.checkpoint import Verifier, verify_checkpoint
from edge.ledger.origin import key_name
from edge.ledger.rotation import read_rotation


class Lineage:
    """Follows the changes of key within a log.

    Attributes:
        changes: index of each leaf that changed the key, with the old and the new one.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.changes: list[tuple[int, Verifier, Verifier]] = []

    def take(self, index: int, data: Mapping[str, Any]) -> None:
        """A leaf that changes the key; in the order of the log. Raises Refused."""
        old, new = read_rotation(self._origin, index, data)
        if self.changes and str(self.changes[-1][2]) != str(old):
            raise Refused(f"record {index} changes a key that is not in force")
        self.changes.append((index, old, new))

    def heir(self, key: Verifier) -> Verifier:
        """The key that signs in the end for whoever trusts `key`, which may be itself."""
        for _index, old, new in self.changes:
            if str(old) == str(key):
                key = new
        return key

    def signer(self, note: bytes, keys: Iterable[Verifier]) -> tuple[Verifier, Verifier] | None:
        """Of `keys` the first whose heir signed the note, and that heir."""
        for key in keys:
            heir = self.heir(key)
            if heir.name == key_name(self._origin) and _signed(note, heir):
                return key, heir
        return None


def _signed(note: bytes, key: Verifier) -> bool:
    try:
        verify_checkpoint(note, key)
    except Refused:
        return False
    return True
