"""Names that are this machine's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.console.guard import Guard, is_local


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.integers(0, 65535))
def test_every_loopback_address_is_local_with_and_without_a_port(b, c, d, port):
    address = f"127.{b}.{c}.{d}"
    assert is_local(address)
    assert is_local(f"{address}:{port}")


@given(st.text())
def test_any_text_is_judged_without_an_error(host):
    assert is_local(host) in {True, False}


@given(st.from_regex(r"\A[a-z0-9.-]{1,40}\Z"))
def test_no_other_name_is_local(name):
    if is_local(name):
        assert name == "localhost" or name.startswith("127.")


async def test_what_is_not_http_is_not_even_answered():
    async def untouched(*_):
        raise AssertionError

    await Guard(untouched)({"type": "websocket"}, untouched, untouched)


async def test_two_names_are_one_too_many_whatever_the_server_lets_through():
    async def untouched(*_):
        raise AssertionError

    said = []

    async def send(message):
        said.append(message)

    for hosts in ([], [b"localhost", b"localhost"]):
        scope = {"type": "http", "method": "GET", "headers": [(b"host", name) for name in hosts]}
        await Guard(untouched)(scope, untouched, send)
    assert [m["status"] for m in said if m["type"] == "http.response.start"] == [421, 421]
