"""From a broker's address to a connection that it has welcomed."""

from __future__ import annotations

import asyncio

from edge.errors import UplinkUnavailable
from edge.uplink.connection import Connection, OnMessage, VersionRefused
from edge.uplink.mqtt import dial
from edge.uplink.spec import BrokerSpec
from edge.uplink.wire import Login, Version

DIAL_TIMEOUT_S = 15.0  # DNS, TCP and TLS together
ANSWER_TIMEOUT_S = 5.0  # CONNECT to CONNACK


async def connect(
    broker: BrokerSpec,
    version: Version,
    login: Login,
    on_message: OnMessage,
) -> Connection:
    """Connect to one broker with one version of MQTT.

    Raises:
        VersionRefused: it does not speak that version.
        UplinkUnavailable: any other reason; the text names it (DNS, refused, TLS, login …).
    """
    try:
        async with asyncio.timeout(DIAL_TIMEOUT_S):
            wire = await dial(broker, version, login)
    except TimeoutError as error:
        raise UplinkUnavailable(f"no connection within {DIAL_TIMEOUT_S:.0f} s") from error
    connection = Connection(wire, version, broker.window, on_message)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await connection.enter(login.subscriptions)
    except TimeoutError as error:
        text = f"no answer to CONNECT within {ANSWER_TIMEOUT_S:.0f} s"
        raise VersionRefused(text, certain=True) from error
    finally:
        if not connection.let_in:
            connection.drop("not let in")
    return connection
