"""One camera in simulated time: picture, H.264, the eye's measures, the seal's judgement."""

from __future__ import annotations

import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from benchmarks.tamper_acts import Picture
from edge.clock import ManualClock
from edge.config import parse
from edge.domain.observation import Measures, PictureQuality, Quality, SourceLost
from edge.domain.record import Draft, RecordType
from edge.rules.engine import initial
from edge.seal import Seal
from edge.vision.picture import Pixels
from edge.vision.stream.decoding import luma
from edge.vision.tamper.measure import MEASURE_WIDTH, Measurer, shrunk
from simulators.cameras.scene import EPOCH

CAMERA = "cam-1"
BEGUN_S = EPOCH + 988  # wall time at first: the clock in the picture tells it
LOST_S = 6.0  # a stream that says nothing is lost after so long (READ_S and a failed opening)
CONFIG = parse(
    {
        "site": {"mine_code": "220182000001", "gateway": "bench", "state": "suspended"},
        "storage": {"dir": "/nowhere"},
        "camera": [{"code": CAMERA, "url": "rtsp://127.0.0.1/"}],
        "broker": [{"host": "127.0.0.1"}],
    }
)


class Trip:
    """Pictures of one size through H.264, each a key picture, as a camera looked at once a second.

    Args:
        size: width and height.
        crf: how coarse; 28 is a poor camera's.
    """

    def __init__(self, size: tuple[int, int], crf: int = 28) -> None:
        encoder = av.CodecContext.create("libx264", "w")
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(encoder, VideoCodecContext)
        assert isinstance(decoder, VideoCodecContext)
        encoder.width, encoder.height = size
        encoder.pix_fmt, encoder.gop_size = "yuv420p", 1
        encoder.framerate, encoder.time_base = Fraction(1), Fraction(1)
        encoder.thread_count = decoder.thread_count = 1
        encoder.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": str(crf),
            "x264-params": "log=-1:scenecut=0",
        }
        decoder.thread_type = "NONE"
        self._encoder, self._decoder, self._number = encoder, decoder, 0

    def __call__(self, picture: Picture) -> Pixels:
        """The luma that comes out."""
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = self._number
        self._number += 1
        for packet in self._encoder.encode(frame):
            for decoded in self._decoder.decode(packet):
                return np.array(luma(decoded))
        raise AssertionError("a picture in is a picture out")


class Watched:
    """A seal with one camera.

    Attributes:
        opened: incidents: code, seconds since the start, what the activity's detail says.
    """

    def __init__(self, leaves: list[Draft] | None = None) -> None:
        cv2.setNumThreads(1)
        self._seal = Seal(CONFIG, initial(CONFIG.site.state))
        self._seal.restore([{"type": d.type.value, "data": dict(d.data)} for d in leaves or []])
        self._clock = ManualClock(round(BEGUN_S * 1e6))
        self._begun = self._clock.now()
        self._measurer = Measurer()
        self._trip: Trip | None = None
        self._size = (0, 0)
        self._silent_s = 0.0
        self.references: list[Draft] = list(leaves or [])
        self.opened: list[tuple[str, float, Mapping[str, Any]]] = []
        self._grey: Pixels | None = None
        self._last: Measures | None = None

    @property
    def last(self) -> str:
        """Measures of the last look, in short."""
        seen = self._last
        return f"luma {seen.brightness:.0f}, still {seen.still_s:.0f} s" if seen else "no picture"

    @property
    def now(self) -> float:
        return self._clock.now().since(self._begun)

    def cost_ms(self, looks: int = 200) -> tuple[float, float]:
        """CPU of a look in the camera's process and in the daemon, at the last picture again.

        Asking for the CPU time may cost more than a look, so it is asked for many at once.
        """
        grey = self._grey
        assert grey is not None
        size = (grey.shape[1], grey.shape[0])
        begun = time.process_time()
        for _ in range(looks):
            still_s = self._measurer.watch(grey, self.now, 0)
            measures = self._measurer.measure(shrunk(grey, MEASURE_WIDTH), size, still_s)
        between = time.process_time()
        for _ in range(looks):
            now = self._clock.advance(1.0)
            self._seal.observe(PictureQuality(CAMERA, now, Quality.GOOD, measures))
        ended = time.process_time()
        return 1000 * (between - begun) / looks, 1000 * (ended - between) / looks

    def look(self, picture: Picture, seconds: float = 1.0) -> None:
        """Time passes and the camera shows this; an empty picture is a silent stream."""
        now = self._clock.advance(seconds)
        if not picture.size:
            self._silent_s += 1
            if self._silent_s == LOST_S:
                self._settle(self._seal.observe(SourceLost(CAMERA, now, "no data")))
        else:
            size = (picture.shape[1], picture.shape[0])
            if self._trip is None or size != self._size:
                self._trip, self._size, self._measurer = Trip(size), size, Measurer()
            grey = self._trip(picture)
            still_s = self._measurer.watch(grey, self.now, 0)
            measures = self._measurer.measure(shrunk(grey, MEASURE_WIDTH), size, still_s)
            self._last = measures
            seen = PictureQuality(CAMERA, now, Quality.GOOD, measures)
            self._settle(self._seal.observe(seen))
            self._grey = grey
        self._settle(self._seal.tick(now))

    def _settle(self, outcome: Any) -> None:
        now = self._clock.now()
        drafts = list(outcome.facts)
        for activity in outcome.activities:
            drafts += self._seal.judge(activity, now)
        for draft in drafts:
            if draft.type is RecordType.CAMERA_REFERENCE:
                self.references.append(draft)
            if draft.type is RecordType.INCIDENT_OPENED:
                reason = draft.data["reasons"][0] if draft.data.get("reasons") else {}
                self.opened.append((draft.data["code"], self.now, reason.get("detail", {})))
