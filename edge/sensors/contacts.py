"""Contacts: debounced states, and the activity "a guarded contact is open". Pure."""

from __future__ import annotations

from collections.abc import Iterable

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import ContactChange
from edge.sensors.spec import ContactSpec


class Debounce:
    """One contact's state: the first reading counts, a change when a second reading agrees.

    The moment of a change is that of the first reading that showed it.
    """

    def __init__(self) -> None:
        self._state: bool | None = None
        self._first_seen: Stamp | None = None

    def step(self, closed: bool, stamp: Stamp) -> Stamp | None:
        """Take a reading; gives the moment of the change when there is one."""
        if self._state is None:
            self._state = closed
            return stamp
        if closed == self._state:
            self._first_seen = None
            return None
        if self._first_seen is None:
            self._first_seen = stamp
            return None
        changed, self._first_seen = self._first_seen, None
        self._state = closed
        return changed


class ContactAnalyser:
    """CONTACT_OPEN while a contact is not in its normal position.

    The aspect is the position that is normal for it: `closed` or `open`.
    """

    def __init__(self, contacts: Iterable[ContactSpec]) -> None:
        self._contacts = {contact.code: contact for contact in contacts}
        self._since: dict[str, Stamp] = {}

    def step(self, change: ContactChange) -> list[Activity]:
        """Judge one change; the contact must be one of those given."""
        contact = self._contacts[change.source]
        disturbed = change.closed != (contact.normally == "closed")
        since = self._since.get(change.source)
        if disturbed == (since is not None):
            return []
        if since is None:
            self._since[change.source] = change.stamp
            phase, started = Phase.STARTED, change.stamp
        else:
            del self._since[change.source]
            phase, started = Phase.ENDED, since
        return [
            Activity(
                ActivityKind.CONTACT_OPEN,
                change.source,
                "",
                contact.normally,
                phase,
                started,
                change.stamp,
                {"closed": change.closed},
            )
        ]
