"""Who a meter is: serial number and transformer ratios in force, and what it tells now. Pure.

In force is what seal.toml declares, else what was read first and recorded; it never changes by
being read. So a quiet exchange shows, also one while the gateway was off, and goes on to show
until somebody declares the new one. A misread ratio or serial is nothing: the next must confirm
it; until then the readings are not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.domain.record import Draft, RecordType
from edge.sensors.faults.look import Values
from edge.sensors.faults.report import Fault
from edge.sensors.spec import MeterSpec

RATIOS = ("ct_ratio", "pt_ratio")
_RECORD_S = 6 * 3600.0
_MOST = 1e6  # a greater one is no ratio
_ALIKE = 1e-4  # ratios are floats on some meters
_FACTOR = "power_factor"  # no power
_SEEN_S = 180.0  # within it every meter's serial is read again


class Register:
    """The serial numbers of a gateway's meters: in force, and as read last."""

    def __init__(self) -> None:
        self.in_force: dict[str, str] = {}
        self.seen: dict[str, tuple[str, Stamp]] = {}

    def owner(self, serial: str, asked: str) -> str | None:
        """The other meter that this serial is in force for."""
        for code, known in self.in_force.items():
            if known == serial and code != asked:
                return code
        return None

    def left(self, code: str, since: Stamp) -> bool | None:
        """Whether a meter has ceased to tell its own serial; None where that is not known yet."""
        serial, at = self.seen.get(code, ("", since))
        if at.since(since) < 0 or not serial:
            return None
        return serial != self.in_force[code]


class Identity:
    """METER_RATIO_CHANGED, METER_CHANGED and METERS_SWAPPED.

    Detail: of ratios `ct_ratio`, `expected_ct_ratio`, `pt_ratio`, `expected_pt_ratio`, `factor`
    (what the values are multiplied with to be those of the ratios in force); of serials
    `serial`, `expected_serial`, and `belongs_to`, the meter whose it is.

    Attributes:
        factors: by which powers, currents and voltages are scaled back; None if they need not be.
        elsewhere: code of the meter that answers here, where two have changed places.
        unsure: a serial or a ratio is new; whether it is true, the next one tells.
        another: a meter that nothing is known of answers since the last read; set to False by
            whoever has taken note.
        settled: serial and ratios as every sweep tells them, and as they should be; None while
            they are not.
    """

    def __init__(self, meter: MeterSpec, register: Register) -> None:
        self._code = meter.code
        self._register = register
        self._ratio = Fault(ActivityKind.METER_RATIO_CHANGED, meter)
        self._changed = Fault(ActivityKind.METER_CHANGED, meter)
        self._swapped = Fault(ActivityKind.METERS_SWAPPED, meter)
        self._declared = {
            name: value
            for name, value in (("ct_ratio", meter.ct_ratio), ("pt_ratio", meter.pt_ratio))
            if value is not None
        }
        self._serial_declared = meter.serial
        self._force: dict[str, float] = dict(self._declared)
        self._read: dict[str, float] = {}  # ratios as read last
        self._strange_ratio: Stamp | None = None
        self._strange: tuple[str, Stamp] | None = None
        self._recorded: Stamp | None = None
        self.settled: tuple[str, float | None, float | None] | None = None
        self.factors: Mapping[str, float] | None = None
        self.elsewhere = ""
        self.unsure = False
        self.another = False
        if meter.serial:
            register.in_force[meter.code] = meter.serial

    @property
    def ratio(self) -> float:
        """The product of the ratios as read last: by this a counter may be multiplied."""
        return self._read.get("ct_ratio", 1.0) * self._read.get("pt_ratio", 1.0)

    @property
    def ct(self) -> float:
        """The current transformers' ratio in force, 1 where none is known."""
        return self._force.get("ct_ratio", 1.0)

    @property
    def estranged(self) -> bool:
        """Whether its readings are another meter's, or may be."""
        return self.unsure or bool(self.elsewhere)

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up a METER_IDENTITY record; what is declared now stands above it."""
        for name in RATIOS:
            if name in data and name not in self._declared:
                self._force[name] = data[name]
        if data.get("serial") and not self._serial_declared:
            self._register.in_force[self._code] = data["serial"]

    def confirmed(self, stamp: Stamp) -> None:
        """A sweep told what is `settled` once more."""
        if self.settled and self.settled[0]:
            self._register.seen[self._code] = (self.settled[0], stamp)

    def read(self, serial: str, values: Values, stamp: Stamp) -> list[Activity]:
        """Take what a sweep told of serial and ratios; most tell nothing of them."""
        said: list[Activity] = []
        if serial.strip("0 "):
            self._register.seen[self._code] = (serial, stamp)
            said += self._of_serial(serial, stamp)
        told = {name: values[name] for name in RATIOS if 0 <= values.get(name, -1.0) <= _MOST}
        if self._strange is not None or self.elsewhere:
            self._strange_ratio = None  # another meter's ratios are no matter of this one
        elif told:
            said += self._of_ratios(told, stamp)
        self.unsure = self._strange_ratio is not None or self._strange is not None
        quiet = not (self.unsure or self.elsewhere or self._changed.open or self.factors)
        asked = (serial, values.get("ct_ratio"), values.get("pt_ratio"))
        self.settled = asked if quiet else None
        return said

    def _of_serial(self, serial: str, stamp: Stamp) -> list[Activity]:
        force = self._register.in_force.setdefault(self._code, serial)
        if serial == force:
            self._strange, self.elsewhere = None, ""
            self.another = self._changed.open
            return self._changed.gone(stamp) + self._swapped.gone(stamp)
        detail = {"serial": serial, "expected_serial": force}
        if self._changed.open or self._swapped.open:
            fault = self._changed if self._changed.open else self._swapped
            if self.elsewhere:
                detail["belongs_to"] = self.elsewhere
            return fault.there(stamp, stamp, detail)
        if self._strange is None or self._strange[0] != serial:
            self._strange = (serial, stamp)
            return []
        since = self._strange[1]
        owner = self._register.owner(serial, self._code)
        if owner is not None:
            left = self._register.left(owner, since)
            if left is None and stamp.since(since) < _SEEN_S:
                return []  # whether the other one still tells it as well is not known yet
            detail["belongs_to"] = owner
            if left:
                self._strange, self.elsewhere = None, owner
                return self._swapped.there(since, stamp, detail)
        self._strange, self.another = None, True
        return self._changed.there(since, stamp, detail)

    def _of_ratios(self, told: Mapping[str, float], stamp: Stamp) -> list[Activity]:
        for name, value in told.items():
            if value:
                self._force.setdefault(name, value)
        told = {name: value for name, value in told.items() if name in self._force}
        before, self._read = self._read, {**self._read, **told}
        if all(_alike(value, self._force[name]) for name, value in self._read.items()):
            self._strange_ratio, self.factors = None, None
            return self._ratio.gone(stamp)
        if not self._ratio.open and (self._strange_ratio is None or before != self._read):
            self._strange_ratio = stamp
            return []
        since, self._strange_ratio = self._strange_ratio or stamp, None
        self.factors = self._scales()
        detail: dict[str, str | float] = {"factor": round(self.factors["power"], 6)}
        for name, value in self._read.items():
            detail |= {name: value, f"expected_{name}": self._force[name]}
        return self._ratio.there(since, stamp, detail)

    def _scales(self) -> dict[str, float]:
        ct, pt = (
            self._force[name] / self._read[name] if self._read.get(name) else 1.0 for name in RATIOS
        )
        return {"power": ct * pt, "current": ct, "voltage": pt}

    def scaled(self, values: Values) -> Values:
        """The values by the ratios in force; energies, whose ratio is not known, are left out."""
        factors = self.factors
        if factors is None:
            return values
        return {
            name: value * (1.0 if name == _FACTOR else factors.get(name.partition("_")[0], 1.0))
            for name, value in values.items()
            if not name.startswith("energy")
        }

    def learned(self, counter_kwh: float | None, now: Stamp) -> list[Draft]:
        """A METER_IDENTITY record when it is first known, and every six hours with the counter."""
        serial = self._register.in_force.get(self._code, "")
        if not (serial or self._force or counter_kwh is not None):
            return []
        if self._recorded is not None and now.since(self._recorded) < _RECORD_S:
            return []
        self._recorded = now
        data: dict[str, Any] = {"source": self._code, **self._force}
        if serial:
            data["serial"] = serial
        if counter_kwh is not None:
            data["energy_import_kwh"] = round(counter_kwh, 3)
        return [Draft(RecordType.METER_IDENTITY, now, data)]


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= _ALIKE * abs(other)
