"""What the camera answers, request by request."""

from __future__ import annotations

import pytest

from edge.errors import Refused
from simulators.cameras.auth import Guard, Scheme
from simulators.cameras.dialogue import Dialogue
from simulators.cameras.rtsp import Request

TCP = {"transport": "RTP/AVP/TCP;unicast;interleaved=4-5"}


@pytest.fixture
def dialogue():
    return Dialogue(Guard(Scheme.NONE, "", ""), "rtsp://cam/stream", "v=0\r\n")


def ask(dialogue, method, headers=None, url="rtsp://cam/stream"):
    answer = dialogue.answer(Request(method, url, {"cseq": "5", **(headers or {})})).decode()
    status = int(answer.split(" ")[1])
    assert "CSeq: 5\r\n" in answer
    return status, dict(
        line.split(": ", 1) for line in answer.split("\r\n\r\n")[0].split("\r\n")[1:]
    )


def test_the_usual_way_ends_in_playing(dialogue):
    assert "TEARDOWN" in ask(dialogue, "OPTIONS")[1]["Public"]
    status, headers = ask(dialogue, "DESCRIBE")
    assert (status, headers["Content-Base"]) == (200, "rtsp://cam/stream/")
    status, headers = ask(dialogue, "SETUP", TCP, "rtsp://cam/stream/track1")
    assert (status, headers["Transport"]) == (200, "RTP/AVP/TCP;unicast;interleaved=4-5")
    assert not dialogue.playing
    session = {"session": headers["Session"].partition(";")[0]}
    assert ask(dialogue, "PLAY", session)[0] == 200
    assert dialogue.playing
    assert dialogue.channel == 4
    assert ask(dialogue, "GET_PARAMETER", session)[1]["Session"] == session["session"]
    assert ask(dialogue, "TEARDOWN", session)[0] == 200
    assert dialogue.over
    assert not dialogue.playing


def test_udp_is_an_unsupported_transport(dialogue):
    assert ask(dialogue, "SETUP", {"transport": "RTP/AVP;unicast;client_port=4-5"})[0] == 461


def test_a_strange_session_cannot_play(dialogue):
    assert ask(dialogue, "PLAY")[0] == 454
    ask(dialogue, "SETUP", TCP)
    assert ask(dialogue, "PLAY", {"session": "guess"})[0] == 454
    assert not dialogue.playing


def test_setup_while_playing_is_not_valid(dialogue):
    headers = ask(dialogue, "SETUP", TCP)[1]
    ask(dialogue, "PLAY", {"session": headers["Session"].partition(";")[0]})
    assert ask(dialogue, "SETUP", TCP)[0] == 455


def test_what_a_camera_does_not_do_is_not_implemented(dialogue):
    assert ask(dialogue, "RECORD")[0] == 501
    assert ask(dialogue, "DESCRIBE", url="rtsp://cam/other")[0] == 404
    assert ask(dialogue, "DESCRIBE", url="rtsp://cam/streams")[0] == 404


def test_keep_alive_without_a_session_is_answered(dialogue):
    status, headers = ask(dialogue, "GET_PARAMETER")
    assert status == 200
    assert "Session" not in headers


def test_a_torn_down_stranger_hears_that_there_was_no_session(dialogue):
    assert ask(dialogue, "TEARDOWN")[0] == 454
    assert dialogue.over


def test_channels_that_are_none_are_refused(dialogue):
    with pytest.raises(Refused):
        ask(dialogue, "SETUP", {"transport": "RTP/AVP/TCP;interleaved=x"})


def test_a_stranger_may_only_ask_what_there_is():
    dialogue = Dialogue(Guard(Scheme.DIGEST, "ann", "x"), "rtsp://cam/stream", "")
    assert ask(dialogue, "OPTIONS")[0] == 200
    status, headers = ask(dialogue, "DESCRIBE")
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Digest ")
    assert ask(dialogue, "SETUP", TCP)[0] == 401
