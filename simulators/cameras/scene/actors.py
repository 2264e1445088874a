"""Who moves through a scene, and when: a path over the ground with a time at every corner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from simulators.cameras.scene import routes
from simulators.cameras.scene.body import Posture
from simulators.cameras.scene.routes import Spot


class Kind(StrEnum):
    """What an actor is."""

    PERSON = "person"
    TRUCK = "truck"
    CAR = "car"
    DOG = "dog"
    CAT = "cat"

    @property
    def label(self) -> str:
        """`person` or `vehicle`, as a detector should call it; `animal`: it should not."""
        return _LABEL[self]


_LABEL = {
    Kind.PERSON: "person",
    Kind.TRUCK: "vehicle",
    Kind.CAR: "vehicle",
    Kind.DOG: "animal",
    Kind.CAT: "animal",
}
_SPEED = {  # m/s inside a yard
    Kind.PERSON: 1.3,
    Kind.TRUCK: 2.4,
    Kind.CAR: 3.2,
    Kind.DOG: 1.8,
    Kind.CAT: 1.0,
}
_REACH = {  # metres over which a turn is taken
    Kind.PERSON: 0.25,
    Kind.TRUCK: 2.6,
    Kind.CAR: 1.4,
    Kind.DOG: 0.3,
    Kind.CAT: 0.2,
}
_GAIT_SPEED = {Posture.STAND: 1.0, Posture.CROUCH: 0.55, Posture.CRAWL: 0.35}  # of walking


@dataclass(frozen=True, slots=True)
class Pose:
    """Where somebody is at one moment.

    Attributes:
        place: x, z on the ground, metres.
        heading: direction of the front; 0 away from the camera, towards x positive.
        walked: metres gone so far, or None at rest.
    """

    place: Spot
    heading: float
    walked: float | None


@dataclass(frozen=True, slots=True)
class Actor:
    """One person or vehicle; there from the first key's time to the last one's.

    Attributes:
        kind: what it is.
        keys: (t, x, z), scene seconds and metres, t ascending. It stands where two keys are alike.
        seed: chooses size, clothes, paint.
        rest: how a person rests.
        facing: heading at rest where there was no step before; 0 is away from the camera.
        gait: how a person moves: upright, crouched, or on hands and knees.
        backwards: moves with its back ahead.
    """

    kind: Kind
    keys: tuple[tuple[float, float, float], ...]
    seed: int = 0
    rest: Posture = Posture.STAND
    facing: float = math.pi
    gait: Posture = Posture.STAND
    backwards: bool = False

    @staticmethod
    def along(
        kind: Kind | str,
        start: float,
        route: Sequence[Spot],
        *,
        speed: float | None = None,
        pause: float = 0.0,
        seed: int = 0,
        rest: Posture | str = Posture.STAND,
        gait: Posture | str = Posture.STAND,
        aside: float = 0.0,
        turn: float | None = None,
        backwards: bool = False,
    ) -> Actor:
        """Somebody who goes along `route`.

        Args:
            kind: what it is.
            start: when, scene seconds.
            route: spots on the ground, metres.
            speed: m/s; by default what is usual for the kind and gait.
            pause: seconds of rest: where it turns, else in the middle of the route.
            seed: as for the class.
            rest: as for the class.
            gait: as for the class.
            backwards: as for the class.
            aside: metres to the right of the route: several abreast take several.
            turn: the share of the route, 0..1, after which it goes back the way it came.

        Raises:
            ValueError: for a route of less than two spots or a speed of nothing.
        """
        kind, gait = Kind(kind), Posture(gait)
        pace = _SPEED[kind] * _GAIT_SPEED[gait] if speed is None else speed
        if len(route) < 2 or pace <= 0:
            raise ValueError("an actor needs a route of two spots and a speed")
        way = routes.beside(route, aside) if aside else list(route)
        if turn is not None:
            way = routes.there_and_back(way, turn)
        now, keys = start, [(start, *way[0])]
        for index, (one, two) in enumerate(pairwise(way), start=1):
            now += math.dist(one, two) / pace
            keys.append((now, *two))
            if pause > 0 and index == len(way) // 2:
                now += pause
                keys.append((now, *two))
        return Actor(kind, tuple(keys), seed, Posture(rest), gait=gait, backwards=backwards)

    def shadowed(
        self,
        *,
        aside: float,
        behind: float,
        seed: int = 0,
        gait: Posture | str = Posture.CRAWL,
    ) -> Actor:
        """A person who goes along with this actor, hidden by it if the place is well chosen.

        Args:
            aside: metres to the right of its way.
            behind: seconds after it.
            seed: chooses the person.
            gait: how the person moves.
        """
        way = routes.beside([(x, z) for _, x, z in self.keys], aside)
        keys = tuple((t + behind, *spot) for (t, _, _), spot in zip(self.keys, way, strict=True))
        return Actor(Kind.PERSON, keys, seed, gait=Posture(gait))

    @staticmethod
    def still(
        kind: Kind | str,
        start: float,
        end: float,
        spot: Spot,
        *,
        seed: int = 0,
        rest: Posture | str = Posture.STAND,
        facing: float = math.pi,
    ) -> Actor:
        """Somebody who is at `spot` from `start` to `end` and does not move."""
        return Actor(Kind(kind), ((start, *spot), (end, *spot)), seed, Posture(rest), facing)

    @property
    def start(self) -> float:
        """When it appears, scene seconds."""
        return self.keys[0][0]

    @property
    def end(self) -> float:
        """When it has gone, scene seconds."""
        return self.keys[-1][0]

    def at(self, t: float) -> Pose | None:
        """Its pose at `t`; None before its time and after it."""
        if not self.start <= t <= self.end:
            return None
        gone, moving = self._gone(t)
        reach = _REACH[self.kind]
        behind, before = self._spot(max(gone - reach, 0.0)), self._spot(gone + reach)
        step = (before[0] - behind[0], before[1] - behind[1])
        heading = math.atan2(*step) if math.hypot(*step) > 1e-6 else self.facing
        heading += math.pi if self.backwards else 0.0
        return Pose(self._spot(gone), heading, gone if moving else None)

    def _gone(self, t: float) -> tuple[float, bool]:
        """Metres gone at `t`, and whether it moves then."""
        gone = 0.0
        for (t0, *one), (t1, *two) in pairwise(self.keys):
            length = math.dist(one, two)
            if t <= t1:
                part = (t - t0) / (t1 - t0) if t1 > t0 else 1.0
                return gone + length * part, length > 1e-6
            gone += length
        return gone, False

    def _spot(self, gone: float) -> Spot:
        """The spot `gone` metres along the path."""
        for (_, *one), (_, *two) in pairwise(self.keys):
            length = math.dist(one, two)
            if gone <= length and length > 1e-9:
                part = gone / length
                return one[0] + (two[0] - one[0]) * part, one[1] + (two[1] - one[1]) * part
            gone -= length
        return self.keys[-1][1], self.keys[-1][2]
