"""Serving inside a running loop: signals, cancelling, an address in use."""

from __future__ import annotations

import asyncio
import signal
import socket

import pytest
from structlog.testing import capture_logs

from edge.console.app import build_app
from edge.console.server import MAX_CONNECTIONS, serve
from tests.console.pages import Page, free_port, listening, page, snapshot


def _app():
    return build_app(snapshot, list)


async def _running(host="127.0.0.1"):
    port = free_port()
    task = asyncio.create_task(serve(_app(), host, port))
    await listening(port, task)
    return port, task


async def test_signal_handlers_are_left_to_the_daemon():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with page() as local:
        await local.ask("/")
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_it_stops_at_once_when_cancelled_and_frees_its_port():
    port, task = await _running()
    began = asyncio.get_running_loop().time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() - began < 2.0
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    assert [other for other in asyncio.all_tasks() if other is not asyncio.current_task()] == []


async def test_connections_that_say_nothing_do_not_hold_up_the_stop():
    port, task = await _running()
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
    idle[0][1].write(b"GET / HT")
    await asyncio.sleep(0.05)
    began = asyncio.get_running_loop().time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() - began < 2.0
    for _, writer in idle:
        writer.close()
        await writer.wait_closed()


async def test_an_address_in_use_is_logged_and_the_seal_goes_on():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with capture_logs() as logs:
            await serve(_app(), "127.0.0.1", port)
    [line] = logs
    assert line["log_level"] == "error"
    assert line["port"] == port
    assert "page.port" in line["event"]


async def test_more_connections_than_people_are_turned_away():
    async with page() as local:
        held = [
            await asyncio.open_connection("127.0.0.1", local.port) for _ in range(MAX_CONNECTIONS)
        ]
        await asyncio.sleep(0.05)
        assert (await local.ask("/")).status == 503
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert (await local.ask("/")).status == 200


async def test_the_page_may_be_on_the_ipv6_loopback():
    port = free_port()
    with capture_logs() as logs:
        task = asyncio.create_task(serve(_app(), "::1", port))
        await asyncio.sleep(0.3)
        if task.done():
            pytest.skip("this machine has no IPv6 loopback")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert logs[0]["url"] == f"http://[::1]:{port}/"


async def test_a_port_of_zero_is_chosen_by_the_system_and_told():
    with capture_logs() as logs:
        task = asyncio.create_task(serve(_app(), "127.0.0.1", 0))
        await asyncio.sleep(0.1)
        port = int(logs[0]["url"].rstrip("/").rpartition(":")[2])
        await listening(port, task)
        assert (await Page(port).ask("/healthz")).status == 200
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
