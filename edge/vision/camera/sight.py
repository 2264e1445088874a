"""One stream, watched: what is decoded, looked at and handed over. Pure.

While nothing moves as little is decoded as the policy allows. A key picture that opens the
quiet gate says that something came into view since the last look: then the packets in between
are decoded back, and what they show is handed over first, each picture with its age.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, Protocol

from edge.domain.observation import Box, Measures
from edge.vision.camera.channel import MAX_AGE_S, Why
from edge.vision.camera.eye import JITTER_S, PICTURE_S, Eye, due
from edge.vision.camera.gate import Masks
from edge.vision.picture import Pixels
from edge.vision.stream.lazy import Codec, F, LazyDecoder, Seen
from edge.vision.stream.policy import Decoding, Meter, Policy, Watch
from edge.vision.stream.ring import Held, P, Ring

CATCH_UP_S = 3.0  # pictures that come late wait this long at most for leave, one after the other
SEPARATE = frozenset({"mjpeg", "rawvideo"})  # each picture alone: none is decoded for another
UNSEEN_S = 0.5  # a gap between two looks that is worth decoding back


class Listener(Protocol):
    """Who takes the pictures."""

    @property
    def leave(self) -> bool:
        """Whether it takes another picture now."""

    @property
    def attentive(self) -> bool:
        """Whether something is in view, so that pictures are wanted although nothing moves."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown(Generic[F]):
    """A picture to be handed over; `at` is when it came, seconds."""

    frame: F
    why: Why
    at: float
    moving: tuple[Box, ...] = ()


class Sight(Generic[P, F]):
    """Feed it every packet of one stream.

    Attributes:
        decoded: when the newest picture was decoded, seconds.
        eye: gate and measures.
        ring: the newest packets.
        meter: what is measured of the stream.
        resting: only key pictures are wanted from here on.
    """

    def __init__(
        self, codec: Codec[P, F], luma: Callable[[F], Pixels], watch: Watch, masks: Masks = ()
    ) -> None:
        self.decoded = -math.inf
        self.eye = Eye(masks)
        self.ring: Ring[P] = Ring()
        self.meter = Meter(watch)
        self._decoder = LazyDecoder[P, F](codec)
        self._luma = luma
        self._woken = self._catching = -math.inf  # until when
        self.resting = False
        self._unseen = math.inf  # while decoding back: when the last look before it was

    @property
    def policy(self) -> Policy:
        """What is decoded while nothing moves."""
        return self.meter.policy

    def wake(self, until: float) -> None:
        """Decode everything until then, whether anything moves or not."""
        self._woken = max(self._woken, until)

    def resume(self, codec: Codec[P, F]) -> None:
        """The stream begins anew; what was learned of the scene stays."""
        self._decoder = LazyDecoder[P, F](codec)
        self.ring = Ring()

    def take(self, packet: P, now: float, listener: Listener) -> Iterator[Shown[F] | Measures]:
        """Take a packet that came `now`; says what follows from it.

        Whatever is handed over must have been taken before the next is asked for.
        """
        held = Held(packet, now)
        self.meter.step(packet, now)
        self.ring.put(packet, now)
        woken = now < self._woken
        awake = self.eye.awake or woken
        catching = now < self._catching
        separate = self.meter.codec in SEPARATE
        self._decoder.keep = (awake or catching) and not separate
        self._decoder.take(held)
        self._rest(awake or catching)
        unseen_s = now - self.eye.looked
        wanted = awake or catching or due(self.policy.decoding, packet.is_keyframe, unseen_s)
        if separate and not self.eye.wants(now, 1, listener.leave):
            wanted = False
        if wanted or self._decoder.full:
            alone = not awake and self.policy.decoding is not Decoding.FULL
            yield from self._work(now, listener, alone=alone, attentive=woken)

    def _rest(self, busy: bool) -> None:
        """When only keys are wanted from here on, the decoder holds pictures for nothing."""
        rests = not busy and self.policy.decoding is Decoding.KEYS
        if rests and not self.resting and (group := self.ring.newest()):
            self._decoder.rewind(group, rest=True)
        self.resting = rests

    def _work(
        self, now: float, listener: Listener, *, alone: bool, attentive: bool
    ) -> Iterator[Shown[F] | Measures]:
        while not self._waits(now, listener.leave):
            seen = self._decoder.next(alone=alone)
            if seen is None:
                self._catching, self._unseen = -math.inf, math.inf
                if self.resting and not self.eye.awake:
                    self._decoder.rest()
                return
            self.decoded = now
            if seen.at <= self.eye.looked:
                yield from self._again(seen, now, listener.leave)
            elif self.eye.wants(seen.at, seen.since_key, listener.leave):
                yield from self._look(seen, now, listener, attentive=attentive)

    def _waits(self, now: float, leave: bool) -> bool:
        """Whether the next picture shall wait until the receiver takes one."""
        at = self._decoder.next_at
        if leave or at is None or now >= self._catching:
            return False
        return at - self.eye.handed >= PICTURE_S - JITTER_S

    def _again(self, seen: Seen[F], now: float, leave: bool) -> Iterator[Shown[F]]:
        """A picture decoded back: nothing is learned of it, but what it shows counts."""
        fresh = seen.at > self._unseen and now - seen.at <= MAX_AGE_S and now < self._catching
        if leave and fresh and seen.at - self.eye.handed >= PICTURE_S - JITTER_S:
            self.eye.hand(seen.at)
            moving = self.eye.look_back(self._luma(seen.frame), seen.at)
            yield Shown(seen.frame, Why.MOTION, seen.at, moving)

    def _look(
        self, seen: Seen[F], now: float, listener: Listener, *, attentive: bool
    ) -> Iterator[Shown[F] | Measures]:
        before = self.eye.looked
        luma = self._luma(seen.frame)
        self.meter.shape = luma.shape[1], luma.shape[0]
        look = self.eye.step(
            luma, seen.at, seen.since_key, listener.leave, listener.attentive or attentive
        )
        if look.opened:
            self._catching = now + CATCH_UP_S
            if self._decode_back(before, seen):
                look = replace(look, picture=None)
        if look.picture is not None:
            self.eye.hand(seen.at)
            yield Shown(seen.frame, look.picture, seen.at, look.moving)
        if look.measures is not None:
            yield look.measures

    def _decode_back(self, before: float, seen: Seen[F]) -> bool:
        if seen.since_key or seen.at - before < UNSEEN_S:
            return False
        packets = self.ring.last_two()
        if packets:
            self._unseen = before
            self._decoder.rewind(packets)
        return bool(packets)
