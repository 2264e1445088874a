"""The values that every table is made of."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from edge.wiring import Code, Host

CODE: TypeAdapter[str] = TypeAdapter(Code)
HOST: TypeAdapter[str] = TypeAdapter(Host)


@pytest.mark.parametrize("code", ["a", "0", "shaft-cam", "a" * 32])
def test_codes_are_small_letters_digits_and_hyphens(code):
    assert CODE.validate_python(code) == code


@pytest.mark.parametrize("code", ["", "-a", "A", "a_b", "a" * 33, "a\n", "井口", "a b"])
def test_nothing_else_is_a_code(code):
    with pytest.raises(ValidationError):
        CODE.validate_python(code)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "::1", "fe80::1%eth0", "mqtt.example.org", "localhost", "a_b", "a.b."]
)
def test_names_and_addresses_are_hosts(host):
    assert HOST.validate_python(host) == host


@pytest.mark.parametrize(
    "host", ["", "a:1", "http://a", "a/b", "a b", "-a", "a..b", "a" * 64, "a.b" * 100, "a\n", "é"]
)
def test_nothing_else_is_a_host(host):
    with pytest.raises(ValidationError):
        HOST.validate_python(host)
