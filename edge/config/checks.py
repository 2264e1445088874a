"""What one table cannot know: names and addresses that two tables claim.

Works on the raw TOML and steps over what has another shape than it should: those faults are
told by the models, and must not hide these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from edge.errors import Fault
from edge.sensors.profiles import is_profile_file

Claim = tuple[str, Any]  # path of a key, its value

RESERVED = ("host", "detector")  # sources that every gateway has


def across(data: dict[str, Any]) -> list[Fault]:
    """Every clash between tables."""
    faults = _clashes(
        _sources(data), "give every meter, contact, lamp and camera a code of its own"
    )
    faults += [
        Fault(path, f"is {code!r}, which names a part of the gateway itself", "choose another")
        for path, code in _sources(data)
        if code in RESERVED
    ]
    faults += _clashes(_values(data, "bus", "code"), "give every bus a code of its own")
    faults += _clashes(_values(data, "bus", "device"), "list all units of a line under one bus")
    faults += _clashes(_values(data, "camera", "camera_code"), "one code, one camera")
    faults += _clashes(_nested(data, "bus", "meter", "position_code"), "one code, one position")
    faults += _clashes(_brokers(data), "name each broker once")
    for where, bus in _tables(data, "bus"):
        faults += _clashes(_values(bus, "meter", "unit", where), "one unit, one meter")
        faults += _clashes(_inputs(bus, where), "one input, one contact")
    faults += _strangers(data)
    for where, camera in _tables(data, "camera"):
        places = [*_values(camera, "zone", "code", where), *_values(camera, "line", "code", where)]
        faults += _clashes(places, "use each code once within a camera")
    return faults


def custom_profiles(data: dict[str, Any]) -> list[str]:
    """The files that meters name as their profiles, each once."""
    named = {value: path for path, value in _nested(data, "bus", "meter", "profile")}
    return [name for name in named if isinstance(name, str) and is_profile_file(name)]


def _clashes(claims: Iterable[Claim], remedy: str) -> list[Fault]:
    """A fault for every claim whose value an earlier one has; empty text claims nothing."""
    first: dict[Any, str] = {}
    faults: list[Fault] = []
    for path, value in claims:
        if value == "":
            continue
        if value in first:
            faults.append(Fault(path, f"is {_short(value)}, as {first[value]} already is", remedy))
        else:
            first[value] = path
    return faults


def _short(value: object) -> str:
    text = str(value) if isinstance(value, tuple) else repr(value)
    return text[:60]


def _tables(data: dict[str, Any], key: str, where: str = "") -> Iterator[tuple[str, Any]]:
    items = data.get(key)
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"{where}.{key}[{i}]".lstrip("."), item


def _values(data: dict[str, Any], table: str, key: str, where: str = "") -> Iterator[Claim]:
    for path, item in _tables(data, table, where):
        value = item.get(key)
        if isinstance(value, str) or _is_small(value):
            yield f"{path}.{key}", value


def _is_small(value: object) -> bool:
    """Whether it is a number that can be shown; huge ones are told by the models."""
    return type(value) is int and abs(value) < 1 << 32


def _nested(data: dict[str, Any], outer: str, inner: str, key: str) -> Iterator[Claim]:
    for where, item in _tables(data, outer):
        yield from _values(item, inner, key, where)


def _sources(data: dict[str, Any]) -> Iterator[Claim]:
    yield from _nested(data, "bus", "meter", "code")
    yield from _nested(data, "bus", "contact", "code")
    yield from _values(data, "camera", "code")
    yield from _values(data, "challenge", "code")


def _strangers(data: dict[str, Any]) -> Iterator[Fault]:
    """Challenges that name a bus or a camera that is not there."""
    buses = {code for _, code in _values(data, "bus", "code")}
    cameras = {code for _, code in _values(data, "camera", "code")}
    named = [("bus", claim, buses) for claim in _values(data, "challenge", "bus")]
    named += [("camera", claim, cameras) for claim in _nested(data, "challenge", "view", "camera")]
    for kind, (path, code), known in named:
        if code not in known:
            yield Fault(path, f"is {_short(code)}, which no {kind} is called", f"name a {kind}")


def _inputs(bus: dict[str, Any], where: str) -> Iterator[Claim]:
    for path, contact in _tables(bus, "contact", where):
        unit, address = contact.get("unit"), contact.get("address")
        if _is_small(unit) and _is_small(address):
            yield f"{path}.address", f"unit {unit} input {address}"


def _brokers(data: dict[str, Any]) -> Iterator[Claim]:
    for path, broker in _tables(data, "broker"):
        host, port = broker.get("host"), broker.get("port", 8883)
        if isinstance(host, str) and _is_small(port):
            yield f"{path}.host", f"{host[:300].lower()}:{port}"
