"""Decodes as little of a stream as is wanted, never from the middle of a group. Pure.

Packets since the last key are held undecoded until somebody wants to look. Decoding always
goes on from a key without a gap, so a look is never at a torn picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from edge.errors import Refused
from edge.vision.stream.ring import Held, P, Packet

MAX_PENDING = 600  # packets kept undecoded; 24 s at 25 a second
MAX_PENDING_BYTES = 32_000_000


class Frame(Protocol):
    """What is asked of a decoded picture."""

    @property
    def pts(self) -> int | None: ...


F = TypeVar("F", bound=Frame)
_Taken_contra = TypeVar("_Taken_contra", bound=Packet, contravariant=True)
_Given_co = TypeVar("_Given_co", bound=Frame, covariant=True)


class Codec(Protocol[_Taken_contra, _Given_co]):
    """A decoder of one stream."""

    def decode(self, packet: _Taken_contra) -> Sequence[_Given_co]:
        """Pictures that are ready after this packet. Raises Refused when it is torn."""

    def drain(self) -> Sequence[_Given_co]:
        """Pictures still held back for reordering; then it begins anew, at a key."""

    def restart(self) -> None:
        """Begin anew, at a key."""

    def rest(self) -> None:
        """The same, and hold as little memory as can be until then."""


class Seen(NamedTuple, Generic[F]):
    """A decoded picture, its number after its key picture, and when it came, seconds."""

    frame: F
    since_key: int
    at: float


class LazyDecoder(Generic[P, F]):
    """Holds what is not decoded yet.

    Attributes:
        keep: what is held is wanted even when a key comes after it.
    """

    def __init__(self, codec: Codec[P, F]) -> None:
        self._codec = codec
        self._pending: deque[Held[P]] = deque()
        self._ready: deque[Seen[F]] = deque()
        self._bytes = 0
        self._synced = False  # a key has been seen since the start or the last decoding error
        self._since_key = -1
        self._key: Held[P] | None = None  # decoded last, and its picture has not come out
        self._lone: Held[P] | None = None  # a key that was decoded last
        self._again: Held[P] | None = None  # shown alone: decoding goes on with it once more
        self._key_pts: int | None = None
        self.keep = False

    @property
    def full(self) -> bool:
        """Too much is held: decode it, whether anybody looks or not."""
        return len(self._pending) >= MAX_PENDING or self._bytes >= MAX_PENDING_BYTES

    @property
    def next_at(self) -> float | None:
        """When the next picture to be decoded came; None when nothing is held."""
        if self._ready:
            return self._ready[0].at
        return self._pending[0].at if self._pending else None

    def take(self, held: Held[P]) -> None:
        """Take a packet."""
        if held.packet.is_keyframe:
            if not self.keep:
                self._forget()
            self._synced = True
        elif self._again is not None:
            self._hold(self._again)
        self._again = None
        if self._synced:
            self._hold(held)

    def _hold(self, held: Held[P]) -> None:
        self._pending.append(held)
        self._bytes += held.packet.size

    def rewind(self, packets: Iterable[Held[P]], *, rest: bool = False) -> None:
        """Decode these instead of what is held; the first one is a key. None: wait for a key.

        Args:
            packets: what is held from here on.
            rest: not soon: the decoder may give back its memory.
        """
        self._forget()
        self._key = self._again = self._lone = None
        if rest:
            self._codec.rest()
        else:
            self._codec.restart()
        self._pending.extend(packets)
        self._bytes = sum(held.packet.size for held in self._pending)
        self._synced = bool(self._pending)

    def rest(self) -> None:
        """After a key with nothing behind it: the decoder may give back its memory.

        If decoding goes on after all, it does so with that key once more.
        """
        if self._lone is not None and self.next_at is None:
            self._key, self._lone, self._again = None, None, self._lone
            self._codec.rest()

    def _forget(self) -> None:
        self._pending.clear()
        self._ready.clear()
        self._bytes = 0

    def next(self, *, alone: bool) -> Seen[F] | None:
        """The next picture; None when there is none.

        Args:
            alone: nothing will be decoded after it soon: a decoder that reorders shall not
                hold a lone key picture back.
        """
        while not self._ready and self._pending:
            held = self._pending.popleft()
            self._bytes -= held.packet.size
            self._decode(held)
        if not self._ready and alone and self._key is not None:
            self._show_alone(self._key)
        return self._ready.popleft() if self._ready else None

    def _decode(self, held: Held[P]) -> None:
        self._key = self._lone = None
        if held.packet.is_keyframe:
            self._lone = held
            self._since_key, self._key_pts = -1, held.packet.pts
        try:
            frames = self._codec.decode(held.packet)
        except Refused:
            self._synced = False  # torn: wait for the next key
            self._forget()
            return
        if not self._add(frames, held.at) and held.packet.is_keyframe:
            self._key = held

    def _show_alone(self, key: Held[P]) -> None:
        self._key, self._again = None, key
        self._add(self._codec.drain(), key.at)

    def _add(self, frames: Sequence[F], at: float) -> int:
        fresh = [frame for frame in frames if not self._stale(frame)]
        for frame in fresh:
            self._since_key += 1
            self._ready.append(Seen(frame, self._since_key, at))
        return len(fresh)

    def _stale(self, frame: F) -> bool:
        """Whether the decoder held this picture back from before the key (reordering)."""
        return self._key_pts is not None and frame.pts is not None and frame.pts < self._key_pts
