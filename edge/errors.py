"""The errors a reader meets: each says what is wrong, where, and what to do.

Only these are answered; any other exception is a bug, ends the process, and systemd restarts it.
"""

from __future__ import annotations

from dataclasses import dataclass


class EsealError(Exception):
    """Root of every error that the product raises on purpose."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration: where, what is wrong, what would be right."""

    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.remedy}"


class ConfigError(EsealError):
    """The configuration cannot be used. Carries every fault at once."""

    exit_code = 78  # EX_CONFIG of sysexits.h

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Unfit(ValueError):
    """What a validator of one value says; the configuration makes a Fault with a path of it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


class SourceError(EsealError):
    """A meter, camera or contact cannot be read now. Back off and retry."""


class UplinkUnavailable(EsealError):
    """No broker takes our records now. Hold them; the ledger keeps them."""


class StorageFull(EsealError):
    """The disk took no more bytes. Nothing that was acknowledged is lost."""

    exit_code = 74  # EX_IOERR


class LedgerCorrupt(EsealError):
    """The ledger contradicts itself. Stop, and say how to recover."""

    exit_code = 65  # EX_DATAERR


class Refused(EsealError):
    """Untrusted input was not accepted. Every parser of foreign bytes raises only this."""
