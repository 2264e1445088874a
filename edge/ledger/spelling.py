"""Canonical JSON (RFC 8785) of what records are made of, in one walk. Pure.

rfc8785 is written in Python and slow for an append that somebody waits for. Records of one type
have the same keys, so the order and spelling of a mapping's keys is remembered; what is rare
(numbers that ECMAScript writes in another way, types that are not JSON) goes to rfc8785.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring as _quoted
from operator import itemgetter
from typing import Any

import rfc8785

SAFE_INTEGER = 2**53 - 1  # RFC 8785 writes larger numbers as a double would be written
_MAX_SHAPES = 512
_MAX_REMEMBERED = 2_000  # characters: keys that somebody else chose may be long and never come back
_WORDS = {True: "true", False: "false"}

_Shape = tuple[Callable[[Mapping[str, Any]], tuple[Any, ...]], str]
_shapes: dict[tuple[str, ...], _Shape] = {}


class _RareError(Exception):
    """Not a value that is spelled here."""


def canonical(value: Mapping[str, Any]) -> str:
    """A mapping in canonical JSON.

    Raises:
        ValueError: it is not JSON with finite numbers.
        RecursionError: it is too deep.
    """
    try:
        return _mapping(value)
    except _RareError:
        return rfc8785.dumps(dict(value)).decode()


def _mapping(mapping: Mapping[str, Any]) -> str:
    keys = tuple(mapping)
    values, form = _shapes.get(keys) or _shape(keys)
    # One expression for each value and no call where none is needed: this is the hot path.
    return form % tuple(
        [
            _quoted(value)
            if (kind := type(value)) is str
            else _number(value)
            if kind is float
            else value
            if kind is int and -SAFE_INTEGER <= value <= SAFE_INTEGER
            else _mapping(value)
            if kind is dict
            else _other(value)
            for value in values(mapping)
        ]
    )


def _shape(keys: tuple[str, ...]) -> _Shape:
    """How to take the values in canonical order, and a form to put their spellings into."""
    if not all(isinstance(key, str) for key in keys):
        raise _RareError
    ordered = sorted(keys, key=lambda key: key.encode("utf-16-be"))
    members = ",".join(f"{_quoted(key)}:".replace("%", "%%") + "%s" for key in ordered)
    # itemgetter gives one key's value without a tuple
    values = itemgetter(*ordered) if len(ordered) > 1 else lambda m: tuple([m[k] for k in ordered])
    shape: _Shape = values, f"{{{members}}}"
    if len(members) <= _MAX_REMEMBERED:
        if len(_shapes) >= _MAX_SHAPES:
            _shapes.clear()
        _shapes[keys] = shape
    return shape


def _number(value: float) -> float:
    """What Python spells as ECMAScript does."""
    if value % 1 == 0.0:
        if -SAFE_INTEGER <= value <= SAFE_INTEGER:
            return int(value)
    elif 1e-4 <= value < 1e16 or -1e16 < value <= -1e-4:
        return value
    raise _RareError


def _other(value: Any) -> str:
    match value:
        case bool():
            return _WORDS[value]
        case None:
            return "null"
        case list() | tuple():
            return f"[{','.join([_item(item) for item in value])}]"
        case str():  # one of our enumerations
            return _quoted(value)
    raise _RareError


def _item(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is dict:
        return _mapping(value)
    if kind is float:
        return repr(_number(value))
    if kind is int and -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return repr(value)
    return _other(value)
