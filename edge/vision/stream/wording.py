"""FFmpeg's errors in the words of `Loss`. Its own texts may hold the URL and so the password."""

from __future__ import annotations

import errno

import av

from edge.domain.loss import Loss, said
from edge.vision.stream import reach
from edge.vision.stream.access import HTTP_SCHEMES, RTSP_SCHEMES, Access

NO_VIDEO = Loss.NO_VIDEO.value  # told by `source.video_stream` through an error of FFmpeg's kind
_REDIRECTS = 3  # hundreds of a status

_KINDS: tuple[tuple[type[av.FFmpegError], Loss], ...] = (
    (av.error.HTTPUnauthorizedError, Loss.LOGIN),
    (av.error.HTTPForbiddenError, Loss.FORBIDDEN),
    (av.error.HTTPNotFoundError, Loss.NO_PATH),
    (av.error.HTTPClientError, Loss.ANSWER),
    (av.error.HTTPServerError, Loss.ANSWER),
    (av.error.ConnectionRefusedError, Loss.REFUSED),
    (av.error.ExitError, Loss.NO_ANSWER),  # our time limit
    (av.error.TimeoutError, Loss.NO_ANSWER),
    (av.error.BrokenPipeError, Loss.CUT),
    (av.error.ConnectionResetError, Loss.CUT),
    (av.error.EOFError, Loss.CUT),
    (av.error.FileNotFoundError, Loss.NO_FILE),
    (av.error.PermissionError, Loss.NO_LEAVE),
    (av.error.InvalidDataError, Loss.NOT_A_STREAM),
    (av.error.MemoryError, Loss.MEMORY),
)
_NUMBERS = {
    errno.EHOSTUNREACH: Loss.NO_ROUTE,
    errno.ENETUNREACH: Loss.NO_ROUTE,
    errno.EPROTONOSUPPORT: Loss.NO_TRANSPORT,
    errno.ENOTTY: Loss.NO_DEVICE,
    errno.ENODEV: Loss.NO_DEVICE,
    errno.ENXIO: Loss.NO_DEVICE,
}
_BUSY = (453, 503)
_CLEAR = frozenset({Loss.LOGIN, Loss.FORBIDDEN, Loss.NO_PATH, Loss.NO_ANSWER, Loss.NO_VIDEO})


def opening_failed(access: Access, error: av.FFmpegError, *, late: bool) -> str:
    """Why a stream could not be opened; asks the camera once more where the error does not say.

    Args:
        access: what was opened.
        error: what FFmpeg says.
        late: a time limit had passed; FFmpeg has many words for that.
    """
    loss = Loss.NO_ANSWER if late else _loss(error)
    if loss is Loss.NO_LEAVE and access.host:  # that is for files; here it is one of many errors
        loss = Loss.FAILS
    if loss not in _CLEAR and access.host:
        if access.tls and (trouble := reach.tls_trouble(access)):
            return trouble
        if access.scheme in RTSP_SCHEMES | HTTP_SCHEMES:
            number = reach.status(access)
            if number // 100 == _REDIRECTS:
                return said(Loss.ELSEWHERE)
            if number in _BUSY:
                return said(Loss.BUSY)
    return _said(loss, error)


def reading_failed(error: av.FFmpegError, limit_s: float) -> str:
    """Why a stream that was open broke off."""
    loss = _loss(error)
    if loss is Loss.NO_ANSWER:
        return said(Loss.NO_DATA, f"{limit_s:.0f} s")
    return Loss.ENDED.value if isinstance(error, av.error.EOFError) else _said(loss, error)


def _loss(error: av.FFmpegError) -> Loss:
    if error.strerror == NO_VIDEO:
        return Loss.NO_VIDEO
    for kind, loss in _KINDS:
        if isinstance(error, kind):
            return loss
    return _NUMBERS.get(error.errno or 0, Loss.FAILS)


def _said(loss: Loss, error: av.FFmpegError) -> str:
    return said(loss, error.strerror or "") if loss in {Loss.FAILS, Loss.ANSWER} else loss.value
