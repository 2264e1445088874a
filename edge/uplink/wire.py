"""What passes between a wire to a broker and whoever uses it; no word of any driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Version = Literal["5", "3.1.1"]
Mark = tuple[int, int]  # packet id and QoS of a message that waits for our PUBACK

TOO_LARGE = 0x95  # our own answer for a packet that the server would not take
HUNG_UP = "it hung up"
MAX_PACKET = 268_435_460  # the protocol's own limit, bytes


@dataclass(frozen=True, slots=True)
class Login:
    """What a client says when it connects.

    Attributes:
        client_id: names the session that the broker keeps.
        will_topic: where the broker publishes `will` (retained) when we vanish; "" for none.
        will: the last will.
        subscriptions: topic filters, QoS 1.
        max_inbound: largest packet taken from the broker, bytes.
        keep_session: whether the broker keeps subscriptions and what it holds for us.
        receive_maximum: messages that the broker may send without PUBACK (MQTT 5).
    """

    client_id: str
    will_topic: str = ""
    will: bytes = b""
    subscriptions: tuple[str, ...] = ()
    max_inbound: int = 65_536
    keep_session: bool = True
    receive_maximum: int = 65_535


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a broker grants: publishes without PUBACK, bytes a packet, the best QoS."""

    receive_maximum: int
    max_packet: int
    max_qos: int


class Listener(Protocol):
    """Who is told what comes over the wire; always called in the event loop."""

    def welcomed(self, welcome: Welcome) -> None: ...

    def turned_away(self, code: int, name: str) -> None: ...

    def subscribed(self, refused: bool) -> None: ...

    def acknowledged(self, mid: int, code: int) -> None: ...

    def received(self, topic: str, payload: bytes, mark: Mark | None) -> None: ...

    def hung_up(self, reason: str, code: int = 0) -> None: ...
