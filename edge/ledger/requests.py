"""What can be asked of the writer: each is done within one commit, with others or alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edge.domain.record import Record
from edge.ledger.checkpoint import Signer
from edge.ledger.chore import Chore
from edge.ledger.commit import Commit
from edge.ledger.leaf import Unplaced

R_co = TypeVar("R_co", covariant=True)


class Request(Protocol[R_co]):
    """Something to be done within a commit."""

    def apply(self, commit: Commit) -> Callable[[], R_co]:
        """Do it within the commit; the result is asked for when the commit is durable.

        Raises:
            ValueError, Refused: this request is at fault; the others are not.
        """


@dataclass(frozen=True, slots=True)
class Append:
    """Append drafts as leaves."""

    drafts: Sequence[Unplaced]

    def apply(self, commit: Commit) -> Callable[[], list[Record]]:
        records = commit.append(self.drafts)
        return lambda: records


@dataclass(frozen=True, slots=True)
class MoveCursor:
    """Move a cursor forward; backward is a wish not granted and no error."""

    name: str
    index: int

    def apply(self, commit: Commit) -> Callable[[], None]:
        commit.move(self.name, self.index)
        return lambda: None


@dataclass(frozen=True, slots=True)
class AddReceipt:
    """Keep a province's cosignature of one of our heads."""

    note: bytes
    size: int

    def apply(self, commit: Commit) -> Callable[[], None]:
        commit.receive(self.note, self.size)
        return lambda: None


class SealHead:
    """Sign the head as it is after this commit."""

    def apply(self, commit: Commit) -> Callable[[], bytes]:
        commit.seal_wanted = True
        return lambda: commit.after.checkpoint or b""


@dataclass(frozen=True, slots=True)
class Rotate:
    """Let another key sign from here on."""

    successor: Signer

    def apply(self, commit: Commit) -> Callable[[], Record]:
        (record,) = commit.rotate(self.successor)
        return lambda: record


@dataclass(frozen=True, slots=True)
class Tend:
    """Let go of a bounded slice of what is old."""

    chore: Chore

    def apply(self, commit: Commit) -> Callable[[], None]:
        commit.tend(self.chore)
        return lambda: None
