"""The one module that knows paho: a wire to one broker, from dialling to its end.

paho keeps what it is given while it is offline and sends it again by itself; its caller, who
has a ledger, would then send twice. So a new connection is a new client, nothing is published
unless connected, and what had no PUBACK is simply still pending in the ledger.

paho runs inside our event loop (its "external loop"); only the dialling, which can block for
seconds (DNS, TCP, TLS), has a thread of its own, which ends with it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import structlog
from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import UplinkUnavailable
from edge.uplink.broker_faults import explain
from edge.uplink.dialling import Dialling, in_thread
from edge.uplink.spec import BrokerSpec
from edge.uplink.tls import client_context, password
from edge.uplink.wire import HUNG_UP, MAX_PACKET, TOO_LARGE, Listener, Login, Mark, Version, Welcome

SESSION_EXPIRY_S = 7 * 86_400  # how long the broker keeps orders for a gateway that is away
_READ_AHEAD = 4_096

log = structlog.get_logger(__name__)


class _Client(Client):
    """paho's client, with a bound on what a broker may make it hold, and a socket of our making.

    Attributes:
        max_inbound: largest packet taken, bytes.
        dialling: makes the socket.
        fault: what the socket said when it failed.
        oversized: the broker sent a packet that is too large.
        read_ahead: what was read from the socket and not yet asked for.
    """

    max_inbound = 65_536
    dialling = Dialling(None)
    fault = ""
    oversized = False
    read_ahead = b""

    def _create_socket(self) -> socket.socket:
        return self.dialling.open(self.host, self.port)

    def _sock_recv(self, bufsize: int) -> bytes:
        # paho asks for the rest of a packet at once: up to 256 MB if the broker says so.
        if bufsize > self.max_inbound:
            self.oversized = True
            self.fault = f"it sent a packet of more than {self.max_inbound} bytes"
            raise ConnectionError(self.fault)
        if not self.read_ahead:
            # paho reads a PUBACK of four bytes in three system calls, and there are thousands.
            try:
                self.read_ahead = super()._sock_recv(_READ_AHEAD)
            except BlockingIOError:
                raise
            except OSError as error:
                self.fault = explain(error)
                raise
        taken, self.read_ahead = self.read_ahead[:bufsize], self.read_ahead[bufsize:]
        return taken

    def drop(self) -> None:
        """Close the socket without a word."""
        self._sock_close()


class Wire:
    """A dialled client, living in the event loop from `attach` on."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._listener: Listener | None = None
        self._subscriptions: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """What the socket said when it failed; empty when the broker closed it in order."""
        return self._client.fault

    @property
    def oversized(self) -> bool:
        """Whether it ended because the broker sent a packet that is too large."""
        return self._client.oversized

    def attach(self, listener: Listener, subscriptions: tuple[str, ...]) -> None:
        """Go to work. Raises UplinkUnavailable when the socket is gone already."""
        client, loop = self._client, asyncio.get_running_loop()
        sock = client.socket()
        if sock is None:
            raise UplinkUnavailable("it hung up at once")
        self._listener = listener
        self._subscriptions = subscriptions
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

        def write_soon(_client: Client, _data: Any, opened: Any) -> None:
            loop.add_writer(opened, self.guarded, client.loop_write)

        def no_write(_client: Client, _data: Any, opened: Any) -> None:
            loop.remove_writer(opened)

        def closed(_client: Client, _data: Any, opened: Any) -> None:
            loop.remove_reader(opened)

        client.on_socket_register_write = write_soon
        client.on_socket_unregister_write = no_write
        client.on_socket_close = closed
        loop.add_reader(sock, self.guarded, self._read)
        if client.want_write():
            loop.add_writer(sock, self.guarded, client.loop_write)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int | None:
        """Publish at QoS 1: the packet's id, or None when the socket is gone."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def acknowledge(self, mark: Mark) -> None:
        """PUBACK a message from the broker."""
        self._client.ack(*mark)

    def tick(self) -> None:
        """Keep-alive; call about once a second."""
        self.guarded(self._client.loop_misc)

    def goodbye(self) -> None:
        """Send DISCONNECT: the last will stays unsaid."""
        self._client.disconnect()

    def drop(self) -> None:
        """Close the socket without a word."""
        self._client.drop()

    def guarded(self, work: Callable[[], Any]) -> None:
        """Run paho's code on foreign bytes: whatever it raises ends this wire only."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  paho raises anything on odd bytes
            log.debug("paho gave up on the broker's bytes", error=repr(error))
            self.drop()
            if self._listener is not None:
                self._listener.hung_up(f"it sent what is not MQTT ({type(error).__name__})")

    def _read(self) -> None:
        code = self._client.loop_read()
        # There may be a rest, read ahead or decrypted, that the socket's readiness does not show.
        while code == MQTTErrorCode.MQTT_ERR_SUCCESS and self._hidden_bytes():
            code = self._client.loop_read()

    def _hidden_bytes(self) -> int:
        pending: Callable[[], int] | None = getattr(self._client.socket(), "pending", None)
        return len(self._client.read_ahead) + (pending() if pending else 0)

    def _on_connect(
        self,
        client: Client,
        _data: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._listener is None:
            return
        if reason.is_failure:
            self._listener.turned_away(reason.value, reason.getName())
            return
        if self._subscriptions:
            client.subscribe([(name, 1) for name in self._subscriptions])
        self._listener.welcomed(
            Welcome(
                getattr(properties, "ReceiveMaximum", 65_535),
                getattr(properties, "MaximumPacketSize", MAX_PACKET),
                getattr(properties, "MaximumQoS", 2),
            )
        )

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._listener is None:
            return
        if flags.is_disconnect_packet_from_server:
            self._listener.hung_up(f"it hung up: {reason.getName()}", reason.value)
        else:
            self._listener.hung_up(self.fault or HUNG_UP)

    def _on_subscribe(
        self,
        _client: Client,
        _data: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if self._listener is not None:
            self._listener.subscribed(any(reason.is_failure for reason in reasons))

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        # paho calls a PUBACK with a failing reason "published" too: the code decides.
        if self._listener is not None:
            self._listener.acknowledged(mid, reason.value)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._listener is not None:
            mark = (message.mid, message.qos) if message.qos else None
            self._listener.received(message.topic, bytes(message.payload), mark)


def reason_name(code: int) -> str:
    """A PUBACK's reason code in words."""
    if code == TOO_LARGE:
        return "packet too large (0x95)"
    try:
        name = ReasonCode(PacketTypes.PUBACK, identifier=code).getName()
    except (KeyError, ValueError):  # paho knows no such code
        return f"0x{code:02x}"
    return f"{name} (0x{code:02x})"


async def dial(broker: BrokerSpec, version: Version, login: Login) -> Wire:
    """DNS, TCP, TLS and the CONNECT packet, in a thread that ends with it.

    Raises:
        UplinkUnavailable: says which of these failed, and why.
    """
    client = _make_client(broker, version, login)
    await in_thread(
        lambda: _connect(client, broker, login),
        give_up=client.dialling.give_up,
        drop=client.drop,
    )
    return Wire(client)


def _make_client(broker: BrokerSpec, version: Version, login: Login) -> _Client:
    modern = version == "5"
    client = _Client(
        CallbackAPIVersion.VERSION2,
        client_id=login.client_id,
        clean_session=None if modern else not login.keep_session,
        protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,  # the broker keeps an order until we have recorded it
    )
    client.max_inbound = login.max_inbound
    # 0: paho never holds back a publish (and never searches its queue); the window is ours.
    client.max_inflight_messages_set(0)
    if login.will_topic:
        client.will_set(login.will_topic, login.will, qos=1, retain=True)
    if broker.username:
        client.username_pw_set(broker.username, password(broker))
    client.dialling = Dialling(client_context(broker.tls) if broker.tls else None)
    return client


def _connect(client: _Client, broker: BrokerSpec, login: Login) -> None:
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        client.connect(broker.host, broker.port, broker.keepalive_s)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_EXPIRY_S if login.keep_session else 0
    properties.MaximumPacketSize = login.max_inbound
    properties.ReceiveMaximum = login.receive_maximum
    client.connect(
        broker.host,
        broker.port,
        broker.keepalive_s,
        clean_start=False if login.keep_session else MQTT_CLEAN_START_FIRST_ONLY,
        properties=properties,
    )
