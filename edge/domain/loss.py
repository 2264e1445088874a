"""Why a camera is lost, in words for people on site: one table, two languages.

A reason is one of these phrases, or one with a detail behind it in brackets:
"its decoder crashed (exit code -11)". Whatever is not in the table is shown as it is.
"""

from __future__ import annotations

from enum import StrEnum

from edge.domain.names import Name


class Loss(StrEnum):
    """What keeps a camera's pictures from us; the value is the English phrase."""

    NO_NAME = "its name is not known: check the address, or the DNS server"
    NO_ROUTE = "no way leads to its address"
    REFUSED = "the connection is refused: check the port, or its service is off"
    NO_ANSWER = "the camera does not answer"
    CUT = "the camera cut the connection"
    LOGIN = "user or password is wrong"
    FORBIDDEN = "the camera forbids this user the stream"
    NO_PATH = "there is no such stream: check the path"
    NO_TRANSPORT = "the camera offers no such transport: check `transport`"
    BUSY = "the camera is busy or has too many viewers"
    ANSWER = "the camera answers with an error"
    ELSEWHERE = "the camera sends us to another host, which is not followed"
    NOT_TLS = "the camera speaks no TLS there: check the port"
    UNTRUSTED = "its certificate is not signed by the authority in `ca_file`"
    NOT_PINNED = "its certificate is another one than `tls_pin` says"
    OUTDATED = "its certificate is not valid today"
    NO_VIDEO = "it has no video stream"
    NOT_A_STREAM = "what it sends is no stream that can be read"
    NO_FILE = "No such file or device"
    NO_LEAVE = "the file or device may not be read by this user"
    NO_DEVICE = "it is no V4L2 video device"
    NO_DATA = "no data from the camera"
    NO_PICTURE = "no picture could be decoded"
    ENDED = "the camera ended the stream"
    MEMORY = "needs more memory than a stream may"
    HANGS = "its decoder hangs"
    CRASHED = "its decoder crashed"
    MISBEHAVES = "its decoder says what a decoder of ours does not say"
    NOT_STARTED = "its process cannot be started"
    FAILS = "the stream fails"


_CHINESE: dict[Loss, str] = {
    Loss.NO_NAME: "找不到该主机名：请检查地址或 DNS 服务器",
    Loss.NO_ROUTE: "网络不可达",
    Loss.REFUSED: "连接被拒绝：请检查端口，或摄像机服务未开启",
    Loss.NO_ANSWER: "摄像机无应答",
    Loss.CUT: "摄像机断开了连接",
    Loss.LOGIN: "用户名或密码错误",
    Loss.FORBIDDEN: "该用户无权查看此视频流",
    Loss.NO_PATH: "没有这个视频流：请检查路径",
    Loss.NO_TRANSPORT: "摄像机不支持该传输方式：请检查 `transport`",
    Loss.BUSY: "摄像机繁忙或观看者过多",
    Loss.ANSWER: "摄像机返回错误",
    Loss.ELSEWHERE: "摄像机要求转向另一主机，已拒绝",
    Loss.NOT_TLS: "该端口未使用 TLS：请检查端口",
    Loss.UNTRUSTED: "证书不是由 `ca_file` 中的机构签发",
    Loss.NOT_PINNED: "证书与 `tls_pin` 不符",
    Loss.OUTDATED: "证书不在有效期内",
    Loss.NO_VIDEO: "没有视频流",
    Loss.NOT_A_STREAM: "发来的数据不是可读的视频流",
    Loss.NO_FILE: "文件或设备不存在",
    Loss.NO_LEAVE: "无权读取该文件或设备",
    Loss.NO_DEVICE: "不是 V4L2 视频设备",
    Loss.NO_DATA: "收不到摄像机数据",
    Loss.NO_PICTURE: "无法解码出任何画面",
    Loss.ENDED: "摄像机结束了视频流",
    Loss.MEMORY: "视频流所需内存超出上限",
    Loss.HANGS: "解码进程停止响应",
    Loss.CRASHED: "解码进程崩溃",
    Loss.MISBEHAVES: "解码进程行为异常，已终止",
    Loss.NOT_STARTED: "无法启动解码进程",
    Loss.FAILS: "视频流出错",
}


def said(loss: Loss, detail: object = "") -> str:
    """The reason as it is recorded."""
    return f"{loss} ({detail})" if detail != "" else loss.value


def name_of(reason: str) -> Name:
    """A recorded reason for people; the same text twice when it is none of ours."""
    phrase, bracket, detail = reason.partition(" (")
    try:
        chinese = _CHINESE[Loss(phrase)]
    except ValueError:
        return Name(reason, reason)
    return Name(f"{chinese}（{detail.removesuffix(')')}）" if bracket else chinese, reason)
