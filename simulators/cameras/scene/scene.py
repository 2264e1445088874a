"""A scene: a place, its light and weather, who moves through it; pictures and the truth."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from simulators.cameras.scene import backdrop, film
from simulators.cameras.scene.actors import Actor, Kind
from simulators.cameras.scene.falling import Falling, falling
from simulators.cameras.scene.gate import gate
from simulators.cameras.scene.nuisance import Nuisance, shine
from simulators.cameras.scene.optics import Lens
from simulators.cameras.scene.routes import Spot
from simulators.cameras.scene.shaft import shaft
from simulators.cameras.scene.stage import Box, Stage
from simulators.cameras.scene.textures import Image
from simulators.cameras.scene.weather import SETTINGS, Condition, Look, look

EPOCH = 1_780_272_000.0  # 2026-06-01 08:00 on the camera's clock
LAMP_REACH = (0.05, 0.07)  # how far the challenge lamp shines, fractions of width and height
LAMP_STRENGTH = 2.5  # light that it adds, in shares of the light that is there
_PLACES = {"shaft": shaft, "gate": gate}


class Scene:
    """A camera's view. The same (size, seed, place, settings, t) gives the same picture.

    Safe to change and ask from other threads than the one that renders.

    Args:
        size: width, height of the picture, px.
        seed: chooses layout, colours and the camera's angle.
        place: "shaft" or "gate".
        condition: light and weather at first.
        epoch: wall time of t = 0, seconds since 1970; the clock in the picture shows epoch + t.
        fov: horizontal field of view, degrees, in place of the layout's 55 to 68; with 88 a
            person at the mouth is an eighth of the picture's height instead of a fifth.

    Attributes:
        actors: who takes part; change it with `add` or as a whole.
        nuisances: what else changes the picture, applied in this order.
        condition: light and weather now.
        noise: factor on the sensor's noise; 0 is none.
        sigma: deviation of the sensor's noise in grey levels, in place of the condition's.
        shake: deviation of the camera's sway, px at 720 lines.
        clock: whether the clock is written into the picture.
        name: what the camera calls itself in the picture.
        covered: a cloth (or spray, see `cover`) is over the lens.
        frozen: the last picture again and again, clock included.
        lamp: the challenge lamp over the mouth (or at the gate) is lit.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1280, 720),
        seed: int = 0,
        place: str = "shaft",
        *,
        condition: Condition | str = Condition.DAY,
        epoch: float = EPOCH,
        name: str = "",
        fov: float | None = None,
    ) -> None:
        self.size, self.seed, self.place, self.epoch = size, seed, place, epoch
        rng = np.random.default_rng([seed, len(place)])
        self.layout = _PLACES[place](*size, rng)
        if fov is not None:
            lens = replace(self.layout.lens, fov=math.radians(fov))
            self.layout = replace(self.layout, lens=lens)
        self._backdrop = backdrop.paint(self.layout, rng)
        self._stage = Stage(self.layout, self._backdrop)
        self.actors: list[Actor] = []
        self.nuisances: list[Nuisance] = []
        self.condition: Condition | str = condition
        self.noise, self.shake = 1.0, 0.0
        self.sigma: float | None = None
        self.clock, self.name = True, name or f"CAM {place.upper()}"
        self.covered, self.cover = False, "cloth"
        self.lamp = False
        self._frozen_at: float | None = None
        self._last_t = 0.0
        self._lock = threading.RLock()
        self._looks: dict[Condition, tuple[Look, Image]] = {}
        self._grain: tuple[tuple[float, bool], film.Noise] | None = None
        self._falling: dict[Condition, Falling | None] = {}
        self._covers: dict[str, Image] = {}

    @property
    def lens(self) -> Lens:
        """The camera."""
        return self.layout.lens

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    @frozen.setter
    def frozen(self, value: bool) -> None:
        with self._lock:
            self._frozen_at = self._last_t if value else None

    def set(self, name: str) -> None:
        """Take one of the named settings (`weather.SETTINGS`): condition and noise."""
        with self._lock:
            self.condition, self.sigma = SETTINGS[name]

    def now(self) -> float:
        """Scene seconds at this moment of wall time; what a live camera renders."""
        return time.time() - self.epoch

    def add(self, actor: Actor) -> Actor:
        """Let somebody take part; forgets those whose time was over at the last picture."""
        with self._lock:
            past = self._last_t
            self.actors = [other for other in self.actors if other.end >= past] + [actor]
        return actor

    def walk(self, start: float, route: str = "in", **kwargs: Any) -> Actor:
        """A person along a named route of the place (`layout.routes`); see `Actor.along`."""
        return self._along(Kind.PERSON, start, route, kwargs)

    def abreast(
        self, start: float, route: str = "in", count: int = 2, *, gap: float = 0.7, **kwargs: Any
    ) -> list[Actor]:
        """`count` people side by side, `gap` metres from one to the next; see `walk`."""
        seed = int(kwargs.pop("seed", self.seed))
        places = [(index - (count - 1) / 2) * gap for index in range(count)]
        return [
            self.walk(start, route, aside=aside, seed=seed + index, **kwargs)
            for index, aside in enumerate(places)
        ]

    def drive(
        self, start: float, route: str = "", kind: Kind | str = Kind.TRUCK, **kwargs: Any
    ) -> Actor:
        """A vehicle along a named route; by default the place's way out."""
        default = "drive-out" if self.place == "gate" else "drive"
        return self._along(Kind(kind), start, route or default, kwargs)

    def _along(self, kind: Kind, start: float, route: str, kwargs: dict[str, Any]) -> Actor:
        seed = int(kwargs.pop("seed", self.seed))
        spots = self.layout.routes[route]
        return self.add(Actor.along(kind, start, spots, seed=seed, **kwargs))

    def ground(self, u: float, v: float) -> Spot:
        """The spot of the ground at fraction (u, v) of the picture; ValueError above it."""
        return self.lens.ground(u, v)

    def zone(self, name: str) -> list[tuple[float, float]]:
        """A named zone (`layout.zones`) as a polygon in fractions of the picture, for seal.toml."""
        spots = np.array([(x, 0.0, z) for x, z in self.layout.zones[name]], np.float32)
        px, _ = self.lens.project(spots)
        wide, high = self.size
        return [
            (
                round(float(min(max(x / wide, 0.0), 1.0)), 4),
                round(float(min(max(y / high, 0.0), 1.0)), 4),
            )
            for x, y in px
        ]

    def render(self, t: float) -> Image:
        """The picture at scene second `t`, BGR uint8 [H, W, 3]; the caller owns it."""
        with self._lock:
            if self._frozen_at is not None:
                t = self._frozen_at
            self._last_t = t
            acting = [item for item in self.nuisances if item.start <= t <= item.end]
            condition = Condition(self.condition)
            for nuisance in acting:
                condition = nuisance.condition(t, condition)
            rng = np.random.default_rng([self.seed, int(t * 1e6) & (2**63 - 1)])
            shown, picture = self._look(condition)
            if self.covered:
                picture = self._cover().copy()
            else:
                picture = picture.copy()
                self._stage.play(picture, self.actors, t, shown)
                for nuisance in acting:
                    nuisance.apply(picture, t, shown)
                if self.lamp:
                    shine(picture, self._lamp_spot(), LAMP_REACH, LAMP_STRENGTH)
                picture = self._swayed(picture, t)
                self._fall(picture, condition, t, rng)
            if self.noise > 0:
                self._noise(shown).add(picture, rng)
            if self.clock:
                film.write_clock(picture, self.epoch + t, self.name)
            return picture

    def lamp_box(self) -> tuple[float, float, float, float]:
        """Where the lit lamp is seen: left, top, right, bottom in fractions, for seal.toml."""
        x, y = self._lamp_spot()
        half, tall = LAMP_REACH[0] / 2, LAMP_REACH[1] / 2
        left, top = max(x - half, 0.0), max(y - tall, 0.0)
        right, bottom = min(x + half, 1.0), min(y + tall, 1.0)
        return (round(left, 4), round(top, 4), round(right, 4), round(bottom, 4))

    def _lamp_spot(self) -> tuple[float, float]:
        lamps = np.array(self.layout.lamps[:1] or [(0.0, 2.5, 9.0)], np.float32)
        px, _ = self.lens.project(lamps)
        wide, high = self.size
        x, y = float(px[0, 0]) / wide, float(px[0, 1]) / high
        return min(max(x, 0.1), 0.9), min(max(y, 0.2), 0.8)

    def boxes(self, t: float) -> list[Box]:
        """What a perfect detector would find at `t`; nearest first. Empty when covered."""
        with self._lock:
            if self._frozen_at is not None:
                t = self._frozen_at
            if self.covered:
                return []
            found = self._stage.boxes(self.actors, t)
            sway = self._sway(t)
            return [self._moved(box, *sway) for box in found]

    def _moved(self, box: Box, dx: float, dy: float) -> Box:
        wide, high = self.size
        return box._replace(
            x1=min(max(box.x1 + dx, 0.0), wide),
            y1=min(max(box.y1 + dy, 0.0), high),
            x2=min(max(box.x2 + dx, 0.0), wide),
            y2=min(max(box.y2 + dy, 0.0), high),
        )

    def _sway(self, t: float) -> tuple[float, float]:
        if self.shake <= 0:
            return 0.0, 0.0
        amount = self.shake * self.size[1] / 720
        return (
            amount * (math.sin(t * 9.1 + 1) + 0.7 * math.sin(t * 23.7)),
            amount * (math.sin(t * 11.3) + 0.7 * math.sin(t * 19.9 + 2)),
        )

    def _swayed(self, picture: Image, t: float) -> Image:
        dx, dy = self._sway(t)
        if dx == 0.0 == dy:
            return picture
        matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        moved = cv2.warpAffine(picture, matrix, self.size, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    def _fall(
        self, picture: Image, condition: Condition, t: float, rng: np.random.Generator
    ) -> None:
        if condition not in self._falling:
            self._falling[condition] = falling(self.size, condition, self.seed)
        falls = self._falling[condition]
        if falls is not None:
            falls.add(picture, t, rng)

    def _look(self, condition: Condition) -> tuple[Look, Image]:
        if condition not in self._looks:
            shown = look(condition, self.lens, self.layout.lamps)
            self._looks[condition] = (shown, shown.still(self._backdrop))
        return self._looks[condition]

    def _noise(self, shown: Look) -> film.Noise:
        sigma = shown.noise if self.sigma is None else self.sigma
        key = (sigma * self.noise, shown.grey)
        if self._grain is None or self._grain[0] != key:
            self._grain = (key, film.Noise(self.size, key[0], grey=key[1], seed=self.seed))
        return self._grain[1]

    def _cover(self) -> Image:
        if self.cover not in self._covers:
            self._covers[self.cover] = film.cover(self.size, self.cover, self.seed)
        return self._covers[self.cover]
