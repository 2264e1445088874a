"""What waits to be judged, in order of arrival, and what is dropped when it is too much."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import cast

from edge.domain.mine import Order
from edge.domain.observation import Observation, PictureQuality, Reading, Sighting
from edge.domain.record import Draft
from edge.rules.state import Attachment
from edge.vision.picture import Picture

QUEUE_LIMIT = 2000  # regular observations; a healthy gateway holds fewer than ten
PICTURE_LIMIT = 12  # pictures that wait with them: 75 MB at 1080p


@dataclass(frozen=True, slots=True)
class Resumed:
    """An order that was recorded before a restart and not answered."""

    order: Order


Item = tuple[Observation, Picture | None] | Order | Resumed | Draft | Attachment


class Incoming:
    """What waits, in order of arrival.

    Regular observations are dropped when there are too many, the oldest first: the next one
    tells the same again. Orders, drafts, and what a source says only once (lost, back, changed)
    are never dropped; that they don't pile up for ever is the watchdog's affair.
    """

    def __init__(self, dropped: Counter[str]) -> None:
        self._items: deque[Item] = deque()
        self._dropped = dropped
        self._regular = 0
        self._pictures = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._count(item, 1)
        if self._regular > QUEUE_LIMIT:
            oldest = next(i for i, waiting in enumerate(self._items) if _is_regular(waiting))
            self._count(self._items[oldest], -1)
            del self._items[oldest]
            self._dropped["observations"] += 1
        if self._pictures > PICTURE_LIMIT:
            self._drop_picture()

    def take(self) -> Item:
        item = self._items.popleft()
        self._count(item, -1)
        return item

    def _count(self, item: Item, by: int) -> None:
        self._regular += by * _is_regular(item)
        self._pictures += by * _has_picture(item)

    def _drop_picture(self) -> None:
        """The observation stays: it can still raise the alarm, without its picture."""
        oldest = next(i for i, item in enumerate(self._items) if _has_picture(item))
        observation, _picture = cast("tuple[Observation, Picture | None]", self._items[oldest])
        self._items[oldest] = (observation, None)
        self._pictures -= 1
        self._dropped["pictures"] += 1


def _is_regular(item: Item) -> bool:
    return isinstance(item, tuple) and isinstance(item[0], Reading | Sighting | PictureQuality)


def _has_picture(item: Item) -> bool:
    return isinstance(item, tuple) and item[1] is not None
