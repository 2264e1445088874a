"""Basic and digest, as RFC 7617 and RFC 7616 have them."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.cameras.auth import Guard, Scheme
from simulators.cameras.rtsp import Request

URL = "rtsp://cam/stream"


def request(authorization=None):
    headers = {} if authorization is None else {"authorization": authorization}
    return Request("DESCRIBE", URL, headers)


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def digest(guard, user="ann", password="secret", *, method="DESCRIBE", qop=False):
    realm, nonce = re.findall(r'(?:realm|nonce)="([^"]*)"', guard.challenge())
    middle = f"{nonce}:00000001:abc:auth" if qop else nonce
    answer = md5(f"{md5(f'{user}:{realm}:{password}')}:{middle}:{md5(f'{method}:{URL}')}")
    extra = ', qop=auth, nc=00000001, cnonce="abc"' if qop else ""
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{URL}", '
        f'response="{answer}"{extra}'
    )


def test_an_open_camera_admits_everybody():
    assert Guard(Scheme.NONE, "", "").admits(request())


def test_basic_admits_who_knows_name_and_password():
    guard = Guard(Scheme.BASIC, "ann", "sec:ret")
    assert guard.challenge() == 'Basic realm="camera"'
    assert guard.admits(request("Basic " + base64.b64encode(b"ann:sec:ret").decode()))
    assert not guard.admits(request("Basic " + base64.b64encode(b"ann:other").decode()))
    assert not guard.admits(request("Basic !!!"))
    assert not guard.admits(request())


@pytest.mark.parametrize("qop", [False, True])
def test_digest_admits_who_knows_name_and_password(qop):
    guard = Guard(Scheme.DIGEST, "ann", "secret")
    assert guard.admits(request(digest(guard, qop=qop)))
    assert not guard.admits(request(digest(guard, password="guess", qop=qop)))
    assert not guard.admits(request(digest(guard, user="eve", qop=qop)))
    assert not guard.admits(request(digest(guard, method="PLAY", qop=qop)))


def test_a_digest_is_of_no_use_on_another_connection():
    one, other = (Guard(Scheme.DIGEST, "ann", "secret") for _ in range(2))
    assert not other.admits(request(digest(one)))


@settings(deadline=None)
@given(st.sampled_from([Scheme.BASIC, Scheme.DIGEST]), st.text(max_size=100))
def test_no_text_passes_by_chance(scheme, text):
    guard = Guard(scheme, "ann", "secret")
    assert not guard.admits(request(text))
    assert not guard.admits(request(f"{scheme.value} {text}"))
