"""What one client and the camera have agreed on, and the answer to its next request."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from simulators.cameras import rtsp
from simulators.cameras.auth import Guard
from simulators.cameras.datagrams import Datagrams
from simulators.cameras.rtsp import Request, Transport

PATH = "/stream"
_PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
_TIMEOUT_S = 60


class Dialogue:
    """One connection's session.

    Args:
        guard: decides who may ask.
        base: the camera's address without credentials, `rtsp://host:port/stream`.
        description: its session description.
        tcp: RTP within the connection may be asked for.
        datagrams: opens a way for RTP over UDP to a client's port; None: the camera has none.

    Attributes:
        channel: of the RTP packets on the connection.
        way: for RTP over UDP, once it was asked for.
        redirect: where clients are sent on to.
        playing: pictures are to be sent.
        over: the connection ends after this answer.
    """

    def __init__(
        self,
        guard: Guard,
        base: str,
        description: str,
        *,
        tcp: bool = True,
        datagrams: Callable[[int], Datagrams] | None = None,
    ) -> None:
        self._guard, self._base, self._description = guard, base, description
        self._tcp, self._datagrams = tcp, datagrams
        self.way: Datagrams | None = None
        self.redirect = ""
        self._session = ""
        self.channel = 0
        self.playing = False
        self.over = False
        self._answers = {
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "GET_PARAMETER": self._alive,
            "SET_PARAMETER": self._alive,
            "TEARDOWN": self._teardown,
        }

    def answer(self, request: Request) -> bytes:
        """The response to `request`.

        Raises:
            Refused: for a Transport header that is none.
        """
        cseq = request.headers["cseq"]
        if request.method == "OPTIONS":
            return rtsp.response(200, cseq, {"Public": _PUBLIC})
        if self.redirect:
            return rtsp.response(302, cseq, {"Location": self.redirect})
        if not self._guard.admits(request):
            return rtsp.response(401, cseq, {"WWW-Authenticate": self._guard.challenge()})
        if not f"{request.path}/".startswith(f"{PATH}/"):
            return rtsp.response(404, cseq, {})
        answer = self._answers.get(request.method)
        if answer is None:
            return rtsp.response(501, cseq, {})
        status, headers, body = answer(request)
        return rtsp.response(status, cseq, headers, body)

    def _describe(self, _: Request) -> tuple[int, dict[str, str], str]:
        headers = {"Content-Base": f"{self._base}/", "Content-Type": "application/sdp"}
        return 200, headers, self._description

    def _setup(self, request: Request) -> tuple[int, dict[str, str], str]:
        offer = request.headers.get("transport", "")
        asked = rtsp.parse_transport(offer, tcp=self._tcp, udp=self._datagrams is not None)
        if asked is None:
            return 461, {}, ""
        if self.playing:
            return 455, {}, ""
        self._session = self._session or secrets.token_hex(8)
        headers = {
            "Transport": self._taken(asked),
            "Session": f"{self._session};timeout={_TIMEOUT_S}",
        }
        return 200, headers, ""

    def _taken(self, asked: Transport) -> str:
        self.close()
        if asked.ports is None or self._datagrams is None:
            self.channel = asked.channel
            pair = f"{self.channel}-{self.channel + 1}"
            return f"RTP/AVP/TCP;unicast;interleaved={pair}"
        self.way = self._datagrams(asked.ports[0])
        client, server = ("-".join(map(str, pair)) for pair in (asked.ports, self.way.ports))
        return f"RTP/AVP;unicast;client_port={client};server_port={server}"

    def close(self) -> None:
        """Let go of what was opened for the client."""
        if self.way is not None:
            self.way.close()
            self.way = None

    def _play(self, request: Request) -> tuple[int, dict[str, str], str]:
        if not self._known(request):
            return 454, {}, ""
        self.playing = True
        return 200, {"Session": self._session, "Range": "npt=now-"}, ""

    def _alive(self, request: Request) -> tuple[int, dict[str, str], str]:
        return 200, {"Session": self._session} if self._known(request) else {}, ""

    def _teardown(self, request: Request) -> tuple[int, dict[str, str], str]:
        self.over = True
        self.playing = False
        return (200 if self._known(request) else 454), {}, ""

    def _known(self, request: Request) -> bool:
        given = request.headers.get("session", "").partition(";")[0]
        return bool(self._session) and given == self._session
