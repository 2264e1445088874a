"""What a bus looks like to those who ask on it, and how a request may fail."""

from __future__ import annotations

from typing import Protocol

from edge.errors import SourceError
from edge.sensors.plan import Span


class BusDownError(SourceError):
    """The line or connection itself cannot be opened: no unit on it can be asked."""


class RefusedError(SourceError):
    """A unit answered that it will not; `code` is Modbus' own (exception answer)."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class NoAnswerError(SourceError):
    """A unit gave no answer in time, or one that fits no request of ours.

    Attributes:
        late_s: after so long something of it came all the same; None where nothing did.
        disturbed: something else was heard instead: the unit is most likely well.
    """

    def __init__(
        self, reason: str, late_s: float | None = None, *, disturbed: bool = False
    ) -> None:
        super().__init__(reason)
        self.late_s = late_s
        self.disturbed = disturbed


class ModbusPort(Protocol):
    """A bus that one request at a time can be made on."""

    async def read(
        self, unit: int, span: Span, timeout_s: float | None = None, listen_s: float = 0.0
    ) -> list[int]:
        """`span.count` registers, or bits as 0 and 1, from unit `unit`.

        Args:
            unit: address.
            span: what to read.
            timeout_s: how long the unit may think; None is as long as the bus allows.
            listen_s: where it gives no answer on a line: leave the line to it for so long, so
                that an answer that comes late meets nobody else's.

        Raises:
            RefusedError: the unit answered that it will not.
            NoAnswerError: silence, a late or misshapen answer.
            BusDownError: there is no line.
        """

    async def write_coil(self, unit: int, address: int, on: bool) -> None:
        """Switch one coil of unit `unit`; it has confirmed it. Raises as `read` does."""

    def close(self) -> None:
        """Give the line back. A later request opens it again."""
